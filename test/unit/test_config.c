/* The settings: one table, four sources, every refusal with its text.
 * `test_config --settings-page` prints docs/guide/settings.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/config.h"
#include "app/config_internal.h"
#include "app/config_table.h"
#include "base/base64url.h"
#include "base/clock.h"
#include "base/log.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))
#define FILE_NAME "test.ini"
#define HINT	  "allow its owner, and the server's group to read: chmod 640, chgrp"

static struct config_report report;
static struct config *cfg;
static char start_dir[1024], work_dir[] = "/tmp/test_config_XXXXXX";

/* ---- helpers ---- */

static void write_file(const char *name, const void *bytes, size_t n, mode_t mode)
{
	int fd;

	(void)unlink(name); /* it may have been one that cannot be written */
	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	assert_int_equal(fchmod(fd, mode), 0);
	(void)close(fd);
}

static err_t load(const struct config_source *source)
{
	config_free(cfg);
	cfg = NULL;
	config_report_clear(&report);
	return config_load(source, &cfg, &report);
}

static err_t load_ini_env(const char *ini, const char *const *env, bool dev)
{
	char *copies[16] = { NULL };
	struct config_source source = { .dev = dev, .environ = copies };
	err_t e;

	for (size_t i = 0; env != NULL && env[i] != NULL && i < N_OF(copies) - 1; i++)
		copies[i] = strdup(env[i]);
	if (ini != NULL) {
		write_file(FILE_NAME, ini, strlen(ini), 0600);
		source.file = FILE_NAME;
	}
	e = load(&source);
	for (size_t i = 0; i < N_OF(copies); i++)
		free(copies[i]);
	return e;
}

static err_t load_ini(const char *ini)
{
	return load_ini_env(ini, NULL, false);
}

/* The settings are taken; the warnings are exactly these lines. */
static void assert_taken(err_t e, const char *warnings)
{
	if (e.code != ERR_OK || report.problems.n != 0)
		fail_msg("refused: %s", report.problems.text);
	assert_non_null(cfg);
	assert_string_equal(report.warnings.text, warnings);
}

/* The settings are refused; the problems are exactly these lines. */
static void assert_refused(err_t e, const char *problems)
{
	assert_int_equal(e.code, ERR_CONFIG);
	assert_null(cfg);
	assert_string_equal(report.problems.text, problems);
}

static void assert_str(str got, const char *want)
{
	if (!str_eq(got, str_of_cstr(want)))
		fail_msg("got \"%.*s\", want \"%s\"", STR_ARG(got), want);
}

/* What a function prints, NUL-terminated, to be freed. */
static char *printed(void (*print)(FILE *))
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	assert_non_null(f);
	print(f);
	assert_int_equal(fclose(f), 0);
	return text;
}

static void print_plain(FILE *f)
{
	config_print(cfg, false, f);
}

static void print_with_origin(FILE *f)
{
	config_print(cfg, true, f);
}

static void print_report(FILE *f)
{
	config_report_print(&report, f);
}

static int in_work_dir(void **state)
{
	(void)state;
	if (getcwd(start_dir, sizeof(start_dir)) == NULL || mkdtemp(work_dir) == NULL)
		return -1;
	return chdir(work_dir);
}

static int leave_work_dir(void **state)
{
	(void)state;
	config_free(cfg);
	(void)unlink(FILE_NAME);
	(void)unlink("secret");
	return chdir(start_dir) != 0 || rmdir(work_dir) != 0 ? -1 : 0;
}

/* ---- defaults and sources ---- */

static void without_any_source_the_defaults_hold(void **state)
{
	const struct config_source none = { 0 };

	(void)state;
	assert_taken(load(&none), "");
	assert_false(cfg->dev);
	assert_str(cfg->server.listen, "127.0.0.1:3000");
	assert_str(cfg->server.data_dir, "./data");
	assert_str(cfg->server.public_url, "http://127.0.0.1:3000");
	assert_str(cfg->server.api_prefix, "/auth");
	assert_str(cfg->server.ops_listen, "127.0.0.1:3001");
	assert_int_equal(cfg->server.trusted_proxies.n, 0);
	assert_int_equal(cfg->server.workers, 48);
	assert_int_equal(cfg->server.queue_max, 1024);
	assert_int_equal(cfg->server.max_connections, 10000);
	assert_int_equal(cfg->server.max_connections_per_ip, 256);
	assert_int_equal(cfg->server.max_body, 65536);
	assert_int_equal(cfg->server.head_timeout_ms, 10000);
	assert_int_equal(cfg->server.body_timeout_ms, 20000);
	assert_int_equal(cfg->server.write_timeout_ms, 20000);
	assert_int_equal(cfg->server.idle_timeout_ms, 60000);
	assert_int_equal(cfg->server.shutdown_timeout_ms, 10000);
	assert_str(cfg->store.url, "sqlite:./data/sallyport.db");
	assert_int_equal(cfg->store.cache, 16 << 20);
	assert_int_equal(cfg->store.busy_timeout_ms, 2000);
	assert_true(cfg->registration.enabled);
	assert_int_equal(cfg->token.access_ttl_ms, 15 * MS_PER_MIN);
	assert_int_equal(cfg->token.refresh_ttl_ms, 30 * MS_PER_DAY);
	assert_int_equal(cfg->token.refresh_max_ttl_ms, 90 * MS_PER_DAY);
	assert_int_equal(cfg->token.refresh_window_ms, 60000);
	assert_int_equal(cfg->token.algorithm, ALG_ES256);
	assert_int_equal(cfg->token.audience.n, 0);
	assert_int_equal(cfg->session.check_on, SESSION_CHECK_ALLCALLS);
	assert_int_equal(cfg->session.max_per_user, 50);
	assert_int_equal(cfg->password.min_length, 8);
	assert_int_equal(cfg->password.min_score, 2);
	assert_int_equal(cfg->password.argon2_memory, 19456 * 1024);
	assert_int_equal(cfg->password.argon2_iterations, 2);
	assert_int_equal(cfg->password.memory_budget, 256 << 20);
	assert_int_equal(cfg->password.max_wait_ms, 2000);
	assert_int_equal(cfg->password.pepper.n, 0);
	assert_true(cfg->limits.enabled);
	assert_int_equal(cfg->limits.account_free, 5);
	assert_int_equal(cfg->limits.account_max, 100);
	assert_int_equal(cfg->limits.device_free, 10);
	assert_int_equal(cfg->limits.network_free, 30);
	assert_int_equal(cfg->limits.network_window_ms, 5 * MS_PER_MIN);
	assert_int_equal(cfg->limits.register_per_hour, 60);
	assert_int_equal(cfg->limits.device_ttl_ms, 180 * MS_PER_DAY);
	assert_int_equal(cfg->audit.retention_ms, 180 * MS_PER_DAY);
	assert_str(cfg->ui.site_name, "Sallyport");
	assert_str(cfg->log.format, "json");
	assert_int_equal(cfg->log.level, LOG_INFO);
}

static void without_any_source_nothing_is_sent_and_links_lead_to_the_server(void **state)
{
	const struct config_source none = { 0 };

	(void)state;
	assert_taken(load(&none), "");
	assert_int_equal(cfg->site.urls.n, 1);
	assert_str(cfg->site.urls.items[0], "http://127.0.0.1:3000");
	assert_int_equal(cfg->site.app_links, LINKS_FULL);
	assert_int_equal(cfg->verification.mode, VERIFICATION_NONE);
	assert_int_equal(cfg->verification.grace_ms, 7 * MS_PER_DAY);
	assert_int_equal(cfg->stepup.max_age_ms, 10 * MS_PER_MIN);
	assert_false(cfg->stepup.account_delete);
	assert_int_equal(cfg->mail.transport, MAIL_NONE);
	assert_int_equal(cfg->mail.from.n + cfg->mail.from_name.n + cfg->mail.smtp_url.n, 0);
	assert_int_equal(cfg->mail.smtp_user.n + cfg->mail.smtp_password.n + cfg->mail.tls_ca.n, 0);
	assert_int_equal(cfg->mail.http_url.n + cfg->mail.http_key.n + cfg->mail.http_provider.n, 0);
	assert_int_equal(cfg->mail.smtp_tls, MAIL_TLS_REQUIRED);
	assert_str(cfg->mail.default_lang, "en");
	assert_str(cfg->mail.dir, "./data/mail");
	assert_int_equal(cfg->mail.timeout_ms, 30000);
	assert_int_equal(cfg->mail.senders, 1);
	assert_int_equal(cfg->sms.transport, SMS_NONE);
	assert_int_equal(cfg->sms.url.n + cfg->sms.user.n + cfg->sms.password.n + cfg->sms.key.n, 0);
	assert_int_equal(cfg->sms.from.n + cfg->sms.expect.n, 0);
	assert_int_equal(cfg->sms.countries.n + cfg->sms.test_numbers.n, 0);
	assert_int_equal(cfg->sms.blocked.n, 7);
	assert_str(cfg->sms.blocked.items[6], "+888");
	assert_true(cfg->sms.require_proof);
	assert_int_equal(cfg->sms.code_ttl_ms, 5 * MS_PER_MIN);
	assert_int_equal(cfg->sms.timeout_ms, 10000);
	assert_int_equal(cfg->outbox.max_age_ms, 3 * MS_PER_DAY);
	assert_true(cfg->notice.new_sign_in);
	assert_int_equal(cfg->limits.brake, BRAKE_ALARM);
	assert_int_equal(cfg->limits.brake_failures_per_s, 20);
	assert_int_equal(cfg->limits.resend_ms, 60000);
	assert_int_equal(cfg->limits.mail_per_10min, 3);
	assert_int_equal(cfg->limits.mail_per_day, 10);
	assert_int_equal(cfg->limits.mail_network_per_hour, 20);
	assert_int_equal(cfg->limits.sms_per_hour, 5);
	assert_int_equal(cfg->limits.sms_per_day, 10);
	assert_int_equal(cfg->limits.sms_network_per_hour, 10);
	assert_int_equal(cfg->limits.sms_range_per_hour, 20);
	assert_int_equal(cfg->limits.sms_total_per_day, 1000);
	assert_int_equal(cfg->limits.sign_ins_per_hour, 3600);
	assert_int_equal(cfg->limits.oauth_per_10min, 300);
	assert_int_equal(cfg->limits.bad_tokens, 20);
}

static void every_kind_of_value_is_read_from_a_file(void **state)
{
	(void)state;
	assert_taken(load_ini("\xEF\xBB\xBF# comment\n; comment\n\n"
			      "[server]\n  listen=[::1]:8080 \r\nworkers: 7\nmax_body = 128 KiB\n"
			      "trusted_proxies = 10.0.0.0/8, 192.0.2.1,2001:db8::1 ,, unix, fc00::/7,\n"
			      "head_timeout = 1.5s\n"
			      "[token]\nalgorithm = EdDSA\naudience = app, https://api.example.com\n"
			      "[registration]\nenabled = false\n[log]\nformat = text\nlevel = debug\n"
			      "[ui]\nsite_name = \xC3\x84pfel ; & Birnen = \xF0\x9F\x8D\x90 # x\n"
			      "[server]\napi_prefix = /api/v1\n"),
		     "");
	assert_str(cfg->server.listen, "[::1]:8080");
	assert_str(cfg->server.public_url, "http://[::1]:8080");
	assert_int_equal(cfg->server.workers, 7);
	assert_int_equal(cfg->server.max_body, 131072);
	assert_int_equal(cfg->server.head_timeout_ms, 1500);
	assert_int_equal(cfg->server.trusted_proxies.n, 5);
	assert_str(cfg->server.trusted_proxies.items[0], "10.0.0.0/8");
	assert_str(cfg->server.trusted_proxies.items[1], "192.0.2.1/32");
	assert_str(cfg->server.trusted_proxies.items[2], "2001:db8::1/128");
	assert_str(cfg->server.trusted_proxies.items[3], "unix");
	assert_str(cfg->server.trusted_proxies.items[4], "fc00::/7");
	assert_int_equal(cfg->token.algorithm, ALG_EDDSA);
	assert_int_equal(cfg->token.audience.n, 2);
	assert_str(cfg->token.audience.items[1], "https://api.example.com");
	assert_false(cfg->registration.enabled);
	assert_str(cfg->log.format, "text");
	assert_int_equal(cfg->log.level, LOG_DEBUG);
	assert_str(cfg->ui.site_name, "\xC3\x84pfel ; & Birnen = \xF0\x9F\x8D\x90 # x");
	assert_str(cfg->server.api_prefix, "/api/v1");
}

static void later_sources_win_and_print_config_says_which(void **state)
{
	char data[] = "SALLYPORT_SERVER_WORKERS=9", queue[] = "SALLYPORT_SERVER_QUEUE_MAX=11";
	char other[] = "PATH=/bin";
	char *env[] = { other, data, queue, NULL };
	const struct config_source source = {
		.file = FILE_NAME, .environ = env, .dev = true,
		.overrides = { { "server.listen", "127.0.0.1:1" }, { "server.listen", "127.0.0.1:4000" } },
		.n_overrides = 2,
	};
	static const char ini[] = "[server]\nlisten = 127.0.0.1:5000\nworkers = 8\nmax_connections = 20\n";
	char *text;

	(void)state;
	write_file(FILE_NAME, ini, sizeof(ini) - 1, 0644);
	assert_taken(load(&source), "");
	assert_str(cfg->server.listen, "127.0.0.1:4000");
	assert_int_equal(cfg->server.workers, 9);
	assert_int_equal(cfg->server.queue_max, 11);
	assert_int_equal(cfg->server.max_connections, 20);
	text = printed(print_with_origin);
	assert_non_null(strstr(text, "# from command line\nlisten = 127.0.0.1:4000\n"));
	assert_non_null(strstr(text, "# from environment (SALLYPORT_SERVER_WORKERS)\nworkers = 9\n"));
	assert_non_null(strstr(text, "# from test.ini line 4\nmax_connections = 20\n"));
	assert_non_null(strstr(text, "# from dev\nops_listen = same\n"));
	assert_non_null(strstr(text, "# from default\nmax_body = 64KiB\n"));
	free(text);
}

static void the_environment_names_the_file_and_the_data_directory(void **state)
{
	static const char ini[] = "[log]\nlevel = error\n[server]\ndata_dir = /from/file\n";
	const char *const env[] = { "SALLYPORT_CONFIG=" FILE_NAME, "SALLYPORT_DATA=/srv/data/", NULL };
	const char *const both[] = { "SALLYPORT_DATA=/a", "SALLYPORT_SERVER_DATA_DIR=/b", NULL };
	const char *const reverse[] = { "SALLYPORT_SERVER_DATA_DIR=/b", "SALLYPORT_DATA=/a", NULL };
	const char *const empty[] = { "SALLYPORT_CONFIG=", NULL };
	char *text;

	(void)state;
	write_file(FILE_NAME, ini, sizeof(ini) - 1, 0644);
	assert_taken(load_ini_env(NULL, env, false), "");
	assert_int_equal(cfg->log.level, LOG_ERROR);
	assert_str(cfg->server.data_dir, "/srv/data");
	assert_str(cfg->store.url, "sqlite:/srv/data/sallyport.db");
	text = printed(print_with_origin);
	assert_non_null(strstr(text, "# from environment (SALLYPORT_DATA)\ndata_dir = /srv/data\n"));
	free(text);
	assert_refused(load_ini_env(NULL, both, false),
		       "SALLYPORT_DATA: is the same as SALLYPORT_SERVER_DATA_DIR; set one of them\n");
	assert_refused(load_ini_env(NULL, reverse, false),
		       "SALLYPORT_DATA: is the same as SALLYPORT_SERVER_DATA_DIR; set one of them\n");
	assert_taken(load_ini_env(NULL, empty, false), "");
}

static void development_has_defaults_of_its_own_that_a_file_overrides(void **state)
{
	(void)state;
	assert_taken(load_ini_env(NULL, NULL, true), "");
	assert_true(cfg->dev);
	assert_str(cfg->log.format, "text");
	assert_str(cfg->server.ops_listen, "same");
	assert_int_equal(cfg->mail.transport, MAIL_LOG);
	assert_str(cfg->mail.from, "no-reply@localhost.localdomain");
	assert_int_equal(cfg->sms.transport, SMS_LOG);
	assert_int_equal(cfg->sms.countries.n, 1);
	assert_str(cfg->sms.countries.items[0], "any");
	assert_taken(load_ini_env("[log]\nformat = json\n", NULL, true), "");
	assert_str(cfg->log.format, "json");
}

/* ---- refusals, each with its text ---- */

struct refusal {
	const char *ini, *problems;
};

static void assert_refusals(const struct refusal *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_refused(load_ini(rows[i].ini), rows[i].problems);
}

static void values_out_of_bounds_are_refused_with_what_is_allowed(void **state)
{
#define WORKERS(shown) \
	"server.workers: \"" shown "\" is not a whole number from 1 to 1024 (in test.ini line 2)\n"
	static const struct refusal rows[] = {
		{ "[server]\nworkers = abc", WORKERS("abc") },
		{ "[server]\nworkers = 0", WORKERS("0") },
		{ "[server]\nworkers = 1025", WORKERS("1025") },
		{ "[server]\nworkers = -1", WORKERS("-1") },
		{ "[server]\nworkers = 1.5", WORKERS("1.5") },
		{ "[server]\nworkers =", WORKERS("") },
		{ "[server]\nworkers = 48 ; many", WORKERS("48 ; many") },
		{ "[server]\nworkers = 18446744073709551617", WORKERS("18446744073709551617") },
		{ "[server]\nmax_body = 1023",
		  "server.max_body: \"1023\" is not a size from 1KiB to 1MiB (in test.ini line 2)\n" },
		{ "[server]\nmax_body = 64 kilo",
		  "server.max_body: \"64 kilo\" is not a size from 1KiB to 1MiB (in test.ini line 2)\n" },
		{ "[token]\naccess_ttl = 61m",
		  "token.access_ttl: \"61m\" is not a duration from 1s to 1h (in test.ini line 2)\n" },
		{ "[token]\naccess_ttl = 0",
		  "token.access_ttl: \"0\" is not a duration from 1s to 1h (in test.ini line 2)\n" },
		{ "[token]\naccess_ttl = soon",
		  "token.access_ttl: \"soon\" is not a duration from 1s to 1h (in test.ini line 2)\n" },
		{ "[token]\nrefresh_window = 61s",
		  "token.refresh_window: \"61s\" is not a duration from 0s to 1m (in test.ini line 2)\n" },
		{ "[token]\nalgorithm = none",
		  "token.algorithm: \"none\" is not ES256, RS256, EdDSA or HS256 (in test.ini line 2)\n" },
		{ "[token]\nalgorithm = es256",
		  "token.algorithm: \"es256\" is not ES256, RS256, EdDSA or HS256 (in test.ini line 2)\n" },
		{ "[log]\nformat = xml", "log.format: \"xml\" is not json or text (in test.ini line 2)\n" },
		{ "[mail]\nsenders = 17",
		  "mail.senders: \"17\" is not a whole number from 1 to 16 (in test.ini line 2)\n" },
		{ "[mail]\ntimeout = 999ms",
		  "mail.timeout: \"999ms\" is not a duration from 1s to 5m (in test.ini line 2)\n" },
		{ "[sms]\ncode_ttl = 11m",
		  "sms.code_ttl: \"11m\" is not a duration from 30s to 10m (in test.ini line 2)\n" },
		{ "[outbox]\nmax_age = 31d",
		  "outbox.max_age: \"31d\" is not a duration from 1m to 30d (in test.ini line 2)\n" },
		{ "[limits]\nresend = 601s",
		  "limits.resend: \"601s\" is not a duration from 0s to 10m (in test.ini line 2)\n" },
		{ "[mail]\ntransport = sendmail",
		  "mail.transport: \"sendmail\" is not none, smtp, http, log or file (in test.ini line 2)\n" },
		{ "[sms]\ntransport = http",
		  "sms.transport: \"http\" is not none, http-get, http-post, twilio or log (in test.ini line "
		  "2)\n" },
		{ "[registration]\nenabled = yes",
		  "registration.enabled: \"yes\" is not true or false (in test.ini line 2)\n" },
		{ "[password]\nmin_length = 7",
		  "password.min_length: \"7\" is not a whole number from 8 to 64 (in test.ini line 2)\n" },
		{ "[password]\nmin_score = 5",
		  "password.min_score: \"5\" is not a whole number from 0 to 4 (in test.ini line 2)\n" },
		{ "[limits]\naccount_max = 101",
		  "limits.account_max: \"101\" is not a whole number from 1 to 100 (in test.ini line 2)\n" },
		{ "[ui]\nsite_name =",
		  "ui.site_name: \"\" is not a name of 1 to 64 characters (in test.ini line 2)\n" },
		{ "[token]\naudience = a, b c",
		  "token.audience: \"b c\" is not a name without blanks, at most 255 bytes (in test.ini line "
		  "2)\n" },
	};

	(void)state;
	assert_refusals(rows, N_OF(rows));
}

static void PW02_hash_parameters_below_the_floor_are_refused(void **state)
{
	static const struct refusal rows[] = {
		{ "[password]\nargon2_memory = 1024",
		  "password.argon2_memory: \"1024\" is not a size from 19MiB to 4GiB (in test.ini line 2)\n" },
		{ "[password]\nargon2_memory = 19455KiB",
		  "password.argon2_memory: \"19455KiB\" is not a size from 19MiB to 4GiB (in test.ini line "
		  "2)\n" },
		{ "[password]\nargon2_memory = 18.999MiB",
		  "password.argon2_memory: \"18.999MiB\" is not a size from 19MiB to 4GiB (in test.ini line "
		  "2)\n" },
		{ "[password]\nargon2_iterations = 1",
		  "password.argon2_iterations: \"1\" is not a whole number from 2 to 16 (in test.ini line "
		  "2)\n" },
	};

	(void)state;
	assert_refusals(rows, N_OF(rows));
	assert_taken(load_ini("[password]\nargon2_memory = 19456KiB\nargon2_iterations = 2"), "");
	assert_int_equal(cfg->password.argon2_memory, 19 << 20);
}

static void unknown_names_are_refused_with_the_nearest_one(void **state)
{
	static const struct refusal rows[] = {
		{ "[server]\nwokers = 3", "\"server.wokers\": there is no such setting; the nearest is "
					  "server.workers (in test.ini line 2)\n" },
		{ "[sever]\nworkers = 3", "\"sever.workers\": there is no such setting; the nearest is "
					  "server.workers (in test.ini line 2)\n" },
		{ "workers = 3", "\"workers\": there is no such setting; the nearest is server.workers "
				 "(in test.ini line 1)\n" },
		{ "[server]\nLISTEN = x", "\"server.LISTEN\": there is no such setting; the nearest is "
					  "server.listen (in test.ini line 2)\n" },
		{ "[token]\nacess_ttl = 1m\nrefresh = 1d",
		  "\"token.acess_ttl\": there is no such setting; the nearest is token.access_ttl (in test.ini "
		  "line 2)\n"
		  "\"token.refresh\": there is no such setting; the nearest is token.refresh_ttl (in test.ini "
		  "line 3)\n" },
		{ "[a\"\x7F\xC2\x9B]\nb = 1", "\"a\\\"\\u007f\\u009b.b\": there is no such setting; the nearest is "
					      "mail.dir (in test.ini line 2)\n" },
	};
	const char *const env[] = { "SALLYPORT_SERVER_WORKRES=3", "SALLYPORT_=1", "SALLYPOR_X=1", NULL };
	const struct config_source source = {
		.overrides = { { "server.listne", "x" } }, .n_overrides = 1,
	};

	(void)state;
	assert_refusals(rows, N_OF(rows));
	assert_int_equal(load_ini_env(NULL, env, false).code, ERR_CONFIG);
	assert_int_equal(report.problems.n, 2);
	assert_true(str_starts(str_of_cstr(report.problems.text),
			       STR("\"SALLYPORT_SERVER_WORKRES\": there is no such setting; the nearest is "
				   "SALLYPORT_SERVER_WORKERS (in the environment)\n")));
	assert_refused(load(&source),
		       "\"server.listne\": there is no such setting; the nearest is server.listen\n");
}

static void lines_that_are_no_settings_are_refused_with_their_number(void **state)
{
	static const struct refusal rows[] = {
		{ "[server]\njust words\n", "test.ini line 2: is neither [section] nor key = value\n" },
		{ "[server\nworkers = 3", "test.ini line 1: a section is [name] alone on its line\n"
					  "\"workers\": there is no such setting; the nearest is server.workers "
					  "(in test.ini line 2)\n" },
		{ "[server] workers = 3", "test.ini line 1: a section is [name] alone on its line\n" },
		{ "[server]\nworkers = 3\n\nworkers = 4\n",
		  "server.workers: is given twice (in test.ini lines 2 and 4)\n" },
		{ "[ui]\nsite_name = \xFF\n", "test.ini line 2: is not UTF-8 text\n" },
		{ "[ui]\nsite_name = a\xE2\x80\xAE" "b\n",
		  "ui.site_name: is not plain UTF-8 text (in test.ini line 2)\n" },
		{ "[server]\nworkers = 3\n  4\n", "test.ini line 3: is neither [section] nor key = value\n" },
	};
	static const char nul[] = "[server]\nworkers = 3\0 4\n";
	struct config_source source = { .file = FILE_NAME };

	(void)state;
	assert_refusals(rows, N_OF(rows));
	write_file(FILE_NAME, nul, sizeof(nul) - 1, 0600);
	assert_refused(load(&source), "test.ini line 2: is not UTF-8 text\n");
}

static void lines_and_files_that_are_too_long_are_refused(void **state)
{
	struct config_source source = { .file = FILE_NAME };
	size_t n = 300000;
	char *text = malloc(n);

	(void)state;
	assert_non_null(text);
	memset(text, 'a', n);
	memcpy(text, "# ", 2);
	text[4096] = '\n';
	memcpy(text + 4097, "b = 1\n", 6);
	write_file(FILE_NAME, text, 4103, 0600);
	assert_refused(load(&source), "test.ini line 1: is longer than 4094 bytes\n"
				      "\"b\": there is no such setting; the nearest is store.url (in test.ini "
				      "line 2)\n");
	memcpy(text, "[ui]\nsite_name = ", 17);
	text[17 + 1025] = '\n';
	write_file(FILE_NAME, text, 17 + 1025 + 1, 0600);
	assert_refused(load(&source), "ui.site_name: is longer than 1024 bytes (in test.ini line 2)\n");
	memset(text, 'a', n);
	memcpy(text, "[server]\ndata_dir = ", 20);
	write_file(FILE_NAME, text, 20 + 1024, 0600);
	assert_refused(load(&source), "store.url: is longer than 1024 bytes with server.data_dir in it\n"
				      "mail.dir: is longer than 1024 bytes with server.data_dir in it\n");
	write_file(FILE_NAME, text, n, 0600);
	assert_refused(load(&source), "test.ini: cannot be read: it is too large\n");
	free(text);
}

static void a_file_that_cannot_be_read_is_refused(void **state)
{
	struct config_source source = { .file = "missing.ini" };

	(void)state;
	assert_refused(load(&source), "missing.ini: cannot be read: No such file or directory\n");
	source.file = ".";
	assert_refused(load(&source), ".: cannot be read: it is not a regular file\n");
}

static void all_problems_are_told_at_once(void **state)
{
	const char *const env[] = { "SALLYPORT_LOG_LEVEL=loud", "SALLYPORT_NOPE=1", NULL };

	(void)state;
	assert_refused(load_ini_env("[server]\nworkers = abc\nnope\nqueue_max = 0\n[token]\n"
				    "refresh_ttl = 2d\nrefresh_max_ttl = 1d\n",
				    env, false),
		       "test.ini line 3: is neither [section] nor key = value\n"
		       "\"SALLYPORT_NOPE\": there is no such setting; the nearest is SALLYPORT_SMS_KEY "
		       "(in the environment)\n"
		       "server.workers: \"abc\" is not a whole number from 1 to 1024 (in test.ini line 2)\n"
		       "server.queue_max: \"0\" is not a whole number from 1 to 1000000 (in test.ini line 4)\n"
		       "log.level: \"loud\" is not debug, info, warn or error (in SALLYPORT_LOG_LEVEL)\n"
		       "token.refresh_max_ttl: must not be less than token.refresh_ttl (in test.ini line 7)\n");
}

static void more_problems_than_fit_are_counted(void **state)
{
	char ini[20000];
	struct buf b = BUF_OF(ini);
	char *text;

	(void)state;
	for (int i = 0; i < 500; i++)
		buf_printf(&b, "unknown_setting_%d = 1\n", i);
	buf_byte(&b, '\0');
	assert_false(b.overflow);
	assert_int_equal(load_ini(ini).code, ERR_CONFIG);
	assert_int_equal(report.problems.n, 500);
	text = printed(print_report);
	assert_non_null(strstr(text, "\"unknown_setting_0\""));
	assert_non_null(strstr(text, "\nand 4"));
	assert_non_null(strstr(text, " more\n"));
	free(text);
}

/* ---- addresses and URLs ---- */

static void one_value(const char *key, const char *value, bool taken)
{
	char ini[2048];
	str section, name;

	(void)str_cut(str_of_cstr(key), '.', &section, &name);
	(void)snprintf(ini, sizeof(ini), "[%.*s]\n%.*s = %s\n", STR_ARG(section), STR_ARG(name), value);
	if ((load_ini_env(ini, NULL, false).code == ERR_OK) != taken)
		fail_msg("%s = %s: %s", key, value, taken ? report.problems.text : "was taken");
	if (!taken)
		assert_true(str_starts(str_of_cstr(report.problems.text), str_of_cstr(key)));
}

static void the_grammar_of_addresses_and_paths_is_strict(void **state)
{
	static const char *const listen[] = {
		"127.0.0.1:3000", "0.0.0.0:80", "[::]:443", "[2001:db8::1]:65535", "localhost:0", NULL,
	};
	static const char *const no_listen[] = {
		"", "127.0.0.1", ":3000", "3000", "*:3000", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:1x",
		"127.0.0.1:-1", "127.1:80", "256.0.0.1:80", "::1:3000", "[::1]", "[::1]3000", "[::1:80",
		"[127.0.0.1]:80", "[localhost]:80", "[::1%lo]:80", "example.com:80", "LOCALHOST:80", "unix:",
		"unix:/", "unix:run/x", "unix:/run/", "systemd:1", "127.0.0.1:80:80", "127.0.0.1 :80", "same",
		"none", "127.0.0.1:000080",
		"unix:/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaaaaaaaaa", NULL,
	};
	static const char *const proxies[] = {
		"unix", "10.0.0.0/8", "10.0.0.1", "::/1", "2001:db8::/128", "0.0.0.0/1", NULL,
	};
	static const char *const no_proxies[] = {
		"0.0.0.0/0", "::/0", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0/8", "any", "10.0.0.0/8/8",
		"10.0.0.0/-1", "10.0.0.0/0008", "localhost", "[::1]", NULL,
	};
	static const char *const prefixes[] = { "/auth", "/a/b-c_d/0", "/api/v1", NULL };
	static const char *const no_prefixes[] = {
		"", "/", "auth", "/auth/", "//auth", "/a//b", "/Auth", "/a.b", "/a b", "/%61", "/a?b", NULL,
	};
	static const char *const urls[] = {
		"https://auth.example.com", "https://auth.example.com:8443/a/B", "http://127.0.0.1:3000",
		"http://[::1]:3000", "http://localhost", "https://[2001:db8::1]", NULL,
	};
	static const char *const no_urls[] = {
		"auth.example.com", "ftp://a", "https://", "https:///x", "https://a/", "https://a//b",
		"https://a b", "https://a?x=1", "https://a#f", "https://u:p@a", "https://A.example",
		"HTTPS://a", "https://a:", "https://a:99999", "https://a:80:80", "https://[::1", "https://[x]",
		"https://[::1]x", "https://a/%2e", "https://\xC3\xA4.example", "javascript:alert(1)", NULL,
	};
	static const struct {
		const char *key;
		const char *const *taken, *const *refused;
	} rows[] = {
		{ "server.listen", listen, no_listen },
		{ "server.trusted_proxies", proxies, no_proxies },
		{ "server.api_prefix", prefixes, no_prefixes },
		{ "server.public_url", urls, no_urls },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		for (size_t j = 0; rows[i].taken[j] != NULL; j++)
			one_value(rows[i].key, rows[i].taken[j], true);
		for (size_t j = 0; rows[i].refused[j] != NULL; j++)
			one_value(rows[i].key, rows[i].refused[j], false);
	}
	one_value("server.data_dir", "/srv/a b", true);
	one_value("server.data_dir", "/srv/{data_dir}", false);
	one_value("server.data_dir", "/srv/}", false);
	one_value("store.url", "sqlite:/x/{data_dir}/y", true);
	one_value("store.url", "sqlite:{data_dir}{data_dir}", false);
	one_value("store.url", "sqlite:{datadir}/x", false);
	one_value("store.url", "sqlite:/x}{data_dir}", false);
	one_value("store.url", "sqlite:/x}", false);
	one_value("server.ops_listen", "none", true);
	one_value("server.ops_listen", "same", true);
	one_value("server.ops_listen", "unix:/run/ops", true);
	one_value("server.ops_listen", "systemd", false);
	one_value("server.ops_listen", "", false);
}

static void values_are(const char *key, const char *const *values, bool taken)
{
	for (size_t i = 0; values[i] != NULL; i++)
		one_value(key, values[i], taken);
}

static void EL09_links_lead_to_web_sites_and_apps_only(void **state)
{
	static const char *const taken[] = {
		"https://app.example.com", "https://app.example.com/app", "http://localhost:8080", "myapp://auth",
		"com.example.app://auth/x", "my-app+1://h", "https://a.example, myapp://auth", NULL,
	};
	static const char *const refused[] = {
		"https://a.example/", "https://a.example?x", "https://a.example#x", "https://u:p@a.example",
		"https://", "https:/a", "https:a", "a.example", "*", "https://*.example.com", "myapp://",
		"myapp:/x", "myapp:x", "myapp://auth/", "myapp://a//b", "myapp://a?x=1", "myapp://a#x",
		"myapp://u@a", "MyApp://auth", "m://auth", "1app://auth", "my_app://auth", "://auth",
		"javascript://a", "JavaScript://a", "javascript:alert(1)", "data://a", "data:text/html,x",
		"file://a/b", "vbscript://a", "blob://a", "about://a", "content://a", "intent://a",
		"filesystem://a", "view-source://a", "ws://a", "wss://a", "ftp://a", "chrome://a",
		"chrome-extension://a", "ms-settings://a", "https://a.example, javascript://a",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa://a", NULL,
	};

	(void)state;
	values_are("site.urls", taken, true);
	values_are("site.urls", refused, false);
}

static void the_grammar_of_senders_services_and_numbers_is_strict(void **state)
{
	static const char *const from[] = { "", "no-reply@example.com", "A.b+c@xn--4ca.example", NULL };
	static const char *const no_from[] = {
		"example.com", "@example.com", "a@", "a@localhost", "a@b@example.com", "Name <a@example.com>",
		"a b@example.com", "\"a\"@example.com", "a%b@example.com", "a!b@example.com", ".a@example.com",
		"a..b@example.com", "a.@example.com", "a@.example.com", "a@example..com", "a@example.com.",
		"a@[127.0.0.1]", "a,b@example.com", "\xC3\xA4@example.com", "a@\xC3\xA4.example",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@example.com", NULL,
	};
	static const char *const smtp[] = {
		"", "smtp://mail.example.com", "smtp://mail.example.com:587", "smtps://[2001:db8::1]:465", NULL,
	};
	static const char *const no_smtp[] = {
		"mail.example.com", "mail.example.com:587", "http://mail.example.com", "SMTP://a", "smtp:a",
		"smtp://", "smtp://a/", "smtp://a/x", "smtp://u:p@a", "smtp://a:", "smtp://a:99999", "smtp://a?x",
		"smtp://A", NULL,
	};
	static const char *const service[] = {
		"", "https://sms.example.com", "https://sms.example.com:8443/v1/Send?account=1&x=%20",
		"https://sms.example.com?a=b", "http://127.0.0.1:8080/send", "http://[::1]/",
		"http://localhost?x", NULL,
	};
	static const char *const no_service[] = {
		"http://sms.example.com/", "http://localhost.example.com", "http://127.0.0.1.example.com/",
		"http://127.0.0.1@sms.example.com/", "https://u:p@sms.example.com/", "ftp://127.0.0.1/",
		"sms.example.com", "https://", "https:///x", "https://a/#x", "https://a b", "https://a/<x>",
		"https://a/\\x", NULL,
	};
	static const char *const countries[] = { "", "any", "+39", "+1, +44", "+1242", NULL };
	static const char *const no_countries[] = {
		"39", "IT", "+", "+0", "+3x", "0039", "all", "+12345678901234567", NULL,
	};
	static const char *const blocked[] = { "", "+979", "+1900, +44909", NULL };
	static const char *const no_blocked[] = { "any", "979", NULL };
	static const char *const test_numbers[] = {
		"", "+15550100=123456", "+15550100=000000, +15550101=123456", NULL,
	};
	static const char *const no_test_numbers[] = {
		"+15550100", "+15550100=", "+15550100=12345", "+15550100=1234567", "+15550100=12345x",
		"15550100=123456", "+1555=123456", "+1234567890123456=123456", "=123456", NULL,
	};
	static const char *const langs[] = { "de", "pt-BR", "en_US", NULL };
	static const char *const no_langs[] = { "", "e", "e1", "../../etc", NULL };
	char label[66] = "";

	(void)state;
	values_are("mail.from", from, true);
	values_are("mail.from", no_from, false);
	values_are("mail.smtp_url", smtp, true);
	values_are("mail.smtp_url", no_smtp, false);
	values_are("mail.http_url", service, true);
	values_are("mail.http_url", no_service, false);
	values_are("sms.url", service, true);
	values_are("sms.url", no_service, false);
	values_are("sms.countries", countries, true);
	values_are("sms.countries", no_countries, false);
	values_are("sms.blocked", blocked, true);
	values_are("sms.blocked", no_blocked, false);
	values_are("sms.test_numbers", test_numbers, true);
	values_are("sms.test_numbers", no_test_numbers, false);
	values_are("mail.default_lang", langs, true);
	values_are("mail.default_lang", no_langs, false);
	one_value("mail.dir", "/srv/{data_dir}", false);
	one_value("mail.from_name", "\xC3\x84pfel & Birnen", true);
	memset(label, 'a', 64);
	one_value("mail.from_name", label, true);
	label[64] = 'a';
	one_value("mail.from_name", label, false);
}

static void EL18_names_and_addresses_of_senders_have_no_control_characters(void **state)
{
	static const char *const keys[] = { "mail.from", "mail.from_name", "mail.smtp_url", "mail.smtp_user",
					    "mail.smtp_password", "mail.http_key", "sms.from", "sms.key" };

	(void)state;
	for (size_t i = 0; i < N_OF(keys); i++) {
		one_value(keys[i], "a\rBcc: b@example.com", false);
		one_value(keys[i], "a\x01", false);
		one_value(keys[i], "a\xC2\x85", false);
	}
}

static void WB01_cookies_and_origins_are_held_to_their_grammar(void **state)
{
	static const char *const origins[] = { "https://app.example.com", "http://localhost:8080", "https://[::1]:3",
					       "capacitor://localhost", "https://a.example, https://b.example", NULL };
	static const char *const no_origins[] = { "*", "null", "https://*.example.com", "https://a.example/",
						  "https://a.example/x", "a.example", "HTTPS://a.example",
						  "https://u@a.example", "javascript://a", "file://a", NULL };
	static const char *const domains[] = { "example.com", "a.b-c.example", NULL };
	static const char *const no_domains[] = { "com", ".example.com", "example.com.", "a..b", "-a.example", "a-.example",
						  "Example.com", "a.example; Secure", "a_b.example", NULL };
	static const char *const app_hosts[] = { "app.example.com", "app.example.com:8443", "localhost:8080", "127.0.0.1:81", NULL };
	static const char *const no_app_hosts[] = { "https://app.example.com", "app.example.com/", "App.example.com", "*.example.com", "*",
						    ".example.com", "app.example.com:", "app.example.com:443", "app.example.com:x",
						    "u@app.example.com", "app.example.com?x", "app.example.com#x", "a b", "app.example.com\\", NULL };
	static const char *const paths[] = { "/", "/auth", "/a/B_c-1", NULL };
	static const char *const no_paths[] = { "auth", "/a;b", "/a b", "//a", "/a//b", "/..", "/a?b", NULL };

	(void)state;
	values_are("cors.origins", origins, true);
	values_are("cors.origins", no_origins, false);
	values_are("cookie.domain", domains, true);
	values_are("cookie.domain", no_domains, false);
	values_are("forward.hosts", app_hosts, true);
	values_are("forward.hosts", no_app_hosts, false);
	values_are("cookie.path", paths, true);
	values_are("cookie.path", no_paths, false);
}

static void WB01_cookies_that_browsers_would_not_keep_are_refused(void **state)
{
	static const struct refusal rows[] = {
		{ "[cookie]\nsecure = false\n[server]\nlisten = 0.0.0.0:3000\npublic_url = https://a.example",
		  "cookie.secure: false is allowed only when every listener is on loopback or a Unix socket (in "
		  "test.ini line 2)\n" },
		{ "[cookie]\nsecure = false\nsame_site = none",
		  "cookie.same_site: none needs cookie.secure: browsers ignore such cookies otherwise (in test.ini "
		  "line 3)\n" },
		{ "[cookie]\ndomain = b.example\n[server]\npublic_url = https://auth.a.example",
		  "cookie.domain: browsers take it only from hosts of that domain, and server.public_url is "
		  "https://auth.a.example (in test.ini line 2)\n" },
		{ "[cookie]\ndomain = a.example\n[server]\npublic_url = https://xa.example",
		  "cookie.domain: browsers take it only from hosts of that domain, and server.public_url is "
		  "https://xa.example (in test.ini line 2)\n" },
	};

	(void)state;
	assert_refusals(rows, N_OF(rows));
	assert_taken(load_ini("[cookie]\ndomain = a.example\n[server]\npublic_url = https://auth.a.example"), "");
	assert_taken(load_ini("[cookie]\nsecure = false\n"), "");
}

static void sessions_of_browsers_live_as_others_when_only_those_are_set(void **state)
{
	(void)state;
	assert_taken(load_ini(""), "");
	assert_int_equal(cfg->token.web_refresh_ttl_ms, 7 * MS_PER_DAY);
	assert_int_equal(cfg->token.web_refresh_max_ttl_ms, 30 * MS_PER_DAY);
	assert_taken(load_ini("[token]\nrefresh_ttl = 60d\n"), "");
	assert_int_equal(cfg->token.web_refresh_ttl_ms, 60 * MS_PER_DAY);
	assert_int_equal(cfg->token.web_refresh_max_ttl_ms, 90 * MS_PER_DAY);
	assert_taken(load_ini("[token]\nrefresh_ttl = 2d\nweb_refresh_ttl = 1h\n"), "");
	assert_int_equal(cfg->token.web_refresh_ttl_ms, MS_PER_HOUR);
	assert_refused(load_ini("[token]\nweb_refresh_ttl = 31d\nweb_refresh_max_ttl = 30d\n"),
		       "token.web_refresh_max_ttl: must not be less than token.web_refresh_ttl (in test.ini line 3)\n");
}

static void links_lead_to_the_public_url_unless_sites_are_given(void **state)
{
	(void)state;
	assert_taken(load_ini("[server]\npublic_url = https://a.example\n"), "");
	assert_int_equal(cfg->site.urls.n, 1);
	assert_str(cfg->site.urls.items[0], "https://a.example");
	assert_taken(load_ini("[site]\nurls = https://b.example/x, com.example.app://auth\n"
			      "app_links = short\n"),
		     "");
	assert_int_equal(cfg->site.urls.n, 2);
	assert_str(cfg->site.urls.items[1], "com.example.app://auth");
	assert_int_equal(cfg->site.app_links, LINKS_SHORT);
	assert_taken(load_ini("[server]\ndata_dir = /srv/x/\n"), "");
	assert_str(cfg->mail.dir, "/srv/x/mail");
	assert_taken(load_ini("[mail]\ndir = /srv/y\n"), "");
	assert_str(cfg->mail.dir, "/srv/y");
}

static void the_public_url_follows_the_listener_or_must_be_given(void **state)
{
	static const char tls[] = "[server]\nlisten = localhost:8443\ntls_cert = c.pem\ntls_key = k.pem\n";

	(void)state;
	assert_taken(load_ini(tls), "");
	assert_str(cfg->server.public_url, "https://localhost:8443");
	assert_refused(load_ini("[server]\nlisten = unix:/run/s\n"),
		       "server.public_url: must be given, because server.listen (unix:/run/s) has no name that "
		       "clients could use\n");
	assert_refused(load_ini("[server]\nlisten = systemd\n"),
		       "server.public_url: must be given, because server.listen (systemd) has no name that "
		       "clients could use\n");
	assert_taken(load_ini("[server]\nlisten = systemd\npublic_url = https://a.example\n"), "");
	assert_taken(load_ini("[server]\nlisten = unix:/run/s\npublic_url = https://a.example\n"), "");
}

static void settings_that_contradict_each_other_are_refused(void **state)
{
	static const struct refusal rows[] = {
		{ "[server]\ntls_cert = c.pem",
		  "server.tls_key: must be given, because server.tls_cert is\n" },
		{ "[server]\ntls_key = k.pem",
		  "server.tls_cert: must be given, because server.tls_key is\n" },
		{ "[token]\nrefresh_ttl = 91d",
		  "token.refresh_max_ttl: must not be less than token.refresh_ttl\n" },
		{ "[password]\nmemory_budget = 64MiB\nargon2_memory = 65MiB",
		  "password.memory_budget: must not be less than password.argon2_memory (in test.ini line "
		  "2)\n" },
		{ "[limits]\naccount_free = 11\naccount_max = 10",
		  "limits.account_max: must not be less than limits.account_free (in test.ini line 3)\n" },
		{ "[server]\nops_listen = 127.0.0.1:3000", "server.ops_listen: is the address of server.listen; "
							   "write same for one listener (in test.ini line 2)\n" },
		{ "[store]\nurl = postgresql://user:hunter2@db/x",
		  "store.url: the value is not sqlite: and the name of a file; this version has no other store "
		  "(in test.ini line 2)\n" },
		{ "[store]\nurl = sqlite:",
		  "store.url: the value is not sqlite: and the name of a file; this version has no other store "
		  "(in test.ini line 2)\n" },
	};

	(void)state;
	assert_refusals(rows, N_OF(rows));
	assert_taken(load_ini("[token]\nrefresh_ttl = 90d\n[password]\nmemory_budget = 19MiB"), "");
}

static void limits_are_off_only_where_nobody_else_can_connect(void **state)
{
#define OFF "[limits]\nenabled = false\n[server]\n"
#define WHY(text) \
	"limits.enabled: false is allowed only when every listener is on loopback or a Unix socket (" text \
	") (in test.ini line 2)\n"
	(void)state;
	assert_taken(load_ini(OFF), "");
	assert_taken(load_ini(OFF "listen = [::1]:1\nops_listen = none"), "");
	assert_taken(load_ini(OFF "listen = unix:/run/s\npublic_url = https://a\nops_listen = same"), "");
	assert_refused(load_ini(OFF "listen = 0.0.0.0:1"), WHY("server.listen is 0.0.0.0:1"));
	assert_refused(load_ini(OFF "listen = [::]:1"), WHY("server.listen is [::]:1"));
	assert_refused(load_ini(OFF "listen = 10.1.2.3:1"), WHY("server.listen is 10.1.2.3:1"));
	assert_refused(load_ini(OFF "listen = systemd\npublic_url = https://a"),
		       WHY("server.listen is systemd"));
	assert_refused(load_ini(OFF "ops_listen = 10.1.2.3:1"), WHY("server.ops_listen is 10.1.2.3:1"));
}

static void development_is_refused_off_loopback(void **state)
{
	(void)state;
	assert_taken(load_ini_env("[server]\nlisten = 127.9.9.9:1", NULL, true), "");
	assert_refused(load_ini_env("[server]\nlisten = 0.0.0.0:3000", NULL, true),
		       "server.listen: 0.0.0.0:3000 is not on this machine only, as --dev demands: use "
		       "127.0.0.1, [::1], localhost or unix:/path (in test.ini line 2)\n");
	assert_refused(load_ini_env("[server]\nlisten = systemd\npublic_url = https://a", NULL, true),
		       "server.listen: systemd is not on this machine only, as --dev demands: use "
		       "127.0.0.1, [::1], localhost or unix:/path (in test.ini line 2)\n");
	assert_refused(load_ini_env("[server]\nops_listen = [::]:1", NULL, true),
		       "server.ops_listen: [::]:1 is not on this machine only, as --dev demands: use same, "
		       "none, 127.0.0.1, [::1], localhost or unix:/path (in test.ini line 2)\n");
}

static void risky_but_allowed_settings_bring_a_warning(void **state)
{
	char *text;

	(void)state;
	assert_taken(load_ini("[server]\nlisten = 0.0.0.0:3000\n"),
		     "server.public_url: http://0.0.0.0:3000 is not https: passwords and tokens travel "
		     "unprotected between clients and this server\n");
	assert_taken(load_ini("[server]\npublic_url = http://localhost.example:1\n"),
		     "server.public_url: http://localhost.example:1 is not https: passwords and tokens travel "
		     "unprotected between clients and this server\n");
	assert_taken(load_ini("[server]\npublic_url = https://a.example\n"), "");
	assert_taken(load_ini("[token]\naccess_ttl = 16m\n"),
		     "token.access_ttl: is more than 15m: other services accept a token of a session that has "
		     "ended for so long\n");
	text = printed(print_report);
	assert_memory_equal(text, "warning: token.access_ttl: ", 27);
	free(text);
}

/* ---- mail and SMS ---- */

#define SITE "[site]\nurls = https://a.example\n" /* lines 1 and 2 */
#define SMTP SITE "[mail]\ntransport = smtp\nfrom = a@b.example\nsmtp_url = smtp://"

static void a_transport_without_what_it_needs_is_refused(void **state)
{
	static const struct refusal rows[] = {
		{ SITE "[mail]\ntransport = smtp",
		  "mail.smtp_url: must be given, because mail.transport is smtp\n"
		  "mail.from: must be given, because mails need a sender\n" },
		{ SITE "[mail]\ntransport = http",
		  "mail.http_url: must be given, because mail.transport is http\n"
		  "mail.from: must be given, because mails need a sender\n" },
		{ "[mail]\ntransport = file", "mail.from: must be given, because mails need a sender\n" },
		{ "[mail]\nsmtp_user = u", "mail.smtp_password: must be given, because mail.smtp_user is\n" },
		{ "[mail]\nsmtp_password = p",
		  "mail.smtp_user: must be given, because mail.smtp_password is\n" },
		{ "[sms]\ntransport = http-post\ncountries = +39",
		  "sms.url: must be given, because sms.transport is a gateway\n" },
		{ "[sms]\ntransport = http-get\ncountries = +39",
		  "sms.url: must be given, because sms.transport is a gateway\n" },
		{ "[sms]\ntransport = twilio\ncountries = +39",
		  "sms.user: must be given, because sms.transport is twilio\n"
		  "sms.password: must be given, because sms.transport is twilio\n"
		  "sms.from: must be given, because sms.transport is twilio\n" },
		{ "[sms]\ntransport = http-post\nurl = https://a",
		  "sms.countries: list the countries you text, like +39, +41: messages to all others cost money "
		  "and are refused\n" },
		{ "[sms]\ntransport = twilio\nuser = u\npassword = p\nfrom = f\ncountries = ,",
		  "sms.countries: list the countries you text, like +39, +41: messages to all others cost money "
		  "and are refused (in test.ini line 6)\n" },
		{ "[verification]\nmode = lazy",
		  "verification.mode: addresses can be proven by mail only; set mail.transport (in test.ini line "
		  "2)\n" },
		{ "[verification]\nmode = strict",
		  "verification.mode: addresses can be proven by mail only; set mail.transport (in test.ini line "
		  "2)\n" },
	};

	(void)state;
	assert_refusals(rows, N_OF(rows));
	assert_taken(load_ini(SMTP "b.example\n[verification]\nmode = strict\n"), "");
	assert_taken(load_ini(SITE "[mail]\ntransport = http\nfrom = a@b.example\n"
				   "http_url = https://c\n"),
		     "");
	assert_taken(load_ini("[sms]\ntransport = http-post\nurl = https://a\ncountries = +39\n"), "");
	assert_taken(load_ini("[sms]\ntransport = twilio\nuser = u\npassword = p\nfrom = f\n"
			      "countries = any"),
		     "");
	assert_taken(load_ini("[mail]\ntransport = log\n[sms]\ntransport = log\n"
			      "[verification]\nmode = lazy"),
		     "");
}

static void EL09_mails_without_a_site_for_their_links_are_refused(void **state)
{
	static const char smtp[] =
		"[mail]\ntransport = smtp\nfrom = a@b.example\nsmtp_url = smtp://b.example\n";
	static const char http[] =
		"[mail]\ntransport = http\nfrom = a@b.example\nhttp_url = https://b.example\n";
	static const char why[] =
		"mail.transport: links in mails need site.urls or server.public_url (in test.ini line 2)\n";
	static const char *const site[] = { "SALLYPORT_SITE_URLS=https://a.example", NULL };
	static const char *const none[] = { "SALLYPORT_SITE_URLS=", "SALLYPORT_SERVER_PUBLIC_URL=", NULL };
	static const char *const url[] = { "SALLYPORT_SERVER_PUBLIC_URL=https://a.example", NULL };

	(void)state;
	assert_refused(load_ini(smtp), why);
	assert_refused(load_ini(http), why);
	assert_refused(load_ini_env(smtp, none, false), why);
	assert_taken(load_ini_env(smtp, site, false), "");
	assert_taken(load_ini_env(http, url, false), "");
	assert_str(cfg->site.urls.items[0], "https://a.example");
	assert_taken(load_ini_env(smtp, NULL, true), "");
}

static void passwords_are_not_sent_to_a_mail_server_in_the_clear(void **state)
{
#define LOGIN "\nsmtp_user = u\nsmtp_password = p\n"
#define OFF_AWAY \
	"mail.smtp_tls: off is allowed only when the server of mail.smtp_url is on loopback (in test.ini line "
	static const struct refusal rows[] = {
		{ SMTP "b.example\nsmtp_tls = off", OFF_AWAY "7)\n" },
		{ SMTP "b.example" LOGIN "smtp_tls = off", OFF_AWAY "9)\n" },
		{ SMTP "b.example" LOGIN "smtp_tls = opportunistic",
		  "mail.smtp_tls: opportunistic could show the password of mail.smtp_user to others; with a "
		  "password it must be required (in test.ini line 9)\n" },
		{ "[mail]\nsmtp_url = smtps://127.0.0.1\nsmtp_tls = off",
		  "mail.smtp_tls: off contradicts smtps:// in mail.smtp_url (in test.ini line 3)\n" },
	};

	(void)state;
	assert_refusals(rows, N_OF(rows));
	assert_taken(load_ini(SMTP "b.example" LOGIN), "");
	assert_taken(load_ini(SMTP "b.example\nsmtp_tls = opportunistic"), "");
	assert_taken(load_ini(SMTP "127.0.0.1:2525" LOGIN "smtp_tls = off"), "");
	assert_taken(load_ini(SMTP "[::1]:2525" LOGIN "smtp_tls = opportunistic"), "");
	assert_int_equal(cfg->mail.smtp_tls, MAIL_TLS_OPPORTUNISTIC);
	assert_true(str_eq(secret_str(cfg->mail.smtp_password), STR("p")));
}

static void codes_are_shown_on_the_console_only_where_nobody_else_can_connect(void **state)
{
#define OPEN "[server]\nlisten = 10.1.2.3:1\npublic_url = https://a\n"
#define OPEN_OPS "[server]\nops_listen = 10.1.2.3:1\n"
	static const char mail[] = "mail.transport: log shows links that sign in; it is allowed only when every "
				   "listener is on loopback or a Unix socket (in test.ini line ";
	static const char sms[] = "sms.transport: log shows codes that sign in; it is allowed only when every "
				  "listener is on loopback or a Unix socket (in test.ini line ";
	char want[512];

	(void)state;
	(void)snprintf(want, sizeof(want), "%s5)\n%s7)\n", mail, sms);
	assert_refused(load_ini(OPEN "[mail]\ntransport = log\n[sms]\ntransport = log\n"), want);
	(void)snprintf(want, sizeof(want), "%s4)\n", mail);
	assert_refused(load_ini(OPEN_OPS "[mail]\ntransport = log\n"), want);
	(void)snprintf(want, sizeof(want), "%s5)\n", sms);
	assert_refused(load_ini("[server]\nlisten = systemd\npublic_url = https://a\n"
				"[sms]\ntransport = log\n"),
		       want);
	assert_taken(load_ini("[server]\nlisten = unix:/run/s\npublic_url = https://a\n"
			      "[mail]\ntransport = log\n"),
		     "");
	assert_taken(load_ini(OPEN "[mail]\ntransport = file\nfrom = a@b.example\n"),
		     "mail.transport: file sends nothing; whoever can read mail.dir can use the links in the "
		     "mails\n");
}

static void risky_links_and_gateways_bring_a_warning(void **state)
{
	(void)state;
	assert_taken(load_ini("[site]\nurls = myapp://auth, com.example.app://auth, http://a.example, "
			      "http://localhost:1, https://a.example\n"),
		     "site.urls: myapp://auth can be claimed by any app: use a scheme with a dot, like "
		     "com.example.app\n"
		     "site.urls: http://a.example is not https: links in mails can be read and changed on the "
		     "way\n");
	assert_taken(load_ini("[sms]\ntransport = http-get\nurl = https://a\ncountries = +39\n"),
		     "sms.transport: http-get puts credentials and codes into URLs, which gateways and proxies "
		     "write to their logs; prefer http-post\n");
	assert_taken(load_ini("[sms]\ntest_numbers = +15550100=123456\n"), "");
	assert_taken(load_ini(OPEN "[sms]\ntest_numbers = +15550100=123456\n"),
		     "sms.test_numbers: anyone who knows the number can sign in to the account that holds it\n");
}

/* ---- secrets ---- */

#define RANDOM_TEXT "q7Zp_Lw2XvT9-mKfR4sBhYc1NdGjUa8oE3iVxWlQ5tk" /* 32 bytes */

static void secrets_come_from_files_as_base64url_text_or_bytes(void **state)
{
	uint8_t raw[32], decoded[64];
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(raw); i++)
		raw[i] = (uint8_t)(i * i * 7 + 3);
	raw[31] = '\n';
	write_file("secret", RANDOM_TEXT "\n", sizeof(RANDOM_TEXT), 0600);
	char ini[1200];
	(void)snprintf(ini, sizeof(ini), "[password]\npepper = file:%s/secret\n", work_dir);
	assert_taken(load_ini(ini), "");
	assert_true(base64url_decode(STR(RANDOM_TEXT), decoded, sizeof(decoded), &n));
	assert_int_equal(cfg->password.pepper.n, 32);
	assert_memory_equal(cfg->password.pepper.p, decoded, 32);
	write_file("secret", raw, sizeof(raw), 0400); /* random bytes keep a last byte 0x0A */
	assert_taken(load_ini(ini), "");
	assert_int_equal(cfg->password.pepper.n, 32);
	assert_memory_equal(cfg->password.pepper.p, raw, 32);
	write_file("secret", "a sentence of, well, random words!!\r\n", 37, 0600);
	assert_taken(load_ini(ini), "");
	assert_true(str_eq(secret_str(cfg->password.pepper), STR("a sentence of, well, random words!!")));
}

static void SC01_the_key_of_the_certificate_follows_the_rule_for_secrets(void **state)
{
	char ini[1200], want[1400];

	(void)state;
	(void)snprintf(ini, sizeof(ini), "[server]\ntls_cert = %s/c.pem\ntls_key = %s/secret\n", work_dir, work_dir);
	write_file("secret", "k", 1, 0644);
	(void)snprintf(want, sizeof(want),
		       "server.tls_key: the file %s/secret may be used by others (mode 0644, group %u); " HINT
		       " (in test.ini line 3)\n",
		       work_dir, (unsigned)getegid());
	assert_refused(load_ini(ini), want);
	write_file("secret", "k", 1, 0640);
	assert_taken(load_ini(ini), "");
}

/* In a child that is not root and in one group only. */
static int groups_are_told_apart(void)
{
	const gid_t own = 65534, other = 54321;
	struct stat st = { .st_mode = S_IFREG | 0640 };

	if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setgid(own) != 0 || setuid(own) != 0))
		return 1;
	st.st_gid = getegid();
	if (!config_mode_is_private(&st))
		return 2;
	st.st_gid = 0; /* as the service manager hands credentials over */
	if (!config_mode_is_private(&st))
		return 3;
	st.st_gid = other;
	if (config_mode_is_private(&st))
		return 4;
	st.st_mode = S_IFREG | 0600;
	return config_mode_is_private(&st) ? 0 : 5;
}

static void SC01_only_a_group_of_the_server_may_read_a_secret(void **state)
{
	int status = -1;
	pid_t child = fork();

	(void)state;
	if (child == 0)
		_exit(groups_are_told_apart());
	assert_true(child > 0 && waitpid(child, &status, 0) == child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void names_that_container_platforms_add_are_passed_over(void **state)
{
	const char *const added[] = { "SALLYPORT_PORT=tcp://10.0.0.7:3000", "SALLYPORT_PORT_3000_TCP=tcp://10.0.0.7:3000",
				      "SALLYPORT_PORT_3000_TCP_ADDR=10.0.0.7", "SALLYPORT_PORT_3000_TCP_PORT=3000",
				      "SALLYPORT_PORT_3000_TCP_PROTO=tcp", "SALLYPORT_SERVICE_HOST=10.0.0.7",
				      "SALLYPORT_SERVICE_PORT=3000", "SALLYPORT_SERVICE_PORT_HTTP=3000", NULL };
	static const char *const near[] = { "SALLYPORT_PORTS=1", "SALLYPORT_SERVICE=1", "SALLYPORT_SERVICES_X=1",
					    "SALLYPORT_SERVER_PORT=1" };

	(void)state;
	assert_taken(load_ini_env(NULL, added, false), "");
	for (size_t i = 0; i < N_OF(near); i++) {
		const char *const env[] = { near[i], NULL };

		assert_int_equal(load_ini_env(NULL, env, false).code, ERR_CONFIG);
		assert_non_null(strstr(report.problems.text, "there is no such setting"));
	}
	for (size_t i = 0; i < n_settings; i++) { /* none of ours is passed over with them */
		char text[128];
		struct buf b = BUF_OF(text);

		setting_env_name(&settings[i], &b);
		assert_false(str_starts(buf_view(&b), STR("SALLYPORT_PORT")));
		assert_false(str_starts(buf_view(&b), STR("SALLYPORT_SERVICE_")));
	}
}

static void SC01_secret_files_of_others_are_refused_and_the_environment_warns(void **state)
{
	static const mode_t good_modes[] = { 0400, 0600, 0440, 0640 };
	static const mode_t modes[] = { 0644, 0604, 0660, 0610, 0601, 0602, 0620, 0777 };
	const char *const env[] = { "SALLYPORT_PASSWORD_PEPPER=" RANDOM_TEXT, NULL };
	struct config_source source = { .file = FILE_NAME };
	static const char inlined[] = "[password]\npepper = " RANDOM_TEXT "\n";
	char ini[1200], want[1400];

	(void)state;
	(void)snprintf(ini, sizeof(ini), "[password]\npepper = file:%s/secret\n", work_dir);
	for (size_t i = 0; i < N_OF(modes); i++) {
		write_file("secret", RANDOM_TEXT, sizeof(RANDOM_TEXT) - 1, modes[i]);
		(void)snprintf(want, sizeof(want),
			       "password.pepper: the file %s/secret may be used by others (mode %04o, group %u); "
			       HINT " (in test.ini line 2)\n",
			       work_dir, (unsigned)modes[i], (unsigned)getegid());
		assert_refused(load_ini(ini), want);
		write_file(FILE_NAME, inlined, sizeof(inlined) - 1, modes[i]);
		assert_refused(load(&source), "password.pepper: stands in a file that others may use; " HINT
					      "; or use file:/path (in test.ini line 2)\n");
	}
	for (size_t i = 0; i < N_OF(good_modes); i++) {
		write_file("secret", RANDOM_TEXT, sizeof(RANDOM_TEXT) - 1, good_modes[i]);
		assert_taken(load_ini(ini), "");
		write_file(FILE_NAME, inlined, sizeof(inlined) - 1, good_modes[i]);
		assert_taken(load(&source), "");
	}
	assert_taken(load_ini(inlined), "");
	assert_taken(load_ini_env(NULL, env, false),
		     "password.pepper: is given in the environment, where it is easily seen; file:/path is "
		     "safer\n");
	assert_int_equal(cfg->password.pepper.n, 32);
	assert_refused(load_ini("[password]\npepper = file:secret"),
		       "password.pepper: after file: an absolute path must follow (in test.ini line 2)\n");
	assert_refused(load_ini("[password]\npepper = file:/nonexistent/secret"),
		       "password.pepper: the file /nonexistent/secret cannot be read: No such file or "
		       "directory (in test.ini line 2)\n");
	assert_refused(load_ini("[password]\npepper = file:/tmp"),
		       "password.pepper: the file /tmp cannot be read: it is not a regular file (in test.ini "
		       "line 2)\n");
}

static void JW14_weak_secrets_are_refused_without_being_shown(void **state)
{
	static const char *const weak[] = {
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", /* one repeated byte, as text and as base64url */
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"__________________________________________8", /* FF FF FF … */
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", /* 00 01 02 … */
		"HwAAHwAAHwAAHwAAHwAAHwAAHwAAHwAAHwAAHwAAHwA",
		"abababababababababababababababab!ababab",
		"please ChangeMe to something else, thanks.",
		"this is the Example from the settings page",
		"my very long password that nobody guesses",
		"sallyport sallyport sallyport sallyport",
	};
	static const char *const short_ones[] = { "x", "hunter2", "0123456789abcdef0123456789abcde" };
	char ini[512];

	(void)state;
	for (size_t i = 0; i < N_OF(weak); i++) {
		(void)snprintf(ini, sizeof(ini), "[password]\npepper = %s\n", weak[i]);
		assert_refused(load_ini(ini),
			       "password.pepper: can be guessed (it repeats, counts, or comes from an "
			       "example); at least 32 random bytes are needed (in test.ini line 2)\n");
	}
	for (size_t i = 0; i < N_OF(short_ones); i++) {
		char want[256];
		(void)snprintf(ini, sizeof(ini), "[password]\npepper = %s\n", short_ones[i]);
		(void)snprintf(want, sizeof(want),
			       "password.pepper: has %zu bytes; at least 32 random bytes are needed (in "
			       "test.ini line 2)\n",
			       strlen(short_ones[i]));
		assert_refused(load_ini(ini), want);
	}
	assert_taken(load_ini("[password]\npepper = " RANDOM_TEXT "\n"), "");
	assert_taken(load_ini("[password]\npepper =\n"), "");
}

static void LG01_no_output_shows_a_secret(void **state)
{
	char *text;

	(void)state;
	assert_taken(load_ini("[password]\npepper = " RANDOM_TEXT "\n"), "");
	text = printed(print_with_origin);
	assert_non_null(strstr(text, "# from test.ini line 2\npepper = ***\n"));
	assert_null(strstr(text, "q7Zp"));
	free(text);
	assert_int_equal(load_ini("[server]\nworkers=x\n[password]\npepper = q7Zp\n").code, ERR_CONFIG);
	assert_null(strstr(report.problems.text, "q7Zp"));
	assert_int_equal(load_ini("[password]\npepper = q7Zp\xC2\x85" RANDOM_TEXT "\n").code, ERR_CONFIG);
	assert_null(strstr(report.problems.text, "q7Zp"));
	assert_refused(load_ini("[password]\npepper = ***\n"),
		       "password.pepper: *** stands for a secret that was not printed; give the secret itself "
		       "(in test.ini line 2)\n");
}

static void passwords_of_other_services_are_taken_as_they_are(void **state)
{
	const char *const env[] = { "SALLYPORT_SMS_KEY=changeme", NULL };
	static const char inlined[] = "[sms]\nkey = k\n";
	struct config_source source = { .file = FILE_NAME };
	char ini[1200], want[1400];

	(void)state;
	assert_taken(load_ini("[sms]\npassword = x\nkey = AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"), "");
	assert_true(str_eq(secret_str(cfg->sms.password), STR("x")));
	assert_true(str_eq(secret_str(cfg->sms.key), STR("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")));
	assert_taken(load_ini_env(NULL, env, false),
		     "sms.key: is given in the environment, where it is easily seen; file:/path is safer\n");
	assert_true(str_eq(secret_str(cfg->sms.key), STR("changeme")));
	(void)snprintf(ini, sizeof(ini), "[sms]\nkey = file:%s/secret\n", work_dir);
	write_file("secret", "p \xC3\xA4=#\n", 7, 0600);
	assert_taken(load_ini(ini), "");
	assert_true(str_eq(secret_str(cfg->sms.key), STR("p \xC3\xA4=#")));
	(void)snprintf(want, sizeof(want), "sms.key: the file must hold one line of plain UTF-8 text, 1 to 1024 "
					   "bytes (in test.ini line 2)\n");
	write_file("secret", "\n", 1, 0600);
	assert_refused(load_ini(ini), want);
	write_file("secret", "a\nb\n", 4, 0600);
	assert_refused(load_ini(ini), want);
	write_file("secret", "a\0b", 3, 0600);
	assert_refused(load_ini(ini), want);
	write_file("secret", "k", 1, 0644);
	(void)snprintf(want, sizeof(want),
		       "sms.key: the file %s/secret may be used by others (mode 0644, group %u); " HINT
		       " (in test.ini line 2)\n",
		       work_dir, (unsigned)getegid());
	assert_refused(load_ini(ini), want);
	write_file(FILE_NAME, inlined, sizeof(inlined) - 1, 0644);
	assert_refused(load(&source), "sms.key: stands in a file that others may use; " HINT
				      "; or use file:/path (in test.ini line 2)\n");
}

static void LG01_no_output_shows_a_password_of_another_service(void **state)
{
	static const char *const bad[] = {
		"[mail]\nsmtp_url = smtp://user:hunter2@b.example\n", "[mail]\nhttp_url = https://hunter2@b\n",
		"[sms]\nurl = http://b.example/?password=hunter2\n", "[sms]\npassword = hunter2\xC2\x85\n",
		"[sms]\nkey = file:hunter2\n", "[mail]\nsmtp_password = hunter2\n",
	};
	char *text;

	(void)state;
	assert_taken(load_ini("[mail]\nsmtp_user = u\nsmtp_password = hunter2\nhttp_key = hunter2\n"
			      "[sms]\npassword = hunter2\nkey = hunter2\n"),
		     "");
	text = printed(print_with_origin);
	assert_non_null(strstr(text, "smtp_password = ***\n"));
	assert_non_null(strstr(text, "http_key = ***\n"));
	assert_non_null(strstr(text, "password = ***\n"));
	assert_null(strstr(text, "hunter2"));
	free(text);
	for (size_t i = 0; i < N_OF(bad); i++) {
		assert_int_equal(load_ini(bad[i]).code, ERR_CONFIG);
		assert_null(strstr(report.problems.text, "hunter2"));
	}
	assert_refused(load_ini("[sms]\nkey = ***\n"),
		       "sms.key: *** stands for a secret that was not printed; give the secret itself (in "
		       "test.ini line 2)\n");
}

/* ---- printing ---- */

static void what_print_config_writes_reads_back_to_the_same_settings(void **state)
{
	static const char *const inis[] = {
		"", "[server]\nlisten = localhost:1\nops_listen = none\ndata_dir = /srv/x\n"
		    "trusted_proxies = unix, 10.0.0.1\napi_prefix = /x/y\nhead_timeout = 1234ms\n"
		    "max_body = 100001\n[token]\nalgorithm = HS256\naudience = a,b\nrefresh_window = 0\n"
		    "refresh_ttl = 1.5h\n[ui]\nsite_name = # ; = [x] \"\xC3\xA4\"\n[limits]\nenabled = false\n"
		    "[log]\nlevel = error\n[session]\ncheck_on = none\n",
		"[site]\nurls = https://a.example, com.example.app://auth\napp_links = short\n"
		"[verification]\nmode = strict\n[mail]\ntransport = smtp\nfrom = a@b.example\n"
		"from_name = \xC3\x84pfel = #\nsmtp_url = smtp://[::1]:25\nsmtp_tls = off\ndir = /x\n"
		"[sms]\ntransport = http-post\nurl = https://a/?b=c;d\ncountries = +39,+41\nblocked =\n"
		"test_numbers = +15550100=123456\n[limits]\nresend = 0\n",
	};

	(void)state;
	for (size_t i = 0; i < N_OF(inis); i++) {
		for (int origin = 0; origin < 2; origin++) {
			struct config *first;
			char *text;
			assert_taken(load_ini(inis[i]), "");
			text = printed(origin ? print_with_origin : print_plain);
			first = cfg;
			cfg = NULL;
			assert_taken(load_ini(text), "");
			for (size_t s = 0; s < n_settings; s++) {
				if (!setting_equal(&settings[s], first, cfg))
					fail_msg("%s changed", settings[s].key);
			}
			config_free(first);
			free(text);
		}
	}
}

static void help_lists_every_setting_with_its_variable(void **state)
{
	char *text = printed(config_help), *page = printed(config_help_markdown);

	(void)state;
	for (size_t i = 0; i < n_settings; i++) {
		char want[256], env[128];
		struct buf b = BUF_OF(env);
		setting_env_name(&settings[i], &b);
		(void)snprintf(want, sizeof(want), "%s, %.*s\n    default: ", settings[i].key,
			       STR_ARG(buf_view(&b)));
		if (strstr(text, want) == NULL)
			fail_msg("%s is not in the help", settings[i].key);
		assert_non_null(strstr(page, settings[i].help));
	}
	free(text);
	free(page);
}

static void the_settings_page_of_the_guide_is_current(void **state)
{
	static const char here[] = "test/unit/test_config.c";
	char path[2048], *want = printed(config_help_markdown), *got;
	size_t n = strlen(want);
	FILE *f;

	(void)state;
	/* __FILE__ as given to the compiler, from the directory the tests are started in */
	(void)snprintf(path, sizeof(path), "%s%s%.*sdocs/guide/settings.md",
		       __FILE__[0] == '/' ? "" : start_dir, __FILE__[0] == '/' ? "" : "/",
		       (int)(sizeof(__FILE__) - sizeof(here)), __FILE__);
	f = fopen(path, "re");
	if (f == NULL)
		fail_msg("%s cannot be opened", path);
	got = calloc(1, n + 2);
	assert_non_null(got);
	assert_in_range(fread(got, 1, n + 1, f), 1, n + 1);
	(void)fclose(f);
	if (strcmp(got, want) != 0)
		fail_msg("run: test_config --settings-page > docs/guide/settings.md");
	free(got);
	free(want);
}

/* ---- the table itself ---- */

static void every_row_of_the_table_is_complete_and_has_its_own_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_settings; i++) {
		const struct setting *s = &settings[i];
		char a[128], b[128];
		struct buf name = BUF_OF(a), other = BUF_OF(b);
		assert_int_not_equal(s->kind, SETTING_UNSET);
		assert_non_null(s->def);
		assert_true(strlen(s->help) > 10);
		assert_null(strchr(s->help, '|')); /* would break the page's table */
		if (s->kind == SETTING_TEXT || s->kind == SETTING_LIST)
			assert_true(s->check != NULL && s->what != NULL);
		if (s->kind == SETTING_WORD || s->kind == SETTING_ENUM)
			assert_non_null(s->words);
		if (s->kind == SETTING_INT || s->kind == SETTING_SIZE || s->kind == SETTING_DURATION)
			assert_true(s->min < s->max);
		if (s->restart) /* config_warn_restart keeps these kinds only */
			assert_true(s->kind != SETTING_ENUM && s->kind != SETTING_SECRET &&
				    s->kind != SETTING_PASSWORD);
		setting_env_name(s, &name);
		for (size_t j = 0; j < i; j++) {
			other.n = 0;
			setting_env_name(&settings[j], &other);
			assert_false(str_eq(buf_view(&name), buf_view(&other)));
			assert_int_not_equal(s->offset, settings[j].offset);
		}
	}
}

static void HT12_bounds_hold_at_the_word_boundaries(void **state)
{
	static const char *const rows[] = {
		"2147483647", "2147483648", "2147483649", "4294967295", "4294967296", "4294967297",
		"9223372036854775807", "9223372036854775808", "9223372036854775809",
		"18446744073709551615", "18446744073709551616", "18446744073709551617",
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		one_value("server.workers", rows[i], false);
		one_value("server.max_body", rows[i], false);
		one_value("server.head_timeout", rows[i], false);
	}
	one_value("password.argon2_iterations", "4294967298", false); /* 2 if cut to 32 bits */
	one_value("session.max_per_user", "4294967297", false);
}

/* ---- reload ---- */

static void changes_that_need_a_restart_are_named_and_kept_back(void **state)
{
	struct config *running, *fresh;
	char names[512];
	struct buf b = BUF_OF(names);

	(void)state;
	assert_taken(load_ini("[server]\nworkers = 4\ntrusted_proxies = 10.0.0.0/8\n"), "");
	running = cfg;
	cfg = NULL;
	assert_taken(load_ini("[server]\nworkers = 5\nlisten = 127.0.0.1:9\ndata_dir = /x\n"
			      "trusted_proxies = unix\n[ui]\nsite_name = New\n[token]\naccess_ttl = 5m\n"),
		     "");
	fresh = cfg;
	assert_false(config_same_startup(running, fresh, &b));
	assert_str(buf_view(&b), "server.listen, server.data_dir, server.trusted_proxies, server.workers, "
				 "store.url, mail.dir");
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	assert_int_equal(log_start(null, true, LOG_INFO).code, ERR_OK);
	config_warn_restart(running, fresh);
	log_stop();
	(void)close(null);
	config_free(running);
	assert_int_equal(fresh->server.workers, 4);
	assert_str(fresh->server.listen, "127.0.0.1:3000");
	assert_str(fresh->server.data_dir, "./data");
	assert_str(fresh->store.url, "sqlite:./data/sallyport.db");
	assert_int_equal(fresh->server.trusted_proxies.n, 1);
	assert_str(fresh->server.trusted_proxies.items[0], "10.0.0.0/8");
	assert_str(fresh->ui.site_name, "New");
	assert_int_equal(fresh->token.access_ttl_ms, 300000);
	b.n = 0;
	assert_true(config_same_startup(fresh, fresh, &b));
	assert_int_equal(b.n, 0);
}

static void the_report_reaches_the_log_line_by_line(void **state)
{
	int fd[2];
	char text[4096] = "";

	(void)state;
	assert_int_equal(load_ini("[server]\nworkers = a\nqueue_max = b\n").code, ERR_CONFIG);
	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
	assert_int_equal(log_start(fd[1], true, LOG_INFO).code, ERR_OK);
	config_report_log(&report, LOG_ERROR);
	log_stop();
	assert_true(read(fd[0], text, sizeof(text) - 1) > 0);
	(void)close(fd[0]);
	(void)close(fd[1]);
	assert_non_null(strstr(text, "\"level\":\"error\",\"event\":\"config_problem\",\"text\":\"server.workers: "
				     "\\\"a\\\" is not"));
	assert_non_null(strstr(text, "\"text\":\"server.queue_max: "));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_any_source_the_defaults_hold),
		cmocka_unit_test(without_any_source_nothing_is_sent_and_links_lead_to_the_server),
		cmocka_unit_test(every_kind_of_value_is_read_from_a_file),
		cmocka_unit_test(later_sources_win_and_print_config_says_which),
		cmocka_unit_test(the_environment_names_the_file_and_the_data_directory),
		cmocka_unit_test(development_has_defaults_of_its_own_that_a_file_overrides),
		cmocka_unit_test(values_out_of_bounds_are_refused_with_what_is_allowed),
		cmocka_unit_test(PW02_hash_parameters_below_the_floor_are_refused),
		cmocka_unit_test(unknown_names_are_refused_with_the_nearest_one),
		cmocka_unit_test(lines_that_are_no_settings_are_refused_with_their_number),
		cmocka_unit_test(lines_and_files_that_are_too_long_are_refused),
		cmocka_unit_test(a_file_that_cannot_be_read_is_refused),
		cmocka_unit_test(all_problems_are_told_at_once),
		cmocka_unit_test(more_problems_than_fit_are_counted),
		cmocka_unit_test(the_grammar_of_addresses_and_paths_is_strict),
		cmocka_unit_test(EL09_links_lead_to_web_sites_and_apps_only),
		cmocka_unit_test(the_grammar_of_senders_services_and_numbers_is_strict),
		cmocka_unit_test(EL18_names_and_addresses_of_senders_have_no_control_characters),
		cmocka_unit_test(WB01_cookies_and_origins_are_held_to_their_grammar),
		cmocka_unit_test(WB01_cookies_that_browsers_would_not_keep_are_refused),
		cmocka_unit_test(sessions_of_browsers_live_as_others_when_only_those_are_set),
		cmocka_unit_test(links_lead_to_the_public_url_unless_sites_are_given),
		cmocka_unit_test(the_public_url_follows_the_listener_or_must_be_given),
		cmocka_unit_test(settings_that_contradict_each_other_are_refused),
		cmocka_unit_test(limits_are_off_only_where_nobody_else_can_connect),
		cmocka_unit_test(development_is_refused_off_loopback),
		cmocka_unit_test(risky_but_allowed_settings_bring_a_warning),
		cmocka_unit_test(a_transport_without_what_it_needs_is_refused),
		cmocka_unit_test(EL09_mails_without_a_site_for_their_links_are_refused),
		cmocka_unit_test(passwords_are_not_sent_to_a_mail_server_in_the_clear),
		cmocka_unit_test(codes_are_shown_on_the_console_only_where_nobody_else_can_connect),
		cmocka_unit_test(risky_links_and_gateways_bring_a_warning),
		cmocka_unit_test(secrets_come_from_files_as_base64url_text_or_bytes),
		cmocka_unit_test(SC01_the_key_of_the_certificate_follows_the_rule_for_secrets),
		cmocka_unit_test(SC01_only_a_group_of_the_server_may_read_a_secret),
		cmocka_unit_test(names_that_container_platforms_add_are_passed_over),
		cmocka_unit_test(SC01_secret_files_of_others_are_refused_and_the_environment_warns),
		cmocka_unit_test(JW14_weak_secrets_are_refused_without_being_shown),
		cmocka_unit_test(LG01_no_output_shows_a_secret),
		cmocka_unit_test(passwords_of_other_services_are_taken_as_they_are),
		cmocka_unit_test(LG01_no_output_shows_a_password_of_another_service),
		cmocka_unit_test(what_print_config_writes_reads_back_to_the_same_settings),
		cmocka_unit_test(help_lists_every_setting_with_its_variable),
		cmocka_unit_test(the_settings_page_of_the_guide_is_current),
		cmocka_unit_test(every_row_of_the_table_is_complete_and_has_its_own_names),
		cmocka_unit_test(HT12_bounds_hold_at_the_word_boundaries),
		cmocka_unit_test(changes_that_need_a_restart_are_named_and_kept_back),
		cmocka_unit_test(the_report_reaches_the_log_line_by_line),
	};

	if (argc == 2 && str_eq(str_of_cstr(argv[1]), STR("--settings-page"))) {
		config_help_markdown(stdout);
		return 0;
	}
	return cmocka_run_group_tests_name("config", tests, in_work_dir, leave_work_dir);
}
