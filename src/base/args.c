/* args.c — reading, and saying what is wrong. Help is in args_help.c. */
#include "base/args.h"

#define SHOWN_MAX ((size_t)40) /* bytes of a word from the command line that a message repeats */

/* ---- messages ---- */

/* What somebody typed may hold anything; what is printed commands no terminal. */
static void put_typed(struct buf *b, const char *typed)
{
	str s = str_of_cstr(typed);
	size_t n = s.n < SHOWN_MAX ? s.n : SHOWN_MAX;

	buf_byte(b, '"');
	for (size_t i = 0; i < n; i++)
		buf_byte(b, s.p[i] >= ' ' && s.p[i] < 0x7f ? s.p[i] : '?');
	buf_lit(b, "\"");
	if (n < s.n)
		buf_lit(b, "...");
}

void args_put_name(const struct args_command *k, struct buf *out)
{
	buf_printf(out, "%s%s%s", k->group, k->name != NULL ? " " : "", k->name != NULL ? k->name : "");
}

/* The nearest of several names so far; none is near that would have to be written anew by half. */
struct near {
	str typed;
	size_t best;
	char text[96];
	size_t n;
};

static void near_begin(struct near *n, str typed)
{
	*n = (struct near){ .typed = typed, .best = 1 + typed.n / 2 };
}

static void near_look(struct near *n, const struct buf *name)
{
	size_t d = str_distance(n->typed, buf_view(name));

	if (d >= n->best || name->overflow || name->n > sizeof(n->text))
		return;
	n->best = d;
	n->n = name->n;
	memcpy(n->text, name->p, name->n);
}

static void near_tell(const struct near *n, struct buf *why)
{
	if (n->n > 0)
		buf_printf(why, "; the nearest is \"%.*s\"", (int)n->n, n->text);
}

/* ---- commands ---- */

static bool same(const char *a, const char *b)
{
	return str_eq(str_of_cstr(a), str_of_cstr(b));
}

/* Goes over all commands of a program. */
struct cursor {
	const struct args_program *p;
	size_t family, nth; /* of the one after `at` */
	const struct args_family *of;
	const struct args_command *at;
};

static bool next(struct cursor *c)
{
	for (; c->family < c->p->n_families; c->family++, c->nth = 0) {
		c->of = c->p->families[c->family];
		c->at = c->of->command(c->nth);
		if (c->at != NULL) {
			c->nth++;
			return true;
		}
	}
	return false;
}

static void put_names_of_group(const struct args_program *p, const char *group, struct buf *why)
{
	struct cursor c = { .p = p };
	const char *between = "";

	while (next(&c)) {
		if (!same(c.at->group, group))
			continue;
		buf_printf(why, "%s%s", between, c.at->name);
		between = ", ";
	}
}

static void say_no_such_command(const struct args *a, const char *const *words, size_t n, struct buf *why)
{
	struct cursor c = { .p = a->program };
	char text[96];
	struct near near;

	if (n == 0 || (a->group != NULL && n == 1)) {
		if (a->group == NULL) {
			buf_lit(why, "no command is given");
			return;
		}
		buf_printf(why, "behind \"%s\" must stand one of: ", a->group);
		put_names_of_group(a->program, a->group, why);
		return;
	}
	buf_lit(why, "there is no command ");
	put_typed(why, words[a->group == NULL ? 0 : 1]);
	if (a->group != NULL)
		buf_printf(why, " of \"%s\"", a->group);
	near_begin(&near, str_of_cstr(words[a->group == NULL ? 0 : 1]));
	while (next(&c)) {
		struct buf name = BUF_OF(text);

		if (a->group != NULL && !same(c.at->group, a->group))
			continue;
		buf_str(&name, str_of_cstr(a->group == NULL ? c.at->group : c.at->name));
		near_look(&near, &name);
	}
	near_tell(&near, why);
}

/* How many of the words name the command; 0: they name none. */
static size_t find(const struct args_program *p, const char *const *words, size_t n, struct args *ret)
{
	struct cursor c = { .p = p };
	size_t used = 0;

	while (n > 0 && used < 2 && next(&c)) {
		size_t now = 0;

		if (!same(c.at->group, words[0]))
			continue;
		ret->group = c.at->group;
		if (c.at->name == NULL || (c.at->is_default && n == 1))
			now = 1;
		else if (n > 1 && same(c.at->name, words[1]))
			now = 2;
		if (now <= used)
			continue;
		used = now;
		ret->family = c.of;
		ret->command = c.at;
		ret->nth = c.nth - 1;
	}
	return used;
}

bool args_find(const struct args_program *p, const char *const *words, size_t n, struct args *ret, struct buf *why)
{
	size_t used = find(p, words, n, ret);

	ret->program = p;
	if (used == 1 && ret->command->name != NULL)
		ret->command = NULL; /* the group is named, and only stands for its command */
	if (used > 0 || n == 0 || (ret->group != NULL && n == 1))
		return true;
	say_no_such_command(ret, words, n, why);
	return false;
}

/* ---- the words behind it ---- */

bool args_place_next(str *at, struct args_place *ret)
{
	str item;

	*at = str_trim(*at);
	if (at->n == 0)
		return false;
	(void)str_cut(*at, ' ', &item, at);
	*ret = (struct args_place){ .optional = str_starts(item, STR("[")) };
	if (ret->optional)
		item = (str){ item.p + 1, item.n - 2 };
	ret->repeats = str_ends(item, STR("..."));
	if (ret->repeats)
		item.n -= 3;
	ret->text = item;
	return true;
}

bool args_place_is_choice(str text)
{
	return text.n > 0 && text.p[0] >= 'a' && text.p[0] <= 'z';
}

static bool is_one_of(str choices, str word)
{
	str one;

	while (choices.n > 0) {
		(void)str_cut(choices, '|', &one, &choices);
		if (str_eq(one, word))
			return true;
	}
	return false;
}

static bool words_fit(const struct args *a, struct buf *why)
{
	str places = str_of_cstr(a->command->words);
	struct args_place place = { 0 };
	size_t i = 0;

	while (args_place_next(&places, &place)) {
		if (i >= a->n_words && place.optional)
			return true;
		if (i >= a->n_words) {
			buf_printf(why, "%.*s is missing", STR_ARG(place.text));
			return false;
		}
		if (args_place_is_choice(place.text) && !is_one_of(place.text, str_of_cstr(a->word[i]))) {
			put_typed(why, a->word[i]);
			buf_printf(why, " is none of %.*s", STR_ARG(place.text));
			return false;
		}
		i++;
	}
	if (i >= a->n_words || place.repeats)
		return true;
	put_typed(why, a->word[i]);
	buf_lit(why, " is one word too many");
	return false;
}

/* ---- options ---- */

struct reading {
	const struct args_program *p;
	int argc, at;
	char *const *argv;
	struct args *ret;
	const char *unknown; /* the first that is no option */
	const char *words[ARGS_WORDS_MAX];
	size_t n_words;
};

/* The option whose name or letter this is, or -1; *ret_value: behind its equals sign, or NULL. */
static int option_of(const struct args_program *p, const char *arg, const char **ret_value)
{
	str typed = str_of_cstr(arg), name, value = STR_NONE;
	bool is_long = str_starts(typed, STR("--"));

	*ret_value = NULL;
	if (is_long && str_cut(str_skip(typed, 2), '=', &name, &value))
		*ret_value = value.p;
	else
		name = str_skip(typed, is_long ? 2 : 1);
	for (size_t i = 0; i < p->n_options; i++) {
		const struct args_option *o = &p->options[i];

		if (is_long ? str_eq(name, str_of_cstr(o->name)) : (name.n == 1 && o->letter == name.p[0]))
			return (int)i;
	}
	return -1;
}

static bool take_option(struct reading *r, struct buf *why)
{
	const char *arg = r->argv[r->at], *value;
	int option = option_of(r->p, arg, &value);
	const struct args_option *o;

	if (option < 0) {
		if (r->unknown == NULL)
			r->unknown = arg;
		return true;
	}
	o = &r->p->options[option];
	if (o->value == NULL && value != NULL) {
		buf_printf(why, "--%s takes no value", o->name);
		return false;
	}
	if (o->value != NULL && value == NULL) {
		if (r->at + 1 == r->argc) {
			buf_printf(why, "the %s of --%s is missing", o->value, o->name);
			return false;
		}
		value = r->argv[++r->at];
	}
	r->ret->value[option] = value != NULL ? value : "";
	return true;
}

/* Sorts what was typed into options and words. */
static bool sort(struct reading *r, struct buf *why)
{
	bool ended = false;

	for (; r->at < r->argc; r->at++) {
		const char *arg = r->argv[r->at];

		if (!ended && same(arg, "--")) {
			ended = true;
		} else if (!ended && arg[0] == '-' && arg[1] != '\0') {
			if (!take_option(r, why))
				return false;
		} else if (r->n_words == ARGS_WORDS_MAX) {
			buf_printf(why, "more than %d words are too many", ARGS_WORDS_MAX);
			return false;
		} else {
			r->words[r->n_words++] = arg;
		}
	}
	return true;
}

static void say_no_such_option(const struct args *a, const char *typed, struct buf *why)
{
	str name, rest;
	struct near near;

	(void)str_cut(str_of_cstr(typed), '=', &name, &rest);
	near_begin(&near, name);
	buf_lit(why, "there is no option ");
	put_typed(why, typed);
	for (size_t i = 0; i < a->program->n_options; i++) {
		char text[64];
		struct buf other = BUF_OF(text);

		if (((a->command->must | a->command->may | a->family->may) & TAKES(i)) == 0)
			continue;
		buf_printf(&other, "--%s", a->program->options[i].name);
		near_look(&near, &other);
	}
	near_tell(&near, why);
}

static bool options_fit(const struct args *a, struct buf *why)
{
	uint64_t must = a->command->must, may = must | a->command->may | a->family->may;

	for (size_t i = 0; i < a->program->n_options; i++) {
		const struct args_option *o = &a->program->options[i];

		if (args_has(a, (int)i) && (may & TAKES(i)) == 0) {
			buf_lit(why, "\"");
			args_put_name(a->command, why);
			buf_printf(why, "\" takes no --%s", o->name);
			return false;
		}
		if (!args_has(a, (int)i) && (must & TAKES(i)) != 0) {
			buf_printf(why, "--%s %s is missing", o->name, o->value);
			return false;
		}
	}
	return true;
}

static bool has_any(const struct args *a, uint64_t mask)
{
	for (size_t i = 0; i < a->program->n_options; i++) {
		if ((mask & TAKES(i)) != 0 && args_has(a, (int)i))
			return true;
	}
	return false;
}

enum args_outcome args_read(const struct args_program *p, int argc, char *const *argv, uint64_t asks,
			    struct args *ret, struct buf *why)
{
	struct reading r = { .p = p, .argc = argc, .at = 1, .argv = argv, .ret = ret };
	bool sorted;
	size_t used;

	*ret = (struct args){ .program = p };
	sorted = sort(&r, why);
	if (sorted && has_any(ret, asks))
		return args_find(p, r.words, r.n_words, ret, why) ? ARGS_ASKS : ARGS_WRONG;
	used = find(p, r.words, r.n_words, ret);
	if (!sorted)
		return ARGS_WRONG;
	if (used == 0) {
		say_no_such_command(ret, r.words, r.n_words, why);
		return ARGS_WRONG;
	}
	ret->n_words = r.n_words - used;
	for (size_t i = 0; i < ret->n_words; i++)
		ret->word[i] = r.words[used + i];
	if (r.unknown != NULL) {
		say_no_such_option(ret, r.unknown, why);
		return ARGS_WRONG;
	}
	return options_fit(ret, why) && words_fit(ret, why) ? ARGS_RUN : ARGS_WRONG;
}
