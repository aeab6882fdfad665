/* problem.h — what each refusal and fault means on the wire: the only place where a status or an error
 * text is spelled. Texts and codes are those existing clients were built against. */
#ifndef API_PROBLEM_H
#define API_PROBLEM_H

#include "domain/ctx.h"
#include "http/http.h"

struct problem {
	int status;
	str code;
	str text;
};

struct problem problem_of(enum err_code code);

/* {"error": text, "message": text, "code": CODE[, "success": false][, "fields": [{"field","reason"}]]
 * [, "challenge": {…}][, "mergeToken": JWT][, "hint": in --dev]}
 * c may be NULL (the edge's own refusals). says_success: the route promises "success" in every body. */
void problem_write(enum err_code code, const struct ctx *c, bool says_success, int64_t retry_after_s,
		   struct http_reply *rep);

#endif
