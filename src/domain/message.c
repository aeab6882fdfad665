#include "domain/message.h"

#include "base/timefmt.h"
#include "domain/audit.h"
#include "domain/email.h"
#include "domain/onetime.h"
#include "domain/place.h"
#include "domain/site.h"

/* "2026-11-24 13:50 UTC": no month names, so it reads alike in every language. */
err_t message_time(struct ctx *c, int64_t ms, str *ret)
{
	struct buf b = { .cap = TIME_TEXT_LEN };

	NEW(b.p, c->mem, char, b.cap);
	time_format(&b, ms);
	return arena_printf(c->mem, ret, "%.10s %.5s UTC", b.p, b.p + 11);
}

static void add(struct outbox_message *m, str name, str value)
{
	if (m->n_vars < OUTBOX_VARS_MAX)
		m->vars[m->n_vars++] = (struct template_var){ name, value };
}

static err_t add_common(struct ctx *c, str email, struct outbox_message *m)
{
	str when, place, login, device = agent_family(c->user_agent);

	TRY(message_time(c, c->now_ms, &when));
	TRY(addr_coarse(c, &place));
	TRY(site_login_url(c, &login));
	add(m, STR("siteName"), c->cfg->ui.site_name);
	add(m, STR("email"), email);
	add(m, STR("when"), when);
	add(m, STR("device"), device.n == 0 ? STR("?") : device);
	add(m, STR("place"), place);
	add(m, STR("loginUrl"), login);
	return OK;
}

err_t message_mail(struct ctx *c, const struct message *m)
{
	struct outbox_message out = {
		.channel = OUTBOX_MAIL, .template = m->template, .lang = m->lang, .user_id = m->user_id,
		.expires_ms = m->expires_ms,
	};

	if (!mail_is_on(c->cfg) || m->to.n == 0) /* guests have no address */
		return OK;
	TRY(email_envelope(c->mem, m->to, &out.recipient));
	TRY(add_common(c, m->email.p == NULL ? m->to : m->email, &out));
	for (size_t i = 0; i < m->n_vars; i++)
		add(&out, m->vars[i].name, m->vars[i].value);
	return outbox_add(c, &out);
}

err_t message_to_user(struct ctx *c, const struct user_row *user, str template,
		      const struct template_var *vars, size_t n)
{
	struct message m = { .template = template, .to = user->email, .lang = user->lang, .user_id = user->id };

	REQUIRE(n <= MESSAGE_VARS_MAX, ERR_BUG);
	for (size_t i = 0; i < n; i++)
		m.vars[m.n_vars++] = vars[i];
	return message_mail(c, &m);
}

err_t message_link(struct ctx *c, const struct user_row *user, const struct message_link *l)
{
	const struct onetime_new n = {
		.purpose = (enum onetime_purpose)l->purpose, .user_id = user->id,
		.address = l->restores.p == NULL ? l->to : l->restores, .sid = l->sid, .reserves = l->reserves,
	};
	struct message m = {
		.template = l->template, .to = l->to, .email = user->email, .user_id = user->id,
		.lang = l->lang.p == NULL ? user->lang : l->lang,
		.expires_ms = c->now_ms + onetime_ttl_ms(c->cfg, n.purpose),
	};
	str token, link, due;

	if (!mail_is_on(c->cfg))
		return OK;
	TRY(onetime_make(c, &n, &token));
	TRY(site_link(c, l->path, token, &link));
	m.vars[m.n_vars++] = (struct template_var){ STR("link"), link };
	m.vars[m.n_vars++] = (struct template_var){ STR("token"), token };
	if (l->code.p != NULL)
		m.vars[m.n_vars++] = (struct template_var){ STR("code"), l->code };
	/* The address that will be the account's: where the token changes it. */
	if (n.purpose == ONETIME_EMAIL_CHANGE)
		m.vars[m.n_vars++] = (struct template_var){ STR("newEmail"), l->to };
	if (n.purpose == ONETIME_LINK)
		m.email = l->about.p != NULL ? l->about : l->to; /* what is to be linked */
	if (n.purpose == ONETIME_EMAIL_REVERT)
		m.vars[m.n_vars++] = (struct template_var){ STR("newEmail"), user->email };
	if (n.purpose == ONETIME_FACTOR_RESET) {
		TRY(message_time(c, m.expires_ms, &due)); /* it can be called off until it takes place */
		m.vars[m.n_vars++] = (struct template_var){ STR("due"), due };
	}
	return message_mail(c, &m);
}

err_t message_code(struct ctx *c, const struct user_row *user, str number, str code, int64_t expires_ms)
{
	struct outbox_message m = {
		.channel = OUTBOX_SMS, .template = STR("sms-code"), .lang = user->lang, .recipient = number,
		.user_id = user->id, .expires_ms = expires_ms,
	};

	add(&m, STR("siteName"), c->cfg->ui.site_name);
	add(&m, STR("code"), code);
	return outbox_add(c, &m);
}

err_t message_text(struct ctx *c, const struct user_row *user, str number, str template, const struct template_var *var)
{
	struct outbox_message m = {
		.channel = OUTBOX_SMS, .template = template, .lang = user->lang, .recipient = number, .user_id = user->id,
	};

	add(&m, STR("siteName"), c->cfg->ui.site_name);
	add(&m, var->name, var->value);
	return outbox_add(c, &m);
}
