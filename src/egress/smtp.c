/* One easy handle, set up afresh for every mail; only the open connection stays. */
#include "egress/smtp.h"

#include <curl/curl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/clock.h"
#include "egress/detail.h"
#include "egress/ehlo.h"
#include "egress/smtp_reply.h"

#define CONNECT_MAX_MS (10 * MS_PER_S)
#define IDLE_MAX_S     60L

struct smtp {
	CURL *curl;
	atomic_bool aborted;
	/* of the mail under way */
	struct smtp_dialogue dialogue;
	str unsent;
	struct curl_slist *recipients;
	char problem[CURL_ERROR_SIZE];
};

err_t smtp_new(struct smtp **ret)
{
	struct smtp *s = calloc(1, sizeof(*s));

	REQUIRE(s != NULL, ERR_NO_MEMORY);
	s->curl = curl_easy_init();
	if (s->curl == NULL) {
		free(s);
		FAIL(ERR_NO_MEMORY);
	}
	*ret = s;
	return OK;
}

/* curl says QUIT to an open connection and would wait two minutes for the answer. */
static void await_no_goodbye(struct smtp *s)
{
	curl_socket_t fd = CURL_SOCKET_BAD;

	if (curl_easy_getinfo(s->curl, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK &&
	    fd != CURL_SOCKET_BAD)
		(void)shutdown(fd, SHUT_RD);
}

void smtp_free(struct smtp *s)
{
	if (s == NULL)
		return;
	await_no_goodbye(s);
	curl_easy_cleanup(s->curl);
	free(s);
}

void smtp_abort(struct smtp *s)
{
	atomic_store(&s->aborted, true);
}

/* ---- what curl calls ---- */

static int follow_dialogue(CURL *curl, curl_infotype type, char *p, size_t n, void *self)
{
	struct smtp *s = self;

	(void)curl;
	if (type == CURLINFO_HEADER_OUT)
		smtp_dialogue_sent(&s->dialogue, (str){ p, n });
	else if (type == CURLINFO_HEADER_IN)
		smtp_dialogue_heard(&s->dialogue, (str){ p, n });
	return 0;
}

static size_t give_message(char *p, size_t size, size_t n, void *self)
{
	struct smtp *s = self;
	size_t part = s->unsent.n < size * n ? s->unsent.n : size * n;

	if (part > 0)
		memcpy(p, s->unsent.p, part);
	s->unsent = str_skip(s->unsent, part);
	return part;
}

static size_t drop_body(char *p, size_t size, size_t n, void *self)
{
	(void)p, (void)self;
	return size * n;
}

static int look_for_abort(void *self, curl_off_t down_n, curl_off_t down, curl_off_t up_n,
			  curl_off_t up)
{
	struct smtp *s = self;

	(void)down_n, (void)down, (void)up_n, (void)up;
	return atomic_load(&s->aborted); /* not 0 ends the transfer */
}

/* ---- setting up ---- */

static err_t took(CURLcode code)
{
	REQUIRE(code != CURLE_OUT_OF_MEMORY, ERR_NO_MEMORY);
	REQUIRE(code == CURLE_OK, ERR_CONFIG);
	return OK;
}

#define SET(option, value) TRY(took(curl_easy_setopt(s->curl, CURLOPT_##option, (value))))

/* What no setting may change. */
static err_t set_manners(struct smtp *s)
{
	SET(PROTOCOLS_STR, "smtp,smtps");
	SET(DISALLOW_USERNAME_IN_URL, 1L);
	SET(PROXY, "");
	SET(NOPROXY, "*");
	SET(SSL_VERIFYPEER, 1L);
	SET(SSL_VERIFYHOST, 2L);
	SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(NOSIGNAL, 1L);
	SET(QUICK_EXIT,
	    1L); /* or a name server that does not answer holds us beyond the deadline */
	SET(MAXCONNECTS, 1L);
	SET(MAXAGE_CONN, IDLE_MAX_S);
	SET(NOPROGRESS, 0L);
	SET(XFERINFOFUNCTION, look_for_abort);
	SET(XFERINFODATA, s);
	SET(VERBOSE, 1L); /* the dialogue is told to the next function only then */
	SET(DEBUGFUNCTION, follow_dialogue);
	SET(DEBUGDATA, s);
	SET(WRITEFUNCTION, drop_body);
	SET(ERRORBUFFER, s->problem);
	return OK;
}

static long wanted_tls(const struct config *cfg)
{
	if (cfg->mail.smtp_tls == MAIL_TLS_OFF)
		return CURLUSESSL_NONE;
	if (cfg->mail.smtp_tls == MAIL_TLS_OPPORTUNISTIC && cfg->mail.smtp_user.n == 0)
		return CURLUSESSL_TRY;
	return CURLUSESSL_ALL;
}

static err_t set_server(struct smtp *s, const struct config *cfg, struct arena *mem)
{
	str server = cfg->mail.smtp_url, url, me;
	char *ca;

	TRY(ehlo_name(cfg, mem, &me));
	while (server.n > 0 && server.p[server.n - 1] == '/')
		server.n--;
	/* What curl finds as the path is what it says at EHLO. */
	TRY(arena_printf(mem, &url, "%.*s/%.*s", STR_ARG(server), STR_ARG(me)));
	SET(URL, url.p);
	SET(USE_SSL, wanted_tls(cfg));
	if (cfg->mail.tls_ca.n > 0) {
		TRY(str_to_cstr(mem, cfg->mail.tls_ca, &ca));
		SET(CAINFO, ca);
	}
	return OK;
}

static err_t set_credentials(struct smtp *s, const struct config *cfg, struct arena *mem)
{
	str secret = cfg->mail.smtp_password.n > 0 ? secret_str(cfg->mail.smtp_password) : STR("");
	char *user, *password;

	if (cfg->mail.smtp_user.n == 0)
		return OK;
	TRY(str_to_cstr(mem, cfg->mail.smtp_user, &user));
	TRY(str_to_cstr(mem, secret, &password));
	SET(USERNAME, user);
	SET(PASSWORD, password);
	return OK;
}

static err_t set_deadlines(struct smtp *s, int64_t timeout_ms)
{
	if (timeout_ms < 1)
		timeout_ms = 1; /* 0 is for ever to curl */
	SET(TIMEOUT_MS, (long)timeout_ms);
	SET(CONNECTTIMEOUT_MS, (long)(timeout_ms < CONNECT_MAX_MS ? timeout_ms : CONNECT_MAX_MS));
	/* holds for the QUIT to a connection that is given up, too */
	SET(SERVER_RESPONSE_TIMEOUT, (long)((timeout_ms + MS_PER_S - 1) / MS_PER_S));
	return OK;
}

static err_t set_envelope(struct smtp *s, str from, str to, str message, struct arena *mem)
{
	str sender, recipient;

	TRY(arena_printf(mem, &sender, "<%.*s>", STR_ARG(from)));
	TRY(arena_printf(mem, &recipient, "<%.*s>", STR_ARG(to)));
	s->recipients = curl_slist_append(NULL, recipient.p);
	REQUIRE(s->recipients != NULL, ERR_NO_MEMORY);
	s->unsent = message;
	SET(MAIL_FROM, sender.p);
	SET(MAIL_RCPT, s->recipients);
	SET(UPLOAD, 1L);
	SET(INFILESIZE_LARGE, (curl_off_t)message.n);
	SET(READFUNCTION, give_message);
	SET(READDATA, s);
	return OK;
}

static err_t set_session(struct smtp *s, const struct config *cfg, struct arena *mem)
{
	curl_easy_reset(s->curl);
	s->problem[0] = '\0';
	smtp_dialogue_begin(&s->dialogue);
	TRY(set_manners(s));
	TRY(set_server(s, cfg, mem));
	TRY(set_credentials(s, cfg, mem));
	return set_deadlines(s, cfg->mail.timeout_ms);
}

static err_t set_up(struct smtp *s, const struct config *cfg, str to, str message,
		    struct arena *mem)
{
	TRY(set_session(s, cfg, mem));
	return set_envelope(s, cfg->mail.from, to, message, mem);
}

/* ---- one mail ---- */

/* "Connection refused" says more than curl's own line, which names only address and port. */
static str why_it_ended(struct smtp *s, CURLcode end, char *room, size_t room_n)
{
	long number = 0;

	if (end == CURLE_COULDNT_CONNECT &&
	    curl_easy_getinfo(s->curl, CURLINFO_OS_ERRNO, &number) == CURLE_OK && number != 0)
		return str_of_cstr(strerror_r((int)number, room, room_n));
	return str_of_cstr(s->problem);
}

void smtp_send(struct smtp *s, const struct config *cfg, str to, str message, struct arena *mem,
	       struct delivery *ret)
{
	char room[64];
	err_t e = set_up(s, cfg, to, message, mem);
	CURLcode end;

	if (e.code == ERR_OK) {
		end = curl_easy_perform(s->curl);
		smtp_dialogue_verdict(&s->dialogue, end, why_it_ended(s, end, room, sizeof(room)),
				      ret);
	} else {
		detail_say(ret, DELIVERY_DOWN, STR("setting up"), str_of_cstr(err_name(e.code)));
	}
	curl_slist_free_all(s->recipients);
	s->recipients = NULL;
	s->unsent = STR_NONE;
}

static err_t set_noop(struct smtp *s)
{
	SET(NOBODY, 1L);
	SET(CUSTOMREQUEST, "NOOP");
	return OK;
}

void smtp_look(struct smtp *s, const struct config *cfg, struct arena *mem, struct delivery *ret)
{
	char room[64];
	err_t e = set_session(s, cfg, mem);
	CURLcode end;

	if (e.code == ERR_OK)
		e = set_noop(s);
	if (e.code != ERR_OK) {
		detail_say(ret, DELIVERY_DOWN, STR("setting up"), str_of_cstr(err_name(e.code)));
		return;
	}
	end = curl_easy_perform(s->curl);
	if (end == CURLE_OK)
		detail_say(ret, DELIVERY_SENT, STR_NONE, STR("the server lets us in"));
	else
		smtp_dialogue_verdict(&s->dialogue, end, why_it_ended(s, end, room, sizeof(room)), ret);
}
