/* args_help.c — help made from the tables, and the one line that says what is wrong. */
#include <stdarg.h>

#include "base/args.h"

#define LINE_MAX_BYTES ((size_t)1024)
#define COLUMNS	       96

static uint64_t taken(const struct args_family *f, const struct args_command *k)
{
	return k->must | k->may | (f != NULL ? f->may : 0);
}

static void put_option(const struct args_option *o, bool must, struct buf *out)
{
	buf_printf(out, " %s--%s%s%s%s", must ? "" : "[", o->name, o->value != NULL ? " " : "",
		   o->value != NULL ? o->value : "", must ? "" : "]");
}

void args_put_usage(const struct args_program *p, const struct args_command *k, struct buf *out)
{
	args_put_name(k, out);
	for (size_t i = 0; i < p->n_options; i++) {
		if ((k->must & TAKES(i)) != 0)
			put_option(&p->options[i], true, out);
	}
	if (k->words[0] != '\0')
		buf_printf(out, " %s", k->words);
	for (size_t i = 0; i < p->n_options; i++) {
		if ((k->may & TAKES(i)) != 0)
			put_option(&p->options[i], false, out);
	}
}

/* Folded at blanks that stand before a bracket or a dash. */
static void print_usage(const struct args_program *p, const struct args_command *k, const char *before, FILE *out)
{
	char text[LINE_MAX_BYTES];
	struct buf b = BUF_OF(text);
	size_t column;
	str rest;

	args_put_usage(p, k, &b);
	rest = buf_view(&b);
	column = (size_t)fprintf(out, "%s%s", before, p->name);
	while (rest.n > 0) {
		size_t n = 1;

		while (n < rest.n && !(rest.p[n] == ' ' && (rest.p[n + 1] == '[' || rest.p[n + 1] == '-')))
			n++;
		if (column + n > COLUMNS)
			column = (size_t)fprintf(out, "\n%*s", 8, "");
		column += (size_t)fprintf(out, "%s%.*s", rest.p[0] == ' ' ? "" : " ", (int)n, rest.p);
		rest = str_skip(rest, n);
	}
	(void)fprintf(out, "\n");
}

static void print_option(const struct args_option *o, FILE *out)
{
	char text[96], letter[8] = "";
	struct buf b = BUF_OF(text);

	if (o->letter != '\0')
		(void)snprintf(letter, sizeof(letter), "-%c, ", o->letter);
	buf_printf(&b, "%s--%s%s%s", letter, o->name, o->value != NULL ? " " : "", o->value != NULL ? o->value : "");
	(void)fprintf(out, "  %-28.*s  %s\n", STR_ARG(buf_view(&b)), o->help);
}

static void print_options(const struct args_program *p, uint64_t which, FILE *out)
{
	for (size_t i = 0; i < p->n_options; i++) {
		if ((which & TAKES(i)) != 0)
			print_option(&p->options[i], out);
	}
}

static void help_command(const struct args *a, FILE *out)
{
	print_usage(a->program, a->command, "usage: ", out);
	(void)fprintf(out, "\n  %s\n\n", a->command->help);
	print_options(a->program, taken(a->family, a->command), out);
	(void)fprintf(out, "\nMore in %s(1).\n", a->program->name);
}

static void print_command(const struct args_program *p, const struct args_command *k, FILE *out)
{
	print_usage(p, k, "  ", out);
	(void)fprintf(out, "      %s\n", k->help);
}

static void help_group(const struct args *a, FILE *out)
{
	const struct args_command *k;

	for (size_t f = 0; f < a->program->n_families; f++) {
		for (size_t i = 0; (k = a->program->families[f]->command(i)) != NULL; i++) {
			if (str_eq(str_of_cstr(k->group), str_of_cstr(a->group)))
				print_command(a->program, k, out);
		}
	}
	(void)fprintf(out, "\n`%s %s NAME --help` says more of one.\n", a->program->name, a->group);
}

static void help_whole(const struct args_program *p, FILE *out)
{
	const struct args_command *k;

	(void)fprintf(out, "usage: %s COMMAND [arguments]\n", p->name);
	for (size_t f = 0; f < p->n_families; f++) {
		const struct args_family *of = p->families[f];

		(void)fprintf(out, "\n%s%s", of->title != NULL ? of->title : "", of->title != NULL ? "\n\n" : "");
		for (size_t i = 0; (k = of->command(i)) != NULL; i++)
			print_command(p, k, out);
		if (of->command(1) == NULL)
			continue;
		(void)fprintf(out, "\n  each of them:\n");
		print_options(p, of->may, out);
	}
	(void)fprintf(out, "\n%s", p->footer);
}

void args_help(const struct args *a, FILE *out)
{
	if (a->command != NULL)
		help_command(a, out);
	else if (a->group != NULL)
		help_group(a, out);
	else
		help_whole(a->program, out);
}

/* ---- what is wrong ---- */

int args_say_wrong(const struct args *a, str why)
{
	char text[96];
	struct buf name = BUF_OF(text);

	if (a->command != NULL)
		args_put_name(a->command, &name);
	else if (a->group != NULL)
		buf_str(&name, str_of_cstr(a->group));
	(void)fprintf(stderr, "%s: %.*s; see `%s%s%.*s --help`\n", a->program->name, STR_ARG(why), a->program->name,
		      name.n > 0 ? " " : "", STR_ARG(buf_view(&name)));
	return 2;
}

int args_wrong(const struct args *a, const char *fmt, ...)
{
	char text[LINE_MAX_BYTES];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return args_say_wrong(a, (str){ text, n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1 });
}
