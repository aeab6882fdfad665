/* json_depth.h — a look at JSON before a parser that recurses gets it. */
#ifndef BASE_JSON_DEPTH_H
#define BASE_JSON_DEPTH_H

#include "base/str.h"

#define JSON_DEPTH_MAX 32 /* of what other services answer */

/* Does it open more than JSON_DEPTH_MAX brackets at once? Those in strings count too, which honest answers bear. */
bool json_nests_too_deep(str text);

#define JSON_TREE_MAX ((size_t)120 * 1024) /* half of a request's memory */

/* Would its tree take more bytes than that, by a guess that is never low? An empty object of three bytes takes a hundred
 * times as many. */
bool json_holds_too_much(str text);

#endif
