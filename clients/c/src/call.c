/* call.c — the table of calls: for each its request, who may make it, what comes back; and the public functions. */
#include "internal.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum who {
	WHO_ANYBODY = 1,
	WHO_NEW, /* signs in: tokens come in the body */
	WHO_USER, /* needs a session */
	WHO_GUEST, /* goes with the session, if there is one */
	WHO_SETUP, /* a temp token as the first argument (then as WHO_NEW), or else a session */
};

/* How a member of the body is made of an argument. */
enum form {
	FORM_TEXT = 1, /* must be there */
	FORM_MAYBE, /* left out when NULL */
	FORM_NULL, /* null when NULL */
	FORM_NAME, /* left out when NULL, null when "" */
	FORM_FLAG, /* true, or left out when "0" */
	FORM_PROOF, /* six digits: totpCode; else recoveryCode; left out when NULL */
	FORM_FIXED, /* no argument: the text itself */
	FORM_LANGUAGE, /* no argument: the client's */
	FORM_DEVICE, /* no argument: what the server knows this device by */
	FORM_TRUST,
	FORM_REMEMBER,
};

struct part {
	enum form form;
	const char *key;
	const char *fixed;
	unsigned argument;
};

#define MAX_PARTS 5
#define MAX_ARGUMENTS 4

struct call {
	const char *name, *method, *path; /* {N}: the argument of that number */
	enum who who;
	enum gives gives;
	unsigned n_arguments;
	struct part parts[MAX_PARTS];
	/* Instead of all that but name and number. */
	sp_result *(*run)(sp_client *c, const char *const *arguments);
};

#define TEXT(key, n) { FORM_TEXT, key, NULL, n }
#define MAYBE(key, n) { FORM_MAYBE, key, NULL, n }
#define OR_NULL(key, n) { FORM_NULL, key, NULL, n }
#define NAME(key, n) { FORM_NAME, key, NULL, n }
#define FLAG(key, n) { FORM_FLAG, key, NULL, n }
#define FIXED(key, text) { FORM_FIXED, key, text, 0 }
#define PASSWORD(n) MAYBE("currentPassword", n)
#define PROOF(n) { FORM_PROOF, NULL, NULL, n }
#define LANGUAGE { FORM_LANGUAGE, "emailLang", NULL, 0 }
#define DEVICE { FORM_DEVICE, "deviceToken", NULL, 0 }
#define TRUST { FORM_TRUST, "trustToken", NULL, 0 }
#define REMEMBER { FORM_REMEMBER, "rememberDevice", NULL, 0 }
#define SECOND TEXT("tempToken", 0), FIXED("mode", "2fa")

static sp_result *run_login(sp_client *c, const char *const *a);
static sp_result *run_logout(sp_client *c, const char *const *a);
static sp_result *run_refresh(sp_client *c, const char *const *a);
static sp_result *run_access_token(sp_client *c, const char *const *a);
static sp_result *run_clear_tokens(sp_client *c, const char *const *a);
static sp_result *run_delete_account(sp_client *c, const char *const *a);
static sp_result *run_oauth_login(sp_client *c, const char *const *a);
static sp_result *run_oauth_link(sp_client *c, const char *const *a);

#define POST_TO(path, who, gives, n) "POST", path, who, gives, n
#define RUN(name, n, run) { name, NULL, NULL, WHO_ANYBODY, GIVES_NOTHING, n, { { 0 } }, run }

static const struct call calls[] = {
	{ "register", POST_TO("/register", WHO_GUEST, GIVES_SOME, 4),
	  { TEXT("email", 0), TEXT("password", 1), MAYBE("firstName", 2), MAYBE("lastName", 3), LANGUAGE }, NULL },
	RUN("login", 2, run_login),
	RUN("logout", 0, run_logout),
	{ "guest", POST_TO("/guest", WHO_NEW, GIVES_TOKENS, 0), { { 0 } }, NULL },
	RUN("refresh", 0, run_refresh),
	RUN("access_token", 1, run_access_token),
	RUN("clear_tokens", 0, run_clear_tokens),
	{ "get_profile", "GET", "/me", WHO_USER, GIVES_PROFILE, 0, { { 0 } }, NULL },
	{ "update_profile", "PATCH", "/profile", WHO_USER, GIVES_NOTHING, 2,
	  { NAME("firstName", 0), NAME("lastName", 1) }, NULL },
	{ "export", "GET", "/export", WHO_USER, GIVES_BODY, 0, { { 0 } }, NULL },
	RUN("delete_account", 2, run_delete_account),
	{ "get_sessions", "GET", "/sessions", WHO_USER, GIVES_SESSIONS, 0, { { 0 } }, NULL },
	{ "revoke_session", "DELETE", "/sessions/{0}", WHO_USER, GIVES_NOTHING, 1, { { 0 } }, NULL },

	{ "verify_totp", POST_TO("/2fa/verify", WHO_NEW, GIVES_TOKENS, 2),
	  { TEXT("tempToken", 0), TEXT("totpCode", 1), REMEMBER }, NULL },
	{ "verify_recovery_code", POST_TO("/2fa/verify", WHO_NEW, GIVES_TOKENS, 2),
	  { TEXT("tempToken", 0), TEXT("recoveryCode", 1), REMEMBER }, NULL },
	{ "send_sms_2fa", POST_TO("/sms/send", WHO_ANYBODY, GIVES_NOTHING, 1), { SECOND }, NULL },
	{ "verify_sms_2fa", POST_TO("/sms/verify", WHO_NEW, GIVES_TOKENS, 2),
	  { SECOND, TEXT("code", 1), REMEMBER }, NULL },
	{ "send_magic_link_2fa", POST_TO("/magic-link/send", WHO_ANYBODY, GIVES_NOTHING, 2),
	  { SECOND, MAYBE("type", 1), LANGUAGE }, NULL },
	{ "verify_magic_link_2fa", POST_TO("/magic-link/verify", WHO_NEW, GIVES_TOKENS, 2),
	  { SECOND, TEXT("token", 1), REMEMBER }, NULL },
	{ "verify_email_code_2fa", POST_TO("/magic-link/verify", WHO_NEW, GIVES_TOKENS, 2),
	  { SECOND, TEXT("code", 1), REMEMBER }, NULL },
	{ "setup_2fa", POST_TO("/2fa/setup", WHO_SETUP, GIVES_TOTP, 3), { PASSWORD(1), PROOF(2) }, NULL },
	{ "verify_setup_2fa", POST_TO("/2fa/verify-setup", WHO_SETUP, GIVES_SOME, 2), { TEXT("token", 1) }, NULL },
	{ "disable_2fa", POST_TO("/2fa/disable", WHO_USER, GIVES_NOTHING, 2), { PASSWORD(0), PROOF(1) }, NULL },
	{ "new_recovery_codes", POST_TO("/2fa/recovery-codes", WHO_USER, GIVES_SOME, 2),
	  { PASSWORD(0), PROOF(1) }, NULL },

	{ "send_magic_link", POST_TO("/magic-link/send", WHO_ANYBODY, GIVES_NOTHING, 2),
	  { TEXT("email", 0), MAYBE("type", 1), LANGUAGE }, NULL },
	{ "verify_magic_link", POST_TO("/magic-link/verify", WHO_NEW, GIVES_TOKENS, 1),
	  { TEXT("token", 0), DEVICE, TRUST }, NULL },
	{ "verify_email_code", POST_TO("/magic-link/verify", WHO_NEW, GIVES_TOKENS, 2),
	  { TEXT("email", 0), TEXT("code", 1), DEVICE, TRUST }, NULL },
	{ "send_sms", POST_TO("/sms/send", WHO_ANYBODY, GIVES_NOTHING, 1), { TEXT("email", 0) }, NULL },
	{ "verify_sms", POST_TO("/sms/verify", WHO_NEW, GIVES_TOKENS, 2),
	  { TEXT("email", 0), TEXT("code", 1), DEVICE, TRUST }, NULL },

	{ "forgot_password", POST_TO("/forgot-password", WHO_ANYBODY, GIVES_NOTHING, 1),
	  { TEXT("email", 0), LANGUAGE }, NULL },
	{ "reset_password", POST_TO("/reset-password", WHO_ANYBODY, GIVES_NOTHING, 2),
	  { TEXT("token", 0), TEXT("newPassword", 1) }, NULL },
	{ "change_password", POST_TO("/change-password", WHO_USER, GIVES_NOTHING, 2),
	  { TEXT("currentPassword", 0), TEXT("newPassword", 1) }, NULL },
	{ "send_verification_email", POST_TO("/send-verification-email", WHO_GUEST, GIVES_NOTHING, 1),
	  { MAYBE("email", 0), LANGUAGE }, NULL },
	{ "verify_email", POST_TO("/verify-email", WHO_ANYBODY, GIVES_NOTHING, 1), { TEXT("token", 0) }, NULL },
	{ "change_email_request", POST_TO("/change-email/request", WHO_USER, GIVES_NOTHING, 3),
	  { TEXT("newEmail", 0), PASSWORD(1), PROOF(2), LANGUAGE }, NULL },
	{ "change_email_confirm", POST_TO("/change-email/confirm", WHO_ANYBODY, GIVES_NOTHING, 1),
	  { TEXT("token", 0) }, NULL },
	{ "change_email_revert", POST_TO("/change-email/revert", WHO_ANYBODY, GIVES_NOTHING, 1),
	  { TEXT("token", 0) }, NULL },
	{ "add_phone", POST_TO("/add-phone", WHO_USER, GIVES_NOTHING, 3),
	  { OR_NULL("phoneNumber", 0), PASSWORD(1), PROOF(2) }, NULL },
	{ "verify_phone", POST_TO("/add-phone/verify", WHO_USER, GIVES_NOTHING, 1), { TEXT("code", 0) }, NULL },

	{ "get_linked_accounts", "GET", "/linked-accounts", WHO_USER, GIVES_ACCOUNTS, 0, { { 0 } }, NULL },
	{ "link_request", POST_TO("/link-request", WHO_USER, GIVES_NOTHING, 3),
	  { TEXT("email", 0), MAYBE("provider", 1), PASSWORD(2), LANGUAGE }, NULL },
	{ "link_verify", POST_TO("/link-verify", WHO_NEW, GIVES_SOME, 2),
	  { TEXT("token", 0), FLAG("loginAfterLinking", 1) }, NULL },
	{ "unlink_account", "DELETE", "/linked-accounts/{0}/{1}", WHO_USER, GIVES_NOTHING, 3, { PASSWORD(2) }, NULL },

	RUN("oauth_login", 2, run_oauth_login),
	RUN("oauth_link", 3, run_oauth_link),
	RUN("oauth_begin", 2, oauth_begin),
	RUN("oauth_link_begin", 3, oauth_link_begin),
	RUN("oauth_continue", 1, oauth_continue),
	{ "oauth_token", POST_TO("/oauth/{0}/token", WHO_NEW, GIVES_TOKENS, 3),
	  { TEXT("idToken", 1), MAYBE("nonce", 2) }, NULL },
	RUN("open_link", 1, open_link),

	/* Made by functions with more to do. */
	{ "+login", POST_TO("/login", WHO_NEW, GIVES_TOKENS, 3),
	  { TEXT("email", 0), TEXT("password", 1), DEVICE, TRUST, MAYBE("challengeAnswer", 2) }, NULL },
	{ "+delete_account", "DELETE", "/account", WHO_USER, GIVES_NOTHING, 2, { PASSWORD(0), PROOF(1) }, NULL },
	{ "+oauth_exchange", POST_TO("/oauth/exchange", WHO_NEW, GIVES_TOKENS, 2),
	  { TEXT("ott", 0), TEXT("codeVerifier", 1) }, NULL },
	{ "+oauth_linked", POST_TO("/oauth/link", WHO_USER, GIVES_NOTHING, 2),
	  { TEXT("ott", 0), TEXT("codeVerifier", 1) }, NULL },
	{ "+oauth_ticket", POST_TO("/oauth/{0}/link", WHO_USER, GIVES_URL, 2), { PASSWORD(1) }, NULL },
};

const struct call *call_find(const char *name)
{
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		if (strcmp(calls[i].name, name) == 0)
			return &calls[i];
	return NULL;
}

size_t call_arguments(const struct call *call)
{
	return call->n_arguments;
}

/* ---- making the request ---- */

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
		/* An empty segment, or one of dots, would be another path. */
		if (value == NULL || value[0] == '\0' || strcmp(value, ".") == 0 || strcmp(value, "..") == 0)
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

struct answer *send_signed(sp_client *c, const struct http_request *q, enum gives gives)
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

static struct answer *run_call(sp_client *c, const struct call *call, const char *const *arguments)
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

void call_enter(sp_client *c, struct caller *me)
{
	(void)pthread_mutex_lock(&c->work_mutex);
	*me = (struct caller){ pthread_self(), c->callers };
	c->callers = me;
	(void)pthread_mutex_unlock(&c->work_mutex);
}

void call_leave(sp_client *c, const struct caller *me)
{
	struct caller **at = &c->callers;

	(void)pthread_mutex_lock(&c->work_mutex);
	while (*at != me)
		at = &(*at)->next;
	*at = me->next;
	(void)pthread_cond_broadcast(&c->work_ready);
	(void)pthread_mutex_unlock(&c->work_mutex);
}

sp_result *call_run(sp_client *c, const struct call *call, const char *const *arguments)
{
	struct caller me;
	sp_result *r;

	if (c == NULL)
		return &result_of(SP_INVALID, "", NULL)->pub;
	call_enter(c, &me);
	r = call->run != NULL ? call->run(c, arguments) : &run_call(c, call, arguments)->pub;
	call_leave(c, &me);
	return r;
}

/* ---- calls with more to do ---- */

static bool has_zero_bits(const unsigned char *digest, int64_t bits)
{
	for (; bits >= 8; bits -= 8)
		if (*digest++ != 0)
			return false;
	return bits == 0 || *digest >> (8 - bits) == 0;
}

#define WORK_BITS_MAX 26 /* some seconds; more is no server's wish */

/* The answer to a proof of work (docs/guide/limits-and-lockouts.md), to be freed; NULL: none asked, none found. */
static char *solve(sp_client *c, const struct answer *r)
{
	const struct json *asked = json_get(r->json, "challenge");
	const char *algorithm = json_string(asked, "algorithm"), *challenge = json_string(asked, "challenge");
	int64_t bits;
	char answer[512];

	if (strcmp(r->pub.code, "CHALLENGE_REQUIRED") != 0 || algorithm == NULL || challenge == NULL ||
	    strcmp(algorithm, "sha256") != 0 || strlen(challenge) > sizeof answer - 32 ||
	    !json_integer(asked, "bits", &bits) || bits < 0 || bits > WORK_BITS_MAX)
		return NULL;
	for (uint32_t nonce = 0; nonce < UINT32_MAX && !atomic_load(&c->cancelled); nonce++) {
		int n = snprintf(answer, sizeof answer, "%s.%x", challenge, nonce);
		unsigned char digest[SHA256_BYTES];

		sha256(answer, (size_t)n, digest);
		if (has_zero_bits(digest, bits))
			return strdup(answer);
	}
	return NULL;
}

static sp_result *run_login(sp_client *c, const char *const *a)
{
	const struct call *login = call_find("+login");
	struct answer *r = run_call(c, login, (const char *const[]){ a[0], a[1], NULL });
	char *answer = solve(c, r);

	if (answer != NULL) {
		sp_result_free(&r->pub);
		r = run_call(c, login, (const char *const[]){ a[0], a[1], answer });
		free(answer);
	}
	return &r->pub;
}

static sp_result *run_logout(sp_client *c, const char *const *a)
{
	struct record record;
	struct text body = { 0 };
	struct http_answer answer = { 0 };
	sp_error e = record_load(c, &record);

	(void)a;
	if (e != SP_OK)
		return &result_of(e, "", NULL)->pub;
	if (record.access == NULL)
		return &result_of(SP_OK, "", NULL)->pub;
	text_add(&body, "{\"refreshToken\":");
	text_add_json(&body, record.refresh);
	text_add(&body, "}");
	/* The server knows the session by an access token that is over, too. */
	if (!body.failed)
		http_send(c, &(struct http_request){ .method = "POST", .path = "/logout", .bearer = record.access,
						     .body = body.p },
			  &answer);
	text_free(&answer.body);
	text_free(&body);
	record_free(&record);
	return &result_of(session_end(c, NULL, "LOGOUT"), "", NULL)->pub;
}

static sp_result *run_refresh(sp_client *c, const char *const *a)
{
	struct answer *failed = session_refresh(c, NULL);

	(void)a;
	return failed != NULL ? &failed->pub : &result_of(SP_OK, "", NULL)->pub;
}

static sp_result *run_access_token(sp_client *c, const char *const *a)
{
	struct record record = { 0 };
	long seconds = a[0] != NULL ? strtol(a[0], NULL, 10) : 0;
	struct answer *r = record_fresh(c, seconds < 0 || seconds > INT_MAX ? 0 : (int)seconds, &record);

	if (r == NULL) {
		r = result_of(SP_OK, "", NULL);
		r->pub.access_token = result_copy(r, record.access);
		if (r->pub.access_token == NULL)
			result_fail(r, SP_MEMORY, "", NULL);
	}
	record_free(&record);
	return &r->pub;
}

static sp_result *run_clear_tokens(sp_client *c, const char *const *a)
{
	(void)a;
	return &result_of(session_end(c, NULL, "CLEARED"), "", NULL)->pub;
}

static sp_result *run_delete_account(sp_client *c, const char *const *a)
{
	struct answer *r = run_call(c, call_find("+delete_account"), a);

	if (r->pub.error == SP_OK) {
		sp_error e = session_end(c, NULL, "ACCOUNT_DELETED");

		if (e != SP_OK)
			result_fail(r, e, "", NULL);
	}
	return &r->pub;
}

int sp_is_signed_in(sp_client *c)
{
	struct caller me;
	struct record record;
	sp_error e;
	int is;

	if (c == NULL)
		return -1;
	call_enter(c, &me);
	e = record_load(c, &record);
	is = record.access != NULL;
	record_free(&record);
	call_leave(c, &me);
	return e == SP_OK ? is : -1;
}

void sp_remember_device(sp_client *c, int remember)
{
	if (c != NULL)
		atomic_store(&c->remember, remember != 0);
}

/* ---- with functions of their own, from sp_start ---- */

static int seconds_of(const char *text)
{
	long s = text != NULL ? strtol(text, NULL, 10) : 0;

	return s < 0 || s > INT_MAX / 1000 ? 0 : (int)s;
}

static sp_result *run_oauth_login(sp_client *c, const char *const *a)
{
	return sp_oauth_login(c, a[0], NULL, NULL, seconds_of(a[1]));
}

static sp_result *run_oauth_link(sp_client *c, const char *const *a)
{
	return sp_oauth_link(c, a[0], a[1], NULL, NULL, seconds_of(a[2]));
}

/* ---- the public functions ---- */

#define CALL0(name) \
	sp_result *sp_##name(sp_client *c) \
	{ \
		return call_run(c, call_find(#name), (const char *const[]){ NULL }); \
	}
#define CALL1(name, a1) \
	sp_result *sp_##name(sp_client *c, const char *a1) \
	{ \
		return call_run(c, call_find(#name), (const char *const[]){ a1 }); \
	}
#define CALL2(name, a1, a2) \
	sp_result *sp_##name(sp_client *c, const char *a1, const char *a2) \
	{ \
		return call_run(c, call_find(#name), (const char *const[]){ a1, a2 }); \
	}
#define CALL3(name, a1, a2, a3) \
	sp_result *sp_##name(sp_client *c, const char *a1, const char *a2, const char *a3) \
	{ \
		return call_run(c, call_find(#name), (const char *const[]){ a1, a2, a3 }); \
	}
#define CALL4(name, a1, a2, a3, a4) \
	sp_result *sp_##name(sp_client *c, const char *a1, const char *a2, const char *a3, const char *a4) \
	{ \
		return call_run(c, call_find(#name), (const char *const[]){ a1, a2, a3, a4 }); \
	}

CALL4(register, email, password, first_name, last_name)
CALL2(login, email, password)
CALL0(logout)
CALL0(guest)
CALL0(refresh)
CALL0(clear_tokens)
CALL0(get_profile)
CALL2(update_profile, first_name, last_name)
CALL0(export)
CALL2(delete_account, password, code)
CALL0(get_sessions)
CALL1(revoke_session, handle)
CALL2(verify_totp, temp_token, totp_code)
CALL2(verify_recovery_code, temp_token, recovery_code)
CALL1(send_sms_2fa, temp_token)
CALL2(verify_sms_2fa, temp_token, code)
CALL2(send_magic_link_2fa, temp_token, type)
CALL2(verify_magic_link_2fa, temp_token, token)
CALL2(verify_email_code_2fa, temp_token, code)
CALL3(setup_2fa, temp_token, password, code)
CALL2(verify_setup_2fa, temp_token, totp_code)
CALL2(disable_2fa, password, code)
CALL2(new_recovery_codes, password, code)
CALL2(send_magic_link, email, type)
CALL1(verify_magic_link, token)
CALL2(verify_email_code, email, code)
CALL1(send_sms, email)
CALL2(verify_sms, email, code)
CALL1(forgot_password, email)
CALL2(reset_password, token, new_password)
CALL2(change_password, current_password, new_password)
CALL1(send_verification_email, email)
CALL1(verify_email, token)
CALL3(change_email_request, new_email, password, code)
CALL1(change_email_confirm, token)
CALL1(change_email_revert, token)
CALL3(add_phone, phone_number, password, code)
CALL1(verify_phone, sms_code)
CALL0(get_linked_accounts)
CALL3(link_request, email, provider, password)
CALL3(unlink_account, provider, provider_account_id, password)
CALL2(oauth_begin, provider, redirect_uri)
CALL3(oauth_link_begin, provider, redirect_uri, password)
CALL1(oauth_continue, url)
CALL3(oauth_token, provider, id_token, nonce)
CALL1(open_link, url)

sp_result *sp_access_token(sp_client *c, int min_validity)
{
	char seconds[16];

	(void)snprintf(seconds, sizeof seconds, "%d", min_validity);
	return call_run(c, call_find("access_token"), (const char *const[]){ seconds });
}

sp_result *sp_link_verify(sp_client *c, const char *token, int sign_in)
{
	return call_run(c, call_find("link_verify"), (const char *const[]){ token, sign_in != 0 ? "1" : "0" });
}
