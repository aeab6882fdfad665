/* err.h — how a function says that it did not succeed.
 *
 * An operation succeeds, refuses (expected, documented at the function) or faults (never expected,
 * passed up unchanged, logged once by api/dispatch.c). `err_t` is a struct so that the compiler
 * rejects using it as a bool or an int, or not at all. The meaning of each code on the wire stands
 * in api/problem.c and nowhere else. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum err_code {
	ERR_OK = 0,

	/* Refusals. */
	ERR_INPUT,                 /* a field is missing, malformed, too long, … (see ctx.refusal) */
	ERR_JSON,                  /* the body is not strict JSON with one object on top */
	ERR_MEDIA_TYPE,            /* body is not application/json */
	ERR_BODY_TOO_LARGE,
	ERR_URI_TOO_LONG,
	ERR_HEADERS_TOO_LARGE,
	ERR_BAD_REQUEST,           /* HTTP framing or path that no honest client sends */
	ERR_MISDIRECTED,           /* the Host is none of server.hosts */
	ERR_EXPECTATION,           /* an Expect header other than 100-continue */
	ERR_TIMEOUT,               /* the client was too slow */
	ERR_NO_ROUTE,
	ERR_METHOD,
	ERR_NO_TOKEN,              /* no access token at all */
	ERR_ACCESS_TOKEN,          /* access token malformed, forged or expired */
	ERR_FORBIDDEN,
	ERR_ACCESS_COOKIE, /* ERR_ACCESS_TOKEN of a browser */
	ERR_CSRF,
	ERR_CSRF_LINK,     /* the same at /link-request */
	ERR_TWO_TOKENS,    /* one in a cookie, another in the body */
	ERR_CREDENTIALS,           /* unknown account, wrong password, disabled: deliberately one */
	ERR_NO_REFRESH_TOKEN,
	ERR_REFRESH_TOKEN,         /* malformed, forged or expired refresh token */
	ERR_SESSION_REVOKED,
	ERR_USER_NOT_FOUND,
	ERR_SESSION_NOT_FOUND,
	ERR_EMAIL_EXISTS,
	ERR_EMAIL_PASSWORD_REQUIRED, /* registration without e-mail or password */
	ERR_REGISTRATION_OFF,
	ERR_REAUTH,                /* needs a fresh sign-in or the password (step-up) */
	ERR_CURRENT_PASSWORD,      /* the current password is wrong */
	ERR_PASSWORD_REQUIRED,     /* the account has no password yet */
	ERR_NEW_PASSWORD_REQUIRED,
	ERR_RESET_TOKEN,           /* unknown, used, or of another purpose */
	ERR_RESET_EXPIRED,
	ERR_TOKEN_REQUIRED,        /* verify-email without a token */
	ERR_VERIFY_TOKEN,
	ERR_VERIFY_EXPIRED,
	ERR_EMAIL_CHANGE_TOKEN,
	ERR_EMAIL_CHANGE_EXPIRED,
	ERR_EMAIL_REVERT_TOKEN,
	ERR_EMAIL_REVERT_EXPIRED,
	ERR_FACTOR_RESET_TOKEN,
	ERR_FACTOR_RESET_EXPIRED,
	ERR_EMAIL_TAKEN,           /* change of address: somebody else's */
	ERR_EMAIL_VERIFIED,        /* is verified already */
	ERR_EMAIL_NOT_VERIFIED,    /* sign-in refused until the address is proven */
	ERR_EMAIL_VERIFICATION_REQUIRED, /* the same, after the grace period */
	ERR_EMAIL_NOT_CONFIGURED,  /* no mail.transport */
	ERR_SMS_NOT_CONFIGURED,
	ERR_PHONE_CODE,            /* wrong, used up or expired */
	ERR_TEMP_TOKEN_REQUIRED,
	ERR_TEMP_TOKEN,            /* unknown, used, burnt or expired handle between two factors */
	ERR_TOTP_CODE,             /* wrong at sign-in, or used before */
	ERR_TOTP_SETUP_CODE,       /* wrong at set-up */
	ERR_NO_SECOND_FACTOR,      /* none is set up */
	ERR_CLAIM,                 /* of an account that mail alone never opens, or that it opens at once */
	ERR_FACTOR_REQUIRED,       /* switching it off: the account must have one */
	ERR_FACTOR_POLICY,         /* the same: everybody must */
	ERR_EMAIL_REQUIRED,
	ERR_MAGIC_LINK,            /* unknown, used, or of another purpose; the same for mailed codes */
	ERR_MAGIC_EXPIRED,
	ERR_TOKEN_MISMATCH,        /* a second factor of somebody else's sign-in */
	ERR_SMS_TARGET,            /* neither user nor address said */
	ERR_SMS_USER,
	ERR_SMS_CODE,
	ERR_PHONE_NOT_SET,
	ERR_LINK_TOKEN_REQUIRED,
	ERR_LINK_TOKEN,
	ERR_LINK_EXPIRED,
	ERR_LINK_STATE,            /* the link names no address */
	ERR_UNAUTHORIZED,          /* linking without a sign-in */
	ERR_LAST_LOGIN_METHOD,
	ERR_ALREADY_LINKED,        /* to another account */
	ERR_GUESTS_OFF,
	ERR_OAUTH_UNKNOWN,         /* no such provider is configured */
	ERR_OAUTH_STATE,           /* no sign-in of this browser is under way */
	ERR_OAUTH_DENIED,          /* the person said no at the provider */
	ERR_OAUTH_DOWN,            /* the provider does not answer in time, or not what it should */
	ERR_OAUTH_EXCHANGE,        /* it did not take the code */
	ERR_OAUTH_PROFILE,         /* it did not say who it is */
	ERR_OAUTH_ID_TOKEN,        /* its ID token is not good */
	ERR_OAUTH_EMAIL,           /* no address, or none that may be told */
	ERR_OAUTH_CONFLICT,        /* the address has an account here already */
	ERR_OAUTH_DISABLED,        /* the account is disabled */
	ERR_OAUTH_TARGET,          /* no registered address of an app */
	ERR_OAUTH_APP_STATE,       /* the app's own state, or its challenge, is malformed */
	ERR_PKCE_REQUIRED,
	ERR_OTT,                   /* unknown, used or expired, or of somebody else */
	ERR_NONCE_REQUIRED,
	ERR_FORWARD_TARGET,        /* no place in an application of forward.hosts */
	ERR_FORWARD_COOKIE,        /* the browser did not bring back what it was given to keep */
	ERR_FORWARD_TICKET,        /* unknown, used or expired, or of another host or browser */
	ERR_LIMITED,               /* too many attempts; ctx.retry_after_s says when to come back */
	ERR_CHALLENGE,             /* a proof of work is asked for; ctx.challenge */
	ERR_NOT_FOUND,             /* inside the program: absence where presence was asked for */
	ERR_CONFLICT,              /* inside the program: a unique constraint decided */

	/* Faults. */
	ERR_FAULT_FIRST,
	ERR_STORE = ERR_FAULT_FIRST, /* the database answered with an error */
	ERR_STORE_FULL,            /* no space left for a write */
	ERR_BUSY,                  /* the store is locked by somebody else for too long */
	ERR_OVERLOAD,              /* a bounded queue is full or waiting would take too long */
	ERR_STOPPING,              /* the server is shutting down */
	ERR_CLOCK,                 /* the clock is behind what was seen before: nothing new is issued */
	ERR_CRYPTO,
	ERR_NO_MEMORY,
	ERR_IO,
	ERR_CONFIG,
	ERR_BUG,
};

typedef struct {
	enum err_code code;
} err_t;

#define MUST_USE __attribute__((warn_unused_result))
#define OK       ((err_t){ ERR_OK })

/* Remembers, per thread, where the first fault since err_clear_origin() arose, so that the one log
 * line about it can say so. */
void err_note(enum err_code code, const char *file, int line);

/* The same, and makes the err_t: for where FAIL's return does not fit. */
MUST_USE static inline err_t err_raise(enum err_code code, const char *file, int line)
{
	err_note(code, file, line);
	return (err_t){ code };
}

/* The place of the last raised fault as "file:line", or "" if none. Static per thread. */
const char *err_origin(void);
void err_clear_origin(void);

/* The code's name without "ERR_", in lower case: "store_full". Static. */
const char *err_name(enum err_code code);

static inline bool err_is_fault(err_t e)
{
	return e.code >= ERR_FAULT_FIRST;
}

/* Returns the literal code, so that compilers and analysers see that it is never ERR_OK. */
#define FAIL(code)                                              \
	do {                                                    \
		enum err_code fail_ = (code);                   \
		err_note(fail_, __FILE__, __LINE__);            \
		return (err_t){ fail_ };                        \
	} while (0)
#define TRY(call)                                \
	do {                                     \
		err_t try_ = (call);             \
		if (try_.code != ERR_OK)         \
			return try_;             \
	} while (0)
#define REQUIRE(cond, code)                      \
	do {                                     \
		if (!(cond))                     \
			FAIL(code);              \
	} while (0)

#endif
