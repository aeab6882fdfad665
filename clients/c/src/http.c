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

static CURL *take_handle(sp_client *c)
{
	CURL *h = NULL;

	(void)pthread_mutex_lock(&c->idle_mutex);
	if (c->n_idle > 0)
		h = c->idle[--c->n_idle];
	(void)pthread_mutex_unlock(&c->idle_mutex);
	return h != NULL ? h : curl_easy_init();
}

/* Its connections stay open, its settings go. */
static void give_handle(sp_client *c, CURL *h)
{
	curl_easy_reset(h);
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

static bool add_header(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (longer != NULL)
		*list = longer;
	return longer != NULL;
}

bool is_header_text(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == '\x7f')
			return false;
	return true;
}

static bool make_headers(const struct http_request *q, struct curl_slist **list)
{
	struct text bearer = { 0 };
	bool fine = add_header(list, "Accept: application/json");

	if (strcmp(q->method, "GET") != 0)
		fine = fine && add_header(list, "Content-Type: application/json");
	if (q->wants_tokens)
		fine = fine && add_header(list, "X-Auth-Strategy: bearer");
	if (q->bearer != NULL) {
		text_add(&bearer, "Authorization: Bearer ");
		text_add(&bearer, q->bearer);
		fine = fine && !bearer.failed && add_header(list, bearer.p);
	}
	text_free(&bearer);
	return fine;
}

static void free_headers(struct curl_slist *list)
{
	for (struct curl_slist *l = list; l != NULL; l = l->next)
		wipe(l->data, strlen(l->data));
	curl_slist_free_all(list);
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

/* Options that take a pointer or a number cannot fail but for memory, which the transfer then tells. */
static void set_options(sp_client *c, CURL *h, const struct http_request *q, struct transfer *t, const char *url,
			struct curl_slist *headers)
{
	(void)curl_easy_setopt(h, CURLOPT_URL, url);
	(void)curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	/* What stays on this machine needs no proxy, and would go to it in the clear. */
	if (strncasecmp(c->base, "http:", 5) == 0)
		(void)curl_easy_setopt(h, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, c->timeout_ms);
	(void)curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, c->connect_timeout_ms);
	(void)curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
	(void)curl_easy_setopt(h, CURLOPT_USERAGENT, c->user_agent);
	(void)curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(h, CURLOPT_WRITEDATA, t);
	(void)curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(h, CURLOPT_HEADERDATA, t);
	(void)curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, on_progress);
	(void)curl_easy_setopt(h, CURLOPT_XFERINFODATA, t);
	(void)curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
	(void)curl_easy_setopt(h, CURLOPT_ERRORBUFFER, t->answer->reason);
	if (c->ca_file != NULL)
		(void)curl_easy_setopt(h, CURLOPT_CAINFO, c->ca_file);
	if (strcmp(q->method, "GET") != 0) {
		(void)curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, q->method);
		if (q->body != NULL || strcmp(q->method, "POST") == 0)
			(void)curl_easy_setopt(h, CURLOPT_POSTFIELDS, q->body != NULL ? q->body : "");
	}
}

static void transfer(sp_client *c, CURL *h, const struct http_request *q, struct http_answer *a, const char *url)
{
	struct transfer t = { c, a, q->body_max != 0 ? q->body_max : BODY_MAX, false };
	struct curl_slist *headers = NULL;
	long status = 0;
	CURLcode code = CURLE_OUT_OF_MEMORY;

	if (make_headers(q, &headers)) {
		set_options(c, h, q, &t, url, headers);
		code = curl_easy_perform(h);
		(void)curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
	}
	a->error = error_of(code, &t);
	a->status = (int)status;
	a->unsent = code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT;
	if (a->error != SP_OK && a->reason[0] == '\0')
		(void)snprintf(a->reason, sizeof a->reason, "%s", curl_easy_strerror(code));
	free_headers(headers);
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
