/* oauth.c — signing in at another provider: the browser goes there and comes back with a one-time token, which is
 * worth something only together with a verifier that never left this program (RFC 7636, RFC 8252 §7). */
#include "internal.h"
#include "url.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECRET_BYTES 32
#define SECRET_LENGTH BASE64URL_LENGTH(SECRET_BYTES)
#define FLOW_S 600 /* as long as the server waits for a browser */

/* ---- what is remembered while the browser is away ---- */

struct flow {
	char *verifier, *state;
	bool is_link;
	int64_t begun; /* s since 1970 */
};

static void flow_free(struct flow *f)
{
	wipe_free(f->verifier);
	wipe_free(f->state);
	*f = (struct flow){ 0 };
}

static bool new_secret(char text[SECRET_LENGTH + 1])
{
	unsigned char bytes[SECRET_BYTES];

	if (!random_bytes(bytes, sizeof bytes))
		return false;
	base64url(bytes, sizeof bytes, text);
	wipe(bytes, sizeof bytes);
	return true;
}

static sp_error flow_save(sp_client *c, const char *verifier, const char *state, bool is_link, int64_t begun)
{
	struct text value = { 0 };
	sp_error e;

	text_add(&value, "{\"verifier\":");
	text_add_json(&value, verifier);
	text_add(&value, ",\"state\":");
	text_add_json(&value, state);
	text_add(&value, is_link ? ",\"link\":true" : ",\"link\":false");
	text_add(&value, ",\"begun\":");
	text_add_number(&value, begun);
	text_add(&value, "}");
	e = value.failed ? SP_MEMORY : store_save(c, c->flow_key, value.p);
	text_free(&value);
	return e;
}

/* SP_OK and no state: there is none, or it is too old. */
static sp_error flow_load(sp_client *c, struct flow *f)
{
	struct text value = { 0 };
	struct json *json = NULL;
	int64_t begun = 0, now = (int64_t)time(NULL);
	sp_error e = store_load(c, c->flow_key, &value);

	*f = (struct flow){ 0 };
	if (e == SP_OK && value.n > 0 && json_read(value.p, value.n, &json) && json_integer(json, "begun", &begun) &&
	    begun >= 0 && begun <= now && now - begun <= FLOW_S && json_string(json, "verifier") != NULL &&
	    json_string(json, "state") != NULL) {
		f->verifier = strdup(json_string(json, "verifier"));
		f->state = strdup(json_string(json, "state"));
		f->is_link = json_flag(json, "link") != 0;
		f->begun = begun;
		if (f->verifier == NULL || f->state == NULL) {
			flow_free(f);
			e = SP_MEMORY;
		}
	}
	free(json);
	text_free(&value);
	return e;
}

/* Takes it out, if it is the one with this state: an app may be handed its URL twice, and the second use of a one-time token
 * would end what the first began. SP_OK and no state: there is none. */
static sp_error flow_take(sp_client *c, const char *state, struct flow *f)
{
	sp_error e = session_lock(c);

	*f = (struct flow){ 0 };
	if (e != SP_OK)
		return e;
	e = flow_load(c, f);
	if (f->state != NULL && (state == NULL || !equal_secret(f->state, state)))
		flow_free(f);
	if (f->state != NULL)
		e = store_erase(c, c->flow_key);
	session_unlock(c);
	if (e != SP_OK)
		flow_free(f);
	return e;
}

static void flow_forget(sp_client *c, const char *state)
{
	struct flow f;

	(void)flow_take(c, state, &f);
	flow_free(&f);
}

/* For another try, unless there is a newer one. */
static void flow_put_back(sp_client *c, const struct flow *f)
{
	struct flow newer;

	if (session_lock(c) != SP_OK)
		return;
	if (flow_load(c, &newer) == SP_OK && newer.state == NULL)
		(void)flow_save(c, f->verifier, f->state, f->is_link, f->begun);
	flow_free(&newer);
	session_unlock(c);
}

/* ---- there ---- */

/* The address that the browser is sent to. */
static void begin_url(struct text *url, const char *start, const char *redirect_uri, const char *verifier, const char *state)
{
	unsigned char digest[SHA256_BYTES];
	char challenge[BASE64URL_LENGTH(SHA256_BYTES) + 1];

	sha256(verifier, SECRET_LENGTH, digest);
	base64url(digest, sizeof digest, challenge);
	text_add(url, start);
	text_add(url, strchr(start, '?') != NULL ? "&" : "?");
	text_add(url, "redirect_uri=");
	text_add_url(url, redirect_uri);
	text_add(url, "&code_challenge=");
	text_add(url, challenge);
	text_add(url, "&code_challenge_method=S256&state=");
	text_add(url, state);
}

/* `start` is where the browser goes, with or without a query. */
static struct answer *begin(sp_client *c, const char *start, const char *redirect_uri, bool is_link)
{
	char verifier[SECRET_LENGTH + 1] = "", state[SECRET_LENGTH + 1] = "";
	struct text url = { 0 };
	struct answer *r;
	sp_error e = SP_UNAVAILABLE;

	if (new_secret(verifier) && new_secret(state)) {
		begin_url(&url, start, redirect_uri, verifier, state);
		e = url.failed ? SP_MEMORY : flow_save(c, verifier, state, is_link, (int64_t)time(NULL));
	}
	wipe(verifier, sizeof verifier);
	wipe(state, sizeof state);
	r = result_of(e, "", e == SP_UNAVAILABLE ? "no random numbers" : NULL);
	if (e == SP_OK) {
		r->pub.url = result_copy(r, url.p);
		if (r->pub.url == NULL)
			result_fail(r, SP_MEMORY, "", NULL);
	}
	text_free(&url);
	return r;
}

sp_result *oauth_begin(sp_client *c, const char *const *a)
{
	struct text start = { 0 };
	struct answer *r;

	if (!url_is_segment(a[0]) || a[1] == NULL)
		return &result_of(SP_INVALID, "", NULL)->pub;
	text_add(&start, c->base);
	text_add(&start, "/oauth/");
	text_add_url(&start, a[0]);
	r = start.failed ? result_of(SP_MEMORY, "", NULL) : begin(c, start.p, a[1], false);
	text_free(&start);
	return &r->pub;
}

sp_result *oauth_link_begin(sp_client *c, const char *const *a)
{
	sp_result *ticket;
	struct answer *r;

	if (a[1] == NULL)
		return &result_of(SP_INVALID, "", NULL)->pub;
	ticket = call_run(c, call_find("+oauth_ticket"), (const char *const[]){ a[0], a[2] });
	if (ticket->error != SP_OK)
		return ticket;
	/* The browser's opener takes files and programs, too. */
	if (strncmp(ticket->url, "https://", 8) == 0 || strncmp(ticket->url, "http://", 7) == 0)
		r = begin(c, ticket->url, a[1], true);
	else
		r = result_of(SP_PROTOCOL, "", NULL);
	sp_result_free(ticket);
	return &r->pub;
}

/* ---- and back ---- */

/* The methods of a redirect, "totp,sms". */
static struct answer *challenge_of(const char *temp_token, const char *methods)
{
	struct answer *r = result_of(methods[0] != '\0' ? SP_SECOND_FACTOR : SP_SETUP_REQUIRED, "", NULL);
	sp_challenge *challenge = result_alloc(r, 1, sizeof *challenge);
	const char **list = result_alloc(r, strlen(methods) + 1, sizeof *list);
	char *copy = result_alloc(r, strlen(methods) + 1, 1), *next;

	if (challenge == NULL || list == NULL || copy == NULL) {
		result_fail(r, SP_MEMORY, "", NULL);
		return r;
	}
	challenge->methods = list;
	challenge->temp_token = result_copy(r, temp_token);
	memcpy(copy, methods, strlen(methods) + 1);
	for (char *at = copy; at != NULL && *at != '\0'; at = next) {
		next = strchr(at, ',');
		if (next != NULL)
			*next++ = '\0';
		list[challenge->n_methods++] = at;
	}
	r->pub.challenge = challenge;
	if (challenge->temp_token == NULL)
		result_fail(r, SP_MEMORY, "", NULL);
	return r;
}

/* Whether asking again with the same one-time token may still help. */
static bool is_open(sp_error e)
{
	return e == SP_NETWORK || e == SP_TIMEOUT || e == SP_LATER || e == SP_SERVER || e == SP_CANCELLED;
}

static sp_result *finish(sp_client *c, const struct flow *f, const char *query)
{
	char *error = query_value(query, "error"), *ott = query_value(query, "ott");
	char *temp_token = query_value(query, "tempToken"), *methods = query_value(query, "methods");
	sp_result *r;

	if (error != NULL) {
		r = &result_of(SP_REFUSED, error, error)->pub;
	} else if (temp_token != NULL) {
		r = &challenge_of(temp_token, methods != NULL ? methods : "")->pub;
	} else if (ott != NULL) {
		r = call_run(c, call_find(f->is_link ? "+oauth_linked" : "+oauth_exchange"),
			     (const char *const[]){ ott, f->verifier });
	} else {
		r = &result_of(SP_PROTOCOL, "", NULL)->pub;
	}
	wipe_free(error);
	wipe_free(ott);
	wipe_free(temp_token);
	wipe_free(methods);
	if (is_open(r->error))
		flow_put_back(c, f);
	return r;
}

sp_result *oauth_continue(sp_client *c, const char *const *a)
{
	const char *url = a[0];
	struct flow f;
	char *state;
	sp_result *r;
	sp_error e;

	if (url == NULL)
		return &result_of(SP_INVALID, "", NULL)->pub;
	state = query_value(query_of(url), "state");
	e = flow_take(c, state, &f);
	wipe_free(state);
	if (e != SP_OK)
		return &result_of(e, "", NULL)->pub;
	if (f.state == NULL)
		r = &result_of(SP_INVALID, "STATE_MISMATCH", "not the answer to the sign-in that was begun")->pub;
	else
		r = finish(c, &f, query_of(url));
	flow_free(&f);
	return r;
}

/* ---- the address on this machine (RFC 8252 §7.3) ---- */

static int listen_here(int *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 16) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &n) != 0) {
		(void)close(fd);
		return -1;
	}
	*port = ntohs(address.sin_port);
	return fd;
}

/* Until there is something to read; in short turns, to see a cancellation. */
static bool wait_readable(sp_client *c, int fd, int64_t until)
{
	while (!atomic_load(&c->cancelled)) {
		int64_t left = until - now_ms();
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int n;

		if (left <= 0)
			return false;
		n = poll(&p, 1, left < 100 ? (int)left : 100);
		if (n > 0 || (n < 0 && errno != EINTR))
			return n > 0;
	}
	return false;
}

static void answer_page(int fd, const char *status, const char *text)
{
	char page[1024];
	int n = snprintf(page, sizeof page,
			 "HTTP/1.1 %s\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n"
			 "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n"
			 "Content-Security-Policy: default-src 'none'\r\n\r\n"
			 "<!doctype html><html lang=\"en\"><title>Sign-in</title><p>%s</p></html>\n",
			 status, text);

	(void)send(fd, page, (size_t)n, MSG_NOSIGNAL);
	(void)shutdown(fd, SHUT_WR);
}

#define HEAD_MAX 8192
#define HEAD_MS 2000 /* a browser on the same machine needs less */

/* The whole head has to be read, else closing resets the connection under the page. False: none came. */
static bool read_head(sp_client *c, int fd, char head[HEAD_MAX])
{
	int64_t until = now_ms() + HEAD_MS;
	size_t n = 0;

	while (n < HEAD_MAX - 1 && wait_readable(c, fd, until)) {
		ssize_t got = recv(fd, head + n, HEAD_MAX - 1 - n, 0);

		if (got <= 0)
			return false;
		n += (size_t)got;
		head[n] = '\0';
		if (strstr(head, "\r\n\r\n") != NULL)
			return true;
	}
	return false;
}

/* One visitor: the query it came with if it is the browser we wait for (to be freed), else NULL. */
static char *visit(sp_client *c, int fd, const char *expected_state)
{
	char head[HEAD_MAX], *target, *state = NULL, *query = NULL;

	if (!read_head(c, fd, head))
		return NULL;
	target = request_target(head, c->loopback_path);
	if (target != NULL)
		state = query_value(query_of(target), "state");
	if (state != NULL && equal_secret(state, expected_state)) {
		query = strdup(target);
		answer_page(fd, "200 OK", "You can close this window and go back to the program.");
	} else {
		answer_page(fd, "404 Not Found", "Nothing is here.");
	}
	wipe_free(state);
	wipe(head, sizeof head);
	return query;
}

/* Waits for the browser: what it came with, or NULL when the time is over. */
static char *wait_for_browser(sp_client *c, int listener, const char *state, int64_t until)
{
	char *back = NULL;

	while (back == NULL && wait_readable(c, listener, until)) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			continue;
		back = visit(c, fd, state);
		(void)close(fd);
	}
	return back;
}

#if defined(__APPLE__)
#define OPENER "open"
#else
#define OPENER "xdg-open"
#endif

/* Starts the system's opener as nobody's child, so that none has to be waited for. It says through a pipe, closed by exec,
 * when it could not be started. Between fork and exec only what POSIX allows in a process with threads. */
int sp_open_browser(void *context, const char *url)
{
	int says[2];
	char failed = 0;
	pid_t child;
	ssize_t n;

	(void)context;
	if (url == NULL || url[0] == '-')
		return -1; /* it would be an option */
	if (pipe2(says, O_CLOEXEC) != 0)
		return -1;
	child = fork();
	if (child == 0) {
		pid_t opener = fork();

		if (opener == 0) {
			int null = open("/dev/null", O_RDWR | O_CLOEXEC);

			(void)setsid();
			if (null >= 0)
				(void)(dup2(null, 0) + dup2(null, 1) + dup2(null, 2));
			(void)execlp(OPENER, OPENER, url, (char *)NULL);
		}
		if (opener <= 0)
			(void)!write(says[1], "x", 1);
		_exit(0);
	}
	(void)close(says[1]);
	if (child > 0)
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
			;
	do
		n = read(says[0], &failed, 1);
	while (n < 0 && errno == EINTR);
	(void)close(says[0]);
	return child > 0 && n == 0 ? 0 : -1;
}

/* With the URL of a begin: opens it, waits, goes on. */
static sp_result *browse(sp_client *c, const sp_result *begun, int listener, sp_open_fn open, void *context,
			 int timeout_s)
{
	char *state = query_value(query_of(begun->url), "state"), *back;
	sp_result *r;

	if (state == NULL)
		return &result_of(SP_MEMORY, "", NULL)->pub;
	if ((open != NULL ? open : sp_open_browser)(context, begun->url) != 0) {
		flow_forget(c, state);
		wipe_free(state);
		return &result_of(SP_UNAVAILABLE, "", "the browser cannot be opened")->pub;
	}
	back = wait_for_browser(c, listener, state, now_ms() + (int64_t)(timeout_s > 0 ? timeout_s : 300) * 1000);
	if (back != NULL) {
		r = sp_oauth_continue(c, back);
	} else {
		flow_forget(c, state);
		r = &result_of(atomic_load(&c->cancelled) ? SP_CANCELLED : SP_TIMEOUT, "", NULL)->pub;
	}
	wipe_free(back);
	wipe_free(state);
	return r;
}

static sp_result *oauth_here(sp_client *c, const char *provider, bool is_link, const char *password, sp_open_fn open,
			     void *context, int timeout_s)
{
	char redirect_uri[300];
	struct caller me;
	sp_result *begun, *r;
	int port = 0, listener;

	if (c == NULL)
		return &result_of(SP_INVALID, "", NULL)->pub;
	call_enter(c, &me);
	listener = listen_here(&port);
	if (listener < 0) {
		call_leave(c, &me);
		return &result_of(SP_UNAVAILABLE, "", "no port on this machine")->pub;
	}
	(void)snprintf(redirect_uri, sizeof redirect_uri, "http://127.0.0.1:%d%s", port, c->loopback_path);
	begun = is_link ? sp_oauth_link_begin(c, provider, redirect_uri, password) :
			  sp_oauth_begin(c, provider, redirect_uri);
	if (begun->error != SP_OK) {
		r = begun;
	} else {
		r = browse(c, begun, listener, open, context, timeout_s);
		sp_result_free(begun);
	}
	(void)close(listener);
	call_leave(c, &me);
	return r;
}

sp_result *sp_oauth_login(sp_client *c, const char *provider, sp_open_fn open, void *context, int timeout_s)
{
	return oauth_here(c, provider, false, NULL, open, context, timeout_s);
}

sp_result *sp_oauth_link(sp_client *c, const char *provider, const char *password, sp_open_fn open, void *context,
			 int timeout_s)
{
	return oauth_here(c, provider, true, password, open, context, timeout_s);
}

/* ---- links of mails ---- */

static sp_result *link_verify(sp_client *c, const char *token)
{
	return sp_link_verify(c, token, sp_is_signed_in(c) != 1);
}

static sp_result *ask_first(const char *code, const char *message, const char *token)
{
	struct answer *r = result_of(SP_INVALID, code, message);

	r->pub.link_token = result_copy(r, token);
	if (r->pub.link_token == NULL)
		result_fail(r, SP_MEMORY, "", NULL);
	return &r->pub;
}

static sp_result *reset_password(sp_client *c, const char *token)
{
	(void)c;
	return ask_first("PASSWORD_NEEDED", "sp_reset_password wants a new password", token);
}

static sp_result *revert_email(sp_client *c, const char *token)
{
	(void)c;
	return ask_first("CONFIRM_EMAIL_REVERT", "ask, then call sp_change_email_revert", token);
}

static sp_result *keep_2fa(sp_client *c, const char *token)
{
	(void)c;
	return ask_first("CONFIRM_KEEP_2FA", "ask, then call sp_keep_2fa", token);
}

/* Anybody can send a link to an account of his own: whoever is signed in would go on in that without noticing. */
static sp_result *magic_link(sp_client *c, const char *token)
{
	switch (sp_is_signed_in(c)) {
	case 0: return sp_verify_magic_link(c, token);
	case 1: return ask_first("CONFIRM_SIGN_IN", "ask, then call sp_verify_magic_link", token);
	default: return &result_of(SP_STORE, "", NULL)->pub; /* the token is good for one call */
	}
}

static const struct {
	const char *end; /* of the path */
	sp_result *(*call)(sp_client *c, const char *token);
} links[] = {
	{ "/verify-email", sp_verify_email },
	{ "/change-email/confirm", sp_change_email_confirm },
	{ "/change-email/revert", revert_email },
	{ "/magic-link", magic_link },
	{ "/magic-link/verify", magic_link },
	{ "/link-verify", link_verify },
	{ "/reset-password", reset_password },
	{ "/2fa/keep", keep_2fa },
};

sp_result *open_link(sp_client *c, const char *const *a)
{
	const char *url = a[0];
	sp_result *r = NULL;
	char *token, *state;

	if (url == NULL)
		return &result_of(SP_INVALID, "", NULL)->pub;
	state = query_value(query_of(url), "state");
	if (state != NULL) { /* mails have none */
		wipe_free(state);
		return sp_oauth_continue(c, url);
	}
	token = query_value(query_of(url), "token");
	for (size_t i = 0; token != NULL && r == NULL && i < sizeof links / sizeof *links; i++)
		if (url_path_ends(url, links[i].end))
			r = links[i].call(c, token);
	wipe_free(token);
	return r != NULL ? r : &result_of(SP_INVALID, "", "not a link of this server")->pub;
}
