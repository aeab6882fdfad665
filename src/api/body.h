/* body.h — JSON bodies in: a shape per body says which members are taken, with type and bounds. The
 * JSON tree never leaves body.c; handlers see a C struct in the arena. Unknown members are ignored,
 * duplicates refused, wrong fields reported all at once by name, values never echoed. */
#ifndef API_BODY_H
#define API_BODY_H

#include <stddef.h>

#include "base/secret.h"
#include "domain/ctx.h"
#include "domain/stepup.h"
#include "http/http.h"

enum body_kind {
	BODY_UNSET = 0,
	BODY_TEXT,   /* str: plain text, no control characters */
	BODY_NAME,   /* the same, cleaned of what nobody sees (base/typed.h) */
	BODY_WORD,   /* the same: an address */
	BODY_NUMBER, /* the same: a telephone number */
	BODY_CODE,   /* the same: six digits. Else it is wrong, and the refusal names the member (NOT_A_CODE) */
	BODY_FACTOR_CODE, /* the same: six digits, or a recovery code */
	BODY_SECRET, /* struct secret: any characters, NUL included */
	BODY_BOOL,   /* bool: true or false; left out: false */
	BODY_REFUSED, /* must not be there: a member that somebody might think could be set */
};

struct body_field {
	const char *name; /* JSON member */
	size_t offset;
	size_t max;       /* bytes */
	size_t set_offset; /* of a bool that becomes true when the member is present; SIZE_MAX: none */
	enum body_kind kind;
	bool null_ok;     /* null counts as absent (with set_offset: present and cleared) */
};

struct body_shape {
	size_t size;
	const struct body_field *fields;
	size_t n_fields;
	bool has_proof; /* begins with a struct stepup: what a route that asks again who is there reads */
};

/* The array of negative size makes a member of another type a compile error. */
#define BODY_IS(T, member, M)                                                                     \
	(offsetof(T, member) +                                                                    \
	 0 * sizeof(char[__builtin_types_compatible_p(M, __typeof__(((T *)NULL)->member)) ? 1 : -1]))
#define TEXT(T, member, name_, max_)                                                              \
	{ .name = (name_), .offset = BODY_IS(T, member, str), .max = (max_),                       \
	  .set_offset = SIZE_MAX, .kind = BODY_TEXT }
#define TEXT_OR_NULL(T, member, name_, max_)                                                      \
	{ .name = (name_), .offset = BODY_IS(T, member, str), .max = (max_),                       \
	  .set_offset = SIZE_MAX, .kind = BODY_TEXT, .null_ok = true }
/* What people type and paste. */
#define TYPED(T, member, name_, max_, kind_)                                                      \
	{ .name = (name_), .offset = BODY_IS(T, member, str), .max = (max_),                       \
	  .set_offset = SIZE_MAX, .kind = (kind_) }
#define TYPED_OR_NULL(T, member, name_, max_, kind_)                                              \
	{ .name = (name_), .offset = BODY_IS(T, member, str), .max = (max_),                       \
	  .set_offset = SIZE_MAX, .kind = (kind_), .null_ok = true }
#define TYPED_CHANGE(T, member, set, name_, max_, kind_)                                          \
	{ .name = (name_), .offset = BODY_IS(T, member, str), .max = (max_),                       \
	  .set_offset = BODY_IS(T, set, bool), .kind = (kind_), .null_ok = true }
#define SECRET(T, member, name_, max_)                                                            \
	{ .name = (name_), .offset = BODY_IS(T, member, struct secret), .max = (max_),             \
	  .set_offset = SIZE_MAX, .kind = BODY_SECRET }
#define FLAG(T, member, name_)                                                                    \
	{ .name = (name_), .offset = BODY_IS(T, member, bool), .set_offset = SIZE_MAX, .kind = BODY_BOOL }
#define REFUSED(name_) { .name = (name_), .set_offset = SIZE_MAX, .kind = BODY_REFUSED }
#define SHAPE(T, array) { sizeof(T), (array), sizeof(array) / sizeof((array)[0]), false }
/* The first member of T must be `struct stepup proof`, its fields PROOF_FIELDS(T). */
#define CODE_MAX 128
#define PROOF_FIELDS(T)                                                                          \
	{ .name = "currentPassword",                                                              \
	  .offset = BODY_IS(T, proof, struct stepup) + offsetof(struct stepup, current_password), \
	  .max = PASSWORD_MAX_BYTES, .set_offset = SIZE_MAX, .kind = BODY_SECRET },               \
	TYPED_OR_NULL(T, proof.totp_code, "totpCode", CODE_MAX, BODY_FACTOR_CODE),                \
	TYPED_OR_NULL(T, proof.recovery_code, "recoveryCode", CODE_MAX, BODY_FACTOR_CODE)
#define SHAPE_WITH_PROOF(T, array) \
	{ sizeof(T), (array), sizeof(array) / sizeof((array)[0]), offsetof(T, proof) == 0 }

/* No body counts as {}. Refusals: ERR_MEDIA_TYPE, ERR_JSON (not strict RFC 8259, not one object,
 * duplicate members, deeper than 16, more than 1,000 nodes, numbers over 64 characters, bad
 * UTF-8; one byte order mark before it is passed over), ERR_INPUT with c->fields. Faults: ERR_NO_MEMORY. */
MUST_USE err_t body_read(struct ctx *c, const struct body_shape *shape, str content_type, str body,
			 void **ret);

/* Once per process, before threads: jansson allocates from the arena set for the thread. */
void body_init(void);
void body_use_arena(struct arena *mem); /* NULL: back to malloc */

/* We decode nothing: a body under any Content-Encoding but identity is ERR_MEDIA_TYPE (RFC 9110 §15.5.16). */
MUST_USE err_t body_is_plain(str content_encoding, str body);

#endif
