#include "http/wire.h"

#include <string.h>

enum wire_state {
	AT_START = 0, /* before a request line */
	AT_START_LF,
	AT_METHOD,
	AT_TARGET,
	AT_VERSION,
	AT_MINOR,
	AT_LINE_CR,
	AT_LINE_LF,
	AT_FIELD, /* at the start of a field line */
	AT_NAME,
	AT_VALUE, /* of a field without a meaning here */
	AT_HOST,
	AT_LENGTH,
	AT_CODING,
	AT_ORIGIN,
	AT_VALUE_LF,
	AT_HEAD_LF,
	AT_BODY,
	AT_CHUNK_SIZE,
	AT_CHUNK_EXT,
	AT_CHUNK_LF,
	AT_CHUNK_DATA,
	AT_DATA_CR,
	AT_DATA_LF,
	AT_TRAILER, /* at the start of a trailer line */
	AT_TRAILER_NAME,
	AT_TRAILER_VALUE,
	AT_TRAILER_LF,
	AT_END_LF,
};

/* The fields that may come once only. */
enum known_field {
	FIELD_OTHER = 0,
	FIELD_HOST,
	FIELD_LENGTH,
	FIELD_CODING,
	FIELD_ONCE, /* the first of those that only must not repeat */
};

static const struct {
	const char *name;
	uint8_t state; /* that reads the value */
} known[] = {
	[FIELD_OTHER] = { "", AT_VALUE },
	[FIELD_HOST] = { "host", AT_HOST },
	[FIELD_LENGTH] = { "content-length", AT_LENGTH },
	[FIELD_CODING] = { "transfer-encoding", AT_CODING },
	[FIELD_ONCE] = { "authorization", AT_VALUE },
	{ "content-type", AT_VALUE },
	{ "x-auth-strategy", AT_VALUE },
	{ "cookie", AT_VALUE },
	{ "expect", AT_VALUE },
	{ "origin", AT_ORIGIN },
};
#define N_KNOWN (sizeof(known) / sizeof(known[0]))

/* Classes of bytes. */
enum {
	C_TOKEN = 1,  /* RFC 9110 §5.6.2 */
	C_VALUE = 2,  /* field values: visible, obs-text, SP, HT */
	C_TARGET = 4, /* visible ASCII */
	C_HOST = 8,   /* names, IP literals and ports as they are really spelt; no userinfo */
	/* and how they combine in the table */
	V = C_VALUE,
	P = C_VALUE | C_TARGET,
	H = P | C_HOST,
	T = P | C_TOKEN,
	B = T | C_HOST,
};

/* clang-format off */
static const uint8_t ascii[128] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, V, 0, 0, 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	V, T, P, T, T, B, T, T, P, P, T, T, P, B, B, P,  /*  !"#$%&'()*+,-./ */
	B, B, B, B, B, B, B, B, B, B, H, P, P, P, P, P,  /* 0123456789:;<=>? */
	P, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B,  /* @ABCDEFGHIJKLMNO */
	B, B, B, B, B, B, B, B, B, B, B, H, P, H, T, B,  /* PQRSTUVWXYZ[\]^_ */
	T, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B,  /* `abcdefghijklmno */
	B, B, B, B, B, B, B, B, B, B, B, P, T, P, B, 0,  /* pqrstuvwxyz{|}~ */
};
/* clang-format on */

/* The bytes of one call: [i, n) are still to be read, [0, o) are to be handed on. */
struct feed {
	char *buf;
	size_t n, i, o, whole;
};

void wire_init(struct wire *w)
{
	*w = (struct wire){ .state = AT_START };
}

bool wire_between(const struct wire *w)
{
	return w->state == AT_START && !w->blank_line;
}

static bool is(char c, unsigned class)
{
	unsigned char u = (unsigned char)c;

	return ((u < 128 ? ascii[u] : (unsigned)C_VALUE) & class) != 0;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static char peek(const struct feed *f)
{
	return f->buf[f->i];
}

static void keep(struct feed *f, size_t len)
{
	if (f->o != f->i)
		memmove(f->buf + f->o, f->buf + f->i, len);
	f->o += len;
	f->i += len;
}

static void drop(struct feed *f, size_t len)
{
	f->i += len;
}

/* Bytes from here on that are of the class. */
static size_t run_of(const struct feed *f, unsigned class)
{
	size_t at = f->i;

	while (at < f->n && is(f->buf[at], class))
		at++;
	return at - f->i;
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Is any of eight bytes a control character? HT too, which the caller looks at one by one. */
static bool has_control(uint64_t x)
{
	uint64_t del = x ^ EACH(0x7f);

	return ((((x - EACH(0x20)) & ~x) | ((del - EACH(1)) & ~del)) & EACH(0x80)) != 0;
}

/* run_of(f, C_VALUE), eight bytes at a time: access tokens are most of what comes in. */
static size_t run_of_value(const struct feed *f)
{
	struct feed at = *f;
	uint64_t x;

	while (at.n - at.i >= sizeof(x)) {
		memcpy(&x, at.buf + at.i, sizeof(x));
		if (has_control(x))
			break;
		at.i += sizeof(x);
	}
	return at.i - f->i + run_of(&at, C_VALUE);
}

/* Every byte of a head goes through here, so the limit holds however the head is cut up. */
static err_t keep_head(struct wire *w, struct feed *f, size_t len)
{
	REQUIRE(len <= (size_t)(WIRE_HEAD_MAX - w->head_bytes), ERR_HEADERS_TOO_LARGE);
	w->head_bytes = (uint16_t)(w->head_bytes + len);
	keep(f, len);
	return OK;
}

static err_t keep_head_byte(struct wire *w, struct feed *f, char expected, enum wire_state next)
{
	REQUIRE(peek(f) == expected, ERR_BAD_REQUEST);
	w->state = (uint8_t)next;
	return keep_head(w, f, 1);
}

static void request_ends(struct wire *w, struct feed *f)
{
	uint64_t n = w->n_requests + 1;

	wire_init(w);
	w->n_requests = n;
	f->whole = f->o;
}

/* ---- request line: RFC 9112 §3 ---- */

/* RFC 9112 §2.2: one empty line before a request line is forgiven, and not handed on. */
static err_t at_start(struct wire *w, struct feed *f)
{
	if (peek(f) == '\r' && !w->blank_line) {
		w->blank_line = true;
		w->state = AT_START_LF;
		drop(f, 1);
		return OK;
	}
	REQUIRE(is(peek(f), C_TOKEN), ERR_BAD_REQUEST);
	w->state = AT_METHOD;
	return OK;
}

static err_t at_start_lf(struct wire *w, struct feed *f)
{
	REQUIRE(peek(f) == '\n', ERR_BAD_REQUEST);
	w->state = AT_START;
	drop(f, 1);
	return OK;
}

static err_t at_method(struct wire *w, struct feed *f)
{
	size_t len = run_of(f, C_TOKEN);

	REQUIRE(len <= (size_t)(WIRE_METHOD_MAX - w->name_len), ERR_BAD_REQUEST);
	w->name_len = (uint8_t)(w->name_len + len);
	TRY(keep_head(w, f, len));
	return f->i == f->n ? OK : keep_head_byte(w, f, ' ', AT_TARGET);
}

static err_t at_target(struct wire *w, struct feed *f)
{
	size_t len = run_of(f, C_TARGET);

	REQUIRE(len <= (size_t)(WIRE_TARGET_MAX - w->target_len), ERR_URI_TOO_LONG);
	w->target_len = (uint16_t)(w->target_len + len);
	for (char *p = f->buf + f->i, *end = p + len; p < end; p++) {
		if (*p == '?')
			*p = WIRE_MARK;
	}
	TRY(keep_head(w, f, len));
	if (f->i == f->n)
		return OK;
	REQUIRE(w->target_len > 0, ERR_BAD_REQUEST);
	return keep_head_byte(w, f, ' ', AT_VERSION);
}

static err_t at_version(struct wire *w, struct feed *f)
{
	static const char text[] = "HTTP/1.";

	REQUIRE(peek(f) == text[w->at], ERR_BAD_REQUEST);
	w->at++;
	if (text[w->at] == '\0')
		w->state = AT_MINOR;
	return keep_head(w, f, 1);
}

static err_t at_minor(struct wire *w, struct feed *f)
{
	REQUIRE(peek(f) == '0' || peek(f) == '1', ERR_BAD_REQUEST);
	w->minor = (uint8_t)(peek(f) - '0');
	w->state = AT_LINE_CR;
	return keep_head(w, f, 1);
}

/* ---- fields: RFC 9112 §5 ---- */

static err_t at_field(struct wire *w, struct feed *f)
{
	if (peek(f) == '\r') {
		w->state = AT_HEAD_LF;
		return keep_head(w, f, 1);
	}
	/* A blank here would be a folded line (§5.2). */
	REQUIRE(is(peek(f), C_TOKEN), ERR_BAD_REQUEST);
	REQUIRE(w->n_fields < WIRE_FIELDS_MAX, ERR_HEADERS_TOO_LARGE);
	w->n_fields++;
	w->name_len = 0;
	w->state = AT_NAME;
	return OK;
}

static void note_name(struct wire *w, char *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (w->name_len < sizeof(w->name))
			w->name[w->name_len] = lower(p[i]);
		if (w->name_len < UINT8_MAX)
			w->name_len++;
		if (w->name_len == 6 && memcmp(w->name, "cookie", 6) == 0)
			p[i] = WIRE_MARK;
	}
}

static enum known_field known_by_name(const struct wire *w)
{
	for (size_t k = FIELD_HOST; k < N_KNOWN; k++) {
		size_t n = strlen(known[k].name);

		if (w->name_len == n && memcmp(w->name, known[k].name, n) == 0)
			return (enum known_field)k;
	}
	return FIELD_OTHER;
}

static err_t name_ends(struct wire *w)
{
	enum known_field k = known_by_name(w);

	w->field = (uint8_t)k;
	w->at = 0;
	w->state = known[k].state;
	if (k == FIELD_OTHER)
		return OK;
	REQUIRE((w->seen & 1U << k) == 0, ERR_BAD_REQUEST);
	w->seen = (uint16_t)(w->seen | 1U << k);
	return OK;
}

static err_t at_name(struct wire *w, struct feed *f)
{
	size_t len = run_of(f, C_TOKEN);

	note_name(w, f->buf + f->i, len);
	TRY(keep_head(w, f, len));
	if (f->i == f->n)
		return OK;
	TRY(keep_head_byte(w, f, ':', AT_VALUE)); /* §5.1: no blank before the colon */
	return name_ends(w);
}

static err_t value_cr(struct wire *w, struct feed *f)
{
	return keep_head_byte(w, f, '\r', AT_VALUE_LF);
}

static err_t at_value(struct wire *w, struct feed *f)
{
	TRY(keep_head(w, f, run_of_value(f)));
	return f->i == f->n ? OK : value_cr(w, f);
}

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The values below are read by more than one party, so they have one spelling: blanks may come
 * before them, nothing after. */

static err_t at_host(struct wire *w, struct feed *f)
{
	char c = peek(f);

	if (is(c, C_HOST))
		w->at = 1;
	else if (!blank(c) || w->at > 0) {
		REQUIRE(w->at > 0, ERR_BAD_REQUEST);
		return value_cr(w, f);
	}
	return keep_head(w, f, 1);
}

static err_t at_length(struct wire *w, struct feed *f)
{
	char c = peek(f);

	if (c >= '0' && c <= '9') {
		REQUIRE(w->at < WIRE_LENGTH_DIGITS, ERR_BAD_REQUEST);
		w->at++;
		w->left = w->left * 10 + (uint64_t)(c - '0');
	} else if (!blank(c) || w->at > 0) {
		REQUIRE(w->at > 0, ERR_BAD_REQUEST);
		return value_cr(w, f);
	}
	return keep_head(w, f, 1);
}

static err_t at_coding(struct wire *w, struct feed *f)
{
	static const char text[] = "chunked";
	char c = lower(peek(f));

	if (text[w->at] == '\0')
		return value_cr(w, f);
	if (!blank(c) || w->at > 0) {
		REQUIRE(c == text[w->at], ERR_BAD_REQUEST);
		w->at++;
	}
	return keep_head(w, f, 1);
}

/* Looked at by nobody but who answers for a head that was refused. */
static err_t at_origin(struct wire *w, struct feed *f)
{
	size_t len = run_of_value(f);

	for (size_t i = 0; i < len; i++) {
		char c = f->buf[f->i + i];

		if (blank(c) && w->n_origin == 0)
			continue;
		if (w->n_origin < WIRE_ORIGIN_MAX)
			w->origin[w->n_origin++] = c;
	}
	TRY(keep_head(w, f, len));
	return f->i == f->n ? OK : value_cr(w, f);
}

str wire_origin(const struct wire *w)
{
	return w->n_origin == 0 || w->n_origin == WIRE_ORIGIN_MAX ? STR_NONE : (str){ w->origin, w->n_origin };
}

static bool has(const struct wire *w, enum known_field k)
{
	return (w->seen & 1U << k) != 0;
}

static err_t at_head_lf(struct wire *w, struct feed *f)
{
	TRY(keep_head_byte(w, f, '\n', AT_BODY));
	REQUIRE(has(w, FIELD_HOST) || w->minor == 0, ERR_BAD_REQUEST); /* RFC 9112 §3.2 */
	if (has(w, FIELD_CODING)) {
		/* RFC 9112 §6.1: both, or a coding on HTTP/1.0, is how requests are smuggled. */
		REQUIRE(!has(w, FIELD_LENGTH) && w->minor == 1, ERR_BAD_REQUEST);
		w->state = AT_CHUNK_SIZE;
		w->at = 0;
		w->left = 0;
		return OK;
	}
	if (w->left == 0)
		request_ends(w, f);
	return OK;
}

/* ---- bodies: RFC 9112 §6, §7.1 ---- */

static size_t at_most(uint64_t left, const struct feed *f)
{
	size_t n = f->n - f->i;

	return left < n ? (size_t)left : n;
}

static err_t at_body(struct wire *w, struct feed *f)
{
	size_t len = at_most(w->left, f);

	w->left -= len;
	keep(f, len);
	if (w->left == 0)
		request_ends(w, f);
	return OK;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static err_t at_chunk_size(struct wire *w, struct feed *f)
{
	char c = peek(f);
	int digit = hex_value(c);

	if (digit >= 0) {
		REQUIRE(w->at < WIRE_CHUNK_DIGITS, ERR_BAD_REQUEST); /* so 64 bits are enough */
		w->at++;
		w->left = w->left << 4 | (uint64_t)digit;
		keep(f, 1);
		return OK;
	}
	REQUIRE(w->at > 0 && (c == ';' || c == '\r'), ERR_BAD_REQUEST);
	if (c == ';') {
		w->extra = 0;
		w->state = AT_CHUNK_EXT;
		return OK;
	}
	w->state = AT_CHUNK_LF;
	keep(f, 1);
	return OK;
}

static err_t at_chunk_ext(struct wire *w, struct feed *f)
{
	size_t len = run_of(f, C_VALUE);

	REQUIRE(len <= (size_t)(WIRE_EXTENSION_MAX - w->extra), ERR_BAD_REQUEST);
	w->extra = (uint16_t)(w->extra + len);
	drop(f, len);
	if (f->i == f->n)
		return OK;
	REQUIRE(peek(f) == '\r', ERR_BAD_REQUEST);
	w->state = AT_CHUNK_LF;
	keep(f, 1);
	return OK;
}

static err_t keep_byte(struct wire *w, struct feed *f, char expected, enum wire_state next)
{
	REQUIRE(peek(f) == expected, ERR_BAD_REQUEST);
	w->state = (uint8_t)next;
	keep(f, 1);
	return OK;
}

static err_t at_chunk_lf(struct wire *w, struct feed *f)
{
	w->extra = 0;
	return keep_byte(w, f, '\n', w->left > 0 ? AT_CHUNK_DATA : AT_TRAILER);
}

static void at_chunk_data(struct wire *w, struct feed *f)
{
	size_t len = at_most(w->left, f);

	w->left -= len;
	keep(f, len);
	if (w->left == 0)
		w->state = AT_DATA_CR;
}

static err_t drop_trailer(struct wire *w, struct feed *f, size_t len)
{
	REQUIRE(len <= (size_t)(WIRE_TRAILERS_MAX - w->extra), ERR_HEADERS_TOO_LARGE);
	w->extra = (uint16_t)(w->extra + len);
	drop(f, len);
	return OK;
}

static err_t at_trailer(struct wire *w, struct feed *f)
{
	if (peek(f) == '\r')
		return keep_byte(w, f, '\r', AT_END_LF);
	REQUIRE(is(peek(f), C_TOKEN), ERR_BAD_REQUEST);
	w->state = AT_TRAILER_NAME;
	return OK;
}

/* Drops bytes of the class, then the one that must follow. */
static err_t trailer_part(struct wire *w, struct feed *f, unsigned class, char end,
			  enum wire_state next)
{
	TRY(drop_trailer(w, f, run_of(f, class)));
	if (f->i == f->n)
		return OK;
	REQUIRE(peek(f) == end, ERR_BAD_REQUEST);
	w->state = (uint8_t)next;
	return drop_trailer(w, f, 1);
}

static err_t at_end_lf(struct wire *w, struct feed *f)
{
	TRY(keep_byte(w, f, '\n', AT_START));
	request_ends(w, f);
	return OK;
}

static err_t step(struct wire *w, struct feed *f)
{
	switch ((enum wire_state)w->state) {
	case AT_START: return at_start(w, f);
	case AT_START_LF: return at_start_lf(w, f);
	case AT_METHOD: return at_method(w, f);
	case AT_TARGET: return at_target(w, f);
	case AT_VERSION: return at_version(w, f);
	case AT_MINOR: return at_minor(w, f);
	case AT_LINE_CR: return keep_head_byte(w, f, '\r', AT_LINE_LF);
	case AT_LINE_LF: return keep_head_byte(w, f, '\n', AT_FIELD);
	case AT_FIELD: return at_field(w, f);
	case AT_NAME: return at_name(w, f);
	case AT_VALUE: return at_value(w, f);
	case AT_HOST: return at_host(w, f);
	case AT_LENGTH: return at_length(w, f);
	case AT_CODING: return at_coding(w, f);
	case AT_ORIGIN: return at_origin(w, f);
	case AT_VALUE_LF: return keep_head_byte(w, f, '\n', AT_FIELD);
	case AT_HEAD_LF: return at_head_lf(w, f);
	case AT_BODY: return at_body(w, f);
	case AT_CHUNK_SIZE: return at_chunk_size(w, f);
	case AT_CHUNK_EXT: return at_chunk_ext(w, f);
	case AT_CHUNK_LF: return at_chunk_lf(w, f);
	case AT_CHUNK_DATA: at_chunk_data(w, f); return OK;
	case AT_DATA_CR: return keep_byte(w, f, '\r', AT_DATA_LF);
	case AT_DATA_LF: w->at = 0; return keep_byte(w, f, '\n', AT_CHUNK_SIZE);
	case AT_TRAILER: return at_trailer(w, f);
	case AT_TRAILER_NAME: return trailer_part(w, f, C_TOKEN, ':', AT_TRAILER_VALUE);
	case AT_TRAILER_VALUE: return trailer_part(w, f, C_VALUE, '\r', AT_TRAILER_LF);
	case AT_TRAILER_LF: return trailer_part(w, f, 0, '\n', AT_TRAILER);
	case AT_END_LF: return at_end_lf(w, f);
	}
	FAIL(ERR_BUG);
}

err_t wire_feed(struct wire *w, char *buf, size_t n, struct wire_fed *ret)
{
	struct feed f = { .buf = buf, .n = n };
	err_t e = { w->refused };

	while (e.code == ERR_OK && f.i < f.n)
		e = step(w, &f);
	w->refused = e.code;
	*ret = (struct wire_fed){ .keep = e.code == ERR_OK ? f.o : f.whole, .whole = f.whole };
	return e;
}
