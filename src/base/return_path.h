/* return_path.h — where a person may be sent back to: a path of our own origin, never another host. */
#ifndef BASE_RETURN_PATH_H
#define BASE_RETURN_PATH_H

#include "base/str.h"

#define RETURN_PATH_MAX ((size_t)2048)

/* "/", "/app?tab=2#top". Not what a browser, a proxy or a router could take for another host or for the
 * path of somebody else: no "//", no backslash, no dot segment, however often they are escaped (up to four
 * times; more is refused), nothing but visible ASCII. The same rule as web/ui/return_path.js; both are
 * tried with test/data/return_paths.json. */
bool return_path_ok(str value);

#endif
