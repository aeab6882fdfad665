/* result.c — from an answer to a sp_result. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* When there is not even memory for an error. */
static struct answer no_memory = {
	.pub = { .error = SP_MEMORY, .code = "", .message = "out of memory", .body = "" },
	.is_static = true,
};

static const char *const error_names[] = {
	[SP_OK] = "SP_OK",
	[SP_SECOND_FACTOR] = "SP_SECOND_FACTOR",
	[SP_SETUP_REQUIRED] = "SP_SETUP_REQUIRED",
	[SP_REFUSED] = "SP_REFUSED",
	[SP_REAUTH] = "SP_REAUTH",
	[SP_SIGNED_OUT] = "SP_SIGNED_OUT",
	[SP_LATER] = "SP_LATER",
	[SP_NETWORK] = "SP_NETWORK",
	[SP_TIMEOUT] = "SP_TIMEOUT",
	[SP_SERVER] = "SP_SERVER",
	[SP_PROTOCOL] = "SP_PROTOCOL",
	[SP_INVALID] = "SP_INVALID",
	[SP_STORE] = "SP_STORE",
	[SP_UNAVAILABLE] = "SP_UNAVAILABLE",
	[SP_CANCELLED] = "SP_CANCELLED",
	[SP_MEMORY] = "SP_MEMORY",
};

/* For people, where neither the server nor the network has said more. */
static const char *const error_texts[] = {
	[SP_OK] = "",
	[SP_SECOND_FACTOR] = "second factor required",
	[SP_SETUP_REQUIRED] = "second factor must be set up",
	[SP_REFUSED] = "refused",
	[SP_REAUTH] = "sign in again, or give a password or code",
	[SP_SIGNED_OUT] = "not signed in",
	[SP_LATER] = "try again later",
	[SP_NETWORK] = "no answer from the server",
	[SP_TIMEOUT] = "no answer in time",
	[SP_SERVER] = "the server has failed",
	[SP_PROTOCOL] = "that was no answer of a Sallyport server",
	[SP_INVALID] = "an argument is missing or malformed",
	[SP_STORE] = "the tokens cannot be stored or read",
	[SP_UNAVAILABLE] = "not available here",
	[SP_CANCELLED] = "cancelled",
	[SP_MEMORY] = "out of memory",
};

const char *sp_error_name(sp_error error)
{
	size_t i = (size_t)error;

	return i < sizeof error_names / sizeof *error_names ? error_names[i] : "SP_UNKNOWN";
}

void *result_alloc(struct answer *r, size_t n, size_t size)
{
	void *p;

	if (r->is_static || r->n_blocks == sizeof r->blocks / sizeof *r->blocks)
		return NULL;
	p = calloc(n > 0 ? n : 1, size);
	if (p != NULL) {
		r->blocks[r->n_blocks].p = p;
		r->blocks[r->n_blocks++].n = n * size;
	}
	return p;
}

const char *result_copy(struct answer *r, const char *text)
{
	char *copy = result_alloc(r, strlen(text) + 1, 1);

	return copy == NULL ? NULL : memcpy(copy, text, strlen(text) + 1);
}

void result_fail(struct answer *r, sp_error error, const char *code, const char *message)
{
	const char *copy = message == NULL || message[0] == '\0' ? NULL : result_copy(r, message);

	if (r->is_static)
		return;
	r->pub.error = error;
	r->pub.code = code;
	r->pub.message = copy != NULL ? copy : error_texts[error];
}

struct answer *result_of(sp_error error, const char *code, const char *message)
{
	struct answer *r = calloc(1, sizeof *r);
	const char *kept;

	if (r == NULL)
		return &no_memory;
	r->pub.body = "";
	kept = result_copy(r, code);
	result_fail(r, error, kept != NULL ? kept : "", message);
	return r;
}

void sp_result_free(sp_result *result)
{
	struct answer *r = (struct answer *)result;

	if (r == NULL || r->is_static)
		return;
	if (r->text != NULL)
		wipe(r->text, r->text_n);
	free(r->text);
	free(r->json);
	if (r->pub.body_length > 0) {
		/* The one place where what is const for the caller is the library's again. */
		union {
			const char *seen;
			char *own;
		} body = { .seen = r->pub.body };

		wipe(body.own, r->pub.body_length);
		free(body.own);
	}
	for (size_t i = 0; i < r->n_blocks; i++) {
		wipe(r->blocks[i].p, r->blocks[i].n);
		free(r->blocks[i].p);
	}
	free(r);
}

/* ---- what is in a good answer ---- */

/* The texts of an array; false: no memory, or not an array of texts. */
static bool read_texts(struct answer *r, const struct json *array, const char *const **ret, size_t *n)
{
	const char **texts;

	if (array == NULL || array->kind != JSON_ARRAY)
		return false;
	texts = result_alloc(r, array->n, sizeof *texts);
	if (texts == NULL)
		return false;
	for (const struct json *m = array->first; m != NULL; m = m->next) {
		if (m->kind != JSON_STRING)
			return false;
		texts[(*n)++] = m->text;
	}
	*ret = texts;
	return true;
}

static bool read_challenge(struct answer *r)
{
	sp_challenge *c = result_alloc(r, 1, sizeof *c);
	const struct json *methods = json_get(r->json, "available2faMethods");

	if (c == NULL)
		return false;
	c->temp_token = json_string(r->json, "tempToken");
	r->pub.challenge = c;
	return c->temp_token != NULL && (methods == NULL || read_texts(r, methods, &c->methods, &c->n_methods));
}

/* What is there and empty is as good as absent. */
static const char *text_or_none(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
}

static bool read_profile(struct answer *r)
{
	sp_profile *p = result_alloc(r, 1, sizeof *p);

	if (p == NULL)
		return false;
	*p = (sp_profile){
		.id = json_string(r->json, "sub"),
		.email = json_string(r->json, "email"),
		.first_name = json_string(r->json, "firstName"),
		.last_name = json_string(r->json, "lastName"),
		.name = json_string(r->json, "name"),
		.phone_number = json_string(r->json, "phoneNumber"),
		.role = text_or_none(json_string(r->json, "role")),
		.login_provider = json_string(r->json, "loginProvider"),
		.last_login = json_string(r->json, "lastLogin"),
		.is_email_verified = json_flag(r->json, "isEmailVerified"),
		.is_totp_enabled = json_flag(r->json, "isTotpEnabled"),
		.has_password = json_flag(r->json, "hasPassword"),
		.is_admin = json_flag(r->json, "isAdmin"),
		.is_guest = json_flag(r->json, "isGuest"),
	};
	r->pub.profile = p;
	return p->id != NULL && p->email != NULL;
}

static bool read_sessions(struct answer *r)
{
	const struct json *list = json_get(r->json, "sessions");
	sp_session *s;

	if (list == NULL || list->kind != JSON_ARRAY)
		return false;
	s = result_alloc(r, list->n, sizeof *s);
	if (s == NULL)
		return false;
	r->pub.sessions = s;
	for (const struct json *m = list->first; m != NULL; m = m->next, s++, r->pub.n_sessions++) {
		*s = (sp_session){
			.handle = json_string(m, "handle"),
			.created_at = json_string(m, "createdAt"),
			.expires_at = json_string(m, "expiresAt"),
			.last_active_at = json_string(m, "lastActiveAt"),
			.user_agent = json_string(m, "userAgent"),
			.ip_address = json_string(m, "ipAddress"),
			.is_current = json_flag(m, "isCurrent"),
		};
		if (s->handle == NULL || s->created_at == NULL || s->expires_at == NULL || s->last_active_at == NULL)
			return false;
	}
	return true;
}

static bool read_accounts(struct answer *r)
{
	const struct json *list = json_get(r->json, "linkedAccounts");
	sp_linked_account *a;

	if (list == NULL || list->kind != JSON_ARRAY)
		return false;
	a = result_alloc(r, list->n, sizeof *a);
	if (a == NULL)
		return false;
	r->pub.accounts = a;
	for (const struct json *m = list->first; m != NULL; m = m->next, a++, r->pub.n_accounts++) {
		*a = (sp_linked_account){
			.provider = json_string(m, "provider"),
			.provider_account_id = json_string(m, "providerAccountId"),
			.email = json_string(m, "email"),
			.name = json_string(m, "name"),
			.picture = json_string(m, "picture"),
			.linked_at = json_string(m, "linkedAt"),
		};
		if (a->provider == NULL || a->provider_account_id == NULL)
			return false;
	}
	return true;
}

static bool read_totp(struct answer *r)
{
	sp_totp *t = result_alloc(r, 1, sizeof *t);

	if (t == NULL)
		return false;
	*t = (sp_totp){
		.secret = json_string(r->json, "secret"),
		.otpauth_url = json_string(r->json, "otpauthUrl"),
		.qr_code = json_string(r->json, "qrCode"),
	};
	r->pub.totp = t;
	return t->secret != NULL && t->otpauth_url != NULL && t->qr_code != NULL;
}

/* False: something that must be there is not. */
static bool read_good(struct answer *r, enum gives gives)
{
	const struct json *codes = json_get(r->json, "recoveryCodes");

	switch (gives) {
	case GIVES_TOKENS:
		if (json_flag(r->json, "requiresTwoFactor")) {
			result_fail(r, SP_SECOND_FACTOR, "", NULL);
			return read_challenge(r);
		}
		r->pub.user_id = json_string(r->json, "userId");
		return json_string(r->json, "accessToken") != NULL && json_string(r->json, "refreshToken") != NULL;
	case GIVES_SOME:
		if (json_flag(r->json, "requiresTwoFactor")) {
			result_fail(r, SP_SECOND_FACTOR, "", NULL);
			return read_challenge(r);
		}
		r->pub.user_id = json_string(r->json, "userId");
		return codes == NULL || read_texts(r, codes, &r->pub.recovery_codes, &r->pub.n_recovery_codes);
	case GIVES_PROFILE:
		return read_profile(r);
	case GIVES_SESSIONS:
		return read_sessions(r);
	case GIVES_ACCOUNTS:
		return read_accounts(r);
	case GIVES_TOTP:
		return read_totp(r);
	case GIVES_URL:
		r->pub.url = json_string(r->json, "url");
		return r->pub.url != NULL;
	case GIVES_BODY:
	case GIVES_NOTHING:
		break;
	}
	return true;
}

/* ---- refusals ---- */

static void read_fields(struct answer *r)
{
	const struct json *list = json_get(r->json, "fields");
	sp_field *f;

	if (list == NULL || list->kind != JSON_ARRAY || list->n == 0)
		return;
	f = result_alloc(r, list->n, sizeof *f);
	if (f == NULL)
		return;
	r->pub.fields = f;
	for (const struct json *m = list->first; m != NULL; m = m->next) {
		*f = (sp_field){ json_string(m, "field"), json_string(m, "reason") };
		if (f->field == NULL || f->reason == NULL)
			continue;
		f++;
		r->pub.n_fields++;
	}
}

static sp_error error_of(int status, const char *code)
{
	if (status == 429 || status == 503)
		return SP_LATER;
	if (status >= 500)
		return SP_SERVER;
	if (strcmp(code, "REAUTH_REQUIRED") == 0)
		return SP_REAUTH;
	if (strcmp(code, "2FA_SETUP_REQUIRED") == 0)
		return SP_SETUP_REQUIRED;
	return SP_REFUSED;
}

static void read_refusal(struct answer *r)
{
	const char *code = json_string(r->json, "code"), *text = json_string(r->json, "error");
	sp_error error;

	if (code == NULL)
		code = "";
	error = error_of(r->pub.status, code);
	if (text == NULL && error != SP_LATER && error != SP_SERVER)
		error = SP_PROTOCOL; /* some proxy's */
	if (error == SP_SETUP_REQUIRED && !read_challenge(r))
		error = SP_PROTOCOL;
	result_fail(r, error, text == NULL ? "" : code, text);
	r->pub.merge_token = json_string(r->json, "mergeToken");
	read_fields(r);
}

static void read_json(struct answer *r)
{
	r->text_n = r->pub.body_length;
	r->text = malloc(r->text_n + 1);
	if (r->text == NULL)
		return;
	memcpy(r->text, r->pub.body, r->text_n);
	r->text[r->text_n] = '\0';
	if (!json_read(r->text, r->text_n, &r->json) || r->json->kind != JSON_OBJECT) {
		free(r->json);
		r->json = NULL;
	}
}

struct answer *result_read(struct http_answer *a, enum gives gives)
{
	struct answer *r = result_of(a->error, "", a->error == SP_OK ? NULL : a->reason);
	bool is_good = a->status >= 200 && a->status < 300;

	if (r->is_static) {
		text_free(&a->body);
		return r;
	}
	r->pub.status = a->status;
	r->pub.retry_after = a->retry_after;
	if (a->error != SP_OK) {
		text_free(&a->body);
		return r;
	}
	if (a->body.n > 0) {
		r->pub.body = a->body.p;
		r->pub.body_length = a->body.n;
		a->body = (struct text){ 0 };
	} else {
		text_free(&a->body);
	}
	if (!is_good || gives != GIVES_BODY)
		read_json(r);
	if (!is_good)
		read_refusal(r);
	else if (gives != GIVES_BODY && (r->json == NULL || !read_good(r, gives)))
		result_fail(r, SP_PROTOCOL, "", NULL);
	return r;
}
