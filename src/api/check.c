/* check.c — GET /check: nginx auth_request, Traefik and Caddy forward-auth. The proxy copies the
 * X-Auth-… headers to the application behind it. */
#include "api/routes.h"
#include "domain/email.h"
#include "domain/uid.h"
#include "domain/user.h"

/* What an application may read without thinking of other scripts, control characters and the ends of lines: visible
 * ASCII as it is, all else and '%' as %XX of UTF-8 (RFC 3986 §2.1). */
static err_t header_text(struct arena *mem, str value, str *ret)
{
	static const char hex[] = "0123456789ABCDEF";
	struct buf b = { .cap = 3 * value.n };

	NEW(b.p, mem, char, b.cap);
	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.p[i];

		if (c > ' ' && c < 0x7f && c != '%') {
			buf_byte(&b, (char)c);
			continue;
		}
		buf_byte(&b, '%');
		buf_byte(&b, hex[c >> 4]);
		buf_byte(&b, hex[c & 15]);
	}
	REQUIRE(!b.overflow, ERR_BUG);
	*ret = buf_view(&b);
	return OK;
}

/* An application takes the address for the person: only one that is proven, unless the operator wants to be told of
 * others and looks at the second header. */
static err_t add_email(struct req *r, struct http_reply *rep)
{
	const struct caller_row *u = &r->who.row;
	str typed, address;
	err_t e;

	if (u->is_guest || u->email.n == 0 || (!u->email_verified && !r->c.cfg->forward.unproven_email))
		return OK;
	/* The canonical form: ASCII, and the same however it was typed. */
	e = email_canonical(r->c.mem, u->email, &typed, &address);
	if (e.code == ERR_INPUT) {
		err_clear_origin();
		return OK;
	}
	TRY(e);
	http_reply_header(rep, "X-Auth-Email", address);
	http_reply_header(rep, "X-Auth-Email-Verified", u->email_verified ? STR("true") : STR("false"));
	return OK;
}

err_t api_check(struct req *r, const void *body, struct http_reply *rep)
{
	str uid, role = user_role(r->who.row.role, r->who.row.is_admin);

	(void)body;
	TRY(uid_text(r->c.mem, r->who.row.uid, &uid));
	http_reply_header(rep, "X-Auth-User-Id", uid);
	TRY(add_email(r, rep));
	if (role.n > 0) {
		TRY(header_text(r->c.mem, role, &role));
		http_reply_header(rep, "X-Auth-Role", role);
	}
	rep->status = 200;
	buf_lit(&rep->body, "{\"success\":true}");
	return OK;
}
