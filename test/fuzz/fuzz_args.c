/* A command line, a word a line. What is taken is what the tables allow, and means the same when it is typed in another
 * order; what is refused is told in one line of plain text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/args.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OPT_HELP, OPT_FILE, OPT_ALL, N_OPTIONS };

#define TYPED_MAX 40

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
	return i < sizeof(commands) / sizeof(commands[0]) ? &commands[i] : NULL;
}

static const struct args_family family = { .command = command_at, .may = TAKES(OPT_HELP) };
static const struct args_family *const families[] = { &family };
static const struct args_program program = {
	.name = "program", .options = options, .n_options = N_OPTIONS, .families = families, .n_families = 1, .footer = "",
};

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* Lines of data as a command line; what is behind a zero byte in a line is not seen. */
static int split(char *text, char **argv)
{
	int argc = 1;

	argv[0] = text;
	for (char *at = text; argc < TYPED_MAX && at != NULL; argc++) {
		argv[argc] = at;
		at = strchr(at, '\n');
		if (at != NULL)
			*at++ = '\0';
	}
	return argc;
}

static void check_refusal(const struct buf *why)
{
	must(why->n > 0 && !why->overflow);
	for (size_t i = 0; i < why->n; i++)
		must(why->p[i] >= ' ' && why->p[i] < 0x7f);
}

static bool same(const char *a, const char *b)
{
	return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

/* The same in an order of our own: options first, as one word each. */
static void check_order(const struct args *a)
{
	char room[N_OPTIONS][4096], why_text[512];
	char *argv[TYPED_MAX + N_OPTIONS + 4] = { NULL };
	struct buf why = BUF_OF(why_text);
	struct args b;
	int argc = 1;

	argv[0] = room[0];
	for (int i = 0; i < N_OPTIONS; i++) {
		if (a->value[i] == NULL)
			continue;
		(void)snprintf(room[i], sizeof(room[i]), "--%s%s%s", options[i].name, options[i].value != NULL ? "=" : "",
			       a->value[i]);
		argv[argc++] = room[i];
	}
	argv[argc++] = (char *)(uintptr_t)a->command->group;
	if (a->command->name != NULL)
		argv[argc++] = (char *)(uintptr_t)a->command->name;
	argv[argc++] = (char *)(uintptr_t) "--";
	for (size_t i = 0; i < a->n_words; i++)
		argv[argc++] = (char *)(uintptr_t)a->word[i];
	must(args_read(&program, argc, argv, TAKES(OPT_HELP), &b, &why) == ARGS_RUN);
	must(b.command == a->command && b.n_words == a->n_words);
	for (int i = 0; i < N_OPTIONS; i++)
		must(same(a->value[i], b.value[i]));
	for (size_t i = 0; i < a->n_words; i++)
		must(same(a->word[i], b.word[i]));
}

static void check_taken(const struct args *a)
{
	uint64_t given = 0;

	must(a->command == command_at(a->nth) && a->family == &family);
	for (int i = 0; i < N_OPTIONS; i++)
		given |= a->value[i] != NULL ? TAKES(i) : 0;
	must((a->command->must & ~given) == 0);
	must((given & ~(a->command->must | a->command->may | family.may)) == 0);
	if (a->command == &commands[0])
		must(a->n_words == 1);
	else if (a->command == &commands[1])
		must(a->n_words == 0);
	else
		must(a->n_words >= 2 && (same(a->word[1], "on") || same(a->word[1], "off")));
	check_order(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[4000], why_text[512];
	char *argv[TYPED_MAX + 1] = { NULL };
	struct buf why = BUF_OF(why_text);
	struct args a;

	if (size >= sizeof(text))
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	switch (args_read(&program, split(text, argv), argv, TAKES(OPT_HELP), &a, &why)) {
	case ARGS_RUN: check_taken(&a); break;
	case ARGS_ASKS: must(a.value[OPT_HELP] != NULL); break;
	case ARGS_WRONG: check_refusal(&why); break;
	}
	return 0;
}
