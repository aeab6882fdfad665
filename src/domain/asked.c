#include "domain/asked.h"

#include "domain/device.h"
#include "domain/phone_number.h"

err_t asker_is_known(struct ctx *c, const struct asker *a, const struct user_row *user, bool *ret)
{
	str id = STR_NONE;

	*ret = user->id != 0 && a->user_id == user->id;
	if (user->id == 0 || *ret)
		return OK;
	TRY(device_read(c, DEVICE_KNOWN, user->uid, user->device_epoch, a->device, &id));
	*ret = id.p != NULL;
	return OK;
}

err_t asked_in_vain(struct ctx *c, enum attempt_scope scope, const struct asker *a, const struct user_row *user,
		    bool *ret)
{
	bool known;

	TRY(attempt_is_shut(c, scope, ret));
	if (!*ret)
		return OK;
	TRY(asker_is_known(c, a, user, &known));
	*ret = !known;
	return OK;
}

struct use {
	enum attempt_scope scope;
	str subject; /* STR_NONE: the asking network, which those who are known do not pay for */
};

/* One of each, in order, until one is used up: the asking network pays first, so that a network at its
 * end uses up no budget of those it asks for. */
static err_t take_all(struct ctx *c, const struct use *uses, size_t n, bool known, struct leave *ret)
{
	*ret = (struct leave){ .given = true, .tell = true };
	for (size_t i = 0; i < n && ret->given; i++) {
		if (!known || uses[i].subject.p != NULL)
			TRY(attempt_budget(c, uses[i].scope, uses[i].subject, ret));
	}
	return OK;
}

static err_t subject_of(struct ctx *c, str what, str recipient, bool known, str *ret)
{
	return arena_printf(c->mem, ret, "%.*s%s %.*s", STR_ARG(what), known ? "!" : "", STR_ARG(recipient));
}

err_t asked_mail(struct ctx *c, str what, str recipient, bool known, struct leave *ret)
{
	str subject, anybody;

	TRY(subject_of(c, what, recipient, known, &subject));
	/* Whoever asked: a second link within the minute would end the first, which is on its way. */
	TRY(subject_of(c, what, recipient, false, &anybody));
	return take_all(c,
			(const struct use[]){ { ATTEMPT_MAIL_NETWORK, STR_NONE },
					      { ATTEMPT_RESEND, anybody },
					      { ATTEMPT_MAIL_10MIN, subject },
					      { ATTEMPT_MAIL_DAY, subject } },
			4, known, ret);
}

err_t asked_sms(struct ctx *c, str what, str number, bool known, struct leave *ret)
{
	str subject;

	TRY(subject_of(c, what, number, known, &subject));
	return take_all(c,
			(const struct use[]){ { ATTEMPT_SMS_NETWORK, STR_NONE },
					      { ATTEMPT_RESEND, subject },
					      { ATTEMPT_SMS_HOUR, subject },
					      { ATTEMPT_SMS_DAY, subject },
					      { ATTEMPT_SMS_RANGE, phone_range(number) },
					      { ATTEMPT_SMS_TOTAL, STR("") } },
			6, known, ret);
}

err_t asked_nobody(struct ctx *c, str what, str who, struct leave *ret)
{
	str subject;

	TRY(subject_of(c, what, who, false, &subject));
	return take_all(c,
			(const struct use[]){ { ATTEMPT_SMS_NETWORK, STR_NONE }, { ATTEMPT_RESEND, subject } }, 2,
			false, ret);
}
