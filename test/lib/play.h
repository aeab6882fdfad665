/* play.h — random play against the whole application without its sockets: operations with honest
 * and hostile arguments, a clock that is moved, a mailbox and a telephone, and beside them a model
 * of what may come of it.
 *
 * The model knows nothing of the implementation: it is told of each answer, and says whether that
 * was allowed. After every step the accounts and sessions of the store must be those of the model.
 * Choices come from a seed (test/property/test_api.c) or from the bytes of a fuzzer
 * (test/fuzz/fuzz_api_state.c). */
#ifndef TEST_PLAY_H
#define TEST_PLAY_H

#include "api/routes.h"
#include "domain/clock_guard.h"
#include "domain/outbox.h"
#include "store/query.h"

#define PLAY_USERS    40
#define PLAY_SESSIONS 256
#define PLAY_PAIRS    512
#define PLAY_SECRETS  768
#define PLAY_TRACE    30
#define PLAY_OPS_MAX  64
#define PLAY_RECOVERY 10
#define PLAY_LINKS    64
#define PLAY_NONE     (-1)

struct play_user {
	bool exists, disabled, verified, has_password, has_totp, required, is_admin, is_guest;
	bool mailbox_only;     /* verified by a click on a strange device */
	bool password_by_mail; /* set with a mailed link, the last time */
	int64_t claim_ms;      /* a mailed link opens the account from then on; 0: no */
	char email[64], password[48], uid[40], phone[20];
	char hash[PASSWORD_HASH_MAX]; /* as stored: it changes with the password, and with nothing
					 else */
	char seed[40], pending_seed[40]; /* base32, of authenticator apps; "" */
	int64_t seed_ms, pending_ms;	 /* proven, made */
	int64_t last_step;		 /* of codes that were accepted */
	char recovery[PLAY_RECOVERY][20];
	bool recovery_dead[PLAY_RECOVERY];
	int64_t id, verify_by_ms;
	int epoch; /* grows when devices are forgotten */
};

struct play_session {
	int user;
	bool live;
	char sid[40];
	int64_t auth_ms, idle_ms, abs_ms;
	int64_t factor_ms; /* last proof of a second factor other than mail; 0: none */
	int64_t gen;	   /* newest */
};

/* An access token and the refresh token beside it. */
struct play_pair {
	int session;
	int64_t gen, made_ms, exp_ms;
	int64_t superseded_ms; /* 0: it is the newest of its session */
	bool seen;	       /* either was used */
	char access[1400], refresh[128];
};

/* Mailed, texted, or answered between two factors. */
struct play_secret {
	enum onetime_purpose purpose;
	int user, session, handle; /* whose; what it is bound to, PLAY_NONE */
	char text[72], address[64];
	int64_t made_ms, expires_ms;
	bool reserves;		/* keeps its address for its owner */
	const char *dead;	/* why, or NULL */
	enum first_proof first; /* handles */
	int tries;		/* wrong ones that were counted for certain */
	bool tried;		/* handles: a code was sent along, which may count */
};

struct play_trust {
	int user, epoch;
	int64_t expires_ms;
	char text[256];
};

struct play_link {
	int user;
	bool live;
	char address[64];
};

/* What a request shows of its sender, where it is asked again who that is. */
enum play_asks {
	PLAY_ASKS_FRESH,   /* a recent sign-in, the password, or a code */
	PLAY_ASKS_FACTOR,  /* with an app: a recent use of it, or a code */
	PLAY_ASKS_REMOVAL, /* the same; without an app nothing */
};
struct play_shown {
	bool fresh, factor_fresh, has_totp; /* before the request */
	bool password, code;		    /* sent, and right */
	char used[24];			    /* the code that was sent, "" */
	char text[96];			    /* for the body, with a comma behind it, or "" */
};

struct play_call {
	enum http_method method;
	char path[256], query[200], body[2048];
	bool has_body;
	const char *bearer; /* NULL: none */
	const char *agent;
};

struct play_answer {
	int status;
	char code[48];
	str body;
};

struct play {
	/* choices */
	uint64_t rng, seed;
	const uint8_t *bytes;
	size_t n_bytes, at;
	bool by_bytes;

	/* the application */
	struct store *store;
	unsigned total_weight; /* of all operations */
	char *store_renew; /* SQL that makes it as it was when it was new */
	struct db *db;
	struct config cfg;
	struct keyring *keys;
	struct runtime rt;
	struct api api;
	struct api_listener listener;
	struct http_app app;
	struct http_thread thread;
	struct counters count;
	struct clock_guard guard;
	struct arena mem; /* of the test's own questions */
	uint64_t app_rng;
	int64_t now_ms, mono_ms;
	int64_t seen_ms,
		step_ms; /* latest time shown; what it was before the last step back, 0: none */
	bool mailed;	 /* since the last look into the outbox */
	bool stepped;	 /* back, and no request has come since */
	bool limits;
	struct play_answer answer;
	char agent[40];

	/* the model */
	struct play_user user[PLAY_USERS];
	struct play_session session[PLAY_SESSIONS];
	struct play_pair pair[PLAY_PAIRS];
	struct play_secret secret[PLAY_SECRETS];
	struct play_trust trust[64];
	struct play_link link[PLAY_LINKS];
	int n_users, n_sessions, n_pairs, n_secrets, n_trust, n_links;
	unsigned n_passwords;
	int about;			/* whose mails the answer may have caused, PLAY_NONE */
	int actor;			/* whose token came along, PLAY_NONE */
	bool was_verified;		/* the address that is changed in this step */
	int last_pair;			/* that signed a request, PLAY_NONE */
	void (*follow)(struct play *p); /* what an honest client does next, or NULL */
	int password_set; /* whose password may have changed in this step, PLAY_NONE */
	int asked_session, asked_handle; /* what secrets of this step are bound to */
	enum onetime_purpose asked; /* what a texted code, or a mailed link to sign in, is for */

	/* telling */
	size_t step, world;
	char trace[PLAY_TRACE][256];
	size_t n_trace;
	size_t ok[PLAY_OPS_MAX], refused[PLAY_OPS_MAX];
	size_t opened; /* accounts that mail opened in spite of a second factor: claimed before */
	size_t op;
};

/* An operation. pattern NULL: no request of its own (clock, operator). */
struct play_op {
	const char *name;
	enum http_method method;
	const char *pattern;
	unsigned weight;
	void (*run)(struct play *p);
};
extern const struct play_op play_ops[];
extern const size_t n_play_ops;

/* The process' part, once: keys, gate, arenas. Aborts when it cannot. */
void play_init(struct play *p);
void play_clear(struct play *p);
/* play_store.c: p->store, as it was when it was new. */
void play_store_renew(struct play *p);
void play_store_close(struct play *p);

/* A new store, settings by choice, an empty model. */
void play_world(struct play *p);
/* One operation, and all that must be true after it. False: the world is full, or the bytes are
 * used up. */
bool play_step(struct play *p);
/* Each operation has a row in the route table, or the play ends here. */
void play_check_ops(struct play *p);

/* ---- choices ---- */
unsigned play_pick(struct play *p, unsigned n); /* 0 … n-1 */
bool play_chance(struct play *p, unsigned percent);

/* ---- requests ---- */
/* Sends it, keeps the answer in p->answer, checks what is true of every answer. */
void play_call(struct play *p, const struct play_call *k);
bool play_ok(const struct play *p); /* 2xx */
bool play_code(const struct play *p, const char *code);
/* A text member of the answer into dst; false when there is none. */
bool play_member(const struct play *p, const char *key, char *dst, size_t max);
__attribute__((format(printf, 2, 3))) void play_body(struct play_call *k, const char *fmt, ...);

/* Ends the process, telling seed, step and the last operations. */
__attribute__((noreturn, format(printf, 2, 3))) void play_fail(struct play *p, const char *fmt,
							       ...);
__attribute__((format(printf, 2, 3))) void play_note(struct play *p, const char *fmt, ...);

/* ---- the model ---- */
int64_t play_effective_ms(const struct play *p);
bool play_is_behind(const struct play *p); /* may the application say that its clock is? */
int play_user_by_email(const struct play *p, const char *email);
/* Somebody who was ever there; PLAY_NONE when nobody was. */
int play_any_user(struct play *p);
bool play_is_reserved(const struct play *p, const char *email, int but);
bool play_user_ok(const struct play *p, int user);
bool play_session_ok(const struct play *p, int session);
bool play_access_ok(const struct play *p, int pair);
bool play_secret_ok(const struct play *p, int secret, enum onetime_purpose purpose);

/* Mostly a live one of this purpose; else dead, of another purpose, or PLAY_NONE for nonsense. */
int play_choose_secret(struct play *p, enum onetime_purpose purpose);
const char *play_secret_text(struct play *p, int secret);
/* Mostly the newest pair of a live session. */
int play_choose_pair(struct play *p);

/* The answer used it: it must have been good, and is used up now. */
void play_take(struct play *p, int secret, enum onetime_purpose purpose);
void play_void(struct play *p, int user, enum onetime_purpose purpose, const char *why);
void play_void_all(struct play *p, int user, bool reverts, const char *why);
void play_void_bound(struct play *p, int handle, const char *why);
void play_end_sessions(struct play *p, int user, int but);
int play_add_secret(struct play *p, enum onetime_purpose purpose, int user, const char *text,
		    const char *address, int64_t ttl_ms);

/* What the application must make of a first proof. */
enum gate_kind play_gate(const struct play *p, int user, enum first_proof proof, bool trusted);
unsigned play_factors(const struct play *p, int user, enum first_proof proof);
bool play_trusted(const struct play *p, int user, int trust);
/* The answer of a sign-in after a right first proof: it must be what play_gate says. */
void play_signed_in(struct play *p, int user, enum first_proof proof, bool trusted);
/* Tokens are in the answer, of a session with these factors (RFC 8176 names, blank-separated). */
void play_got_tokens(struct play *p, int user, const char *amr);
void play_no_tokens(struct play *p);
void play_got_refresh(struct play *p, int pair);
void play_read_mail(struct play *p);
void play_got_message(struct play *p, enum outbox_channel channel, const char *template,
		      const char *to, const char *token, const char *code);
void play_check_store(struct play *p);

/* A live code of this user that reads so; PLAY_NONE. */
int play_find_code(const struct play *p, enum onetime_purpose purpose, int user, const char *text);
/* A wrong code was looked at. */
void play_wrong_code(struct play *p, enum onetime_purpose purpose, int user);
const char *play_choose_code(struct play *p, enum onetime_purpose purpose, int user);

/* A signed-in request: whose, by which pair (PLAY_NONE: nonsense, a handle, nothing). play_used:
 * what must be true of its answer, true when it succeeded. */
int play_sign(struct play *p, struct play_call *k);
bool play_used(struct play *p, int pair);
/* A proof by choice: right, wrong or none. */
void play_proof(struct play *p, int pair, struct play_shown *ret);
/* After the request: what was asked for and right counts for the session, and a code is used up. */
void play_reproved(struct play *p, int pair, enum play_asks asks, const struct play_shown *shown);
/* The request succeeded: was that shown which is asked for? */
void play_need_proof(struct play *p, int pair, enum play_asks asks, const struct play_shown *shown);
const char *play_new_password(struct play *p);
const char *play_address(struct play *p);

bool play_same(const char *a, const char *b);
void play_set_text(char *dst, size_t max, const char *src);
struct play_call play_request(enum http_method method, const char *path);
const char *play_somebodys_address(struct play *p);
void play_set_password(struct play *p, int user, const char *password); /* "": none */
bool play_may_refuse(const struct play *p); /* what is right: limits, or the clock was set back */
bool play_verification_allows(const struct play *p, int user);
/* An address was proven for the first time: what somebody else may have put into the account is
 * gone. */
void play_claim(struct play *p, int user);

/* play_takeover.c. A session's token comes along with a public request, by choice: whose; PLAY_NONE: none that counts. */
int play_along(struct play *p, struct play_call *k);
bool play_is_required(const struct play *p, int user);
/* A second factor is asked for that mail is not. */
bool play_has_factor(const struct play *p, int user);
/* One stands before what mail may do to the account. */
bool play_asks_first(const struct play *p, int user);
/* A mailed secret was used by whoever came along. False: it changes nothing, a second factor is asked for first. */
bool play_mailed(struct play *p, int user, int along);
/* The address was proven by a click. */
void play_clicked(struct play *p, int user, bool known);
/* A second factor was shown after that first proof. */
void play_both_shown(struct play *p, int user, enum first_proof first);
void play_unlink_all(struct play *p, int user, const char *but);
/* A code of the app, mostly right; a recovery code, mostly unused; or nonsense. */
const char *play_choose_factor_code(struct play *p, int user, const char *seed);
bool play_code_ok(const struct play *p, int user, const char *code);
void play_use_code(struct play *p, int user, const char *code);

void play_op_2fa_setup(struct play *p);
void play_op_2fa_verify_setup(struct play *p);
void play_op_2fa_verify(struct play *p);
void play_op_2fa_disable(struct play *p);
void play_op_2fa_codes(struct play *p);
void play_op_require(struct play *p);
void play_op_magic_send(struct play *p);
void play_op_magic_verify(struct play *p);
void play_op_sms_send(struct play *p);
void play_op_sms_verify(struct play *p);
void play_op_guest(struct play *p);
void play_op_linked_list(struct play *p);
void play_op_unlink(struct play *p);
void play_op_link_request(struct play *p);
void play_op_link_verify(struct play *p);
void play_op_claim(struct play *p);

#endif
