/* Messages as they leave: lines, encodings, and that nothing from outside becomes structure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "egress/mime.h"

static struct arena mem;

static const struct mail plain_mail = {
	.to = STR_INIT("ada@example.test"),
	.subject = STR_INIT("Hello"),
	.text = STR_INIT("One line.\n"),
	.message_id = STR_INIT("0123456789abcdef@sallyport.test"),
	.date_ms = 1795528522000,
};

static const char *built(const struct mail *m, str name)
{
	static char *text; /* static: gcc takes what is found in it for a pointer to a local */
	str message = STR_NONE;

	text = NULL;
	arena_reset(&mem);
	assert_int_equal(mime_build(m, STR("no-reply@sallyport.test"), name, &mem, &message).code,
			 ERR_OK);
	assert_int_equal(str_to_cstr(&mem, message, &text).code, ERR_OK);
	return text;
}

static const char *built_subject(str subject)
{
	struct mail m = plain_mail;

	m.subject = subject;
	return built(&m, STR("Site"));
}

static const char *body_of(const char *message)
{
	const char *body = strstr(message, "\r\n\r\n");

	assert_non_null(body);
	return body + 4;
}

static const char *built_text(str text)
{
	struct mail m = plain_mail;

	m.text = text;
	return body_of(built(&m, STR("Site")));
}

static void assert_has(const char *message, const char *part)
{
	assert_non_null(part);
	if (strstr(message, part) == NULL)
		fail_msg("%s\nis not in\n%s", part, message);
}

static size_t count_of(const char *message, const char *part)
{
	size_t n = 0;

	while ((message = strstr(message, part)) != NULL) {
		message += strlen(part);
		n++;
	}
	return n;
}

/* Every line ends in CRLF, is short, and holds printable ASCII. */
static void assert_lines(const char *message)
{
	while (*message != '\0') {
		const char *end = strstr(message, "\r\n");

		assert_non_null(end);
		assert_true(end - message <= 76);
		for (; message < end; message++)
			assert_true(*message == '\t' || (*message >= ' ' && *message <= '~'));
		message = end + 2;
	}
}

static int hex_digit(char c)
{
	return c <= '9' ? c - '0' : c - 'A' + 10;
}

/* A reading of quoted-printable of its own; CRLF comes back as LF. */
static size_t unquoted(const char *text, char *to)
{
	size_t n = 0;

	while (*text != '\0') {
		if (*text == '=' && text[1] == '\r')
			text += 3;
		else if (*text == '=') {
			to[n++] = (char)(hex_digit(text[1]) << 4 | hex_digit(text[2]));
			text += 3;
		} else if (*text == '\r')
			text++;
		else
			to[n++] = *text++;
	}
	return n;
}

/* The encoded words of a header, decoded; each must be whole characters and at most 75 bytes. */
static void assert_words(const char *message, const char *header, str want)
{
	const char *at = strstr(message, header);
	char got[4096];
	size_t n = 0;

	assert_non_null(at);
	at += strlen(header);
	while (strncmp(at, "=?UTF-8?Q?", 10) == 0) {
		const char *end = strstr(at + 10, "?=");
		size_t start = n;

		assert_non_null(end);
		assert_true(end + 2 - at <= 75);
		for (at += 10; at < end; at++) {
			if (*at == '=') {
				got[n++] = (char)(hex_digit(at[1]) << 4 | hex_digit(at[2]));
				at += 2;
			} else {
				got[n++] = *at == '_' ? ' ' : *at;
			}
		}
		assert_true(utf8_is_valid((str){ got + start, n - start }));
		at = strncmp(end + 2, "\r\n ", 3) == 0 ? end + 5 : end + 2;
	}
	assert_int_equal(n, want.n);
	assert_memory_equal(got, want.p, n);
}

static void a_plain_mail_is_these_very_lines(void **state)
{
	(void)state;
	assert_string_equal(built(&plain_mail, STR("Site")),
			    "From: \"Site\"\r\n <no-reply@sallyport.test>\r\n"
			    "To: <ada@example.test>\r\n"
			    "Subject: Hello\r\n"
			    "Date: Tue, 24 Nov 2026 13:55:22 +0000\r\n"
			    "Message-ID: <0123456789abcdef@sallyport.test>\r\n"
			    "MIME-Version: 1.0\r\n"
			    "Auto-Submitted: auto-generated\r\n"
			    "Content-Type: text/plain; charset=utf-8\r\n"
			    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
			    "One line.\r\n");
}

static void a_mail_with_html_has_two_parts_of_the_same_encoding(void **state)
{
	struct mail m = plain_mail;
	const char *message;

	(void)state;
	m.html = STR("<p>\xC3\xA9</p>");
	message = built(&m, STR("Site"));
	assert_lines(message);
	assert_has(message, "Content-Type: multipart/alternative;\r\n "
			    "boundary=\"=_0123456789abcdefsallyporttest\"");
	assert_has(message, "\r\n\r\n--=_0123456789abcdefsallyporttest\r\nContent-Type: "
			    "text/plain; charset=utf-8");
	assert_has(message, "One line.\r\n--=_0123456789abcdefsallyporttest\r\nContent-Type: "
			    "text/html; charset=utf-8");
	assert_has(message, "<p>=C3=A9</p>\r\n--=_0123456789abcdefsallyporttest--\r\n");
}

static void the_same_mail_gives_the_same_bytes(void **state)
{
	struct mail m = plain_mail;
	char *first;

	(void)state;
	m.html = STR("<p>x</p>");
	first = strdup(built(&m, STR("Site")));
	assert_non_null(first);
	assert_string_equal(first, built(&m, STR("Site")));
	free(first);
}

static void a_body_of_any_bytes_comes_back_as_it_was(void **state)
{
	char text[6000], back[6000];
	uint32_t seed = 1;
	size_t n;

	(void)state;
	for (int round = 0; round < 200; round++) {
		for (n = 0; n < (size_t)round * 20; n++) {
			seed = seed * 1664525 + 1013904223;
			/* every other round mostly text, so that lines grow long */
			text[n] = (char)(round % 2 == 0 ? seed >> 24 : 'a' + (seed >> 28));
			if (text[n] == '\r')
				text[n] = ' ';
		}
		text[n++] = '\n';
		assert_lines(built_text((str){ text, n }));
		assert_int_equal(unquoted(built_text((str){ text, n }), back), n);
		assert_memory_equal(back, text, n);
	}
}

static void quoted_printable_has_these_edges(void **state)
{
	char long_line[160];

	(void)state;
	assert_string_equal(built_text(STR("a b \nc\t\r\nd ")), "a b=20\r\nc=09\r\nd=20\r\n");
	assert_string_equal(built_text(STR("1=2\r3")), "1=3D2=0D3\r\n");
	assert_string_equal(built_text(STR("\n\n")), "\r\n\r\n");
	assert_string_equal(built_text(STR(".\n..\nx.")), "=2E\r\n=2E.\r\nx.\r\n");
	assert_string_equal(built_text(STR("")), "");
	memset(long_line, 'x', sizeof(long_line));
	long_line[75] = '.'; /* where the second line begins */
	assert_lines(built_text((str){ long_line, sizeof(long_line) }));
	assert_has(built_text((str){ long_line, sizeof(long_line) }), "xx=\r\n=2Ex");
	long_line[74] = ' '; /* before a soft break a blank is safe */
	assert_has(built_text((str){ long_line, sizeof(long_line) }), "x =\r\n");
}

static void EL18_a_body_cannot_end_the_message_or_its_part(void **state)
{
	struct mail m = plain_mail;
	const char *message;

	(void)state;
	m.text = STR("a\r\n.\r\nMAIL FROM:<x@y>\r\n\n.\n--=_0123456789abcdefsallyporttest--\r\n");
	m.html = m.text;
	message = built(&m, STR("Site"));
	assert_null(strstr(message, "\n."));
	assert_int_equal(count_of(message, "--=_0123456789abcdefsallyporttest--"), 1);
}

static void a_subject_is_plain_while_it_can_be(void **state)
{
	(void)state;
	assert_has(built_subject(STR("  Reset your password ")),
		   "\r\nSubject: Reset your password\r\n");
	assert_words(built_subject(STR("Il tuo account \xC3\xA8 stato creato")),
		     "Subject: ", STR("Il tuo account \xC3\xA8 stato creato"));
	/* what would be decoded although nobody encoded it */
	assert_words(built_subject(STR("=?UTF-8?Q?x?=")), "Subject: ", STR("=?UTF-8?Q?x?="));
}

static void a_long_subject_is_folded_without_cutting_a_character(void **state)
{
	char text[600];
	size_t n = 0;

	(void)state;
	for (size_t lead = 0; lead < 4; lead++) {
		n = lead;
		memset(text, 'a', lead);
		for (int i = 0; i < 60; i++) {
			memcpy(text + n, i % 2 == 0 ? "\xF0\x9F\x94\x91" : "\xE9\x8D\xB5", 4);
			n += i % 2 == 0 ? 4 : 3;
		}
		assert_lines(built_subject((str){ text, n }));
		assert_words(built_subject((str){ text, n }), "Subject: ", (str){ text, n });
	}
	memset(text, 'b', sizeof(text));
	assert_lines(built_subject((str){ text, sizeof(text) }));
	assert_words(built_subject((str){ text, sizeof(text) }),
		     "Subject: ", (str){ text, sizeof(text) });
}

static void a_display_name_is_quoted_or_encoded(void **state)
{
	(void)state;
	assert_has(built(&plain_mail, STR("A \"B\" \\ C, <d@e>")),
		   "From: \"A \\\"B\\\" \\\\ C, <d@e>\"\r\n <no-reply@sallyport.test>\r\n");
	assert_words(built(&plain_mail, STR("Caf\xC3\xA9 (\"x\") <a@b>")),
		     "From: ", STR("Caf\xC3\xA9 (\"x\") <a@b>"));
	assert_words(
		built(&plain_mail,
		      STR("A name that is longer than a short line can hold, so much is sure")),
		"From: ", STR("A name that is longer than a short line can hold, so much is sure"));
	assert_has(built(&plain_mail, STR_NONE), "From: <no-reply@sallyport.test>\r\n");
	assert_has(built(&plain_mail, STR("\r\n")), "From: <no-reply@sallyport.test>\r\n");
}

static void EL18_no_header_can_be_added_through_a_subject_or_a_name(void **state)
{
	static const str evil[] = {
		STR_INIT("x\r\nBcc: a@b.test"),
		STR_INIT("x\nBcc: a@b.test"),
		STR_INIT("x\rBcc: a@b.test"),
		STR_INIT("x\0\r\n\r\nBcc: a@b.test"),
		STR_INIT("x\xC2\x85"
			 "Bcc: \x1B[2J\x7F\t a@b.test"),
		STR_INIT("\xE2\x80\xA8\xE2\x80\xAE\xFF\xFE\r\n\r\nBcc: a@b.test"),
		STR_INIT("\xC3\r\nBcc: a@b.test"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(evil) / sizeof(evil[0]); i++) {
		struct mail m = plain_mail;
		const char *message;

		m.subject = evil[i];
		message = built(&m, evil[i]);
		assert_lines(message);
		assert_null(strstr(message, "\nBcc:"));
		assert_int_equal(count_of(message, "\r\n\r\n"), 1);
		assert_int_equal(count_of(message, "\r\nSubject: "), 1);
		assert_string_equal(body_of(message), "One line.\r\n");
	}
}

static void EL18_what_is_no_plain_address_is_refused(void **state)
{
	static const str evil[] = {
		STR_INIT(""),	    STR_INIT("a"),	     STR_INIT("@b"),
		STR_INIT("a@"),	    STR_INIT("a@b@c"),	     STR_INIT("a@b\r\nRCPT TO:<c@d>"),
		STR_INIT("a@b>\n"), STR_INIT("a@b> SIZE"),   STR_INIT("a b@c"),
		STR_INIT("a@b,c"),  STR_INIT("a@b;c"),	     STR_INIT("\"a\"@b"),
		STR_INIT("a@b\0c"), STR_INIT("a@b\x7F"),     STR_INIT("\xC3\xA9@b"),
		STR_INIT("<a@b>"),  STR_INIT("a@[1.2.3.4]"), STR_INIT("x:a@b"),
	};
	str message;

	(void)state;
	for (size_t i = 0; i < sizeof(evil) / sizeof(evil[0]); i++) {
		struct mail to = plain_mail, id = plain_mail;

		to.to = evil[i];
		id.message_id = evil[i];
		assert_int_equal(mime_build(&to, STR("a@b.test"), STR_NONE, &mem, &message).code,
				 ERR_INPUT);
		assert_int_equal(mime_build(&id, STR("a@b.test"), STR_NONE, &mem, &message).code,
				 ERR_INPUT);
		assert_int_equal(mime_build(&plain_mail, evil[i], STR_NONE, &mem, &message).code,
				 ERR_INPUT);
	}
}

static void the_room_suffices_for_the_worst_text(void **state)
{
	char worst[3000];
	struct mail m = plain_mail;

	(void)state;
	memset(worst, '=', sizeof(worst));
	m.subject = m.text = m.html = (str){ worst, sizeof(worst) };
	assert_lines(built(&m, (str){ worst, sizeof(worst) }));
	for (size_t i = 0; i < sizeof(worst); i += 4)
		memcpy(worst + i, "\xF0\x9F\x94\x91", 4);
	assert_lines(built(&m, (str){ worst, sizeof(worst) }));
	memset(worst, '\n', sizeof(worst));
	assert_lines(built(&m, (str){ worst, sizeof(worst) }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_mail_is_these_very_lines),
		cmocka_unit_test(a_mail_with_html_has_two_parts_of_the_same_encoding),
		cmocka_unit_test(the_same_mail_gives_the_same_bytes),
		cmocka_unit_test(a_body_of_any_bytes_comes_back_as_it_was),
		cmocka_unit_test(quoted_printable_has_these_edges),
		cmocka_unit_test(EL18_a_body_cannot_end_the_message_or_its_part),
		cmocka_unit_test(a_subject_is_plain_while_it_can_be),
		cmocka_unit_test(a_long_subject_is_folded_without_cutting_a_character),
		cmocka_unit_test(a_display_name_is_quoted_or_encoded),
		cmocka_unit_test(EL18_no_header_can_be_added_through_a_subject_or_a_name),
		cmocka_unit_test(EL18_what_is_no_plain_address_is_refused),
		cmocka_unit_test(the_room_suffices_for_the_worst_text),
	};

	if (arena_init(&mem, 1 << 20).code != ERR_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
