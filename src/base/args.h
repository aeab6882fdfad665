/* args.h — the command line, read by tables: which commands there are, what stands behind each, which options it
 * takes. What is wrong is told in one line with the nearest name and where help is; help is made from the same
 * tables (docs/decisions/0017-the-command-line-is-read-by-tables.md).
 *
 * Options may stand anywhere, also before the command, as "--name value" or "--name=value"; "--" ends them. Names
 * are not abbreviated. Of an option that is given twice the last one counts. */
#ifndef BASE_ARGS_H
#define BASE_ARGS_H

#include <stdio.h>

#include "base/buf.h"

#define ARGS_OPTIONS_MAX 64 /* as many as a mask has bits */
#define ARGS_WORDS_MAX	 32

struct args_option {
	const char *name;  /* without its dashes */
	const char *value; /* what its value is called in help: "FILE"; NULL: it takes none */
	const char *help;  /* one line */
	char letter;       /* "-h"; 0: none */
};

/* The bit of an option in a mask; the option is its place in args_program.options. */
#define TAKES(option) (UINT64_C(1) << (option))

struct args_command {
	const char *group, *name; /* name NULL: the group is the whole command */
	/* What stands behind it, as help shows it: "USER on|off" are two words of which the second is one of two,
	 * "[FILE]" may be missing, the last may repeat ("HANDLE..."). Choices are written in lower case. */
	const char *words;
	const char *help;    /* one line */
	uint64_t must, may;  /* masks of options; what each command of the family takes is added to `may` */
	bool is_default;     /* meant when the group stands alone */
};

struct args;

/* Commands that belong together, because the same function runs them. */
struct args_family {
	const char *title;                               /* above them in help; NULL: none */
	const struct args_command *(*command)(size_t i); /* NULL behind the last */
	uint64_t may;                                    /* options that each of them takes */
	int (*run)(const struct args *a);                /* returns the exit status */
};

struct args_program {
	const char *name;
	const struct args_option *options;
	size_t n_options;
	const struct args_family *const *families;
	size_t n_families;
	const char *footer; /* below the help of the whole */
};

struct args {
	const struct args_program *program;
	const struct args_family *family;
	const struct args_command *command; /* NULL: none, or only its group, was named */
	size_t nth;                         /* its place in the family */
	const char *group;                  /* NULL: none was named */
	const char *value[ARGS_OPTIONS_MAX]; /* by option; NULL: not given, "" for one without a value */
	const char *word[ARGS_WORDS_MAX];   /* behind the command's name */
	size_t n_words;
};

enum args_outcome {
	ARGS_RUN = 1, /* ret->family->run(ret) */
	ARGS_ASKS,    /* one of `asks` was given: the command or group is found if one was named, no more is looked at */
	ARGS_WRONG,   /* why, without a line end, fits its buffer: cut where it must be */
};

/* argv[0] is the program's own name and not looked at. asks: a mask of the options that end the program
 * after an explanation (--help). `ret` borrows from argv. */
enum args_outcome args_read(const struct args_program *p, int argc, char *const *argv, uint64_t asks,
			    struct args *ret, struct buf *why);

static inline bool args_has(const struct args *a, int option)
{
	return a->value[option] != NULL;
}

/* Word i, or NULL. */
static inline const char *args_word(const struct args *a, size_t i)
{
	return i < a->n_words ? a->word[i] : NULL;
}

/* The words of `help user create`: sets the group and command of ret, which is zeroed. A group alone is its group only.
 * False: there is no such command, told in why. */
bool args_find(const struct args_program *p, const char *const *words, size_t n, struct args *ret, struct buf *why);

/* For what a command finds wrong by itself: one line on stderr with where help is. Returns 2, the exit status. */
int args_wrong(const struct args *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same line for what args_read said. */
int args_say_wrong(const struct args *a, str why);

/* Help as far as a names something: a command, a group, or the whole. */
void args_help(const struct args *a, FILE *out);

/* "user create", and "user create --email ADDRESS [--admin]". */
void args_put_name(const struct args_command *k, struct buf *out);
void args_put_usage(const struct args_program *p, const struct args_command *k, struct buf *out);

/* Takes the next of a command's words from *at: without brackets and dots, which are told apart. */
struct args_place {
	str text; /* "USER" or "on|off" */
	bool optional, repeats;
};
bool args_place_next(str *at, struct args_place *ret);
/* Is it one of several words, rather than the name of what to put there? */
bool args_place_is_choice(str text);

#endif
