/* What became of a mail, read from dialogues as servers lead them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include <string.h>

#include "egress/ehlo.h"
#include "egress/smtp_reply.h"

static json_t *table; /* test/data/smtp_replies.json */

#define GREETING                                                                                   \
	"S:220 mx.example.test ESMTP", "C:EHLO me", "S:250-mx.example.test",                       \
		"S:250 AUTH PLAIN LOGIN"
#define TO_MAIL GREETING, "C:MAIL FROM:<a@b>", "S:250 2.1.0 OK"
#define TO_RCPT TO_MAIL, "C:RCPT TO:<c@d>", "S:250 2.1.5 OK"
#define TO_DATA TO_RCPT, "C:DATA", "S:354 go on"

/* lines: "C:…" sent, "S:…" heard. */
static struct delivery led(CURLcode end, const char *problem, const char *const *lines)
{
	struct smtp_dialogue d;
	struct delivery got = { 0 };

	smtp_dialogue_begin(&d);
	for (; *lines != NULL; lines++) {
		char line[2048];
		int n = snprintf(line, sizeof(line), "%s\r\n", *lines + 2);

		if (**lines == 'C')
			smtp_dialogue_sent(&d, (str){ line, (size_t)n });
		else
			smtp_dialogue_heard(&d, (str){ line, (size_t)n });
	}
	smtp_dialogue_verdict(&d, end, str_of_cstr(problem), &got);
	return got;
}

static void assert_delivery(struct delivery got, enum delivery_verdict verdict, const char *detail)
{
	assert_string_equal(got.detail, detail);
	assert_int_equal(got.verdict, verdict);
}
#define ASSERT_LED(verdict, detail, end, problem, ...)                                             \
	assert_delivery(led((end), (problem), (const char *const[]){ __VA_ARGS__, NULL }),         \
			(verdict), (detail))

static void a_mail_taken_over_is_sent(void **state)
{
	(void)state;
	ASSERT_LED(DELIVERY_SENT, "250 2.0.0 OK queued as 7", CURLE_OK, "", TO_DATA,
		   "S:250 2.0.0 OK queued as 7");
	/* other goods words, and trouble only after them */
	ASSERT_LED(DELIVERY_SENT, "251 forwarded", CURLE_WEIRD_SERVER_REPLY, "", TO_DATA,
		   "S:251 forwarded");
	ASSERT_LED(DELIVERY_SENT, "250", CURLE_OPERATION_TIMEDOUT, "", TO_DATA, "S:250", "C:QUIT",
		   "S:500 what");
	/* on the connection of the mail before */
	ASSERT_LED(DELIVERY_SENT, "250 OK", CURLE_OK, "", "C:MAIL FROM:<a@b>", "S:250 OK",
		   "C:RCPT TO:<c@d>", "S:250 OK", "C:DATA", "S:354 go on", "S:250 OK");
}

static void a_refusal_of_this_recipient_or_message_is_final(void **state)
{
	(void)state;
	ASSERT_LED(DELIVERY_REFUSED, "RCPT: 550 5.1.1 no such user", CURLE_SEND_ERROR,
		   "RCPT failed: 550", TO_MAIL, "C:RCPT TO:<c@d>", "S:550 5.1.1 no such user",
		   "C:QUIT", "S:221 bye");
	ASSERT_LED(DELIVERY_REFUSED, "DATA: 554 no", CURLE_SEND_ERROR, "", TO_RCPT, "C:DATA",
		   "S:554 no");
	ASSERT_LED(DELIVERY_REFUSED, "end of data: 552 5.3.4 too big", CURLE_WEIRD_SERVER_REPLY, "",
		   TO_DATA, "S:552 5.3.4 too big");
}

static void a_refusal_for_now_is_tried_later(void **state)
{
	(void)state;
	ASSERT_LED(DELIVERY_LATER, "RCPT: 450 4.2.0 greylisted", CURLE_SEND_ERROR, "", TO_MAIL,
		   "C:RCPT TO:<c@d>", "S:450 4.2.0 greylisted");
	ASSERT_LED(DELIVERY_LATER, "end of data: 451 later", CURLE_WEIRD_SERVER_REPLY, "", TO_DATA,
		   "S:451 later");
}

static void a_server_that_closes_or_wants_a_sign_in_is_down_at_any_step(void **state)
{
	(void)state;
	ASSERT_LED(DELIVERY_DOWN, "RCPT: 421 4.3.2 closing", CURLE_SEND_ERROR, "", TO_MAIL,
		   "C:RCPT TO:<c@d>", "S:421 4.3.2 closing");
	ASSERT_LED(DELIVERY_DOWN, "end of data: 421 closing", CURLE_WEIRD_SERVER_REPLY, "", TO_DATA,
		   "S:421 closing");
	ASSERT_LED(DELIVERY_DOWN, "RCPT: 530 5.7.0 authenticate first", CURLE_SEND_ERROR, "",
		   TO_MAIL, "C:RCPT TO:<c@d>", "S:530 5.7.0 authenticate first");
}

static void a_refusal_before_the_recipient_is_about_us(void **state)
{
	(void)state;
	ASSERT_LED(DELIVERY_DOWN, "connect: 554 not you", CURLE_WEIRD_SERVER_REPLY, "",
		   "S:554 not you");
	ASSERT_LED(DELIVERY_DOWN, "EHLO: 550 bad name", CURLE_REMOTE_ACCESS_DENIED, "", "S:220 hi",
		   "C:EHLO me", "S:502 what", "C:HELO me", "S:550 bad name");
	ASSERT_LED(DELIVERY_DOWN, "STARTTLS: 454 4.7.0 no keys", CURLE_USE_SSL_FAILED, "", GREETING,
		   "C:STARTTLS", "S:454 4.7.0 no keys");
	ASSERT_LED(DELIVERY_DOWN, "MAIL: 550 5.7.1 sender refused", CURLE_SEND_ERROR, "", GREETING,
		   "C:MAIL FROM:<a@b>", "S:550 5.7.1 sender refused");
}

static void silence_says_where_it_began(void **state)
{
	(void)state;
	ASSERT_LED(DELIVERY_DOWN, "connect: Connection refused", CURLE_COULDNT_CONNECT,
		   "Connection refused", "C:");
	ASSERT_LED(DELIVERY_DOWN, "timeout after connect", CURLE_OPERATION_TIMEDOUT, "x", "C:");
	ASSERT_LED(DELIVERY_DOWN, "timeout after MAIL", CURLE_OPERATION_TIMEDOUT, "x", GREETING,
		   "C:MAIL FROM:<a@b>");
	ASSERT_LED(DELIVERY_DOWN, "timeout after RCPT", CURLE_OPERATION_TIMEDOUT, "x", TO_MAIL,
		   "C:RCPT TO:<c@d>", "S:550-half a refusal");
	ASSERT_LED(DELIVERY_DOWN, "end of data: reset", CURLE_RECV_ERROR, "reset", TO_DATA);
	ASSERT_LED(DELIVERY_DOWN, "end of data: stopped", CURLE_ABORTED_BY_CALLBACK,
		   "Callback aborted", TO_DATA);
	ASSERT_LED(DELIVERY_DOWN, "TLS: self-signed certificate", CURLE_PEER_FAILED_VERIFICATION,
		   "self-signed certificate", GREETING, "C:STARTTLS", "S:220 go");
	ASSERT_LED(DELIVERY_DOWN, "TLS: STARTTLS not supported.", CURLE_USE_SSL_FAILED,
		   "STARTTLS not supported.", GREETING);
	ASSERT_LED(DELIVERY_DOWN, "DATA: 250 not 354", CURLE_SEND_ERROR, "", TO_RCPT, "C:DATA",
		   "S:250 not 354");
	/* never SENT without the last word, whatever the library thinks */
	ASSERT_LED(DELIVERY_DOWN, "RCPT: No error", CURLE_OK, "", TO_RCPT);
}

static void no_password_shows_whatever_a_server_repeats(void **state)
{
	(void)state;
	ASSERT_LED(DELIVERY_DOWN, "AUTH: 535 5.7.8", CURLE_LOGIN_DENIED, "", GREETING,
		   "C:AUTH PLAIN AHUAc2VjcmV0", "S:535 5.7.8 no such AHUAc2VjcmV0");
	ASSERT_LED(DELIVERY_DOWN, "AUTH: 535", CURLE_LOGIN_DENIED, "", GREETING, "C:AUTH LOGIN",
		   "S:334 VXNlcm5hbWU6", "C:dQ==", "S:334 UGFzc3dvcmQ6", "C:DATA", "S:535-c2VjcmV0",
		   "S:535 c2VjcmV0");
	/* a password whose encoding looks like a command is none */
	ASSERT_LED(DELIVERY_DOWN, "timeout after AUTH", CURLE_OPERATION_TIMEDOUT, "", GREETING,
		   "C:AUTH LOGIN", "S:334 VXNlcm5hbWU6", "C:dQ==", "S:334 UGFzc3dvcmQ6", "C:DATA");
}

static void the_lines_of_a_reply_become_one(void **state)
{
	struct delivery got;

	(void)state;
	ASSERT_LED(DELIVERY_REFUSED, "RCPT: 550 5.1.1 The account does not exist.",
		   CURLE_SEND_ERROR, "", TO_MAIL, "C:RCPT TO:<c@d>", "S:550-5.1.1 The account",
		   "S:550-5.1.1 does not", "S:550-5.1.1", "S:550 5.1.1 exist.");
	got = led(CURLE_SEND_ERROR, "",
		  (const char *const[]){ TO_MAIL, "C:RCPT TO:<c@d>",
					 "S:550 a\tb\x1B[2J\xFF\xE2\x80\xAE!", NULL });
	assert_delivery(got, DELIVERY_REFUSED, "RCPT: 550 a b [2J?\?!");
}

static void a_long_reply_is_cut_between_characters(void **state)
{
	char line[1200] = "S:550 ";
	struct delivery got;

	(void)state;
	for (size_t at = 6; at + 2 < sizeof(line); at += 2)
		memcpy(line + at, "\xC3\xA9", 3);
	got = led(CURLE_SEND_ERROR, "",
		  (const char *const[]){ TO_MAIL, "C:RCPT TO:<c@d>", line, NULL });
	assert_int_equal(got.verdict, DELIVERY_REFUSED);
	assert_int_equal(strlen(got.detail), strlen("RCPT: 550 ") + SMTP_TEXT_MAX);
}

static void goodbyes_of_an_older_connection_do_not_count(void **state)
{
	(void)state;
	ASSERT_LED(DELIVERY_SENT, "250 OK", CURLE_OK, "", "C:QUIT", "S:421 too late", TO_DATA,
		   "S:250 OK");
}

static const char *member(const json_t *row, const char *name)
{
	const char *text = json_string_value(json_object_get(row, name));

	return text == NULL ? "" : text;
}

static enum delivery_verdict verdict_named(const char *name)
{
	return strcmp(name, "refused") == 0 ? DELIVERY_REFUSED : strcmp(name, "later") == 0 ? DELIVERY_LATER : DELIVERY_DOWN;
}

static void what_is_about_the_sender_ends_no_mail(void **state)
{
	const json_t *rows = json_object_get(table, "replies");

	(void)state;
	assert_true(json_array_size(rows) >= 30);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		bool at_rcpt = strcmp(member(row, "step"), "RCPT") == 0, at_data = strcmp(member(row, "step"), "DATA") == 0;
		char heard[256];
		const char *const rcpt[] = { TO_MAIL, "C:RCPT TO:<c@d>", heard, NULL };
		const char *const data[] = { TO_RCPT, "C:DATA", heard, NULL };
		const char *const end[] = { TO_DATA, heard, NULL };
		struct delivery got;

		(void)snprintf(heard, sizeof(heard), "S:%s", member(row, "reply"));
		got = led(CURLE_SEND_ERROR, "", at_rcpt ? rcpt : at_data ? data : end);
		if (got.verdict != verdict_named(member(row, "verdict")))
			fail_msg("%s: %d", heard, (int)got.verdict);
	}
}

static void the_name_at_ehlo_is_a_full_one_or_a_literal(void **state)
{
	const json_t *rows = json_object_get(table, "ehlo");

	(void)state;
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		struct config cfg = { 0 };
		struct arena mem;
		str got;

		cfg.server.public_url = str_of_cstr(member(row, "public_url"));
		cfg.mail.from = str_of_cstr(member(row, "from"));
		cfg.mail.ehlo_name = str_of_cstr(member(row, "ehlo_name"));
		assert_int_equal(arena_init(&mem, 4096).code, ERR_OK);
		assert_int_equal(ehlo_name(&cfg, &mem, &got).code, ERR_OK);
		if (!str_eq(got, str_of_cstr(member(row, "ehlo"))))
			fail_msg("%s: %.*s", member(row, "public_url"), STR_ARG(got));
		arena_clear(&mem);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mail_taken_over_is_sent),
		cmocka_unit_test(a_refusal_of_this_recipient_or_message_is_final),
		cmocka_unit_test(a_refusal_for_now_is_tried_later),
		cmocka_unit_test(a_server_that_closes_or_wants_a_sign_in_is_down_at_any_step),
		cmocka_unit_test(a_refusal_before_the_recipient_is_about_us),
		cmocka_unit_test(silence_says_where_it_began),
		cmocka_unit_test(no_password_shows_whatever_a_server_repeats),
		cmocka_unit_test(the_lines_of_a_reply_become_one),
		cmocka_unit_test(a_long_reply_is_cut_between_characters),
		cmocka_unit_test(goodbyes_of_an_older_connection_do_not_count),
		cmocka_unit_test(what_is_about_the_sender_ends_no_mail),
		cmocka_unit_test(the_name_at_ehlo_is_a_full_one_or_a_literal),
	};
	int failed;

	table = argc == 2 ? json_load_file(argv[1], 0, NULL) : NULL;
	if (table == NULL) {
		(void)fprintf(stderr, "usage: test_smtp_reply smtp_replies.json\n");
		return 2;
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	json_decref(table);
	return failed;
}
