#include "egress/mime.h"

#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/utf8.h"

#define LINE_MAX_BYTES 76
#define WORD_OPEN      "=?UTF-8?Q?"
#define WORD_CLOSE     "?="

static const char hex[] = "0123456789ABCDEF";

static void escape_byte(struct buf *b, unsigned char c)
{
	buf_byte(b, '=');
	buf_byte(b, hex[c >> 4]);
	buf_byte(b, hex[c & 15]);
}

/* ---- headers ---- */

bool mime_is_address(str address)
{
	size_t ats = 0;

	for (size_t i = 0; i < address.n; i++) {
		if (address.p[i] <= ' ' || address.p[i] > '~' ||
		    strchr("<>()[]\\,;:\"", address.p[i]))
			return false;
		ats += address.p[i] == '@';
	}
	return ats == 1 && address.p[0] != '@' && address.p[address.n - 1] != '@';
}

static err_t clean_text(str text, struct arena *mem, str *ret)
{
	struct buf b = { 0 };
	uint32_t point;

	NEW(b.p, mem, char, text.n + 1);
	b.cap = text.n;
	while (text.n > 0) {
		size_t length = utf8_next(text, &point);

		if (length > 0 && utf8_is_plain_point(point))
			buf_str(&b, (str){ text.p, length });
		text = str_skip(text, length > 0 ? length : 1);
	}
	*ret = str_trim(buf_view(&b));
	return OK;
}

/* Can clean text stand as it is? What looks like an encoded word would be decoded. */
static bool stands_plain(str text, size_t max)
{
	for (size_t i = 0; i < text.n; i++) {
		if ((unsigned char)text.p[i] >= 0x80 ||
		    (text.p[i] == '=' && i + 1 < text.n && text.p[i + 1] == '?'))
			return false;
	}
	return text.n <= max;
}

static bool is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* One character of an encoded word; letters and digits alone are safe wherever the word stands. */
static void encode_character(struct buf *b, str character)
{
	for (size_t i = 0; i < character.n; i++) {
		if (is_word_char(character.p[i]))
			buf_byte(b, character.p[i]);
		else if (character.p[i] == ' ')
			buf_byte(b, '_');
		else
			escape_byte(b, (unsigned char)character.p[i]);
	}
}

/* RFC 2047 §2, §5: words of at most 75 bytes on lines of at most 76, none of which cuts a
 * character. column: where on its line the first one begins. */
static void encoded_words(struct buf *b, str text, size_t column)
{
	uint32_t point;

	buf_lit(b, WORD_OPEN);
	column += sizeof(WORD_OPEN) - 1;
	while (text.n > 0) {
		char bytes[12];
		struct buf encoded = BUF_OF(bytes);
		size_t length = utf8_next(text, &point);

		encode_character(&encoded, (str){ text.p, length });
		if (column + encoded.n + sizeof(WORD_CLOSE) - 1 > LINE_MAX_BYTES) {
			buf_lit(b, WORD_CLOSE "\r\n " WORD_OPEN);
			column = 1 + sizeof(WORD_OPEN) - 1;
		}
		buf_str(b, buf_view(&encoded));
		column += encoded.n;
		text = str_skip(text, length);
	}
	buf_lit(b, WORD_CLOSE);
}

static void quoted_string(struct buf *b, str text)
{
	buf_byte(b, '"');
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '"' || text.p[i] == '\\')
			buf_byte(b, '\\');
		buf_byte(b, text.p[i]);
	}
	buf_byte(b, '"');
}

static void header_from(struct buf *b, str from, str name)
{
	buf_lit(b, "From: ");
	if (name.n > 0 && stands_plain(name, 32))
		quoted_string(b, name);
	else if (name.n > 0)
		encoded_words(b, name, sizeof("From: ") - 1);
	if (name.n > 0)
		buf_lit(b, "\r\n ");
	buf_byte(b, '<');
	buf_str(b, from);
	buf_lit(b, ">\r\n");
}

static void header_subject(struct buf *b, str subject)
{
	const size_t column = sizeof("Subject: ") - 1;

	buf_lit(b, "Subject: ");
	if (stands_plain(subject, LINE_MAX_BYTES - column))
		buf_str(b, subject);
	else
		encoded_words(b, subject, column);
	buf_lit(b, "\r\n");
}

static void header_date(struct buf *b, int64_t ms)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t s = (time_t)(ms / MS_PER_S);
	struct tm t = { 0 };

	(void)gmtime_r(&s, &t);
	buf_printf(b, "Date: %s, %02d %s %04d %02d:%02d:%02d +0000\r\n", days[t.tm_wday], t.tm_mday,
		   months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

static err_t write_headers(struct buf *b, const struct mail *mail, str from, str from_name,
			   struct arena *mem)
{
	str subject, name;

	TRY(clean_text(mail->subject, mem, &subject));
	TRY(clean_text(from_name, mem, &name));
	header_from(b, from, name);
	buf_lit(b, "To: <");
	buf_str(b, mail->to);
	buf_lit(b, ">\r\n");
	header_subject(b, subject);
	header_date(b, mail->date_ms);
	buf_lit(b, "Message-ID: <");
	buf_str(b, mail->message_id);
	buf_lit(b, ">\r\nMIME-Version: 1.0\r\nAuto-Submitted: auto-generated\r\n");
	return OK;
}

/* ---- bodies: quoted-printable (RFC 2045 §6.7) ---- */

static size_t line_end(str text)
{
	if (text.p[0] == '\n')
		return 1;
	return text.n > 1 && text.p[0] == '\r' && text.p[1] == '\n' ? 2 : 0;
}

/* A blank at the end of a line would be lost on the way; a dot at its beginning would mean
 * something to SMTP, and never does here. */
static bool is_literal(str text, size_t column)
{
	char c = text.p[0];

	if (c == ' ' || c == '\t')
		return text.n > 1 && line_end(str_skip(text, 1)) == 0;
	if (c == '.')
		return column > 0;
	return c > ' ' && c <= '~' && c != '=';
}

static void quoted_printable(struct buf *b, str text)
{
	size_t column = 0, n;

	while (text.n > 0) {
		n = line_end(text);
		if (n > 0) {
			buf_lit(b, "\r\n");
			column = 0;
			text = str_skip(text, n);
			continue;
		}
		n = is_literal(text, column) ? 1 : 3;
		if (column + n > LINE_MAX_BYTES - 1) { /* the last place is for the soft break */
			buf_lit(b, "=\r\n");
			column = 0;
			n = is_literal(text, column) ? 1 : 3;
		}
		if (n == 1)
			buf_byte(b, text.p[0]);
		else
			escape_byte(b, (unsigned char)text.p[0]);
		column += n;
		text = str_skip(text, 1);
	}
	if (column > 0)
		buf_lit(b, "\r\n");
}

static void write_part(struct buf *b, const char *type, str text)
{
	buf_lit(b, "Content-Type: text/");
	buf_str(b, str_of_cstr(type));
	buf_lit(b, "; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n");
	quoted_printable(b, text);
}

/* In quoted-printable '=' is followed by a digit or by the end of its line: "=_" is in no part. */
static void write_boundary(struct buf *b, str message_id)
{
	buf_lit(b, "=_");
	for (size_t i = 0; i < message_id.n && i < 40; i++) {
		if (is_word_char(message_id.p[i]))
			buf_byte(b, message_id.p[i]);
	}
}

static void write_alternatives(struct buf *b, const struct mail *mail)
{
	buf_lit(b, "Content-Type: multipart/alternative;\r\n boundary=\"");
	write_boundary(b, mail->message_id);
	buf_lit(b, "\"\r\n\r\n--");
	write_boundary(b, mail->message_id);
	buf_lit(b, "\r\n");
	write_part(b, "plain", mail->text);
	buf_lit(b, "--");
	write_boundary(b, mail->message_id);
	buf_lit(b, "\r\n");
	write_part(b, "html", mail->html);
	buf_lit(b, "--");
	write_boundary(b, mail->message_id);
	buf_lit(b, "--\r\n");
}

err_t mime_build(const struct mail *mail, str from, str from_name, struct arena *mem, str *ret)
{
	/* A byte becomes three at most; breaks add a twentieth to a body, a third to encoded words.
	 */
	size_t cap = 4 * (mail->text.n + mail->html.n + mail->subject.n + from_name.n) +
		     mail->to.n + from.n + mail->message_id.n + 1024;
	struct buf b = { .cap = cap };

	REQUIRE(mime_is_address(mail->to) && mime_is_address(from) &&
			mime_is_address(mail->message_id),
		ERR_INPUT);
	NEW(b.p, mem, char, cap);
	TRY(write_headers(&b, mail, from, from_name, mem));
	if (mail->html.n > 0)
		write_alternatives(&b, mail);
	else
		write_part(&b, "plain", mail->text);
	REQUIRE(!b.overflow, ERR_BUG);
	*ret = buf_view(&b);
	return OK;
}
