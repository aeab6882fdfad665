/* The command line, and the line that says how far a long command is. All commands of the program are tried in
 * test/http/commands.test.mjs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/args.h"
#include "base/progress.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

enum { OPT_HELP, OPT_FILE, OPT_ALL, N_OPTIONS };

static const struct args_option options[N_OPTIONS] = {
	[OPT_HELP] = { "help", NULL, "explain", 'h' },
	[OPT_FILE] = { "file", "FILE", "a file", 'f' },
	[OPT_ALL] = { "all", NULL, "all of them", 0 },
};

static const struct args_command commands[] = {
	{ "thing", "make", "NAME", "make one", TAKES(OPT_FILE), 0, false },
	{ "thing", "list", "", "list them", 0, TAKES(OPT_ALL), true },
	{ "turn", NULL, "NAME on|off [FILE...]", "turn one", 0, TAKES(OPT_FILE), false },
};

static const struct args_command *command_at(size_t i)
{
	return i < N_OF(commands) ? &commands[i] : NULL;
}

static const struct args_family family = { .command = command_at, .may = TAKES(OPT_HELP) };
static const struct args_family *const families[] = { &family };
static const struct args_program program = {
	.name = "program", .options = options, .n_options = N_OPTIONS, .families = families, .n_families = 1, .footer = "",
};

/* ---- reading ---- */

struct row {
	const char *typed; /* words with a bar between them */
	const char *want;  /* "thing make x file=y", or why not */
};

static void put_taken(const struct args *a, struct buf *out)
{
	args_put_name(a->command, out);
	for (size_t i = 0; i < a->n_words; i++)
		buf_printf(out, " %s", a->word[i]);
	for (int i = 0; i < N_OPTIONS; i++) {
		if (args_has(a, i))
			buf_printf(out, " %s=%s", options[i].name, a->value[i]);
	}
}

static void check(const struct row *row)
{
	char text[256], got[512], *argv[32] = { NULL }, *rest = NULL;
	struct buf b = { .p = got, .cap = sizeof(got) - 1 };
	struct args a;
	int argc = 1;

	(void)snprintf(text, sizeof(text), "%s", row->typed);
	argv[0] = text;
	for (char *at = strtok_r(text, "|", &rest); at != NULL; at = strtok_r(NULL, "|", &rest))
		argv[argc++] = at;
	if (args_read(&program, argc, argv, TAKES(OPT_HELP), &a, &b) == ARGS_RUN)
		put_taken(&a, &b);
	got[b.n] = '\0';
	assert_string_equal(got, row->want);
}

static void options_stand_anywhere_and_take_their_values(void **state)
{
	static const struct row rows[] = {
		{ "thing|make|x|--file|y", "thing make x file=y" },
		{ "--file=y|thing|make|x", "thing make x file=y" },
		{ "thing|-f|y|make|x", "thing make x file=y" },
		{ "thing|make|x|--file=", "thing make x file=" },
		{ "thing|make|x|--file|--all", "thing make x file=--all" },
		{ "thing|make|x|--file=a=b", "thing make x file=a=b" },
		{ "thing|make|x|--file|y|--file|z", "thing make x file=z" },
		{ "thing|make|--file|y|--|-x", "thing make -x file=y" },
		{ "thing|make|--file|y|-", "thing make - file=y" },
		{ "thing", "thing list" },
		{ "thing|--all", "thing list all=" },
		{ "turn|x|off", "turn x off" },
		{ "turn|x|on|a|b|c", "turn x on a b c" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++)
		check(&rows[i]);
}

static void what_is_wrong_is_told(void **state)
{
	static const struct row rows[] = {
		{ "", "no command is given" },
		{ "thnig", "there is no command \"thnig\"; the nearest is \"thing\"" },
		{ "xyz", "there is no command \"xyz\"" },
		{ "thing|mak", "there is no command \"mak\" of \"thing\"; the nearest is \"make\"" },
		{ "thing|make", "--file FILE is missing" },
		{ "thing|make|--file=y", "NAME is missing" },
		{ "thing|make|x|--file", "the FILE of --file is missing" },
		{ "thing|make|x|--fil|y", "there is no option \"--fil\"; the nearest is \"--file\"" },
		{ "thing|make|x|-x", "there is no option \"-x\"" },
		{ "thing|make|x|-fy", "there is no option \"-fy\"" },
		{ "thing|list|--file=x", "\"thing list\" takes no --file" },
		{ "thing|list|--all=x", "--all takes no value" },
		{ "thing|list|x", "\"x\" is one word too many" },
		{ "turn|x|onn", "\"onn\" is none of on|off" },
		{ "turn|x", "on|off is missing" },
		{ "thing\001|x", "there is no command \"thing?\"; the nearest is \"thing\"" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++)
		check(&rows[i]);
}

/* ---- progress ---- */

static int64_t forty_two(void *self)
{
	(void)self;
	return 42;
}

/* stderr becomes `fd`, and a long command runs until its first line must have been written. */
static _Noreturn void work(int fd)
{
	struct progress p = { .what = "verify", .unit = "MiB read", .look = forty_two, .patience_ms = 1 };
	char c;

	(void)dup2(fd, STDERR_FILENO);
	progress_begin(&p);
	(void)!read(STDIN_FILENO, &c, 1);
	progress_end(&p);
	_exit(p.on ? 1 : 0);
}

static void read_until(int fd, char *to, size_t room, const char *word)
{
	size_t n = 0;

	to[0] = '\0';
	while (strstr(to, word) == NULL && n < room - 1) {
		ssize_t got = read(fd, to + n, room - 1 - n);

		if (got <= 0)
			break;
		n += (size_t)got;
		to[n] = '\0';
	}
}

static void a_terminal_is_told_how_far_it_is_and_left_clean(void **state)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY), go[2], status;
	char shown[512];
	pid_t child;

	(void)state;
	assert_true(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
	int side = open(ptsname(terminal), O_RDWR | O_NOCTTY);
	assert_true(side >= 0 && pipe(go) == 0);
	child = fork();
	if (child == 0) {
		(void)dup2(go[0], STDIN_FILENO);
		work(side);
	}
	(void)close(side);
	read_until(terminal, shown, sizeof(shown), " s");
	assert_non_null(strstr(shown, "verify: 42 MiB read, 0 s"));
	assert_int_equal(write(go[1], "x", 1), 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	read_until(terminal, shown, sizeof(shown), "\001");
	assert_true(strlen(shown) >= 4);
	assert_string_equal(shown + strlen(shown) - 4, "\r\033[K");
	(void)close(terminal);
	(void)close(go[0]);
	(void)close(go[1]);
}

static void what_is_no_terminal_is_told_nothing(void **state)
{
	struct progress p = { .what = "verify", .unit = "MiB read", .look = forty_two, .patience_ms = 1 };
	int out[2], saved = dup(STDERR_FILENO);
	char c;

	(void)state;
	assert_true(pipe2(out, O_NONBLOCK) == 0);
	(void)dup2(out[1], STDERR_FILENO);
	progress_begin(&p);
	bool on = p.on;
	progress_end(&p);
	(void)dup2(saved, STDERR_FILENO);
	assert_false(on);
	assert_int_equal(read(out[0], &c, 1), -1);
	(void)close(saved);
	(void)close(out[0]);
	(void)close(out[1]);
}

static void what_this_process_has_read_grows(void **state)
{
	char *page = calloc(1, 1024 * 1024);
	int64_t before = progress_mib_read(NULL);
	int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0 && page != NULL);
	for (int i = 0; i < 3; i++)
		assert_int_equal(read(fd, page, 1024 * 1024), 1024 * 1024);
	assert_in_range(progress_mib_read(NULL), before + 3, before + 4);
	(void)close(fd);
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_stand_anywhere_and_take_their_values),
		cmocka_unit_test(what_is_wrong_is_told),
		cmocka_unit_test(a_terminal_is_told_how_far_it_is_and_left_clean),
		cmocka_unit_test(what_is_no_terminal_is_told_nothing),
		cmocka_unit_test(what_this_process_has_read_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
