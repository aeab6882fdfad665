/* page.h — what the hosted pages and the viewer of the API's description have in common. */
#ifndef API_PAGE_H
#define API_PAGE_H

#include "api/routes.h"
#include "web/ui.h"

/* Of the query's `lang`, else the best that the browser asks for. Refusal: ERR_INPUT, of a query that cannot be read. */
MUST_USE err_t page_lang(struct req *r, const struct ui_lang **ret);
/* The whole answer. back: where the page's script may send the person, or STR_NONE. */
MUST_USE err_t page_show(struct req *r, const struct embedded_page *page, str back, struct http_reply *rep);
/* Random text for one answer. Fault: ERR_CRYPTO. */
MUST_USE err_t page_nonce(struct req *r, str *ret);
/* Status, content type, the policy with that nonce, and the other headers of an HTML page. */
MUST_USE err_t page_head(struct req *r, str nonce, struct http_reply *rep);
/* A file, or 304 when the client has it. For ever when its hash was asked for (`?v=`). */
MUST_USE err_t page_file(struct req *r, const struct ui_file *file, struct http_reply *rep);

#endif
