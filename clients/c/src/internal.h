/* internal.h — what the files of the library share.
 *
 *	client.c   making and freeing a client, cancelling
 *	http.c     one request, one answer
 *	result.c   from an answer to a sp_result
 *	session.c  the stored tokens: signing in and out, one refresh at a time
 *	call.c     the table of calls, and a function for each
 *	request.c  the request of a call
 *	oauth.c    browser, provider, and back; links of mails
 *	start.c    calls on threads
 *	store_*.c  where tokens are kept
 */
#ifndef SP_INTERNAL_H
#define SP_INTERNAL_H

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "json.h"
#include "sallyport.h"
#include "util.h"

#define IDLE_MAX 8 /* connections kept open for the next call */
#define KEY_MAX 1024

struct work; /* start.c */

/* A call under way, on the stack of its thread. */
struct caller {
	pthread_t thread;
	struct caller *next;
};

struct sp_client {
	char *base; /* server and prefix, "https://auth.example.com/auth" */
	char *language, *user_agent, *ca_file, *loopback_path; /* language and ca_file: NULL without */
	long timeout_ms, connect_timeout_ms;
	sp_state_fn on_state;
	void *context;
	atomic_bool cancelled, remember;

	sp_store store;
	char key[KEY_MAX], device_key[KEY_MAX], flow_key[KEY_MAX];
	pthread_mutex_t store_mutex; /* around load, save, erase */
	char room[SP_RECORD_MAX]; /* for load; malloc would tidy up for so much at once */
	pthread_mutex_t session_mutex; /* who changes the session; taken before store_mutex */

	pthread_mutex_t idle_mutex;
	CURL *idle[IDLE_MAX];
	size_t n_idle;

	pthread_mutex_t work_mutex;
	pthread_cond_t work_ready; /* or a call has ended */
	struct work *work; /* calls that wait, oldest first */
	size_t n_work;
	pthread_t workers[4];
	size_t n_workers, n_resting; /* started; of them, waiting for work */
	struct caller *callers; /* calls under way, on whatever thread */
	bool closing;
};

/* ---- http.c ---- */

struct http_request {
	const char *method, *path; /* below base, with query */
	const char *bearer; /* NULL: none */
	bool wants_tokens; /* in the body, not in cookies */
	const char *body; /* JSON; NULL: none */
	size_t body_max; /* of the answer; 0: 1 MiB */
};

struct http_answer {
	sp_error error; /* SP_OK: there is an answer, whatever its status */
	int status, retry_after;
	bool bad_token; /* WWW-Authenticate says so (RFC 6750 §3.1) */
	bool unsent; /* with an error: the server has not seen the request */
	struct text body;
	char reason[CURL_ERROR_SIZE]; /* with an error */
};

/* Fills in *a, whose body is to be freed in any case. */
void http_send(sp_client *c, const struct http_request *q, struct http_answer *a);
void http_free(sp_client *c);
/* No control characters: it ends no header. */
bool is_header_text(const char *text);

/* ---- result.c ---- */

/* What a good answer is made of. */
enum gives {
	GIVES_NOTHING = 1,
	GIVES_TOKENS, /* or a challenge */
	GIVES_SOME, /* tokens, a user's id, recovery codes: whatever is there */
	GIVES_PROFILE,
	GIVES_SESSIONS,
	GIVES_ACCOUNTS,
	GIVES_TOTP,
	GIVES_URL,
	GIVES_BODY /* not read */
};

struct answer {
	sp_result pub; /* first: what the caller sees */
	struct {
		void *p;
		size_t n;
	} blocks[8]; /* to be wiped and freed */
	size_t n_blocks;
	char *text; /* the body, taken apart */
	size_t text_n;
	struct json *json; /* NULL: not read, or no JSON */
	bool is_static;
};

/* A result without an answer. message is copied; never NULL. */
struct answer *result_of(sp_error error, const char *code, const char *message);
/* Takes over the body. Never NULL. */
struct answer *result_read(struct http_answer *a, enum gives gives);
/* Room in the result. NULL: no memory. */
void *result_alloc(struct answer *r, size_t n, size_t size);
/* A copy in the result; NULL: no memory. */
const char *result_copy(struct answer *r, const char *text);
/* The same result, now an error, with a copy of the message. */
void result_fail(struct answer *r, sp_error error, const char *code, const char *message);

/* ---- session.c ---- */

/* What is stored of a session. */
struct record {
	char *access, *refresh; /* NULL: nobody is signed in */
	int64_t received; /* by this machine's clock, s since 1970 */
	int64_t lifetime; /* s, by the server's; 0: not known */
};

void record_free(struct record *r);
/* Around every change of what is stored. SP_TIMEOUT: somebody else had it for too long; SP_CANCELLED; errors of the store. */
sp_error session_lock(sp_client *c);
void session_unlock(sp_client *c);
/* SP_OK also when nobody is signed in. */
sp_error record_load(sp_client *c, struct record *r);
/* NULL: good; else why there is no session: a result for the caller. Refreshes when less than min_validity s are left
 * (-1: when it is about to end). */
struct answer *record_fresh(sp_client *c, int min_validity, struct record *r);
/* Gets new tokens unless others than `stale` are stored already (NULL: in any case). NULL: they are there. */
struct answer *session_refresh(sp_client *c, const char *stale);
/* Stores the tokens of an answer; r becomes an error when they cannot be stored. */
void session_sign_in(sp_client *c, struct answer *r);
/* Forgets the session if its access token is still `access` (NULL: in any case). SP_OK or SP_STORE. */
sp_error session_end(sp_client *c, const char *access, const char *reason);
/* The token of that name which the server knows this device by, to be freed with wipe_free; NULL: none. */
char *device_token(sp_client *c, const char *name);

sp_error store_load(sp_client *c, const char *key, struct text *value);
sp_error store_save(sp_client *c, const char *key, const char *value);
sp_error store_erase(sp_client *c, const char *key);
/* The body that says which refresh token. */
void text_add_refresh(struct text *body, const char *token);

/* ---- call.c ---- */

#define CALL_ARGUMENTS_MAX 4

struct call; /* call.h */
/* By its public name without "sp_"; NULL: no such call. */
const struct call *call_find(const char *name);
size_t call_arguments(const struct call *call);
sp_result *call_run(sp_client *c, const struct call *call, const char *const *arguments);

/* Around everything that a client must not be freed under. May be nested. */
void call_enter(sp_client *c, struct caller *me);
void call_leave(sp_client *c, const struct caller *me);

/* ---- oauth.c, start.c ---- */

sp_result *oauth_begin(sp_client *c, const char *const *arguments);
sp_result *oauth_link_begin(sp_client *c, const char *const *arguments);
sp_result *oauth_continue(sp_client *c, const char *const *arguments);
sp_result *open_link(sp_client *c, const char *const *arguments);
/* Waits until nothing runs; what was started ends with SP_CANCELLED. */
void start_close(sp_client *c);
/* Whether this thread is inside a call of the client, or one of its own. */
bool start_is_inside(sp_client *c);

#endif
