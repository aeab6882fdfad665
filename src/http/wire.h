/* wire.h — the guard over the raw bytes of one connection: which requests are let through to the
 * HTTP library, and where each of them ends.
 *
 * A pure state machine: no sockets, no clock, no memory of its own. What it accepts is a strict
 * subset of RFC 9112, so that no two readers of the same bytes (a proxy, the library) can disagree
 * about them. The verdict does not depend on how the bytes were split into reads. */
#ifndef HTTP_WIRE_H
#define HTTP_WIRE_H

#include "base/err.h"
#include "base/str.h"

#define WIRE_METHOD_MAX    16
#define WIRE_TARGET_MAX    6144
#define WIRE_HEAD_MAX      8192 /* request line and fields, with their line ends */
#define WIRE_FIELDS_MAX    64
#define WIRE_ORIGIN_MAX    128  /* kept of an Origin; a longer one counts as none */
#define WIRE_LENGTH_DIGITS 18
#define WIRE_CHUNK_DIGITS  16
#define WIRE_EXTENSION_MAX 256  /* of one chunk, with the ';' */
#define WIRE_TRAILERS_MAX  1024 /* bytes of all trailer fields together */

/* Bytes the guard writes over others on their way to the library. No client can send this byte (it
 * is refused everywhere in a head), so finding it means the guard put it there:
 * - for each '?' of the target, so that the library neither splits nor decodes the query;
 * - for the 'e' of a field name starting with "cookie", so that it does not parse cookies. */
#define WIRE_MARK 0x01
#define WIRE_COOKIE_PREFIX "cooki\x01"

struct wire {
	uint8_t state;
	uint8_t minor;         /* HTTP/1.minor */
	uint8_t field;         /* the known field whose value is being read */
	uint8_t name_len;      /* of the field name, or of the method; stops at 255 */
	uint8_t at;            /* position in a fixed text ("HTTP/1.", "chunked") or number of digits */
	bool blank_line;       /* the one empty line before a request line has been seen */
	uint16_t seen;         /* known fields of this head, one bit each */
	uint16_t target_len, head_bytes, n_fields;
	uint16_t extra;        /* bytes of this chunk's extension, or of the trailers */
	char name[18];         /* the field name in lower case, cut */
	uint64_t left;         /* bytes of the body or the chunk still to come */
	uint64_t n_requests;   /* complete ones, since the connection began */
	char origin[WIRE_ORIGIN_MAX]; /* of this head: a refusal of the guard's tells a page of a listed origin, too */
	uint8_t n_origin;
	enum err_code refused; /* sticky */
};

/* What became of the bytes of one wire_feed. */
struct wire_fed {
	size_t keep;           /* bytes at the front of buf to hand on */
	size_t whole;          /* of these, up to the end of the last complete request; 0 if none ended */
};

void wire_init(struct wire *w);

/* Take the next n bytes, in place: bytes to hand on move to the front of `buf`; what only confuses
 * (an empty line before a request, chunk extensions, trailers) is left out.
 * ret is always filled; after a refusal ret->keep equals ret->whole, so an unfinished or offending
 * request is not handed on any further, and every later call refuses at once.
 * Refusals: ERR_BAD_REQUEST (RFC 9112 §2.2, §3, §5, §6, §7.1), ERR_URI_TOO_LONG,
 * ERR_HEADERS_TOO_LARGE. */
MUST_USE err_t wire_feed(struct wire *w, char *buf, size_t n, struct wire_fed *ret);

/* Between two requests: nothing of the next one has arrived. */
bool wire_between(const struct wire *w);

/* Origin of the head that is being read or was refused; STR_NONE without. Points into w. */
str wire_origin(const struct wire *w);

#endif
