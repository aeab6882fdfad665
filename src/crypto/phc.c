#include "crypto/phc.h"

#include <string.h>

#include "base/base64url.h"

#define KIB	      ((int64_t)1024)
#define BCRYPT_LEN    60
#define CRYPT_TAG_LEN 43 /* 32 bytes in crypt(3)'s base64 */

/* Remove `prefix` from the front of *s. */
static bool take(str *s, str prefix)
{
	if (!str_starts(*s, prefix))
		return false;
	*s = str_skip(*s, prefix.n);
	return true;
}

/* A decimal without sign or leading zero, then `end`. */
static bool take_number(str *s, char end, int64_t min, int64_t max, int64_t *ret)
{
	str digits, rest;
	uint64_t v;

	if (!str_cut(*s, end, &digits, &rest) || digits.n == 0 || digits.p[0] == '0' ||
	    !str_to_u64(digits, (uint64_t)max, &v) || (int64_t)v < min)
		return false;
	*s = rest;
	*ret = (int64_t)v;
	return true;
}

/* PHC strings use the other base64 alphabet ('+' and '/'), also without padding. */
static bool decode_field(str text, uint8_t *dst, size_t *ret_n)
{
	char url[BASE64URL_LEN(ARGON2_FIELD_MAX)];

	if (text.n == 0 || text.n > sizeof(url) || str_has_byte(text, '-') ||
	    str_has_byte(text, '_'))
		return false;
	for (size_t i = 0; i < text.n; i++)
		url[i] = text.p[i] == '+' ? '-' : text.p[i] == '/' ? '_' : text.p[i];
	return base64url_decode((str){ url, text.n }, dst, ARGON2_FIELD_MAX, ret_n);
}

static void encode_field(const uint8_t *p, size_t n, struct buf *out)
{
	size_t from = out->n;

	base64url_encode(out, str_of_bytes(p, n));
	for (size_t i = from; i < out->n; i++) {
		if (out->p[i] == '-')
			out->p[i] = '+';
		else if (out->p[i] == '_')
			out->p[i] = '/';
	}
}

static bool is_pepper_id(str s)
{
	if (s.n != PEPPER_ID_LEN)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!str_has_byte(STR("0123456789abcdef"), s.p[i]))
			return false;
	}
	return true;
}

static bool take_pepper(str *s, str *ret_id)
{
	str id, rest;

	*ret_id = STR("");
	if (take(s, STR("$argon2id$")))
		return true;
	if (!take(s, STR("$argon2id-hmac$k=")) || !str_cut(*s, '$', &id, &rest) ||
	    !is_pepper_id(id))
		return false;
	*s = rest;
	*ret_id = id;
	return true;
}

bool argon2_parse(str stored, struct argon2_hash *ret)
{
	struct argon2_hash h = { 0 };
	str salt, tag;
	int64_t kib;

	if (stored.n > PASSWORD_HASH_MAX || !take_pepper(&stored, &h.pepper_id) ||
	    !take(&stored, STR("v=19$m=")) ||
	    !take_number(&stored, ',', 8, ARGON2_MEMORY_MAX / KIB, &kib) ||
	    !take(&stored, STR("t=")) ||
	    !take_number(&stored, ',', 1, ARGON2_ITER_MAX, &h.iterations) ||
	    !take(&stored, STR("p=")) || !take_number(&stored, '$', 1, 16, &h.parallelism))
		return false;
	h.memory = kib * KIB;
	/* RFC 9106 §3.1: at least 8 KiB for each lane; salts below 8 bytes are nobody's */
	if (kib < 8 * h.parallelism || h.memory * h.iterations > ARGON2_WORK_MAX ||
	    !str_cut(stored, '$', &salt, &tag) || !decode_field(salt, h.salt, &h.n_salt) ||
	    !decode_field(tag, h.tag, &h.n_tag) || h.n_salt < 8 || h.n_tag < 16)
		return false;
	/* Only our own form is ever peppered. */
	if (h.pepper_id.n > 0 &&
	    (h.parallelism != 1 || h.n_salt != ARGON2_SALT_BYTES || h.n_tag != ARGON2_TAG_BYTES))
		return false;
	*ret = h;
	return true;
}

void argon2_format(const struct argon2_hash *h, struct buf *out)
{
	if (h->pepper_id.n > 0) {
		buf_lit(out, "$argon2id-hmac$k=");
		buf_str(out, h->pepper_id);
		buf_lit(out, "$v=19$m=");
	} else {
		buf_lit(out, "$argon2id$v=19$m=");
	}
	buf_i64(out, h->memory / KIB);
	buf_lit(out, ",t=");
	buf_i64(out, h->iterations);
	buf_lit(out, ",p=");
	buf_i64(out, h->parallelism);
	buf_byte(out, '$');
	encode_field(h->salt, h->n_salt, out);
	buf_byte(out, '$');
	encode_field(h->tag, h->n_tag, out);
}

/* The value of a character in crypt(3)'s base64, -1 if it is none. */
static int64_t crypt64(char c)
{
	static const char alphabet[] =
		"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	const char *at = c == '\0' ? NULL : strchr(alphabet, c);

	return at == NULL ? -1 : at - alphabet;
}

static bool is_crypt64(str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (crypt64(s.p[i]) < 0)
			return false;
	}
	return true;
}

/* $2b$12$ + 22 characters of salt + 31 of hash; costs above 2^16 rounds take many seconds. */
static bool is_bcrypt(str s)
{
	uint64_t cost;

	return s.n == BCRYPT_LEN && s.p[0] == '$' && s.p[1] == '2' &&
	       str_has_byte(STR("aby"), s.p[2]) && s.p[3] == '$' && s.p[6] == '$' &&
	       str_to_u64((str){ s.p + 4, 2 }, 16, &cost) && cost >= 4 &&
	       is_crypt64(str_skip(s, 7));
}

/* salt$hash, the end of both scrypt and yescrypt lines */
static bool is_crypt_tail(str s)
{
	str salt, tag;

	return str_cut(s, '$', &salt, &tag) && salt.n >= 1 && salt.n <= 86 && is_crypt64(salt) &&
	       tag.n == CRYPT_TAG_LEN && is_crypt64(tag);
}

static bool scrypt_affordable(int64_t log2_n, int64_t r, int64_t p)
{
	return log2_n >= 1 && log2_n <= 20 && r >= 1 && r <= 64 && p >= 1 && p <= 16 &&
	       ((int64_t)128 << log2_n) * r <= KIB * KIB * KIB &&
	       ((int64_t)128 << log2_n) * r * p <= 4 * KIB * KIB * KIB;
}

/* 30 bits in five characters, least significant first */
static int64_t crypt64_number(const char *p)
{
	int64_t v = 0;

	for (int i = 4; i >= 0; i--)
		v = v * 64 + crypt64(p[i]);
	return v;
}

/* $7$ + one character of log2 N + five of r + five of p + salt$hash */
static bool is_scrypt(str s)
{
	return take(&s, STR("$7$")) && s.n > 11 && is_crypt64((str){ s.p, 11 }) &&
	       scrypt_affordable(crypt64(s.p[0]), crypt64_number(s.p + 1),
				 crypt64_number(s.p + 6)) &&
	       is_crypt_tail(str_skip(s, 11));
}

/* $y$j + log2 N - 1 + r - 1 + $salt$hash: the form crypt_gensalt(3) makes; no others are in use */
static bool is_yescrypt(str s)
{
	return take(&s, STR("$y$j")) && s.n > 3 && is_crypt64((str){ s.p, 2 }) && s.p[2] == '$' &&
	       crypt64(s.p[1]) < 48 &&
	       scrypt_affordable(crypt64(s.p[0]) + 1, crypt64(s.p[1]) + 1, 1) &&
	       is_crypt_tail(str_skip(s, 3));
}

static enum phc_kind crypt_kind(str s)
{
	if (is_bcrypt(s))
		return PHC_BCRYPT;
	if (is_scrypt(s))
		return PHC_SCRYPT;
	return is_yescrypt(s) ? PHC_YESCRYPT : PHC_UNSET;
}

bool phc_parse(str stored, struct phc *ret)
{
	struct argon2_hash h;
	enum phc_kind kind;

	if (stored.n == 0 || stored.n > PASSWORD_HASH_MAX)
		return false;
	if (argon2_parse(stored, &h)) {
		*ret = (struct phc){ PHC_ARGON2ID, h.memory, h.iterations, h.parallelism,
				     h.pepper_id };
		return true;
	}
	kind = crypt_kind(stored);
	if (kind == PHC_UNSET)
		return false;
	*ret = (struct phc){ .kind = kind, .pepper_id = STR("") };
	return true;
}
