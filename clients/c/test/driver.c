/* driver.c — sallyport-driver: plays an app that uses libsallyport, for tests that hold the other end (test/lib/capp.mjs).
 *
 *	sallyport-driver server=http://127.0.0.1:3000 store=file:/tmp/x [name=value …]
 *
 * Reads lines of fields with tabs between them: an id, a command, its arguments (\\, \t, \n, \r; \N is NULL). Every
 * command runs on a thread of its own, so that lines go on being read, and ends in a line of JSON with its id. What
 * the library calls by itself is a line with "event". Commands: the functions of sallyport.h without sp_; threads N
 * COMMAND …: on N threads at once; fail FUNCTION: a function of store=own that fails from now on ("": none);
 * records: how many store=own holds; free; quit. The environment: SP_PASSPHRASE of store=file:PATH, and SP_CLOCK_SHIFT,
 * the seconds that this machine's clock is wrong by.
 */
#include <pthread.h>
#include <sallyport.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define MAX_ARGS    8
#define MAX_THREADS 64
#define MAX_RECORDS 16

/* ---- the clock, in place of libc's ---- */

static long clock_shift;

int clock_gettime(clockid_t id, struct timespec *at)
{
	int failed = (int)syscall(SYS_clock_gettime, id, at);

	if (failed == 0 && id == CLOCK_REALTIME)
		at->tv_sec += clock_shift;
	return failed;
}

time_t time(time_t *at)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (at != NULL)
		*at = now.tv_sec;
	return now.tv_sec;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	*at = (struct timeval){ .tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000 };
	return 0;
}

/* ---- lines out ---- */

static pthread_mutex_t out = PTHREAD_MUTEX_INITIALIZER;

static void *must(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

static void put_text(FILE *f, const char *s, size_t n)
{
	(void)fputc('"', f);
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '"' || c == '\\')
			(void)fprintf(f, "\\%c", c);
		else if (c < 0x20)
			(void)fprintf(f, "\\u%04x", c);
		else
			(void)fputc(c, f);
	}
	(void)fputc('"', f);
}

static void put(FILE *f, const char *name, const char *s)
{
	(void)fprintf(f, ",\"%s\":", name);
	if (s == NULL)
		(void)fputs("null", f);
	else
		put_text(f, s, strlen(s));
}

/* Each of the names with the text that follows it, up to NULL, as an object. */
static void put_object(FILE *f, ...)
{
	va_list list;
	const char *name;

	(void)fputs("{\"\":0", f);
	va_start(list, f);
	while ((name = va_arg(list, const char *)) != NULL)
		put(f, name, va_arg(list, const char *));
	va_end(list);
}

static void put_texts(FILE *f, const char *name, const char *const *texts, size_t n)
{
	(void)fprintf(f, ",\"%s\":", name);
	if (texts == NULL) {
		(void)fputs(n == 0 ? "null" : "\"NULL, but counted\"", f);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		(void)fputc(i == 0 ? '[' : ',', f);
		put_text(f, texts[i], strlen(texts[i]));
	}
	(void)fputs(n == 0 ? "[]" : "]", f);
}

/* A line begins with this and ends with line_end. */
static FILE *line_begin(char **text, size_t *n)
{
	FILE *f = must(open_memstream(text, n));

	(void)fputs("{\"\":0", f);
	return f;
}

static void line_end(FILE *f, char **text, const size_t *n)
{
	(void)fputs("}\n", f);
	if (fclose(f) != 0)
		abort();
	(void)pthread_mutex_lock(&out);
	(void)fwrite(*text, 1, *n, stdout);
	(void)fflush(stdout);
	(void)pthread_mutex_unlock(&out);
	free(*text);
}

static void put_lists(FILE *f, const sp_result *r)
{
	(void)fputs(",\"fields\":[", f);
	for (size_t i = 0; i < r->n_fields; i++) {
		put_object(f, "field", r->fields[i].field, "reason", r->fields[i].reason, NULL);
		(void)fputs(i + 1 < r->n_fields ? "}," : "}", f);
	}
	(void)fprintf(f, "],\"sessions\":%s", r->sessions == NULL ? "null" : "[");
	for (size_t i = 0; i < r->n_sessions; i++) {
		const sp_session *s = &r->sessions[i];

		put_object(f, "handle", s->handle, "created_at", s->created_at, "expires_at", s->expires_at,
			   "last_active_at", s->last_active_at, "user_agent", s->user_agent, "ip_address",
			   s->ip_address, NULL);
		(void)fprintf(f, ",\"is_current\":%d%s", s->is_current, i + 1 < r->n_sessions ? "}," : "}");
	}
	(void)fprintf(f, "%s,\"accounts\":%s", r->sessions == NULL ? "" : "]", r->accounts == NULL ? "null" : "[");
	for (size_t i = 0; i < r->n_accounts; i++) {
		const sp_linked_account *a = &r->accounts[i];

		put_object(f, "provider", a->provider, "provider_account_id", a->provider_account_id, "email", a->email,
			   "name", a->name, "picture", a->picture, "linked_at", a->linked_at, NULL);
		(void)fputs(i + 1 < r->n_accounts ? "}," : "}", f);
	}
	(void)fputs(r->accounts == NULL ? "" : "]", f);
}

static void put_profile(FILE *f, const sp_profile *p)
{
	(void)fputs(",\"profile\":", f);
	put_object(f, "id", p->id, "email", p->email, "first_name", p->first_name, "last_name", p->last_name, "name",
		   p->name, "phone_number", p->phone_number, "role", p->role, "login_provider", p->login_provider,
		   "last_login", p->last_login, NULL);
	(void)fprintf(f, ",\"is_email_verified\":%d,\"is_totp_enabled\":%d,\"has_password\":%d,\"is_admin\":%d,"
			 "\"is_guest\":%d}",
		      p->is_email_verified, p->is_totp_enabled, p->has_password, p->is_admin, p->is_guest);
}

/* Every member; and frees it. */
static void print_result(const char *id, sp_result *r)
{
	char *text;
	size_t n;
	FILE *f = line_begin(&text, &n);

	must(r);
	put(f, "id", id);
	put(f, "error", sp_error_name(r->error));
	(void)fprintf(f, ",\"status\":%d,\"retry_after\":%d", r->status, r->retry_after);
	put(f, "code", r->code);
	put(f, "message", r->message);
	put(f, "user_id", r->user_id);
	put(f, "access_token", r->access_token);
	put(f, "url", r->url);
	put(f, "merge_token", r->merge_token);
	put(f, "link_token", r->link_token);
	put_lists(f, r);
	put_texts(f, "recovery_codes", r->recovery_codes, r->n_recovery_codes);
	if (r->challenge != NULL) {
		(void)fputs(",\"challenge\":{\"\":0", f);
		put(f, "temp_token", r->challenge->temp_token);
		put_texts(f, "methods", r->challenge->methods, r->challenge->n_methods);
		(void)fputc('}', f);
	}
	if (r->profile != NULL)
		put_profile(f, r->profile);
	if (r->totp != NULL) {
		(void)fputs(",\"totp\":", f);
		put_object(f, "secret", r->totp->secret, "otpauth_url", r->totp->otpauth_url, "qr_code",
			   r->totp->qr_code, NULL);
		(void)fputc('}', f);
	}
	(void)fputs(",\"body\":", f);
	if (r->body != NULL && r->body[r->body_length] == '\0')
		put_text(f, r->body, r->body_length);
	else
		(void)fputs(r->body == NULL ? "null" : "\"no zero at its end\"", f);
	sp_result_free(r);
	line_end(f, &text, &n);
}

/* A line of texts: names and values, up to NULL. */
static void print_texts(const char *first, ...)
{
	va_list list;
	char *text;
	size_t n;
	FILE *f = line_begin(&text, &n);

	va_start(list, first);
	for (const char *name = first; name != NULL; name = va_arg(list, const char *))
		put(f, name, va_arg(list, const char *));
	va_end(list);
	line_end(f, &text, &n);
}

static void print_number(const char *id, int value)
{
	char digits[16];

	(void)snprintf(digits, sizeof(digits), "%d", value);
	print_texts("id", id, "value", digits, NULL);
}

/* ---- a store of the app's own, whose functions can be made to fail ---- */

struct own {
	pthread_mutex_t mutex;
	struct {
		char key[256], *value;
	} records[MAX_RECORDS];
	size_t n;
	char failing[16];
};

static struct own own = { .mutex = PTHREAD_MUTEX_INITIALIZER };

/* With the mutex. The record's place, n without one. */
static size_t own_find(const char *key)
{
	size_t i = 0;

	while (i < own.n && strcmp(own.records[i].key, key) != 0)
		i++;
	return i;
}

static sp_error own_load(void *context, const char *key, char *value, size_t capacity, size_t *length)
{
	struct own *o = context;
	sp_error error = SP_OK;

	(void)pthread_mutex_lock(&o->mutex);
	size_t at = own_find(key);

	*length = at < o->n ? strlen(o->records[at].value) : 0;
	if (*length > capacity || strcmp(o->failing, "load") == 0)
		error = SP_STORE;
	else if (*length > 0)
		memcpy(value, o->records[at].value, *length);
	(void)pthread_mutex_unlock(&o->mutex);
	return error;
}

static sp_error own_save(void *context, const char *key, const char *value)
{
	struct own *o = context;
	sp_error error = SP_OK;

	(void)pthread_mutex_lock(&o->mutex);
	size_t at = own_find(key);

	if (at == MAX_RECORDS || value[0] == '\0' || strlen(key) >= sizeof(o->records[0].key) ||
	    strcmp(o->failing, "save") == 0) {
		error = SP_STORE;
	} else {
		if (at == o->n)
			(void)snprintf(o->records[o->n++].key, sizeof(o->records[0].key), "%s", key);
		else
			free(o->records[at].value);
		o->records[at].value = must(strdup(value));
	}
	(void)pthread_mutex_unlock(&o->mutex);
	return error;
}

static sp_error own_erase(void *context, const char *key)
{
	struct own *o = context;
	sp_error error = SP_OK;

	(void)pthread_mutex_lock(&o->mutex);
	size_t at = own_find(key);

	if (strcmp(o->failing, "erase") == 0) {
		error = SP_STORE;
	} else if (at < o->n) {
		free(o->records[at].value);
		o->records[at] = o->records[--o->n];
	}
	(void)pthread_mutex_unlock(&o->mutex);
	return error;
}

static void own_close(void *context)
{
	struct own *o = context;

	while (o->n > 0)
		free(o->records[--o->n].value);
	print_texts("event", "closed", NULL);
}

static sp_error open_store(const char *kind, sp_store *store)
{
	if (strcmp(kind, "memory") == 0)
		return sp_store_memory(store);
	if (strncmp(kind, "file:", 5) == 0)
		return sp_store_file(kind + 5, getenv("SP_PASSPHRASE"), store);
	if (strcmp(kind, "keyring") == 0)
		return sp_store_keyring(store);
	if (strcmp(kind, "secret") == 0)
		return sp_store_secret_service(store);
	if (strcmp(kind, "own") != 0)
		return SP_INVALID;
	*store = (sp_store){ .size = sizeof(*store), .context = &own, .load = own_load, .save = own_save,
			     .erase = own_erase, .close = own_close };
	return SP_OK;
}

/* ---- the functions, each called by its own type ---- */

static sp_client *client;

typedef sp_result *call_fn(sp_client *c, const char *const *a);

#define CALL0(f) static sp_result *call_##f(sp_client *c, const char *const *a) { (void)a; return sp_##f(c); }
#define CALL1(f) static sp_result *call_##f(sp_client *c, const char *const *a) { return sp_##f(c, a[0]); }
#define CALL2(f) static sp_result *call_##f(sp_client *c, const char *const *a) { return sp_##f(c, a[0], a[1]); }
#define CALL3(f) static sp_result *call_##f(sp_client *c, const char *const *a) { return sp_##f(c, a[0], a[1], a[2]); }
#define CALL4(f) static sp_result *call_##f(sp_client *c, const char *const *a) { return sp_##f(c, a[0], a[1], a[2], a[3]); }

#define CALLS \
	CALL(4, register) CALL(2, login) CALL(0, logout) CALL(0, guest) CALL(0, refresh) CALL(0, clear_tokens) \
	CALL(0, get_profile) CALL(2, update_profile) CALL(0, export) CALL(2, delete_account) CALL(0, get_sessions) \
	CALL(1, revoke_session) CALL(2, verify_totp) CALL(2, verify_recovery_code) CALL(1, send_sms_2fa) \
	CALL(2, verify_sms_2fa) CALL(2, send_magic_link_2fa) CALL(2, verify_magic_link_2fa) \
	CALL(2, verify_email_code_2fa) CALL(3, setup_2fa) CALL(2, verify_setup_2fa) CALL(2, disable_2fa) \
	CALL(2, new_recovery_codes) CALL(1, keep_2fa) CALL(2, send_magic_link) CALL(1, verify_magic_link) CALL(2, verify_email_code) \
	CALL(1, send_sms) CALL(2, verify_sms) CALL(1, forgot_password) CALL(2, reset_password) \
	CALL(2, change_password) CALL(1, send_verification_email) CALL(1, verify_email) \
	CALL(3, change_email_request) CALL(1, change_email_confirm) CALL(1, change_email_revert) CALL(3, add_phone) \
	CALL(1, verify_phone) CALL(0, get_linked_accounts) CALL(3, link_request) CALL(3, unlink_account) \
	CALL(2, oauth_begin) CALL(3, oauth_link_begin) CALL(1, oauth_continue) CALL(3, oauth_token) CALL(1, open_link)

#define CALL(n, f) CALL##n(f)
CALLS
#undef CALL

static int number(const char *text)
{
	return text == NULL ? 0 : (int)strtol(text, NULL, 10);
}

static sp_result *call_access_token(sp_client *c, const char *const *a)
{
	return sp_access_token(c, number(a[0]));
}

static sp_result *call_link_verify(sp_client *c, const char *const *a)
{
	return sp_link_verify(c, a[0], number(a[1]));
}

/* The browser is the test's: it is told the address. context: the word that came with the call; "fails": none opens. */
static int open_browser(void *context, const char *url)
{
	print_texts("event", "open", "url", url, NULL);
	return context != NULL && strcmp(context, "fails") == 0;
}

/* "desktop": the library finds a browser by itself; "given": it is given what it would find. */
static sp_open_fn opener(const char *how)
{
	if (how != NULL && strcmp(how, "desktop") == 0)
		return NULL;
	return how != NULL && strcmp(how, "given") == 0 ? sp_open_browser : open_browser;
}

static sp_result *call_oauth_login(sp_client *c, const char *const *a)
{
	return sp_oauth_login(c, a[0], opener(a[2]), (void *)(uintptr_t)a[2], number(a[1]));
}

static sp_result *call_oauth_link(sp_client *c, const char *const *a)
{
	return sp_oauth_link(c, a[0], a[1], opener(a[3]), (void *)(uintptr_t)a[3], number(a[2]));
}

static const struct {
	const char *name;
	size_t n; /* arguments */
	call_fn *call;
} calls[] = {
#define CALL(n, f) { #f, n, call_##f },
	CALLS
#undef CALL
	{ "access_token", 1, call_access_token },
	{ "link_verify", 2, call_link_verify },
	{ "oauth_login", 3, call_oauth_login },
	{ "oauth_link", 4, call_oauth_link },
};

/* ---- commands ---- */

/* A line and what runs it. */
struct job {
	struct job *next;
	char *line;
	const char *id, *name, *args[MAX_ARGS];
	size_t n_args;
	call_fn *call;
	pthread_barrier_t *together; /* NULL: alone */
	pthread_t thread;
	bool over; /* with the mutex */
};

static struct {
	pthread_mutex_t mutex;
	struct job *first;
} jobs = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static void started_done(void *context, sp_result *result)
{
	print_result(context, result);
	free(context);
}

/* start NAME ARG…: prints what sp_start says as "value", and the result when it is there. */
static void run_start(const struct job *j)
{
	char *id = must(strdup(j->id)), started[64];

	(void)snprintf(started, sizeof(started), "%s!", j->id);
	sp_error error = sp_start(client, j->args[0], j->n_args > 1 ? j->args + 1 : NULL,
				  j->n_args > 0 ? j->n_args - 1 : 0, started_done, id);

	if (error != SP_OK)
		free(id);
	print_texts("id", started, "value", sp_error_name(error), NULL);
}

static void run_free(const struct job *j)
{
	sp_error error = sp_client_free(client);

	client = NULL;
	print_texts("id", j->id, "value", sp_error_name(error), NULL);
}

static void run_small(const struct job *j)
{
	const char *arg = j->n_args > 0 ? j->args[0] : NULL;

	if (strcmp(j->name, "is_signed_in") == 0) {
		print_number(j->id, sp_is_signed_in(client));
		return;
	}
	if (strcmp(j->name, "records") == 0) {
		(void)pthread_mutex_lock(&own.mutex);
		int n = (int)own.n;
		(void)pthread_mutex_unlock(&own.mutex);
		print_number(j->id, n);
		return;
	}
	if (strcmp(j->name, "version") == 0 || strcmp(j->name, "error_name") == 0) {
		print_texts("id", j->id, "value",
			    j->name[0] == 'v' ? sp_version() : sp_error_name((sp_error)number(arg)), NULL);
		return;
	}
	if (strcmp(j->name, "fail") == 0) {
		(void)pthread_mutex_lock(&own.mutex);
		(void)snprintf(own.failing, sizeof(own.failing), "%s", arg);
		(void)pthread_mutex_unlock(&own.mutex);
	} else if (strcmp(j->name, "remember_device") == 0) {
		sp_remember_device(client, number(arg));
	} else if (strcmp(j->name, "client_cancel") == 0) {
		sp_client_cancel(client);
	} else if (strcmp(j->name, "client_resume") == 0) {
		sp_client_resume(client);
	} else {
		print_texts("id", j->id, "value", "no such command, or not so many arguments", NULL);
		return;
	}
	print_texts("id", j->id, "value", "", NULL);
}

static void *run(void *arg)
{
	struct job *j = arg;

	if (j->together != NULL)
		(void)pthread_barrier_wait(j->together);
	if (j->call != NULL)
		print_result(j->id, j->call(client, j->args));
	else if (strcmp(j->name, "start") == 0)
		run_start(j);
	else if (strcmp(j->name, "client_free") == 0)
		run_free(j);
	else
		run_small(j);
	(void)pthread_mutex_lock(&jobs.mutex);
	j->over = true;
	(void)pthread_mutex_unlock(&jobs.mutex);
	return NULL;
}

/* Joins the threads that are done; all: waits for the others too. */
static void reap(bool all)
{
	for (struct job **at = &jobs.first; *at != NULL;) {
		struct job *j = *at;

		(void)pthread_mutex_lock(&jobs.mutex);
		bool over = j->over;
		(void)pthread_mutex_unlock(&jobs.mutex);
		if (!over && !all) {
			at = &j->next;
			continue;
		}
		(void)pthread_join(j->thread, NULL);
		*at = j->next;
		free(j->line);
		free(j);
	}
}

/* In place. NULL for \N. */
static char *unescape(char *field)
{
	char *to = field;

	if (strcmp(field, "\\N") == 0)
		return NULL;
	for (const char *from = field; *from != '\0'; from++) {
		char c = *from;

		if (c == '\\' && from[1] != '\0') {
			from++;
			c = *from == 't' ? '\t' : *from == 'n' ? '\n' : *from == 'r' ? '\r' : *from;
		}
		*to++ = c;
	}
	*to = '\0';
	return field;
}

static void begin(const char *line, size_t skip, pthread_barrier_t *together)
{
	struct job *j = must(calloc(1, sizeof(*j)));
	char *rest = j->line = must(strdup(line));
	const char *fields[MAX_ARGS + 4] = { 0 };
	size_t n = 0;

	while (rest != NULL && n < sizeof(fields) / sizeof(fields[0]))
		fields[n++] = unescape(strsep(&rest, "\t"));
	j->id = fields[0];
	j->name = fields[1 + skip] == NULL ? "" : fields[1 + skip];
	for (size_t i = 2 + skip; i < n && j->n_args < MAX_ARGS; i++)
		j->args[j->n_args++] = fields[i];
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (strcmp(calls[i].name, j->name) == 0 && calls[i].n == j->n_args)
			j->call = calls[i].call;
	}
	j->together = together;
	j->next = jobs.first;
	jobs.first = j;
	if (pthread_create(&j->thread, NULL, run, j) != 0)
		abort();
}

static void begin_threads(const char *line)
{
	unsigned n = (unsigned)number(strstr(line, "\tthreads\t") + strlen("\tthreads\t"));
	pthread_barrier_t together;

	if (n == 0 || n > MAX_THREADS || pthread_barrier_init(&together, NULL, n) != 0)
		abort();
	for (unsigned i = 0; i < n; i++)
		begin(line, 2, &together);
	reap(true);
	(void)pthread_barrier_destroy(&together);
}

/* ---- beginning and end ---- */

static bool frees_in_callback;

static void on_state(void *context, sp_state state, const char *reason)
{
	static const char *const names[] = { "?", "SIGNED_IN", "REFRESHED", "SIGNED_OUT" };

	print_texts("event", "state", "state", names[state], "reason", reason, "context", context, "signed_in",
		    sp_is_signed_in(client) == 1 ? "yes" : "no", "freed",
		    frees_in_callback ? sp_error_name(sp_client_free(client)) : NULL, NULL);
}

static bool take_option(sp_options *o, const char **store, char *arg)
{
	const struct {
		const char *name;
		const char **text;
		int *value;
	} options[] = {
		{ "server", &o->server, NULL }, { "prefix", &o->prefix, NULL }, { "account", &o->account, NULL },
		{ "language", &o->language, NULL }, { "user_agent", &o->user_agent, NULL }, { "ca_file", &o->ca_file, NULL },
		{ "loopback_path", &o->loopback_path, NULL }, { "store", store, NULL },
		{ "timeout_ms", NULL, &o->timeout_ms }, { "connect_timeout_ms", NULL, &o->connect_timeout_ms },
	};
	char *value = strchr(arg, '=');

	if (value == NULL)
		return false;
	*value++ = '\0';
	if (strcmp(arg, "size") == 0) /* of a program that was built before there was on_state */
		o->size = offsetof(sp_options, on_state);
	if (strcmp(arg, "frees_in_callback") == 0)
		frees_in_callback = true;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (strcmp(options[i].name, arg) != 0)
			continue;
		if (options[i].text != NULL)
			*options[i].text = value;
		else
			*options[i].value = number(value);
	}
	return true;
}

static int failed(const char *what, sp_error error)
{
	print_texts("event", "failed", "call", what, "error", sp_error_name(error), NULL);
	return 3;
}

int main(int argc, char **argv)
{
	char context[] = "the app's";
	sp_options options = { .size = sizeof(options), .on_state = on_state, .context = context };
	const char *kind = NULL;
	sp_store store;
	char *line = NULL;
	size_t room = 0;
	sp_error error;

	clock_shift = number(getenv("SP_CLOCK_SHIFT"));
	for (int i = 1; i < argc; i++) {
		if (!take_option(&options, &kind, argv[i]))
			return 2;
	}
	if (kind != NULL) {
		error = open_store(kind, &store);
		if (error != SP_OK)
			return failed("store", error);
		options.store = &store;
	}
	error = sp_client_new(&options, &client);
	if ((error == SP_OK) != (client != NULL))
		abort();
	if (error != SP_OK)
		return failed("client_new", error);
	print_texts("event", "ready", NULL);
	while (getline(&line, &room, stdin) > 0) {
		line[strcspn(line, "\n")] = '\0';
		reap(false);
		if (strcmp(line, "quit") == 0)
			break;
		if (strstr(line, "\tthreads\t") != NULL)
			begin_threads(line);
		else
			begin(line, 0, NULL);
	}
	free(line);
	if (client != NULL)
		sp_client_cancel(client);
	reap(true);
	error = sp_client_free(client);
	return error == SP_OK ? 0 : failed("client_free", error);
}
