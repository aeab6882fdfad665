/* request.c — the request of a call: made of the row in call.c and the arguments, and sent. */
#include "call.h"
#include "url.h"

#include <string.h>

/* ---- making it ---- */

static void add_member(struct text *body, const char *key, const char *value)
{
	text_add(body, body->n > 1 ? "," : "");
	text_add_json(body, key);
	text_add(body, ":");
	text_add(body, value);
}

static void add_text(struct text *body, const char *key, const char *value)
{
	add_member(body, key, "");
	text_add_json(body, value);
}

static bool is_totp_code(const char *code)
{
	return strlen(code) == 6 && strspn(code, "0123456789") == 6;
}

/* False: an argument is missing. */
static bool add_part(sp_client *c, struct text *body, const struct part *p, const char *const *arguments)
{
	const char *value = arguments[p->argument];
	char *token;

	switch (p->form) {
	case FORM_TEXT:
		if (value == NULL)
			return false;
		add_text(body, p->key, value);
		break;
	case FORM_NULL:
		if (value == NULL)
			add_member(body, p->key, "null");
		else
			add_text(body, p->key, value);
		break;
	case FORM_MAYBE:
		if (value != NULL)
			add_text(body, p->key, value);
		break;
	case FORM_NAME:
		if (value != NULL && value[0] == '\0')
			add_member(body, p->key, "null");
		else if (value != NULL)
			add_text(body, p->key, value);
		break;
	case FORM_FLAG:
		if (value == NULL)
			return false;
		if (strcmp(value, "0") != 0)
			add_member(body, p->key, "true");
		break;
	case FORM_PROOF:
		if (value != NULL)
			add_text(body, is_totp_code(value) ? "totpCode" : "recoveryCode", value);
		break;
	case FORM_FIXED:
		add_text(body, p->key, p->fixed);
		break;
	case FORM_LANGUAGE:
		if (c->language != NULL)
			add_text(body, p->key, c->language);
		break;
	case FORM_DEVICE:
	case FORM_TRUST:
		token = device_token(c, p->key);
		if (token != NULL)
			add_text(body, p->key, token);
		wipe_free(token);
		break;
	case FORM_REMEMBER:
		if (atomic_load(&c->remember))
			add_member(body, p->key, "true");
		break;
	}
	return true;
}

/* False: an argument is missing. An empty body is left away. */
static bool make_body(sp_client *c, const struct call *call, const char *const *arguments, struct text *body)
{
	if (call->parts[0].form == 0)
		return true;
	text_add(body, "{");
	for (size_t i = 0; i < MAX_PARTS && call->parts[i].form != 0; i++)
		if (!add_part(c, body, &call->parts[i], arguments))
			return false;
	if (body->n == 1 && strcmp(call->method, "DELETE") == 0)
		text_free(body);
	else
		text_add(body, "}");
	return true;
}

static bool make_path(const struct call *call, const char *const *arguments, struct text *path)
{
	for (const char *p = call->path; *p != '\0'; p++) {
		const char *value;

		if (*p != '{') {
			text_add_n(path, p, 1);
			continue;
		}
		value = arguments[p[1] - '0'];
		if (!url_is_segment(value))
			return false;
		text_add_url(path, value);
		p += 2;
	}
	return true;
}

/* ---- sending it ---- */

static struct answer *send_as(sp_client *c, const struct http_request *q, enum gives gives, bool *is_bad_token)
{
	struct http_answer a;

	http_send(c, q, &a);
	*is_bad_token = a.error == SP_OK && a.status == 401 && a.bad_token;
	return result_read(&a, gives);
}

static bool is_revoked(const struct answer *r)
{
	return (r->pub.status == 401 || r->pub.status == 403) && strcmp(r->pub.code, "SESSION_REVOKED") == 0;
}

/* For somebody who is signed in: with a token that is good, once more if it was not. Ends the session when the server says
 * so. */
static struct answer *send_signed(sp_client *c, const struct http_request *q, enum gives gives)
{
	for (int tries = 0;; tries++) {
		struct record record = { 0 };
		struct http_request signed_q = *q;
		struct answer *r = record_fresh(c, -1, &record);
		bool is_bad_token = false;

		if (r != NULL)
			return r;
		signed_q.bearer = record.access;
		r = send_as(c, &signed_q, gives, &is_bad_token);
		if (is_revoked(r)) {
			(void)session_end(c, record.access, "SESSION_REVOKED");
			r->pub.error = SP_SIGNED_OUT;
			is_bad_token = false;
		}
		if (is_bad_token && tries == 0) {
			struct answer *failed = session_refresh(c, record.access);

			record_free(&record);
			sp_result_free(&r->pub);
			if (failed != NULL)
				return failed;
			continue;
		}
		record_free(&record);
		return r;
	}
}

static struct answer *send_call(sp_client *c, const struct call *call, const char *const *arguments,
				struct http_request *q)
{
	bool ignored;

	switch (call->who) {
	case WHO_NEW:
		q->wants_tokens = true;
		break;
	case WHO_USER:
		return send_signed(c, q, call->gives);
	case WHO_GUEST:
		if (sp_is_signed_in(c) == 1)
			return send_signed(c, q, call->gives);
		break;
	case WHO_SETUP:
		if (arguments[0] == NULL)
			return send_signed(c, q, call->gives);
		q->bearer = arguments[0];
		q->wants_tokens = true;
		break;
	case WHO_ANYBODY:
		break;
	}
	return send_as(c, q, call->gives, &ignored);
}

struct answer *request_send(sp_client *c, const struct call *call, const char *const *arguments)
{
	struct text path = { 0 }, body = { 0 };
	struct http_request q = { .method = call->method };
	struct answer *r;

	if (!make_path(call, arguments, &path) || !make_body(c, call, arguments, &body)) {
		r = result_of(SP_INVALID, "", NULL);
	} else if (path.failed || body.failed) {
		r = result_of(SP_MEMORY, "", NULL);
	} else {
		q.path = path.p;
		q.body = body.p;
		q.body_max = call->gives == GIVES_BODY ? 64 * 1024 * 1024 : 0;
		r = send_call(c, call, arguments, &q);
		/* Also of a setup that a temp token was used for; tokens are nowhere else. */
		session_sign_in(c, r);
	}
	text_free(&path);
	text_free(&body);
	return r;
}
