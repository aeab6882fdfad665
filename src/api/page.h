/* page.h — what the hosted pages and the viewer of the API's description have in common. */
#ifndef API_PAGE_H
#define API_PAGE_H

#include "api/routes.h"
#include "web/ui.h"

/* Random text for one answer. Fault: ERR_CRYPTO. */
MUST_USE err_t page_nonce(struct req *r, str *ret);
/* Status, content type, the policy with that nonce, and the other headers of an HTML page. */
MUST_USE err_t page_head(struct req *r, str nonce, struct http_reply *rep);
/* A file, or 304 when the client has it. For ever when its hash was asked for (`?v=`). */
MUST_USE err_t page_file(struct req *r, const struct ui_file *file, struct http_reply *rep);

#endif
