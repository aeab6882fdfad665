/* The store in the Secret Service: what all promise, and what becomes of it when the service or its bus fail. Run under
 * with_secret_service.sh; where something is to fail, in one more session of its own. */
#include "sp_store_promises.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "library.h"
#include "util.h"

static const struct place place = { "secret", sp_store_secret_service, true, true };

static struct process start_session(const char *role)
{
	return start_role_in(WITH_SECRET_SERVICE, role, "", "");
}

static int run_command(char *const argv[])
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		(void)execvp(argv[0], argv);
		_exit(127);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
}

/* The prompt has no screen to be shown on, so it is dismissed. */
static int role_locked(sp_store *s, const char *a, const char *b)
{
	char words[][96] = { "dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.secrets",
			     "/org/freedesktop/secrets", "org.freedesktop.Secret.Service.Lock",
			     "array:objpath:/org/freedesktop/secrets/collection/login" };
	char *argv[] = { words[0], words[1], words[2], words[3], words[4], words[5], words[6], NULL };
	sp_store t;
	size_t n = 1;

	(void)a;
	(void)b;
	if (s->save(s->context, "one", "kept") != SP_OK || run_command(argv) != 0)
		return 10;
	if (s->load(s->context, "one", loaded, SP_RECORD_MAX, &n) != SP_STORE || n != 0)
		return 11; /* above all not: nobody is signed in */
	if (s->save(s->context, "one", "x") != SP_STORE || s->save(s->context, "two", "x") != SP_STORE)
		return 12;
	if (s->erase(s->context, "one") != SP_STORE)
		return 13;
	return sp_store_secret_service(&t) == SP_STORE && t.context == NULL ? 0 : 14;
}

static void a_locked_keyring_is_an_error(void **state)
{
	struct process p = start_session("locked");

	(void)state;
	assert_int_equal(finish(&p), 0);
}

static int role_stopped(sp_store *s, const char *a, const char *b)
{
	pid_t daemon_pid = (pid_t)strtol(getenv("SECRET_DAEMON"), NULL, 10);
	int64_t begun;
	size_t n;

	(void)a;
	(void)b;
	if (s->save(s->context, "one", "kept") != SP_OK || kill(daemon_pid, SIGSTOP) != 0)
		return 10;
	begun = now_ms();
	if (s->load(s->context, "one", loaded, SP_RECORD_MAX, &n) != SP_STORE)
		return 11;
	if (now_ms() - begun < SECRET_PATIENCE_MS - 100 || now_ms() - begun > SECRET_PATIENCE_MS + 10000)
		return 12;
	(void)kill(daemon_pid, SIGCONT);
	return role_load(s, "one", "kept");
}

static void a_service_that_does_not_answer_is_given_up(void **state)
{
	struct process p = start_session("stopped");

	(void)state;
	assert_int_equal(finish(&p), 0);
}

/* A program with a main loop of GLib, which is what would end it. */
static bool run_main_loop(void)
{
	static const char *const glib[] = { "libglib-2.0.so.0", NULL };
	static const struct library_symbol symbols[] = { { "g_main_context_iteration", 0 } };
	int (*iterate)(void *, int) = NULL;
	void *library = library_open(glib, symbols, 1, &iterate);

	for (int i = 0; i < 50 && library != NULL; i++) {
		(void)iterate(NULL, 0);
		(void)poll(NULL, 0, 10);
	}
	library_close(library);
	return library != NULL;
}

static int role_bereft(sp_store *s, const char *a, const char *b)
{
	char words[][96] = { "dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/",
			     "org.freedesktop.DBus.GetConnectionUnixProcessID", "string:org.freedesktop.DBus" };
	char *argv[] = { words[0], words[1], words[2], words[3], words[4], words[5], words[6], NULL };
	char reply[512] = "", *number;
	struct process p;
	size_t n = 0;
	ssize_t got;

	(void)a;
	(void)b;
	if (s->save(s->context, "one", "kept") != SP_OK)
		return 10;
	(void)snprintf(words[0], sizeof words[0], "/usr/bin/dbus-send");
	p = start(argv);
	while (n < sizeof reply - 1 && (got = read(p.out, reply + n, sizeof reply - 1 - n)) > 0)
		n += (size_t)got;
	number = strstr(reply, "uint32 ");
	if (finish(&p) != 0 || number == NULL)
		return 11;
	if (kill((pid_t)strtol(number + 7, NULL, 10), SIGKILL) != 0)
		return 12;
	if (!run_main_loop())
		return 14;
	return s->load(s->context, "one", loaded, SP_RECORD_MAX, &n) == SP_STORE ? 33 : 13;
}

static void the_end_of_the_bus_is_not_ours(void **state)
{
	struct process p = start_session("bereft");
	int status;

	(void)state;
	status = finish(&p);
	assert_int_equal(status, 33);
}

static int role_busless(sp_store *unused, const char *a, const char *b)
{
	sp_store s;

	(void)unused;
	(void)b;
	if (setenv("DBUS_SESSION_BUS_ADDRESS", a, 1) != 0)
		return 10;
	return sp_store_secret_service(&s) == SP_UNAVAILABLE && s.context == NULL ? 0 : 11;
}

static void without_a_bus_there_is_no_service(void **state)
{
	struct process p = start_role("busless", "unix:path=/nowhere/bus", "");

	(void)state;
	assert_int_equal(finish(&p), 0);
	p = start_role("busless", "nonsense", "");
	assert_int_equal(finish(&p), 0);
}

/* ---- all together ---- */

static const struct role roles[] = {
	{ "locked", role_locked, true },
	{ "stopped", role_stopped, true },
	{ "bereft", role_bereft, true },
	{ "busless", role_busless, false },
};

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_locked_keyring_is_an_error),
	cmocka_unit_test(a_service_that_does_not_answer_is_given_up),
	cmocka_unit_test(the_end_of_the_bus_is_not_ours),
	cmocka_unit_test(without_a_bus_there_is_no_service),
	cmocka_unit_test(null_is_refused),
};

int main(int argc, char **argv)
{
	if (is_role(argc))
		return play(argv, &place, roles, N(roles));
	begin_tests(argv[0]);
	add_promises(&place);
	add_tests(&place, tests, N(tests));
	return run_added("store_secret");
}
