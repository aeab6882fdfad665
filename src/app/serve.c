#include "app/serve.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/body.h"
#include "app/doctor.h"
#include "app/sandbox.h"
#include "app/version.h"
#include "base/log.h"
#include "crypto/mac.h"
#include "egress/mailer.h"
#include "jobs/sweep.h"

#define POLL_MS (5 * MS_PER_S)

/* Secrets stay out of core files and out of other processes' sight; new files are ours alone. */
static void harden(void)
{
	const struct rlimit none = { 0, 0 };
	struct rlimit files;

	(void)umask(077);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	sandbox_drop();
	/* As many connections as the system lets us have; server.max_connections is the limit meant. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
}

/* Blocked before the first thread exists, so that every thread inherits it; read by this one only. */
static int take_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGPIPE);
	if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
		return -1;
	sigdelset(&set, SIGPIPE); /* nobody reads that one: writing to a gone client is no event */
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int read_signal(int fd)
{
	struct signalfd_siginfo info;

	return read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info) ? (int)info.ssi_signo : 0;
}

/* The second SIGTERM or SIGINT does not wait for anybody. */
static void *impatience(void *arg)
{
	int fd = (int)(intptr_t)arg, sig; /* by value: this thread may outlive its maker's stack */

	do {
		sig = read_signal(fd);
	} while (sig != SIGTERM && sig != SIGINT);
	_exit(EXIT_FAULT);
}

static const char *where_messages_go(const struct config *cfg)
{
	return cfg->mail.transport == MAIL_LOG && cfg->sms.transport == SMS_LOG ?
		       "Mails and codes are not sent in development mode:\nthey appear here, on this console.\n\n" :
		       "";
}

static void say_pages(const struct config *cfg, str at)
{
	str p = cfg->server.api_prefix;

	if (cfg->ui.enabled && !cfg->ui.headless)
		(void)printf("Pages to open:       http://%.*s%.*s/ui/login\n", STR_ARG(at), STR_ARG(p));
	if (cfg->docs.enabled)
		(void)printf("What the API offers: http://%.*s%.*s/docs\n", STR_ARG(at), STR_ARG(p));
}

static void say_hello(const struct wire *w)
{
	const struct config *cfg = wire_config(w);
	str at = wire_address(w), p = cfg->server.api_prefix;

	if (!cfg->dev || str_starts(at, STR("unix:")))
		return;
	(void)printf("\nSallyport is ready on http://%.*s (development mode, data in %.*s)\n\n", STR_ARG(at),
		     STR_ARG(cfg->server.data_dir));
	say_pages(cfg, at);
	(void)printf("\nSign up, as an app does:\n"
		     "  curl -s http://%.*s%.*s/register -H 'Content-Type: application/json' \\\n"
		     "    -d '{\"email\":\"ada@example.test\",\"password\":\"correct horse battery\"}'\n\n"
		     "Sign in, keeping the access token:\n"
		     "  TOKEN=$(curl -s http://%.*s%.*s/login -H 'Content-Type: application/json' \\\n"
		     "    -H 'X-Auth-Strategy: bearer' \\\n"
		     "    -d '{\"email\":\"ada@example.test\",\"password\":\"correct horse battery\"}' \\\n"
		     "    | sed 's/.*\"accessToken\":\"\\([^\"]*\\)\".*/\\1/')\n\n"
		     "Who am I:\n"
		     "  curl -s http://%.*s%.*s/me -H \"Authorization: Bearer $TOKEN\"\n\n"
		     "%sStop with Ctrl-C.\n\n",
		     STR_ARG(at), STR_ARG(p), STR_ARG(at), STR_ARG(p), STR_ARG(at), STR_ARG(p),
		     where_messages_go(cfg));
	(void)fflush(stdout);
}

/* What somebody wants to know who finds only this line: which program, over which data, asked where. */
static void say_ready(const struct wire *w)
{
	str dir = wire_config(w)->server.data_dir;
	char name[PATH_MAX], whole[PATH_MAX];

	(void)snprintf(name, sizeof(name), "%.*s", STR_ARG(dir));
	if (realpath(name, whole) != NULL)
		dir = str_of_cstr(whole);
	log_event(LOG_INFO, "ready", LOG_STR("listen", wire_address(w)), LOG_CSTR("version", SALLYPORT_VERSION),
		  LOG_STR("data", dir), LOG_STR("ops", wire_ops_address(w)));
}

/* Until a signal says stop: reload on SIGHUP, look for new keys and a `clock reset`, sweep. Deadlines are
 * monotonic. Ends by itself, with a fault, when the store can only be trusted again by a process that
 * opens it anew. */
static enum exit_code watch(struct wire *w, int signals)
{
	int64_t next_poll = monotonic_ms() + POLL_MS, next_sweep = monotonic_ms() + SWEEP_EVERY_MS;
	int sig = 0;

	while (sig != SIGTERM && sig != SIGINT && !wire_store_broken(w)) {
		struct pollfd pfd = { .fd = signals, .events = POLLIN };

		if (poll(&pfd, 1, 1000) > 0) {
			sig = read_signal(signals);
			if (sig == SIGHUP)
				wire_reload(w);
		}
		if (monotonic_ms() >= next_poll) {
			next_poll = monotonic_ms() + POLL_MS;
			wire_poll_keys(w);
			wire_poll_clock(w);
		}
		if (monotonic_ms() >= next_sweep) {
			next_sweep = monotonic_ms() + SWEEP_EVERY_MS;
			wire_sweep(w);
		}
	}
	return wire_store_broken(w) ? EXIT_FAULT : EXIT_DONE;
}

static enum exit_code run(const struct wire_options *o, struct config *cfg, int signals)
{
	struct wire *w = NULL;
	char why[512] = "";
	pthread_t second;
	enum exit_code code = wire_start(o, cfg, &w, why, sizeof(why));
	bool clean;

	if (code != EXIT_DONE) {
		(void)fprintf(stderr, "sallyport: %s\n", why);
		return code;
	}
	doctor_at_start(wire_config(w));
	say_ready(w);
	say_hello(w);
	code = watch(w, signals);
	log_event(LOG_INFO, "stopping", LOG_INT("ok", 1));
	if (pthread_create(&second, NULL, impatience, (void *)(intptr_t)signals) == 0)
		(void)pthread_detach(second);
	clean = wire_stop(w);
	log_event(LOG_INFO, "stopped", LOG_CSTR("requests", clean ? "finished" : "cut"));
	return code;
}

enum exit_code serve_run(const struct wire_options *o)
{
	struct config_report report = { 0 };
	struct config *cfg = NULL;
	enum exit_code code;
	err_t sandboxed;
	int signals;
	bool bad;

	harden();
	bad = config_load(o->source, &cfg, &report).code != ERR_OK;
	config_report_print(&report, stderr);
	config_report_clear(&report);
	if (bad)
		return EXIT_BAD_CONFIG;
	signals = take_signals();
	if (signals < 0 || crypto_init().code != ERR_OK || egress_init().code != ERR_OK) {
		(void)fprintf(stderr, "sallyport: cannot set up signals or the libraries\n");
		config_free(cfg);
		return EXIT_FAULT;
	}
	body_init();
	sandboxed = cfg->server.sandbox ? sandbox_enter() : OK; /* before there is a second thread */
	if (log_start(STDERR_FILENO, str_eq(cfg->log.format, STR("json")), cfg->log.level).code != ERR_OK) {
		config_free(cfg);
		return EXIT_FAULT;
	}
	if (sandboxed.code != ERR_OK) /* one wall less, but no reason to keep everybody out */
		log_event(LOG_WARN, "no_sandbox", LOG_CSTR("why", "this kernel has no seccomp filters for us"));
	code = run(o, cfg, signals);
	log_stop();
	return code; /* signals stays open: impatience() may be reading it until the process ends */
}
