/* json_depth.h — a look at JSON before a parser that recurses gets it. */
#ifndef BASE_JSON_DEPTH_H
#define BASE_JSON_DEPTH_H

#include "base/str.h"

#define JSON_DEPTH_MAX 32 /* of what other services answer */

/* Does it open more than JSON_DEPTH_MAX brackets at once? Those in strings count too, which honest answers bear. */
bool json_nests_too_deep(str text);

#define JSON_VALUES_MAX 1500 /* a tree of so many is half of a request's memory at most */

/* Does it open more brackets and say more commas and colons than JSON_VALUES_MAX? Those in strings count too. */
bool json_holds_too_much(str text);

#endif
