/* url.h — what a browser or a mail brings: addresses, and the head of a request. Written by others, never by us. */
#ifndef SP_URL_H
#define SP_URL_H

#include <stdbool.h>

/* Behind the first ? or #; "" without one. */
const char *query_of(const char *url);
/* The value of that name in a query ("a=1&b=2#…"), decoded, to be freed with wipe_free; NULL: none, a zero byte in it, or no
 * memory. Of several the first counts. */
char *query_value(const char *query, const char *name);
/* Whether it can stand for one segment of a path: an empty one, or one of dots, would make another path. False of NULL. */
bool url_is_segment(const char *text);
/* Whether the path ends like this. */
bool url_path_ends(const char *url, const char *end);

/* The target of a GET for our path, or for the page below it where second factors are asked for; cut out of the head, which
 * ends with a zero. NULL: something else. */
char *request_target(char *head, const char *path);

#endif
