#include "egress/smtp_reply.h"

#include "egress/detail.h"

#define CODE_CLOSING	  421
#define CODE_AUTH_GO_ON	  334
#define CODE_AUTH_TEMPORARY 454 /* also: throttled */
#define CODE_AUTH_MISSING 530
#define CODE_AUTH_FAILED  535
#define CODE_DATA_GO_ON	  354

static const struct {
	str command;
	enum smtp_step step;
} commands[] = {
	{ STR_INIT("EHLO"), SMTP_EHLO },	 { STR_INIT("HELO"), SMTP_EHLO },
	{ STR_INIT("STARTTLS"), SMTP_STARTTLS }, { STR_INIT("AUTH"), SMTP_AUTH },
	{ STR_INIT("MAIL"), SMTP_MAIL },	 { STR_INIT("RCPT"), SMTP_RCPT },
	{ STR_INIT("DATA"), SMTP_DATA },
};

static str step_name(enum smtp_step step)
{
	switch (step) {
	case SMTP_UNSET:
	case SMTP_CONNECT: return STR("connect");
	case SMTP_EHLO: return STR("EHLO");
	case SMTP_STARTTLS: return STR("STARTTLS");
	case SMTP_AUTH: return STR("AUTH");
	case SMTP_MAIL: return STR("MAIL");
	case SMTP_RCPT: return STR("RCPT");
	case SMTP_DATA: return STR("DATA");
	case SMTP_END_OF_DATA: return STR("end of data");
	}
	return STR("connect");
}

void smtp_dialogue_begin(struct smtp_dialogue *d)
{
	*d = (struct smtp_dialogue){ .step = SMTP_CONNECT };
}

static void at_step(struct smtp_dialogue *d, enum smtp_step step)
{
	*d = (struct smtp_dialogue){ .step = step };
}

void smtp_dialogue_sent(struct smtp_dialogue *d, str line)
{
	str verb;

	while (line.n > 0 && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
		line.n--;
	(void)str_cut(line, ' ', &verb, &line);
	/* After 334 a line is an answer to AUTH, whatever it looks like. */
	if (d->step == SMTP_AUTH && d->code == CODE_AUTH_GO_ON) {
		at_step(d, SMTP_AUTH);
		return;
	}
	if (str_eq(verb, STR("QUIT"))) {
		d->parting = true;
		return;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (str_eq(verb, commands[i].command))
			at_step(d, commands[i].step);
	}
}

/* ---- replies ---- */

static int code_of(str line)
{
	int code = 0;

	if (line.n < 3 || (line.n > 3 && line.p[3] != ' ' && line.p[3] != '-'))
		return 0;
	for (size_t i = 0; i < 3; i++) {
		if (line.p[i] < '0' || line.p[i] > '9')
			return 0;
		code = code * 10 + line.p[i] - '0';
	}
	return code >= 200 && code <= 599 ? code : 0;
}

/* "5.1.1" at the start of the text (RFC 3463), or nothing. */
static str enhanced_code(str text)
{
	str word, rest;
	size_t dots = 0;

	(void)str_cut(text, ' ', &word, &rest);
	for (size_t i = 0; i < word.n; i++) {
		if (word.p[i] != '.' && (word.p[i] < '0' || word.p[i] > '9'))
			return STR("");
		dots += word.p[i] == '.';
	}
	return dots == 2 && word.n <= 9 ? word : STR("");
}

/* Each line of a reply repeats the enhanced code: once is enough. */
static void add_text(struct smtp_dialogue *d, str text)
{
	struct buf b = { .p = d->text, .n = d->text_n, .cap = sizeof(d->text) };
	str code = enhanced_code(text);

	if (d->step == SMTP_AUTH)
		text = code;
	if (b.n > 0 && code.n > 0 && str_eq(code, enhanced_code(buf_view(&b))))
		text = str_trim(str_skip(text, code.n));
	if (b.n > 0 && text.n > 0)
		detail_append(&b, STR(" "));
	detail_append(&b, text);
	d->text_n = b.n;
}

static void take_line(struct smtp_dialogue *d, int code, bool more, str text)
{
	if (code != d->open_code)
		d->text_n = 0;
	add_text(d, text);
	d->open_code = more ? code : 0;
	d->code = more ? 0 : code;
	/* There is no command between DATA and the message. */
	if (d->step == SMTP_DATA && d->code == CODE_DATA_GO_ON)
		at_step(d, SMTP_END_OF_DATA);
}

void smtp_dialogue_heard(struct smtp_dialogue *d, str line)
{
	int code;

	while (line.n > 0 && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
		line.n--;
	code = code_of(line);
	if (code == 0 || d->parting)
		return;
	take_line(d, code, line.n > 3 && line.p[3] == '-', str_trim(str_skip(line, 4)));
}

/* ---- the verdict ---- */

/* RFC 3463 and its registry: whom a refusal for good is about. What is about us every mail would hear, so it ends none. The
 * first row that fits. */
#define ANY 999
static const struct {
	int subject, first, last;
	enum delivery_verdict verdict;
} meanings[] = {
	{ 1, 7, 8, DELIVERY_DOWN },	 /* the sender's address or system */
	{ 1, 0, ANY, DELIVERY_REFUSED }, /* the recipient's address */
	{ 2, 252, 252, DELIVERY_DOWN },	 /* may not send as this sender */
	{ 2, 0, ANY, DELIVERY_REFUSED }, /* the recipient's mailbox */
	{ 3, 4, 4, DELIVERY_REFUSED },	 /* too big a message */
	{ 4, 5, 5, DELIVERY_DOWN },	 /* congestion: a limit of the sender's */
	{ 6, 0, ANY, DELIVERY_REFUSED }, /* the content */
	{ 7, 0, ANY, DELIVERY_DOWN },	 /* policy: relaying, authentication, reputation, quotas */
};

/* The numbers of "5.4.5" at the start of the text. */
static bool enhanced_parts(const struct smtp_dialogue *d, int ret[3])
{
	str code = enhanced_code((str){ d->text, d->text_n }), part;

	for (size_t i = 0; i < 3; i++) {
		uint64_t v;

		(void)str_cut(code, '.', &part, &code);
		if (!str_to_u64(part, ANY, &v))
			return false;
		ret[i] = (int)v;
	}
	return true;
}

static enum delivery_verdict verdict_of_refusal(const struct smtp_dialogue *d)
{
	int code[3];

	if (!enhanced_parts(d, code) || code[0] != 5)
		return DELIVERY_REFUSED;
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (code[1] == meanings[i].subject && code[2] >= meanings[i].first && code[2] <= meanings[i].last)
			return meanings[i].verdict;
	}
	return DELIVERY_LATER;
}

static enum delivery_verdict verdict_of_code(const struct smtp_dialogue *d)
{
	if (d->step == SMTP_END_OF_DATA && d->code < 300)
		return DELIVERY_SENT;
	if (d->step < SMTP_RCPT || d->code < 400 || d->code == CODE_CLOSING || d->code == CODE_AUTH_TEMPORARY ||
	    d->code == CODE_AUTH_MISSING || d->code == CODE_AUTH_FAILED)
		return DELIVERY_DOWN;
	return d->code >= 500 ? verdict_of_refusal(d) : DELIVERY_LATER;
}

/* "550 5.1.1 no such user" */
static void say_reply(const struct smtp_dialogue *d, struct delivery *ret)
{
	enum delivery_verdict verdict = verdict_of_code(d);
	char reply[SMTP_TEXT_MAX + 8];
	struct buf b = BUF_OF(reply);

	buf_i64(&b, d->code);
	if (d->text_n > 0)
		buf_byte(&b, ' ');
	buf_str(&b, (str){ d->text, d->text_n });
	detail_say(ret, verdict, verdict == DELIVERY_SENT ? STR_NONE : step_name(d->step),
		   buf_view(&b));
}

static bool is_about_tls(CURLcode end)
{
	return end == CURLE_PEER_FAILED_VERIFICATION || end == CURLE_SSL_CONNECT_ERROR ||
	       end == CURLE_USE_SSL_FAILED || end == CURLE_SSL_CACERT_BADFILE ||
	       end == CURLE_SSL_CERTPROBLEM || end == CURLE_SSL_CIPHER;
}

static void say_silence(const struct smtp_dialogue *d, CURLcode end, str problem,
			struct delivery *ret)
{
	char after[32];
	struct buf b = BUF_OF(after);

	if (end == CURLE_OPERATION_TIMEDOUT) {
		buf_lit(&b, "timeout after ");
		buf_str(&b, step_name(d->step));
		detail_say(ret, DELIVERY_DOWN, STR_NONE, buf_view(&b));
		return;
	}
	if (end == CURLE_ABORTED_BY_CALLBACK)
		problem = STR("stopped");
	else if (problem.n == 0)
		problem = str_of_cstr(curl_easy_strerror(end));
	detail_say(ret, DELIVERY_DOWN, is_about_tls(end) ? STR("TLS") : step_name(d->step),
		   problem);
}

void smtp_dialogue_verdict(const struct smtp_dialogue *d, CURLcode end, str problem,
			   struct delivery *ret)
{
	/* A last word that promised more, or none: how the transfer ended says it. */
	if (d->code >= 400 || (d->step == SMTP_END_OF_DATA && d->code != 0) ||
	    (d->step == SMTP_DATA && d->code != 0))
		say_reply(d, ret);
	else
		say_silence(d, end, problem, ret);
}
