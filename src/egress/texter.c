/* Three gateways and a console. Credentials go in headers and bodies, except where the oldest
 * gateways know nothing but a query. */
#include "egress/texter.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "egress/client.h"
#include "egress/verdict.h"

#define TWILIO_SERVICE_LENGTH 34 /* "MG" and 32 hexadecimal digits */
#define N_OF(array)	      (sizeof(array) / sizeof((array)[0]))

struct texter {
	struct client *client;
};

struct text {
	str number, message, message_id;
};

err_t texter_new(struct texter **ret)
{
	struct texter *t = calloc(1, sizeof(*t));
	err_t e;

	REQUIRE(t != NULL, ERR_NO_MEMORY);
	e = client_new(&t->client);
	if (e.code != ERR_OK) {
		free(t);
		return e;
	}
	*ret = t;
	return OK;
}

void texter_free(struct texter *t)
{
	if (t == NULL)
		return;
	client_free(t->client);
	free(t);
}

void texter_abort(struct texter *t)
{
	client_abort(t->client);
}

/* ---- encoding ---- */

static bool is_unreserved(char c) /* RFC 3986 §2.3 */
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

static void append_encoded(struct buf *b, str s)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (is_unreserved(s.p[i])) {
			buf_byte(b, s.p[i]);
		} else {
			buf_byte(b, '%');
			buf_byte(b, hex[c >> 4]);
			buf_byte(b, hex[c & 0x0FU]);
		}
	}
}

struct field {
	const char *name;
	str value; /* n == 0: left out */
};

static size_t fields_room(const struct field *f, size_t n)
{
	size_t room = 1;

	for (size_t i = 0; i < n; i++)
		room += strlen(f[i].name) + 2 + 3 * f[i].value.n;
	return room;
}

/* before: what stands in front of the fields, with its separator. */
static err_t join_fields(struct arena *mem, str before, const struct field *f, size_t n, str *ret)
{
	struct buf b = { .cap = before.n + fields_room(f, n) };
	bool first = true;

	NEW(b.p, mem, char, b.cap);
	buf_str(&b, before);
	for (size_t i = 0; i < n; i++) {
		if (f[i].value.n == 0)
			continue;
		if (!first)
			buf_byte(&b, '&');
		first = false;
		buf_str(&b, str_of_cstr(f[i].name));
		buf_byte(&b, '=');
		append_encoded(&b, f[i].value);
	}
	REQUIRE(!b.overflow, ERR_BUG);
	*ret = buf_view(&b);
	return OK;
}

/* ---- requests ---- */

static void add_header(struct client_request *r, str name, str value)
{
	if (value.n == 0)
		return;
	r->headers[r->n_headers].name = name;
	r->headers[r->n_headers++].value = value;
}

static void post_form(struct client_request *r, str url)
{
	r->method = "POST";
	r->url = url;
	add_header(r, STR("Content-Type"), STR("application/x-www-form-urlencoded"));
}

/* The settings' URL as it stands before further fields: "…?" or "…?a=b&". */
static err_t open_query(struct arena *mem, str url, str *ret)
{
	const char *separator;
	str rest;

	(void)str_cut(url, '#', &url, &rest);
	separator = !str_has_byte(url, '?')				 ? "?"
		    : str_ends(url, STR("?")) || str_ends(url, STR("&")) ? ""
									 : "&";
	return arena_printf(mem, ret, "%.*s%s", STR_ARG(url), separator);
}

static err_t fill_http_get(const struct config *cfg, const struct text *t, struct arena *mem,
			   struct client_request *r)
{
	const struct field fields[] = {
		{ "username", cfg->sms.user },
		{ "password", secret_str(cfg->sms.password) },
		{ "phone", t->number },
		{ "message", t->message },
	};
	str before;

	r->method = "GET";
	add_header(r, STR("X-API-Key"), secret_str(cfg->sms.key));
	TRY(open_query(mem, cfg->sms.url, &before));
	return join_fields(mem, before, fields, N_OF(fields), &r->url);
}

static err_t fill_http_post(const struct config *cfg, const struct text *t, struct arena *mem,
			    struct client_request *r)
{
	const struct field fields[] = {
		{ "to", t->number },
		{ "from", cfg->sms.from },
		{ "message", t->message },
		{ "id", t->message_id },
	};

	post_form(r, cfg->sms.url);
	r->user = cfg->sms.user;
	r->password = secret_str(cfg->sms.password);
	add_header(r, STR("X-API-Key"), secret_str(cfg->sms.key));
	add_header(r, STR("Idempotency-Key"), t->message_id);
	return join_fields(mem, STR(""), fields, N_OF(fields), &r->body);
}

static err_t twilio_url(const struct config *cfg, struct arena *mem, str *ret)
{
	str base = cfg->sms.url.n > 0 ? cfg->sms.url : STR("https://api.twilio.com");
	struct buf b = { .cap = base.n + 3 * cfg->sms.user.n + 64 };

	while (str_ends(base, STR("/")))
		base.n--;
	NEW(b.p, mem, char, b.cap);
	buf_str(&b, base);
	buf_lit(&b, "/2010-04-01/Accounts/");
	append_encoded(&b, cfg->sms.user);
	buf_lit(&b, "/Messages.json");
	REQUIRE(!b.overflow, ERR_BUG);
	*ret = buf_view(&b);
	return OK;
}

static err_t fill_twilio(const struct config *cfg, const struct text *t, struct arena *mem,
			 struct client_request *r)
{
	bool service =
		cfg->sms.from.n == TWILIO_SERVICE_LENGTH && str_starts(cfg->sms.from, STR("MG"));
	const struct field fields[] = {
		{ "To", t->number },
		{ service ? "MessagingServiceSid" : "From", cfg->sms.from },
		{ "Body", t->message },
	};
	str url;

	TRY(twilio_url(cfg, mem, &url));
	post_form(r, url);
	r->user = cfg->sms.user;
	r->password = secret_str(cfg->sms.password);
	return join_fields(mem, STR(""), fields, N_OF(fields), &r->body);
}

/* ---- sending ---- */

static bool tells(str body, str secret)
{
	return secret.n > 0 && str_has(body, secret);
}

/* Some gateways repeat the request, the credentials in its query too: then only the status is kept.
 */
static err_t conceal(const struct config *cfg, str body, struct arena *mem, struct delivery *ret)
{
	const str secrets[] = { secret_str(cfg->sms.password), secret_str(cfg->sms.key) };
	struct buf encoded;
	bool told = false;

	for (size_t i = 0; i < N_OF(secrets); i++) {
		encoded = (struct buf){ .cap = 3 * secrets[i].n + 1 };
		NEW(encoded.p, mem, char, encoded.cap);
		append_encoded(&encoded, secrets[i]);
		told |= tells(body, secrets[i]) || tells(body, buf_view(&encoded));
	}
	if (told)
		ret->detail[strcspn(ret->detail, ":")] = '\0';
	return OK;
}

static err_t ask_gateway(struct texter *t, const struct config *cfg, const struct text *text,
			 err_t (*fill)(const struct config *, const struct text *, struct arena *,
				       struct client_request *),
			 struct arena *mem, struct delivery *ret)
{
	struct client_request r = { .timeout_ms = cfg->sms.timeout_ms, .tls_ca = cfg->mail.tls_ca };
	struct client_reply reply;

	TRY(fill(cfg, text, mem, &r));
	TRY(client_send(t->client, &r, mem, &reply));
	verdict_of_reply(&reply, cfg->sms.expect, ret);
	return conceal(cfg, reply.body, mem, ret);
}

/* One write, so that blocks of several threads do not mix. */
static err_t print(const struct text *t, struct arena *mem, struct delivery *ret)
{
	str block;

	TRY(arena_printf(mem, &block, "---- SMS to %.*s ----\n%.*s\n----\n", STR_ARG(t->number),
			 STR_ARG(t->message)));
	if (write(STDOUT_FILENO, block.p, block.n) == (ssize_t)block.n)
		verdict_set(ret, DELIVERY_SENT, STR("printed"));
	else
		verdict_set(ret, DELIVERY_DOWN, STR("standard output takes nothing"));
	return OK;
}

static err_t dispatch(struct texter *t, const struct config *cfg, const struct text *text,
		      struct arena *mem, struct delivery *ret)
{
	switch (cfg->sms.transport) {
	case SMS_HTTP_GET: return ask_gateway(t, cfg, text, fill_http_get, mem, ret);
	case SMS_HTTP_POST: return ask_gateway(t, cfg, text, fill_http_post, mem, ret);
	case SMS_TWILIO: return ask_gateway(t, cfg, text, fill_twilio, mem, ret);
	case SMS_LOG: return print(text, mem, ret);
	case SMS_UNSET:
	case SMS_NONE: break;
	}
	verdict_set(ret, DELIVERY_DOWN, STR("sms.transport is not set"));
	return OK;
}

void texter_send(struct texter *t, const struct config *cfg, str number, str message,
		 str message_id, struct arena *mem, struct delivery *ret)
{
	const struct text text = { number, message, message_id };
	err_t e = dispatch(t, cfg, &text, mem, ret);

	if (e.code == ERR_INPUT)
		verdict_set(ret, DELIVERY_DOWN, STR("a control character in a setting of sms"));
	else if (e.code != ERR_OK)
		verdict_set(ret, DELIVERY_DOWN, str_of_cstr(err_name(e.code)));
}
