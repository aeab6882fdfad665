/* sallyport.h — libsallyport: signing in to a Sallyport server from a native program.
 *
 * A program makes one sp_client for each server and user, calls functions on it from any thread, and frees it. The
 * client keeps the tokens in a store, takes new ones when they run out, one thread and one process at a time, and says
 * when somebody has signed in or out. Nothing here needs JSON, prints, or ends the process. The library is linked with
 * libcurl and nothing else; what two of the stores need is loaded when they are opened.
 *
 * A child made by fork() may not use its parent's clients, nor free them: connections and locks are the parent's. It makes
 * one of its own, over the same place if it likes.
 *
 *	sp_client *client;
 *	sp_options options = { sizeof options, .server = "https://auth.example.com" };
 *	if (sp_client_new(&options, &client) != SP_OK) …
 *	sp_result *result = sp_login(client, "ada@example.com", password);
 *	if (result->error == SP_SECOND_FACTOR) … sp_verify_totp(client, result->challenge->temp_token, code) …
 *	sp_result_free(result);
 *
 * Strings are UTF-8 and end with a zero. Strings that go in are copied where they are needed after the call returns.
 * Results belong to the caller; sp_result_free frees a result with everything in it.
 */
#ifndef SALLYPORT_H
#define SALLYPORT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SP_API __attribute__((visibility("default")))
#else
#define SP_API
#endif

/* Major versions break programs, minor ones add to the ends of structs and enums. */
#define SP_VERSION_MAJOR 0
#define SP_VERSION_MINOR 1
#define SP_VERSION_PATCH 0

/* The version of the library that runs, "0.1.0". Static. */
SP_API const char *sp_version(void);

/* ---- what comes back ---- */

typedef enum sp_error {
	SP_OK = 0,
	/* The sign-in goes on: challenge says how. Nobody is signed in yet. */
	SP_SECOND_FACTOR = 1,
	/* The account must get a second factor first: sp_setup_2fa with challenge->temp_token. */
	SP_SETUP_REQUIRED = 2,
	/* The server refused (4xx): code and message say what, fields where. */
	SP_REFUSED = 3,
	/* The server wants to know again who is there (code REAUTH_REQUIRED): the same call with password or code. */
	SP_REAUTH = 4,
	/* Nobody is signed in, or the session has just ended: code says why, the tokens are gone. */
	SP_SIGNED_OUT = 5,
	/* Too many requests, or the server is overloaded (429, 503): later, see retry_after. Tokens are kept. */
	SP_LATER = 6,
	/* No answer: not reachable, cut off, TLS failed. Tokens are kept. Whether the request was done is not known. */
	SP_NETWORK = 7,
	/* The same, for lack of time. */
	SP_TIMEOUT = 8,
	/* A fault of the server (5xx but 503). Tokens are kept. */
	SP_SERVER = 9,
	/* An answer that no Sallyport gives: a proxy's page, a body without tokens or too large. Tokens are kept. */
	SP_PROTOCOL = 10,
	/* An argument that cannot be: NULL where a string must be, a URL that is none, an unknown name of a call. */
	SP_INVALID = 11,
	/* The store of tokens failed. A refresh that cannot be stored is not used either. */
	SP_STORE = 12,
	/* What is asked for is not there: a library, a kernel's feature, a browser. */
	SP_UNAVAILABLE = 13,
	/* sp_client_cancel was called, or the client is being freed. */
	SP_CANCELLED = 14,
	/* Out of memory, threads or file descriptors. */
	SP_MEMORY = 15
} sp_error;

/* "SP_REFUSED" and so on, for logs. Static. Never NULL. */
SP_API const char *sp_error_name(sp_error error);

/* What a sign-in still needs. */
typedef struct sp_challenge {
	const char *temp_token; /* good for five minutes and five tries, at the functions that take one */
	const char *const *methods; /* of "totp", "sms", "magic-link", in the order to show them in */
	size_t n_methods;
} sp_challenge;

/* Who is signed in. Strings are NULL where the account has none. */
typedef struct sp_profile {
	const char *id, *email; /* a guest's email is "" */
	const char *first_name, *last_name, *name;
	const char *phone_number; /* proven; E.164 */
	const char *role, *login_provider;
	const char *last_login; /* RFC 3339, UTC */
	int is_email_verified, is_totp_enabled, has_password, is_admin, is_guest; /* 0 or 1 */
} sp_profile;

typedef struct sp_session {
	const char *handle; /* for sp_revoke_session */
	const char *created_at, *expires_at, *last_active_at; /* RFC 3339, UTC */
	const char *user_agent, *ip_address; /* NULL: not known; the address has its last part cut */
	int is_current; /* 0 or 1 */
} sp_session;

typedef struct sp_linked_account {
	const char *provider, *provider_account_id; /* for sp_unlink_account */
	const char *email, *name, *picture; /* NULL: not known */
	const char *linked_at; /* RFC 3339, UTC */
} sp_linked_account;

/* A second factor being set up (RFC 6238: SHA-1, 6 digits, 30 s). */
typedef struct sp_totp {
	const char *secret; /* base32, for typing in */
	const char *otpauth_url; /* for opening on the phone itself */
	const char *qr_code; /* the same as a picture: "data:image/png;base64,…" */
} sp_totp;

/* What the server complained of in one field of the request. */
typedef struct sp_field {
	const char *field, *reason; /* e.g. "password", "PASSWORD_TOO_SHORT" */
} sp_field;

/* What a call came to. Never NULL, whatever went wrong. Pointers are NULL where there is nothing to say. */
typedef struct sp_result {
	sp_error error;
	int status; /* of HTTP; 0 without an answer */
	const char *code; /* the server's stable code, "INVALID_CREDENTIALS"; "" without */
	const char *message; /* for people, in English; never NULL */
	int retry_after; /* seconds; 0: not said */
	const sp_field *fields;
	size_t n_fields;

	const sp_challenge *challenge; /* with SP_SECOND_FACTOR and SP_SETUP_REQUIRED */
	const sp_profile *profile; /* sp_get_profile */
	const sp_session *sessions; /* sp_get_sessions */
	size_t n_sessions;
	const sp_linked_account *accounts; /* sp_get_linked_accounts */
	size_t n_accounts;
	const sp_totp *totp; /* sp_setup_2fa */
	const char *const *recovery_codes; /* sp_verify_setup_2fa, sp_new_recovery_codes; shown once */
	size_t n_recovery_codes;
	const char *user_id; /* sp_register, sp_guest */
	const char *access_token; /* sp_access_token */
	const char *url; /* sp_oauth_begin, sp_oauth_link_begin: to open in the system's browser */
	const char *merge_token; /* sp_register of a guest whose address has an account (docs/guide/guests.md) */
	const char *link_token; /* sp_open_link, where the user must be asked first */

	const char *body; /* the answer as it came; ends with a zero that body_length does not count */
	size_t body_length;
} sp_result;

/* Wipes and frees. NULL is fine. */
SP_API void sp_result_free(sp_result *result);

/* ---- where tokens are kept ---- */

/* The longest record a store must hold. */
#define SP_RECORD_MAX 16384

/* A store of a few small secrets under names. load, save and erase are called from any thread, one at a time for each
 * client; lock and unlock may run beside them. Each client wants a store of its own; stores over the same place see
 * each other's records.
 */
typedef struct sp_store {
	size_t size; /* sizeof(sp_store) */
	void *context; /* first argument of each */
	/* The record under the key: *length of its bytes into value, without a zero. No such record: SP_OK and
	 * *length = 0. Longer than capacity: SP_STORE. */
	sp_error (*load)(void *context, const char *key, char *value, size_t capacity, size_t *length);
	/* Replaces the record, wholly or not at all, and for good before it returns. Never empty. */
	sp_error (*save)(void *context, const char *key, const char *value);
	/* No such record: SP_OK. */
	sp_error (*erase)(void *context, const char *key);
	/* Keeps every other thread and process from refreshing the same session until unlock, or until this process
	 * ends. SP_TIMEOUT when somebody else has it for timeout_ms. Both NULL: nobody else uses the place. */
	sp_error (*lock)(void *context, const char *key, int timeout_ms);
	void (*unlock)(void *context, const char *key);
	/* The client is freed. May be NULL. */
	void (*close)(void *context);
} sp_store;

/* Each fills in *store; the client that gets it closes it. */

/* Gone with the client. Errors: SP_MEMORY. */
SP_API sp_error sp_store_memory(sp_store *store);

/* One file, mode 0600, encrypted (XChaCha20-Poly1305) under a key from the passphrase (argon2id), with a lock file
 * `path`.lock beside it; its folder must exist. Needs libsodium, which is loaded. Errors: SP_REFUSED when the passphrase
 * is not the file's (or the file is damaged), SP_STORE when it cannot be read, belongs to somebody else or is no file of
 * this kind, SP_UNAVAILABLE without libsodium, SP_INVALID, SP_MEMORY. */
SP_API sp_error sp_store_file(const char *path, const char *passphrase, sp_store *store);

/* The Linux kernel's keyring of this user: never on disk, gone at the latest when the machine starts again. Errors:
 * SP_UNAVAILABLE where there is none, SP_MEMORY. */
SP_API sp_error sp_store_keyring(sp_store *store);

/* The desktop's Secret Service (GNOME Keyring, KWallet) through libsecret, which is loaded. Errors: SP_UNAVAILABLE
 * without library or service, SP_STORE when the user keeps it locked, SP_MEMORY. */
SP_API sp_error sp_store_secret_service(sp_store *store);

/* ---- the client ---- */

typedef struct sp_client sp_client;

typedef enum sp_state {
	SP_STATE_SIGNED_IN = 1, /* tokens were stored after a sign-in */
	SP_STATE_REFRESHED = 2, /* the tokens were replaced */
	SP_STATE_SIGNED_OUT = 3 /* the tokens are gone; the reason says why */
} sp_state;

/* What happened to the session. reason, with SP_STATE_SIGNED_OUT: "LOGOUT", "ACCOUNT_DELETED", "CLEARED", or the code of
 * the server ("SESSION_REVOKED", "INVALID_REFRESH_TOKEN"); else "". Static text. Called without locks, on the thread of the call
 * that brought it about; may call the client, but not free it. */
typedef void (*sp_state_fn)(void *context, sp_state state, const char *reason);

typedef struct sp_options {
	size_t size; /* sizeof(sp_options): members that a program was not built with count as zero */
	const char *server; /* "https://auth.example.com", or "http://" and a loopback address; no path */
	const char *prefix; /* the server's api_prefix; NULL: "/auth" */
	const char *account; /* tells several users of one store apart, at most 128 bytes; NULL: "default" */
	const sp_store *store; /* copied, and closed by the client in any case; NULL: memory */
	const char *language; /* of mails that calls cause, "de"; NULL: the server's choice */
	const char *user_agent; /* in the list of sessions; NULL: "libsallyport/…" */
	const char *ca_file; /* PEM; NULL: the system's */
	int timeout_ms; /* of one request; 0: 30 s */
	int connect_timeout_ms; /* 0: 10 s */
	const char *loopback_path; /* where sp_oauth_login listens; NULL: "/callback" */
	sp_state_fn on_state; /* may be NULL */
	void *context; /* first argument of on_state */
} sp_options;

/* Errors: SP_INVALID (a URL that is none, or http:// beyond loopback), SP_MEMORY. *client is NULL then. No request. */
SP_API sp_error sp_client_new(const sp_options *options, sp_client **client);

/* Ends calls that are under way, waits for them and for callbacks of sp_start, closes the store, wipes everything. From
 * inside a callback: SP_INVALID, and nothing is freed. NULL is fine. */
SP_API sp_error sp_client_free(sp_client *client);

/* Calls that wait for an answer end with SP_CANCELLED, for as long as sp_client_resume was not called. Any thread. */
SP_API void sp_client_cancel(sp_client *client);
SP_API void sp_client_resume(sp_client *client);

/* ---- calls ----
 *
 * All block until the answer is there, are good on any number of threads, and return a result that is never NULL.
 * Arguments that may be NULL say so. `email`, `password`, `token` and so on go to the server as they are.
 *
 * A call that needs a session takes new tokens first when the stored ones have run out, and once more when the server
 * says 401; without a session it is SP_SIGNED_OUT and no request. `password` and `code` of such a call are the proof
 * that a server may want once more (SP_REAUTH): the account's password, a code of its app or a recovery code. NULL: none.
 *
 * Calls that sign in store the tokens before they return SP_OK; each may be SP_SECOND_FACTOR or SP_SETUP_REQUIRED
 * instead. A device that has signed in once stays known to the server over sign-outs (deviceToken), which keeps other
 * people's guesses from slowing it down.
 */

/* POST /register. Does not sign in. A guest who is signed in becomes this account. user_id. Names may be NULL. */
SP_API sp_result *sp_register(sp_client *client, const char *email, const char *password, const char *first_name,
			      const char *last_name);
/* POST /login. Signs in. Solves the proof of work that a server under attack asks for (CHALLENGE_REQUIRED). */
SP_API sp_result *sp_login(sp_client *client, const char *email, const char *password);
/* POST /logout. The tokens are gone in any case; SP_OK also when the server could not be told. */
SP_API sp_result *sp_logout(sp_client *client);
/* POST /guest. Signs in to a new account without address or password. user_id. */
SP_API sp_result *sp_guest(sp_client *client);

/* POST /refresh, now. Other functions do this by themselves. A lost answer is asked for again; only
 * SESSION_REVOKED and INVALID_REFRESH_TOKEN sign out. */
SP_API sp_result *sp_refresh(sp_client *client);
/* An access token that is good for at least min_validity seconds, refreshed if it must be: for requests to other
 * servers, as "Authorization: Bearer …". access_token. */
SP_API sp_result *sp_access_token(sp_client *client, int min_validity);
/* Whether there are tokens, without asking the server: 1, 0, or -1 when the store fails. */
SP_API int sp_is_signed_in(sp_client *client);
/* Forgets the tokens without telling the server. Reason "CLEARED". */
SP_API sp_result *sp_clear_tokens(sp_client *client);

/* GET /me. profile. */
SP_API sp_result *sp_get_profile(sp_client *client);
/* PATCH /profile. NULL: stays as it is; "": removed. */
SP_API sp_result *sp_update_profile(sp_client *client, const char *first_name, const char *last_name);
/* GET /export. body: everything kept about the account, as JSON. */
SP_API sp_result *sp_export(sp_client *client);
/* DELETE /account. For good; signs out. */
SP_API sp_result *sp_delete_account(sp_client *client, const char *password, const char *code);

/* GET /sessions. sessions. */
SP_API sp_result *sp_get_sessions(sp_client *client);
/* DELETE /sessions/{handle}. Of another device, or the own one (then the next call is SP_SIGNED_OUT). */
SP_API sp_result *sp_revoke_session(sp_client *client, const char *handle);

/* ---- second factors ---- */

/* POST /2fa/verify. Signs in with six digits of the app. */
SP_API sp_result *sp_verify_totp(sp_client *client, const char *temp_token, const char *totp_code);
/* POST /2fa/verify. Signs in with a recovery code, which is used up. */
SP_API sp_result *sp_verify_recovery_code(sp_client *client, const char *temp_token, const char *recovery_code);
/* POST /sms/send, mode 2fa. To the account's proven number. */
SP_API sp_result *sp_send_sms_2fa(sp_client *client, const char *temp_token);
/* POST /sms/verify, mode 2fa. Signs in. */
SP_API sp_result *sp_verify_sms_2fa(sp_client *client, const char *temp_token, const char *code);
/* POST /magic-link/send, mode 2fa. type: "link", "code", "both"; NULL: link. */
SP_API sp_result *sp_send_magic_link_2fa(sp_client *client, const char *temp_token, const char *type);
/* POST /magic-link/verify, mode 2fa. Signs in with the token of the link, */
SP_API sp_result *sp_verify_magic_link_2fa(sp_client *client, const char *temp_token, const char *token);
/* or with the code of the mail. */
SP_API sp_result *sp_verify_email_code_2fa(sp_client *client, const char *temp_token, const char *code);

/* While remember is not 0, the four functions above and sp_verify_totp ask the server not to ask for a second factor on
 * this device again (twofactor.remember); the token for that is kept with the device's. Begins as 0. */
SP_API void sp_remember_device(sp_client *client, int remember);

/* POST /2fa/setup. totp. temp_token: of SP_SETUP_REQUIRED; NULL: of the session. */
SP_API sp_result *sp_setup_2fa(sp_client *client, const char *temp_token, const char *password, const char *code);
/* POST /2fa/verify-setup. recovery_codes, to be shown once. totp_code: what the app shows. With a temp_token it signs in. */
SP_API sp_result *sp_verify_setup_2fa(sp_client *client, const char *temp_token, const char *totp_code);
/* POST /2fa/disable. */
SP_API sp_result *sp_disable_2fa(sp_client *client, const char *password, const char *code);
/* POST /2fa/recovery-codes. Ten new ones; the old ones are void. recovery_codes. */
SP_API sp_result *sp_new_recovery_codes(sp_client *client, const char *password, const char *code);
/* POST /2fa/keep, with the token of the mail that an administrator gets when his app is to be removed: it stays. */
SP_API sp_result *sp_keep_2fa(sp_client *client, const char *token);

/* ---- without a password ---- */

/* POST /magic-link/send. The same answer whether the address has an account or not. type: "link", "code", "both"; NULL:
 * link. */
SP_API sp_result *sp_send_magic_link(sp_client *client, const char *email, const char *type);
/* POST /magic-link/verify. Signs in with the token of the link, */
SP_API sp_result *sp_verify_magic_link(sp_client *client, const char *token);
/* or with the code of the mail. */
SP_API sp_result *sp_verify_email_code(sp_client *client, const char *email, const char *code);
/* POST /sms/send. To the proven number of the account with this address. */
SP_API sp_result *sp_send_sms(sp_client *client, const char *email);
/* POST /sms/verify. Signs in. */
SP_API sp_result *sp_verify_sms(sp_client *client, const char *email, const char *code);

/* ---- password, address, number ---- */

/* POST /forgot-password. The same answer whether the address has an account or not. */
SP_API sp_result *sp_forgot_password(sp_client *client, const char *email);
/* POST /reset-password. Ends every session of the account. */
SP_API sp_result *sp_reset_password(sp_client *client, const char *token, const char *new_password);
/* POST /change-password. Ends every other session. current_password: "" for an account that has none. */
SP_API sp_result *sp_change_password(sp_client *client, const char *current_password, const char *new_password);
/* POST /send-verification-email. email: NULL for the account that is signed in. */
SP_API sp_result *sp_send_verification_email(sp_client *client, const char *email);
/* POST /verify-email. */
SP_API sp_result *sp_verify_email(sp_client *client, const char *token);
/* POST /change-email/request. A mail goes to the new address. */
SP_API sp_result *sp_change_email_request(sp_client *client, const char *new_email, const char *password,
					  const char *code);
/* POST /change-email/confirm, with the token of that mail. */
SP_API sp_result *sp_change_email_confirm(sp_client *client, const char *token);
/* POST /change-email/revert, with the token of the mail to the old address, for 72 hours. */
SP_API sp_result *sp_change_email_revert(sp_client *client, const char *token);
/* POST /add-phone. E.164; a code is sent to it. NULL removes the number. */
SP_API sp_result *sp_add_phone(sp_client *client, const char *phone_number, const char *password, const char *code);
/* POST /add-phone/verify, with the code that was sent. */
SP_API sp_result *sp_verify_phone(sp_client *client, const char *sms_code);

/* ---- linked accounts ---- */

/* GET /linked-accounts. accounts. */
SP_API sp_result *sp_get_linked_accounts(sp_client *client);
/* POST /link-request. A mail goes to the address. provider: NULL for "email". */
SP_API sp_result *sp_link_request(sp_client *client, const char *email, const char *provider, const char *password);
/* POST /link-verify, with the token of that mail. sign_in not 0: signs in to the account that asked. */
SP_API sp_result *sp_link_verify(sp_client *client, const char *token, int sign_in);
/* DELETE /linked-accounts/{provider}/{id}. */
SP_API sp_result *sp_unlink_account(sp_client *client, const char *provider, const char *provider_account_id,
				    const char *password);

/* ---- other providers (OAuth 2.0 for native apps, RFC 8252, with PKCE, RFC 7636) ---- */

/* Shows the URL to the user in the system's browser: 0, or another value when it cannot. */
typedef int (*sp_open_fn)(void *context, const char *url);
/* With xdg-open (open on macOS); context is not used. */
SP_API int sp_open_browser(void *context, const char *url);

/* Desktop: opens the browser at the provider and waits at http://127.0.0.1:PORT/callback until it is back; that address,
 * without the port, must stand in the server's native.redirect_uris. open: NULL for sp_open_browser.
 * timeout_s: 0 for 300. Signs in. Errors besides: SP_TIMEOUT, SP_UNAVAILABLE (no browser); a refusal at the provider is
 * SP_REFUSED with the code of the redirect. */
SP_API sp_result *sp_oauth_login(sp_client *client, const char *provider, sp_open_fn open, void *context,
				 int timeout_s);
/* The same, and links the account at the provider to the one that is signed in. */
SP_API sp_result *sp_oauth_link(sp_client *client, const char *provider, const char *password, sp_open_fn open,
				void *context, int timeout_s);

/* Apps with an address of their own (a claimed https address or a scheme): url, to be opened in the system's browser.
 * What sp_oauth_continue needs is in the store for ten minutes, so that the app may be ended meanwhile. One at a time:
 * the newest counts. */
SP_API sp_result *sp_oauth_begin(sp_client *client, const char *provider, const char *redirect_uri);
/* The same for linking. */
SP_API sp_result *sp_oauth_link_begin(sp_client *client, const char *provider, const char *redirect_uri,
				      const char *password);
/* The address that the app was opened with afterwards. Signs in, or links; once, unless no answer came. SP_INVALID (code
 * STATE_MISMATCH): not the answer to the newest begin, or answered already; code and message of the server or provider with SP_REFUSED. */
SP_API sp_result *sp_oauth_continue(sp_client *client, const char *url);

/* POST /oauth/{provider}/token. Signs in with an ID token of the provider's own kit. nonce: may be NULL. */
SP_API sp_result *sp_oauth_token(sp_client *client, const char *provider, const char *id_token, const char *nonce);

/* ---- links of mails ---- */

/* What the app was opened with: a link of a mail (below the server's prefix or without it) or the answer of a provider;
 * the call that belongs to it is made. Call it for a link that the user has opened, never for one that was only seen.
 * Where the user must be asked first nothing is sent: SP_INVALID, link_token, and a code that says what to call with it
 * then:
 *   PASSWORD_NEEDED        sp_reset_password, with a new password
 *   CONFIRM_SIGN_IN        sp_verify_magic_link: somebody is signed in already, perhaps somebody else
 *   CONFIRM_EMAIL_REVERT   sp_change_email_revert: the account gets its former address back
 *   CONFIRM_KEEP_2FA       sp_keep_2fa: the authenticator app stays */
SP_API sp_result *sp_open_link(sp_client *client, const char *url);

/* ---- without waiting ---- */

/* The end of a call that was started. On a thread of the library; the result belongs to the callee. */
typedef void (*sp_done_fn)(void *context, sp_result *result);

/* Starts the call of that name (a function's without "sp_": "login") on a thread of the library, with the function's
 * strings in order; numbers as digits, functions and contexts left out (oauth_login: provider, timeout). Strings are
 * copied. At most 4 calls run at once and 64 wait. done is called once if SP_OK is returned, and not otherwise. Errors:
 * SP_INVALID (no such call, too many or too few strings), SP_LATER (64 wait), SP_CANCELLED, SP_MEMORY. */
SP_API sp_error sp_start(sp_client *client, const char *call, const char *const *arguments, size_t n_arguments,
			 sp_done_fn done, void *context);

#ifdef __cplusplus
}
#endif

#endif
