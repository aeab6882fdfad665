/* call.c — the table of calls: for each its request, who may make it, what comes back; and the public functions. */
#include "call.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	{ "keep_2fa", POST_TO("/2fa/keep", WHO_ANYBODY, GIVES_NOTHING, 1), { TEXT("token", 0) }, NULL },

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

/* ---- running it ---- */

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
	r = call->run != NULL ? call->run(c, arguments) : &request_send(c, call, arguments)->pub;
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
	struct answer *r = request_send(c, login, (const char *const[]){ a[0], a[1], NULL });
	char *answer = solve(c, r);

	if (answer != NULL) {
		sp_result_free(&r->pub);
		r = request_send(c, login, (const char *const[]){ a[0], a[1], answer });
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
	text_add_refresh(&body, record.refresh);
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
	struct answer *r = request_send(c, call_find("+delete_account"), a);

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
CALL1(keep_2fa, token)
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
