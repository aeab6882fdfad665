#include "domain/email.h"

#include <idn2.h>
#include <unictype.h>

#include "base/buf.h"
#include "base/typed.h"
#include "base/utf8.h"

#define LOCAL_MAX_BYTES  64
#define DOMAIN_MAX_BYTES 253

/* RFC 5322 atext without '%' and '!', which old relays read as routes. */
static bool is_atext(char c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return true;
	return c != '\0' && str_has_byte(STR("#$&'*+-/=?^_`{|}~"), c);
}

static bool local_is_dot_atom(str local)
{
	char before = '.';

	if (local.n == 0 || local.n > LOCAL_MAX_BYTES)
		return false;
	for (size_t i = 0; i < local.n; i++) {
		char c = local.p[i];
		if (c == '.' ? before == '.' : !is_atext(c))
			return false;
		before = c;
	}
	/* "=?charset?q?…?=" would be decoded by mail programs (RFC 2047). */
	return before != '.' && !str_starts(local, STR("=?"));
}

/* "127.0.0.1" is an address to whoever connects, not a name (RFC 3696 §2). */
static bool ends_in_number(str domain)
{
	for (size_t i = domain.n; i > 0 && domain.p[i - 1] != '.'; i--) {
		if (domain.p[i - 1] < '0' || domain.p[i - 1] > '9')
			return false;
	}
	return true;
}

static bool domain_is_host_name(str domain)
{
	size_t label = 0, labels = 1;

	if (domain.n == 0 || domain.n > DOMAIN_MAX_BYTES)
		return false;
	for (size_t i = 0; i < domain.n; i++) {
		char c = domain.p[i];
		bool alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

		if (c == '.') {
			if (label == 0 || domain.p[i - 1] == '-')
				return false;
			label = 0;
			labels++;
		} else if (alnum || (c == '-' && label > 0)) {
			label++;
		} else {
			return false;
		}
		if (label > 63)
			return false;
	}
	return label > 0 && labels >= 2 && domain.p[domain.n - 1] != '-' && !ends_in_number(domain);
}

static err_t domain_to_a_labels(struct arena *mem, str domain, str *ret)
{
	char *in, *out = NULL;
	err_t e;

	TRY(str_to_cstr(mem, domain, &in));
	REQUIRE(idn2_to_ascii_8z(in, &out, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT) == IDN2_OK,
		ERR_INPUT);
	e = arena_copy(mem, str_of_cstr(out), ret);
	idn2_free(out);
	return e;
}

static void append_lower(struct buf *b, str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		buf_byte(b, c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c);
	}
}

static err_t domain_lower(struct arena *mem, str domain, str *ret)
{
	struct buf b = { .cap = domain.n };

	NEW(b.p, mem, char, domain.n + 1);
	append_lower(&b, domain);
	*ret = buf_view(&b);
	return OK;
}

static bool is_ascii(str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	}
	return true;
}

static bool has_a_label(str domain)
{
	str label, rest = domain;

	while (rest.n > 0) {
		(void)str_cut(rest, '.', &label, &rest);
		if (str_starts(label, STR("xn--")))
			return true;
	}
	return false;
}

err_t email_canonical(struct arena *mem, str raw, str *ret_typed, str *ret_key)
{
	struct buf key = { .cap = EMAIL_MAX_BYTES };
	str typed, local, domain;

	TRY(typed_text(mem, TYPED_WORD, raw, &typed));
	REQUIRE(typed.n > 0 && typed.n <= EMAIL_MAX_BYTES && utf8_is_plain_text(typed), ERR_INPUT);
	REQUIRE(str_cut(typed, '@', &local, &domain) && !str_has_byte(domain, '@'), ERR_INPUT);
	REQUIRE(local_is_dot_atom(local) && domain.n > 0, ERR_INPUT);
	/* ASCII domains, nearly all, need no IDNA table. A "xn--" label does: it must be one. */
	TRY(domain_lower(mem, domain, &domain));
	if (!is_ascii(domain) || has_a_label(domain))
		TRY(domain_to_a_labels(mem, domain, &domain));
	REQUIRE(domain_is_host_name(domain), ERR_INPUT);

	NEW(key.p, mem, char, EMAIL_MAX_BYTES);
	append_lower(&key, local);
	buf_byte(&key, '@');
	append_lower(&key, domain);
	REQUIRE(!key.overflow, ERR_INPUT);
	*ret_typed = typed;
	*ret_key = buf_view(&key);
	return OK;
}

err_t email_envelope(struct arena *mem, str typed, str *ret)
{
	str local, domain;

	if (is_ascii(typed)) {
		*ret = typed;
		return OK;
	}
	REQUIRE(str_cut(typed, '@', &local, &domain), ERR_BUG);
	TRY(domain_to_a_labels(mem, domain, &domain));
	return arena_printf(mem, ret, "%.*s@%.*s", STR_ARG(local), STR_ARG(domain));
}

err_t email_subject(struct arena *mem, str raw, str *ret_key)
{
	str typed;
	err_t e = email_canonical(mem, raw, &typed, ret_key);

	if (e.code != ERR_INPUT)
		return e;
	*ret_key = raw.p == NULL ? STR("") : raw;
	return OK;
}

/* Letters of another script before the '@' (RFC 6531): no mistake of the user's, but not supported. */
static bool is_international(str raw)
{
	str local, domain, rest;
	uint32_t point;
	size_t n;

	if (!str_cut(raw, '@', &local, &domain) || is_ascii(local) || !utf8_is_plain_text(local))
		return false;
	for (rest = local; rest.n > 0; rest = str_skip(rest, n)) {
		n = utf8_next(rest, &point);
		if (point >= 0x80 && !uc_is_general_category_withtable(point, UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_M |
									     UC_CATEGORY_MASK_Nd))
			return false;
	}
	return true;
}

err_t email_field(struct ctx *c, const char *field, str raw, str *ret_typed, str *ret_key)
{
	err_t e = email_canonical(c->mem, raw, ret_typed, ret_key);

	if (e.code != ERR_INPUT)
		return e;
	ctx_field(c, field, is_international(raw) ? "LOCAL_PART_NOT_ASCII" : "INVALID");
	return OK;
}
