#include "egress/mailer.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json_out.h"
#include "egress/client.h"
#include "egress/detail.h"
#include "egress/mime.h"
#include "egress/smtp.h"
#include "egress/verdict.h"

struct mailer {
	struct smtp *smtp;
	struct client *client;
};

err_t egress_init(void)
{
	REQUIRE(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK, ERR_NO_MEMORY);
	return OK;
}

static err_t open_parts(struct mailer *m)
{
	TRY(smtp_new(&m->smtp));
	return client_new(&m->client);
}

err_t mailer_new(struct mailer **ret)
{
	struct mailer *m = calloc(1, sizeof(*m));
	err_t e;

	REQUIRE(m != NULL, ERR_NO_MEMORY);
	e = open_parts(m);
	if (e.code != ERR_OK)
		mailer_free(m);
	else
		*ret = m;
	return e;
}

void mailer_free(struct mailer *m)
{
	if (m == NULL)
		return;
	smtp_free(m->smtp);
	client_free(m->client);
	free(m);
}

void mailer_abort(struct mailer *m)
{
	smtp_abort(m->smtp);
	client_abort(m->client);
}

static str from_name(const struct config *cfg)
{
	return cfg->mail.from_name.n > 0 ? cfg->mail.from_name : cfg->ui.site_name;
}

/* ---- SMTP ---- */

static err_t send_smtp(struct mailer *m, const struct config *cfg, const struct mail *mail,
		       struct arena *mem, struct delivery *ret)
{
	str message;

	TRY(mime_build(mail, cfg->mail.from, from_name(cfg), mem, &message));
	smtp_send(m->smtp, cfg, mail->to, message, mem, ret);
	return OK;
}

/* ---- an HTTP mailer ---- */

static err_t http_body(const struct config *cfg, const struct mail *mail, struct arena *mem,
		       str *ret)
{
	str name = from_name(cfg);
	/* a byte of a JSON string takes six at most */
	size_t cap = 6 * (mail->to.n + mail->subject.n + mail->html.n + mail->text.n +
			  cfg->mail.from.n + name.n + cfg->mail.http_provider.n) +
		     128;
	struct buf b = { .cap = cap };
	struct json_out o;

	NEW(b.p, mem, char, cap);
	out_begin(&o, &b);
	out_obj(&o);
	out_str(&o, STR("to"), mail->to);
	out_str(&o, STR("subject"), mail->subject);
	out_str(&o, STR("html"), mail->html.n > 0 ? mail->html : STR(""));
	out_str(&o, STR("text"), mail->text);
	out_str(&o, STR("from"), cfg->mail.from);
	if (name.n > 0)
		out_str(&o, STR("fromName"), name);
	if (cfg->mail.http_provider.n > 0)
		out_str(&o, STR("provider"), cfg->mail.http_provider);
	out_end_obj(&o);
	REQUIRE(!b.overflow, ERR_BUG);
	*ret = buf_view(&b);
	return OK;
}

static err_t send_http(struct mailer *m, const struct config *cfg, const struct mail *mail,
		       struct arena *mem, struct delivery *ret)
{
	struct client_request r = {
		.method = "POST",
		.url = cfg->mail.http_url,
		.headers = { { STR("Content-Type"), STR("application/json") },
			     { STR("X-API-Key"), secret_str(cfg->mail.http_key) } },
		.n_headers = cfg->mail.http_key.n > 0 ? 2 : 1,
		.tls_ca = cfg->mail.tls_ca,
		.timeout_ms = cfg->mail.timeout_ms,
	};
	struct client_reply reply = { 0 };

	TRY(http_body(cfg, mail, mem, &r.body));
	TRY(client_send(m->client, &r, mem, &reply));
	verdict_of_reply(&reply, STR_NONE, ret);
	return OK;
}

/* ---- development: standard output, and files ---- */

/* A terminal obeys control characters: only line ends pass. */
static void add_plain(struct buf *b, str text)
{
	str line;

	while (str_cut(text, '\n', &line, &text)) {
		detail_append(b, line);
		buf_byte(b, '\n');
	}
	detail_append(b, line);
}

static err_t send_log(const struct mail *mail, struct arena *mem, struct delivery *ret)
{
	size_t cap = mail->to.n + mail->subject.n + mail->text.n + 64;
	struct buf b = { .cap = cap };
	bool written;

	NEW(b.p, mem, char, cap);
	buf_lit(&b, "--- mail to ");
	detail_append(&b, mail->to);
	buf_lit(&b, "\nSubject: ");
	detail_append(&b, mail->subject);
	buf_lit(&b, "\n\n");
	add_plain(&b, mail->text);
	buf_lit(&b, "\n---\n");
	flockfile(stdout); /* blocks of different threads stay whole */
	written = fwrite(b.p, 1, b.n, stdout) == b.n && fflush(stdout) == 0;
	funlockfile(stdout);
	if (written)
		detail_say(ret, DELIVERY_SENT, STR_NONE, STR("written to standard output"));
	else
		detail_say(ret, DELIVERY_DOWN, STR("standard output"), STR("cannot be written"));
	return OK;
}

static bool is_file_name(str name)
{
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == '/' || name.p[i] == '\0')
			return false;
	}
	return name.n > 0 && name.n < 200 && name.p[0] != '.';
}

static bool write_whole(int fd, str data)
{
	while (data.n > 0) {
		ssize_t n = write(fd, data.p, data.n);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			data = str_skip(data, (size_t)n);
	}
	return fsync(fd) == 0;
}

/* Whole under its name, or not there. False: errno says why. */
static bool write_file(int dir, const char *temporary, const char *name, str data)
{
	int fd =
		openat(dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int problem;
	bool good;

	if (fd < 0)
		return false;
	good = write_whole(fd, data);
	problem = errno;
	if (close(fd) != 0 && good) {
		good = false;
		problem = errno;
	}
	if (good && renameat(dir, temporary, dir, name) == 0 && fsync(dir) == 0)
		return true;
	if (good)
		problem = errno;
	(void)unlinkat(dir, temporary, 0);
	errno = problem;
	return false;
}

static int open_dir(const char *path)
{
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static err_t send_file(const struct config *cfg, const struct mail *mail, struct arena *mem,
		       struct delivery *ret)
{
	str message, left, domain, name, temporary;
	char room[64];
	char *path;
	bool written;
	int dir;

	TRY(mime_build(mail, cfg->mail.from, from_name(cfg), mem, &message));
	(void)str_cut(mail->message_id, '@', &left, &domain);
	REQUIRE(is_file_name(left), ERR_INPUT);
	TRY(arena_printf(mem, &name, "%.*s.eml", STR_ARG(left)));
	TRY(arena_printf(mem, &temporary, ".%.*s.tmp", STR_ARG(left)));
	TRY(str_to_cstr(mem, cfg->mail.dir, &path));
	dir = open_dir(path);
	written = dir >= 0 && write_file(dir, temporary.p, name.p, message);
	if (written)
		detail_say(ret, DELIVERY_SENT, STR_NONE, name);
	else
		detail_say(ret, DELIVERY_DOWN, STR("mail.dir"),
			   str_of_cstr(strerror_r(errno, room, sizeof(room))));
	if (dir >= 0)
		(void)close(dir);
	return OK;
}

/* ---- one mail ---- */

static err_t send_by(struct mailer *m, const struct config *cfg, const struct mail *mail,
		     struct arena *mem, struct delivery *ret)
{
	switch (cfg->mail.transport) {
	case MAIL_SMTP: return send_smtp(m, cfg, mail, mem, ret);
	case MAIL_HTTP: return send_http(m, cfg, mail, mem, ret);
	case MAIL_LOG: return send_log(mail, mem, ret);
	case MAIL_FILE: return send_file(cfg, mail, mem, ret);
	case MAIL_UNSET:
	case MAIL_NONE: break;
	}
	detail_say(ret, DELIVERY_DOWN, STR_NONE, STR("no transport"));
	return OK;
}

void mailer_look(struct mailer *m, const struct config *cfg, struct arena *mem, struct delivery *ret)
{
	smtp_look(m->smtp, cfg, mem, ret);
}

void mailer_send(struct mailer *m, const struct config *cfg, const struct mail *mail,
		 struct arena *mem, struct delivery *ret)
{
	err_t e;

	/* Checked long before; here once more, since one that is none could add recipients or
	 * headers. */
	if (!mime_is_address(mail->to)) {
		detail_say(ret, DELIVERY_REFUSED, STR_NONE, STR("the recipient is not an address"));
		return;
	}
	e = send_by(m, cfg, mail, mem, ret);
	if (e.code != ERR_OK)
		detail_say(ret, DELIVERY_DOWN, STR("mail"), str_of_cstr(err_name(e.code)));
}
