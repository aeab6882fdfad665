/* http.c — one request, one answer, over a connection that is kept for the next. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define BODY_MAX ((size_t)1024 * 1024)

struct transfer {
	sp_client *client;
	struct http_answer *answer;
	size_t body_max;
	bool too_large;
};

static size_t on_body(char *data, size_t size, size_t n, void *context)
{
	struct transfer *t = context;

	n *= size;
	if (n > t->body_max - t->answer->body.n) {
		t->too_large = true;
		return 0;
	}
	text_add_n(&t->answer->body, data, n);
	return t->answer->body.failed ? 0 : n;
}

/* The value, if the line is a field of that name; *n of its bytes. */
static const char *field_value(const char *line, size_t length, const char *name, size_t *n)
{
	size_t at = strlen(name);

	if (length <= at || strncasecmp(line, name, at) != 0 || line[at] != ':')
		return NULL;
	for (at++; at < length && (line[at] == ' ' || line[at] == '\t'); at++)
		;
	*n = length - at;
	return line + at;
}

static size_t on_header(char *data, size_t size, size_t count, void *context)
{
	struct http_answer *a = ((struct transfer *)context)->answer;
	size_t length = size * count, n;
	const char *value;

	value = field_value(data, length, "Retry-After", &n);
	if (value != NULL) {
		a->retry_after = 0;
		for (size_t i = 0; i < n && i < 6 && value[i] >= '0' && value[i] <= '9'; i++)
			a->retry_after = 10 * a->retry_after + (value[i] - '0');
	}
	value = field_value(data, length, "WWW-Authenticate", &n);
	if (value != NULL && memmem(value, n, "invalid_token", strlen("invalid_token")) != NULL)
		a->bad_token = true;
	return length;
}

static int on_progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)a, (void)b, (void)c, (void)d;
	return atomic_load(&((struct transfer *)context)->client->cancelled);
}

/* A program that is started meanwhile, the browser say, gets no connection of ours. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	(void)context, (void)purpose;
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* What stays the same for all requests of a client. Options that take a pointer or a number cannot fail but for memory. */
static CURL *new_handle(const sp_client *c)
{
	CURL *h = curl_easy_init();

	if (h == NULL)
		return NULL;
	if (curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https") != CURLE_OK ||
	    curl_easy_setopt(h, CURLOPT_USERAGENT, c->user_agent) != CURLE_OK ||
	    (c->ca_file != NULL && curl_easy_setopt(h, CURLOPT_CAINFO, c->ca_file) != CURLE_OK) ||
	    /* What stays on this machine needs no proxy, and would go to it in the clear. */
	    (strncasecmp(c->base, "http:", 5) == 0 && curl_easy_setopt(h, CURLOPT_PROXY, "") != CURLE_OK)) {
		curl_easy_cleanup(h);
		return NULL;
	}
	(void)curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	(void)curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* Or a name server that says nothing holds the caller beyond his time. */
	(void)curl_easy_setopt(h, CURLOPT_QUICK_EXIT, 1L);
#endif
	(void)curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, c->timeout_ms);
	(void)curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, c->connect_timeout_ms);
	(void)curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, on_progress);
	(void)curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
	return h;
}

static CURL *take_handle(sp_client *c)
{
	CURL *h = NULL;

	(void)pthread_mutex_lock(&c->idle_mutex);
	if (c->n_idle > 0)
		h = c->idle[--c->n_idle];
	(void)pthread_mutex_unlock(&c->idle_mutex);
	return h != NULL ? h : new_handle(c);
}

/* Its connections stay open, what it had of the request goes. */
static void give_handle(sp_client *c, CURL *h)
{
	(void)curl_easy_setopt(h, CURLOPT_HTTPHEADER, NULL);
	(void)curl_easy_setopt(h, CURLOPT_ERRORBUFFER, NULL);
	(void)curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, NULL);
	(void)curl_easy_setopt(h, CURLOPT_POSTFIELDS, NULL);
	(void)curl_easy_setopt(h, CURLOPT_HTTPGET, 1L); /* after POSTFIELDS, which means POST */
	(void)pthread_mutex_lock(&c->idle_mutex);
	if (c->n_idle < IDLE_MAX) {
		c->idle[c->n_idle++] = h;
		h = NULL;
	}
	(void)pthread_mutex_unlock(&c->idle_mutex);
	curl_easy_cleanup(h);
}

void http_free(sp_client *c)
{
	for (size_t i = 0; i < c->n_idle; i++)
		curl_easy_cleanup(c->idle[i]);
	c->n_idle = 0;
}

bool is_header_text(const char *text)
{
	size_t n = strlen(text);
	unsigned char control = 0;

	for (size_t i = 0; i < n; i++) { /* several at once */
		unsigned char c = (unsigned char)text[i];

		control |= (unsigned char)((c < ' ') | (c == 0x7f));
	}
	return control == 0;
}

/* Lines of a request, linked as curl wants them; it only reads them. */
struct headers {
	struct curl_slist lines[4];
	size_t n;
	struct text bearer;
};

static void add_header(struct headers *h, const char *line)
{
	h->lines[h->n].data = (char *)(uintptr_t)line;
	if (h->n > 0)
		h->lines[h->n - 1].next = &h->lines[h->n];
	h->n++;
}

/* False: no memory. */
static bool make_headers(const struct http_request *q, struct headers *h)
{
	add_header(h, "Accept: application/json");
	if (strcmp(q->method, "GET") != 0)
		add_header(h, "Content-Type: application/json");
	if (q->wants_tokens)
		add_header(h, "X-Auth-Strategy: bearer");
	if (q->bearer == NULL)
		return true;
	text_add(&h->bearer, "Authorization: Bearer ");
	text_add(&h->bearer, q->bearer);
	if (!h->bearer.failed)
		add_header(h, h->bearer.p);
	return !h->bearer.failed;
}

static sp_error error_of(CURLcode code, const struct transfer *t)
{
	switch ((int)code) {
	case CURLE_OK:
		return SP_OK;
	case CURLE_OPERATION_TIMEDOUT:
		return SP_TIMEOUT;
	case CURLE_ABORTED_BY_CALLBACK:
		return SP_CANCELLED;
	case CURLE_WRITE_ERROR:
		return t->too_large ? SP_PROTOCOL : SP_MEMORY;
	case CURLE_OUT_OF_MEMORY:
		return SP_MEMORY;
	default:
		return SP_NETWORK;
	}
}

/* What cannot be copied for lack of memory, the transfer then tells. */
static void set_options(CURL *h, const struct http_request *q, struct transfer *t, const char *url,
			struct headers *headers)
{
	(void)curl_easy_setopt(h, CURLOPT_URL, url);
	(void)curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers->lines);
	(void)curl_easy_setopt(h, CURLOPT_WRITEDATA, t);
	(void)curl_easy_setopt(h, CURLOPT_HEADERDATA, t);
	(void)curl_easy_setopt(h, CURLOPT_XFERINFODATA, t);
	(void)curl_easy_setopt(h, CURLOPT_ERRORBUFFER, t->answer->reason);
	if (strcmp(q->method, "GET") != 0) {
		(void)curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, q->method);
		if (q->body != NULL || strcmp(q->method, "POST") == 0)
			(void)curl_easy_setopt(h, CURLOPT_POSTFIELDS, q->body != NULL ? q->body : "");
	}
}

static void transfer(sp_client *c, CURL *h, const struct http_request *q, struct http_answer *a, const char *url)
{
	struct transfer t = { c, a, q->body_max != 0 ? q->body_max : BODY_MAX, false };
	struct headers headers = { 0 };
	long status = 0;
	CURLcode code = CURLE_OUT_OF_MEMORY;

	if (make_headers(q, &headers)) {
		set_options(h, q, &t, url, &headers);
		code = curl_easy_perform(h);
		(void)curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
	}
	a->error = error_of(code, &t);
	a->status = a->error == SP_OK ? (int)status : 0; /* half an answer is none */
	a->unsent = code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT;
	if (a->error != SP_OK && a->reason[0] == '\0')
		(void)snprintf(a->reason, sizeof a->reason, "%s", curl_easy_strerror(code));
	text_free(&headers.bearer);
}

void http_send(sp_client *c, const struct http_request *q, struct http_answer *a)
{
	struct text url = { 0 };
	CURL *h;

	*a = (struct http_answer){ .error = SP_MEMORY };
	if (atomic_load(&c->cancelled)) {
		a->error = SP_CANCELLED;
		return;
	}
	if (q->bearer != NULL && !is_header_text(q->bearer)) {
		a->error = SP_INVALID;
		return;
	}
	text_add(&url, c->base);
	text_add(&url, q->path);
	h = url.failed ? NULL : take_handle(c);
	if (h != NULL) {
		transfer(c, h, q, a, url.p);
		give_handle(c, h);
	}
	text_free(&url); /* tokens of links are in it */
}
