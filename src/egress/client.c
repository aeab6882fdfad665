/* One easy handle per client, set up afresh for every request, so that nothing of one request (its
 * credentials least of all) is left for the next; only the open connections stay. */
#include "egress/client.h"

#include <curl/curl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/secret.h"
#include "egress/address.h"

#define CONNECT_MAX_MS	  5000
#define REPLY_HEADERS_MAX ((size_t)64 * 1024)

struct client {
	CURL *curl;
	atomic_bool aborted;
	/* of the exchange under way */
	struct buf body; /* overflow: there was more */
	size_t header_bytes;
	bool turned_away; /* an address was not public */
	char problem[CURL_ERROR_SIZE];
	char body_bytes[CLIENT_REPLY_LIMIT];
};

err_t client_new(struct client **ret)
{
	struct client *c = calloc(1, sizeof(*c));

	REQUIRE(c != NULL, ERR_NO_MEMORY);
	c->curl = curl_easy_init();
	if (c->curl == NULL) {
		free(c);
		FAIL(ERR_NO_MEMORY);
	}
	*ret = c;
	return OK;
}

void client_free(struct client *c)
{
	if (c == NULL)
		return;
	curl_easy_cleanup(c->curl);
	free(c);
}

void client_abort(struct client *c)
{
	atomic_store(&c->aborted, true);
}

/* ---- what curl calls ---- */

static size_t take_body(char *p, size_t size, size_t n, void *self)
{
	struct client *c = self;
	size_t room = c->body.cap - c->body.n;

	buf_str(&c->body, (str){ p, size * n < room ? size * n : room });
	if (size * n <= room)
		return size * n;
	c->body.overflow = true;
	return 0; /* ends the transfer */
}

static size_t count_header(char *p, size_t size, size_t n, void *self)
{
	struct client *c = self;

	(void)p;
	c->header_bytes += size * n;
	return c->header_bytes <= REPLY_HEADERS_MAX ? size * n : 0;
}

static int look_for_abort(void *self, curl_off_t down_n, curl_off_t down, curl_off_t up_n,
			  curl_off_t up)
{
	struct client *c = self;

	(void)down_n, (void)down, (void)up_n, (void)up;
	return atomic_load(&c->aborted); /* not 0 ends the transfer */
}

/* The one place where a guarded request meets an address: what is not connected to cannot be reached. */
static curl_socket_t open_public(void *self, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct client *c = self;

	(void)purpose;
	if (!address_is_public(&a->addr)) {
		c->turned_away = true;
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

/* ---- setting up ---- */

static err_t took(CURLcode code)
{
	REQUIRE(code != CURLE_OUT_OF_MEMORY, ERR_NO_MEMORY);
	REQUIRE(code == CURLE_OK, ERR_BUG);
	return OK;
}

#define SET(option, value) TRY(took(curl_easy_setopt(c->curl, CURLOPT_##option, (value))))

/* What no request may change. */
static err_t set_manners(struct client *c)
{
	SET(PROTOCOLS_STR, "http,https");
	SET(DISALLOW_USERNAME_IN_URL, 1L);
	SET(FOLLOWLOCATION, 0L);
	SET(PROXY, ""); /* not those of the environment either */
	SET(NOPROXY, "*");
	SET(SSL_VERIFYPEER, 1L);
	SET(SSL_VERIFYHOST, 2L);
	SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(HTTPAUTH, CURLAUTH_BASIC);
	SET(USERAGENT, "Sallyport");
	SET(NOSIGNAL, 1L);
	SET(QUICK_EXIT,
	    1L); /* or a name server that does not answer holds us beyond the deadline */
	SET(NOPROGRESS, 0L);
	SET(XFERINFOFUNCTION, look_for_abort);
	SET(XFERINFODATA, c);
	SET(HEADERFUNCTION, count_header);
	SET(HEADERDATA, c);
	SET(WRITEFUNCTION, take_body);
	SET(WRITEDATA, c);
	SET(ERRORBUFFER, c->problem);
	return OK;
}

static err_t set_credentials(struct client *c, const struct client_request *r, struct arena *mem)
{
	char *user, *password;

	if (r->user.n == 0)
		return OK;
	TRY(str_to_cstr(mem, r->user, &user));
	TRY(str_to_cstr(mem, r->password.n > 0 ? r->password : STR(""), &password));
	SET(USERNAME, user);
	SET(PASSWORD, password);
	return OK;
}

static err_t set_guard(struct client *c, const struct client_request *r)
{
	if (!r->guarded)
		return OK;
	SET(FRESH_CONNECT, 1L); /* one that is kept was opened under another request's rules */
	SET(FORBID_REUSE, 1L);
	if (r->allow_private)
		return OK;
	SET(PROTOCOLS_STR, "https");
	SET(OPENSOCKETFUNCTION, open_public);
	SET(OPENSOCKETDATA, c);
	return OK;
}

static err_t set_request(struct client *c, const struct client_request *r, struct arena *mem)
{
	int64_t timeout_ms = r->timeout_ms > 0 ? r->timeout_ms : 1; /* 0 is for ever to curl */
	char *url, *ca;

	TRY(str_to_cstr(mem, r->url, &url));
	SET(URL, url);
	if (strcmp(r->method, "OPTIONS") == 0) {
		SET(CUSTOMREQUEST, "OPTIONS");
	} else if (strcmp(r->method, "POST") == 0) {
		SET(POST, 1L);
		SET(POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n);
		SET(POSTFIELDS, r->body.n > 0 ? r->body.p : "");
	}
	if (r->tls_ca.n > 0) {
		TRY(str_to_cstr(mem, r->tls_ca, &ca));
		SET(CAINFO, ca);
	}
	SET(TIMEOUT_MS, (long)timeout_ms);
	SET(CONNECTTIMEOUT_MS, (long)(timeout_ms < CONNECT_MAX_MS ? timeout_ms : CONNECT_MAX_MS));
	TRY(set_guard(c, r));
	return set_credentials(c, r, mem);
}

static bool fits_a_header(str s)
{
	return !str_has_byte(s, '\r') && !str_has_byte(s, '\n') && !str_has_byte(s, '\0');
}

static err_t append_header(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	REQUIRE(longer != NULL, ERR_NO_MEMORY);
	*list = longer;
	return OK;
}

static err_t append_headers(const struct client_request *r, struct arena *mem,
			    struct curl_slist **list)
{
	str line;

	TRY(append_header(list, "Expect:")); /* no round trip to ask whether the body is welcome */
	for (size_t i = 0; i < r->n_headers; i++) {
		str name = r->headers[i].name, value = r->headers[i].value;

		REQUIRE(name.n > 0 && fits_a_header(name) && fits_a_header(value), ERR_INPUT);
		/* curl's spelling of a header without a value is a semicolon */
		TRY(arena_printf(mem, &line, "%.*s%s%.*s", STR_ARG(name), value.n > 0 ? ": " : ";",
				 STR_ARG(value)));
		TRY(append_header(list, line.p));
	}
	return OK;
}

/* ---- the exchange ---- */

static void wipe_list(struct curl_slist *list)
{
	for (struct curl_slist *l = list; l != NULL; l = l->next) {
		struct secret line = { (uint8_t *)l->data, strlen(l->data) };

		secret_wipe(&line);
	}
	curl_slist_free_all(list);
}

/* Parts of a certificate may stand in curl's words. */
static void make_plain(char *text)
{
	for (; *text != '\0'; text++) {
		if (*text < ' ' || *text > '~')
			*text = ' ';
	}
}

static err_t read_problem(struct client *c, CURLcode code, struct arena *mem,
			  struct client_reply *ret)
{
	const char *said = c->problem[0] != '\0' ? c->problem : curl_easy_strerror(code);

	make_plain(c->problem);
	if (atomic_load(&c->aborted))
		said = "given up: the server is stopping";
	else if (c->turned_away)
		said = "the host has no public address";
	else if (c->header_bytes > REPLY_HEADERS_MAX)
		said = "the headers of the answer are too long";
	return arena_copy(mem, str_of_cstr(said), &ret->problem);
}

static err_t read_reply(struct client *c, CURLcode code, struct arena *mem,
			struct client_reply *ret)
{
	const char *type = NULL;
	long status = 0;

	*ret = (struct client_reply){ .status = 0 };
	/* CURLE_OUT_OF_MEMORY is no fault here: curl says it of a header line that is too long, too. */
	if (code != CURLE_OK && !c->body.overflow)
		return read_problem(c, code, mem, ret);
	TRY(took(curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status)));
	TRY(took(curl_easy_getinfo(c->curl, CURLINFO_CONTENT_TYPE, &type)));
	ret->status = (int)status;
	ret->cut = c->body.overflow;
	TRY(arena_copy(mem, str_of_cstr(type), &ret->content_type));
	return arena_copy(mem, buf_view(&c->body), &ret->body);
}

static err_t exchange(struct client *c, const struct client_request *r, struct curl_slist **list,
		      struct arena *mem, struct client_reply *ret)
{
	TRY(set_manners(c));
	TRY(set_request(c, r, mem));
	TRY(append_headers(r, mem, list));
	SET(HTTPHEADER, *list);
	c->body = (struct buf){ .p = c->body_bytes, .cap = r->reply_max > 0 ? r->reply_max : CLIENT_REPLY_MAX };
	REQUIRE(c->body.cap <= sizeof(c->body_bytes), ERR_BUG);
	c->header_bytes = 0;
	c->turned_away = false;
	c->problem[0] = '\0';
	return read_reply(c, curl_easy_perform(c->curl), mem, ret);
}

err_t client_send(struct client *c, const struct client_request *r, struct arena *mem,
		  struct client_reply *ret)
{
	struct curl_slist *list = NULL;
	err_t e;

	e = exchange(c, r, &list, mem, ret);
	curl_easy_reset(c->curl);
	wipe_list(list);
	return e;
}
