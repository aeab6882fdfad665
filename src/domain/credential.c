#include "domain/credential.h"

static struct password_params params_of(const struct config *cfg)
{
	return (struct password_params){
		.memory = cfg->password.argon2_memory,
		.iterations = cfg->password.argon2_iterations,
		.pepper = cfg->password.pepper,
	};
}

static const char *reason_of(enum password_verdict v)
{
	switch (v) {
	case PASSWORD_OK: break;
	case PASSWORD_NOT_TEXT: return "INVALID";
	case PASSWORD_TOO_SHORT: return "PASSWORD_TOO_SHORT";
	case PASSWORD_TOO_LONG: return "PASSWORD_TOO_LONG";
	case PASSWORD_TOO_WEAK: return "PASSWORD_COMPROMISED";
	}
	return NULL;
}

err_t credential_make(struct ctx *c, const char *field, struct secret password, str email_typed,
		      str *ret_hash)
{
	const struct password_params p = params_of(c->cfg);
	const str context[] = { email_typed, c->cfg->ui.site_name };
	WIPED struct secret normal = { 0 };
	const char *reason;

	reason = reason_of(password_judge(c->mem, password, c->cfg->password.min_length,
					  c->cfg->password.min_score, context, 2));
	REQUIRE(!c->mem->exhausted, ERR_NO_MEMORY); /* then the verdict is worth nothing */
	if (reason != NULL) {
		ctx_field(c, field, reason);
		FAIL(ERR_INPUT);
	}
	TRY(password_normalise(c->mem, password, &normal));
	return password_hash(c->gate, &p, c->rng, c->mem, normal, c->deadline_us, ret_hash);
}

err_t credential_make_own(struct ctx *c, struct secret own, str *ret_hash)
{
	const struct password_params p = params_of(c->cfg);

	return password_hash(c->gate, &p, c->rng, c->mem, own, c->deadline_us, ret_hash);
}

err_t credential_check(struct ctx *c, str stored, struct secret password, bool *ret_match,
		       str *ret_new_hash)
{
	const struct password_params p = params_of(c->cfg);
	WIPED struct secret normal = { 0 };
	bool match, rehash;

	TRY(password_verify(c->gate, &p, c->mem, stored, password, c->deadline_us, &match, &rehash));
	*ret_match = match;
	*ret_new_hash = STR_NONE;
	if (!match || !rehash)
		return OK;
	/* A missed rehash is made up for at the next sign-in; it never fails this one. */
	if (password_normalise(c->mem, password, &normal).code != ERR_OK ||
	    password_hash(c->gate, &p, c->rng, c->mem, normal, c->deadline_us, ret_new_hash).code !=
		    ERR_OK)
		*ret_new_hash = STR_NONE;
	return OK;
}
