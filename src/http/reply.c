#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "http/edge.h"

void http_reply_header(struct http_reply *rep, const char *name, str value)
{
	/* One too many is remembered, and refused when the reply is built. */
	if (rep->n_headers >= HTTP_REPLY_HEADERS_MAX) {
		rep->n_headers = HTTP_REPLY_HEADERS_MAX + 1;
		return;
	}
	rep->headers[rep->n_headers].name = name;
	rep->headers[rep->n_headers].value = value;
	rep->n_headers++;
}

void reply_init(struct http_reply *rep, char *mem, size_t max)
{
	*rep = (struct http_reply){ .body = { .p = mem, .cap = max } };
}

/* ---- what may be sent ---- */

static bool name_is(const char *name, const char *wanted)
{
	return str_eq_nocase(str_of_cstr(name), str_of_cstr(wanted));
}

/* HT16: a value cannot end its line. */
static bool value_ok(str v)
{
	if (v.p == NULL || v.n == 0 || v.n > HEADER_MAX)
		return false;
	for (size_t i = 0; i < v.n; i++) {
		unsigned char c = (unsigned char)v.p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* Framing is the edge's own. */
static bool name_ok(const char *name)
{
	return !name_is(name, "Content-Length") && !name_is(name, "Transfer-Encoding") &&
	       !name_is(name, "Connection") && !name_is(name, "Date");
}

static err_t check(const struct http_reply *rep)
{
	REQUIRE(rep->status >= 200 && rep->status <= 599, ERR_BUG);
	REQUIRE(rep->n_headers <= HTTP_REPLY_HEADERS_MAX && !rep->body.overflow, ERR_BUG);
	for (size_t i = 0; i < rep->n_headers; i++)
		REQUIRE(name_ok(rep->headers[i].name) && value_ok(rep->headers[i].value), ERR_BUG);
	return OK;
}

static bool sets(const struct http_reply *rep, const char *name)
{
	for (size_t i = 0; i < rep->n_headers; i++) {
		if (name_is(rep->headers[i].name, name))
			return true;
	}
	return false;
}

/* ---- the headers of every answer ---- */

struct sink {
	MUST_USE err_t (*add)(void *self, const char *name, const char *value);
	void *self;
};

static err_t add(const struct sink *to, const char *name, const char *value)
{
	return to->add(to->self, name, value);
}

/* RFC 3986: a reference is visible ASCII. Writes to out[HEADER_MAX + 1]. */
static err_t encode_location(str v, char *out)
{
	static const char hex[] = "0123456789ABCDEF";
	struct buf b = { .p = out, .cap = HEADER_MAX };

	for (size_t i = 0; i < v.n; i++) {
		unsigned char c = (unsigned char)v.p[i];

		if (c > 0x20 && c < 0x7f) {
			buf_byte(&b, (char)c);
			continue;
		}
		buf_byte(&b, '%');
		buf_byte(&b, hex[c >> 4]);
		buf_byte(&b, hex[c & 15]);
	}
	REQUIRE(!b.overflow, ERR_BUG);
	out[b.n] = '\0';
	return OK;
}

/* Not inlined: its buffer is cleared at each call, and most replies have no header of their own. */
__attribute__((noinline)) static err_t add_own(const struct http_reply *rep, const struct sink *to)
{
	char value[HEADER_MAX + 1];

	for (size_t i = 0; i < rep->n_headers; i++) {
		str v = rep->headers[i].value;

		if (name_is(rep->headers[i].name, "Location")) {
			TRY(encode_location(v, value));
		} else {
			memcpy(value, v.p, v.n);
			value[v.n] = '\0';
		}
		TRY(add(to, rep->headers[i].name, value));
	}
	return OK;
}

static err_t add_all(const struct http_request *r, const struct http_reply *rep,
		     const struct sink *to)
{
	const char *type = rep->content_type;

	if (type == NULL && rep->body.n > 0)
		type = "application/json; charset=utf-8";
	if (type != NULL)
		TRY(add(to, "Content-Type", type));
	TRY(add(to, "X-Request-Id", r->request_id));
	TRY(add(to, "X-Content-Type-Options", "nosniff"));
	TRY(add(to, "Referrer-Policy", "no-referrer"));
	if (!sets(rep, "Cache-Control"))
		TRY(add(to, "Cache-Control", "no-store"));
	if (!sets(rep, "Cross-Origin-Resource-Policy"))
		TRY(add(to, "Cross-Origin-Resource-Policy", "same-origin"));
	if (r->tls)
		TRY(add(to, "Strict-Transport-Security", "max-age=31536000; includeSubDomains"));
	return rep->n_headers == 0 ? OK : add_own(rep, to);
}

/* ---- as the library's object ---- */

struct build {
	struct MHD_Response *response;
	size_t room;
};

static err_t add_to_response(void *self, const char *name, const char *value)
{
	struct build *b = self;
	size_t n = strlen(name) + strlen(value) + 4;

	REQUIRE(n <= b->room, ERR_HEADERS_TOO_LARGE);
	b->room -= n;
	REQUIRE(MHD_add_response_header(b->response, name, value) == MHD_YES, ERR_NO_MEMORY);
	return OK;
}

struct kept_body {
	size_t n;
	char bytes[];
};

/* Replies carry tokens. */
static void wipe_body(void *arg)
{
	struct kept_body *k = arg;

	explicit_bzero(k->bytes, k->n);
	free(k);
}

static struct MHD_Response *response_with_fixed(const struct http_reply *rep)
{
	char *bytes = (char *)(uintptr_t)rep->fixed.p; /* the library only reads them */
	struct MHD_Response *response;

	if (rep->release == NULL)
		return MHD_create_response_from_buffer(rep->fixed.n, bytes, MHD_RESPMEM_PERSISTENT);
	response = MHD_create_response_from_buffer_with_free_callback_cls(rep->fixed.n, bytes, rep->release,
									  rep->held);
	if (response == NULL)
		rep->release(rep->held);
	return response;
}

static struct MHD_Response *response_with(str body)
{
	struct MHD_Response *response;
	struct kept_body *k;

	if (body.n == 0)
		return MHD_create_response_from_buffer_with_free_callback_cls(0, NULL, NULL, NULL);
	k = malloc(sizeof(*k) + body.n);
	if (k == NULL)
		return NULL;
	k->n = body.n;
	memcpy(k->bytes, body.p, body.n);
	response = MHD_create_response_from_buffer_with_free_callback_cls(body.n, k->bytes,
									  wipe_body, k);
	if (response == NULL)
		wipe_body(k);
	return response;
}

/* The status line, Date, Content-Length, Connection and their line ends. */
#define STATUS_LINE_AND_AUTOMATIC 192

err_t reply_response(const struct http_request *r, const struct http_reply *rep, size_t room,
		     struct MHD_Response **ret)
{
	struct build b = { rep->fixed.n > 0 ? response_with_fixed(rep) : response_with(buf_view(&rep->body)),
			   room - STATUS_LINE_AND_AUTOMATIC };
	err_t e;

	REQUIRE(b.response != NULL, ERR_NO_MEMORY); /* from here on it owns rep->fixed */
	e = check(rep);
	if (e.code == ERR_OK && room <= STATUS_LINE_AND_AUTOMATIC)
		e = err_raise(ERR_HEADERS_TOO_LARGE, __FILE__, __LINE__);
	if (e.code == ERR_OK)
		e = add_all(r, rep, &(struct sink){ add_to_response, &b });
	if (e.code == ERR_OK && rep->close &&
	    MHD_add_response_header(b.response, "Connection", "close") != MHD_YES)
		e = err_raise(ERR_NO_MEMORY, __FILE__, __LINE__);
	if (e.code != ERR_OK) {
		MHD_destroy_response(b.response);
		return e;
	}
	*ret = b.response;
	return OK;
}

/* ---- as bytes ---- */

static err_t add_to_text(void *self, const char *name, const char *value)
{
	buf_str(self, str_of_cstr(name));
	buf_str(self, STR(": "));
	buf_str(self, str_of_cstr(value));
	buf_str(self, STR("\r\n"));
	return OK;
}

static void add_date(struct buf *out)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t now = time(NULL);
	struct tm tm = { 0 };

	if (gmtime_r(&now, &tm) == NULL)
		return;
	buf_printf(out, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", days[tm.tm_wday],
		   tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
		   tm.tm_sec);
}

err_t reply_raw(const struct http_request *r, const struct http_reply *rep, struct buf *out)
{
	TRY(check(rep));
	buf_printf(out, "HTTP/1.1 %d %s\r\n", rep->status,
		   MHD_get_reason_phrase_for((unsigned)rep->status));
	add_date(out);
	buf_lit(out, "Connection: close\r\n");
	TRY(add_all(r, rep, &(struct sink){ add_to_text, out }));
	buf_printf(out, "Content-Length: %zu\r\n\r\n", rep->body.n);
	if (r->method != METHOD_HEAD)
		buf_str(out, buf_view(&rep->body));
	REQUIRE(!out->overflow, ERR_BUG);
	return OK;
}
