#include "base/args_completion.h"

/* What stands in the three scripts between what is made here; %s is the program's name. */

static const char bash_top[] =
	"# bash completion for sallyport, written by `sallyport completion bash`\n"
	"_sallyport()\n"
	"{\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} i used=0\n"
	"\tlocal words=() names=() options=() places=()\n"
	"\n"
	"\tCOMPREPLY=()\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\tcase ${COMP_WORDS[i]} in\n";
static const char bash_middle[] =
	"\t\t-*) ;;\n"
	"\t\t*) words+=(\"${COMP_WORDS[i]}\") ;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\tcase $prev in\n";
static const char bash_bottom[] =
	"\tif [[ $cur == -* ]]; then\n"
	"\t\tCOMPREPLY=($(compgen -W \"${options[*]}\" -- \"$cur\"))\n"
	"\telif ((used == 0)); then\n"
	"\t\tCOMPREPLY=($(compgen -W \"${names[*]}\" -- \"$cur\"))\n"
	"\telse\n"
	"\t\tcase ${places[${#words[@]} - used]-} in\n"
	"\t\t'') ;;\n"
	"\t\t@file) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n"
	"\t\t*) COMPREPLY=($(compgen -W \"${places[${#words[@]} - used]}\" -- \"$cur\")) ;;\n"
	"\t\tesac\n"
	"\tfi\n"
	"}\n"
	"complete -F _sallyport sallyport\n";

static const char zsh_top[] =
	"#compdef sallyport\n"
	"# zsh completion for sallyport, written by `sallyport completion zsh`\n"
	"_sallyport()\n"
	"{\n"
	"\tlocal cur=$words[CURRENT] prev=$words[CURRENT-1] i used=0\n"
	"\tlocal -a typed names options places\n"
	"\n"
	"\tfor ((i = 2; i < CURRENT; i++)); do\n"
	"\t\tcase $words[i] in\n";
static const char zsh_middle[] =
	"\t\t-*) ;;\n"
	"\t\t*) typed+=(\"$words[i]\") ;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\tcase $prev in\n";
static const char zsh_bottom[] =
	"\tif [[ $cur == -* ]]; then\n"
	"\t\t_describe -o option options\n"
	"\telif ((used == 0)); then\n"
	"\t\t_describe command names\n"
	"\telse\n"
	"\t\tcase \"$places[$#typed - used + 1]\" in\n"
	"\t\t'') ;;\n"
	"\t\t@file) _files ;;\n"
	"\t\t*) compadd -- ${=places[$#typed - used + 1]} ;;\n"
	"\t\tesac\n"
	"\tfi\n"
	"}\n"
	"if [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n"
	"\t_sallyport \"$@\"\n"
	"else\n"
	"\tcompdef _sallyport sallyport\n"
	"fi\n";

static const char fish_top[] =
	"# fish completion for sallyport, written by `sallyport completion fish`\n"
	"function __sallyport_words\n"
	"\tset -l skip 0\n"
	"\tfor t in (commandline -opc)[2..-1]\n"
	"\t\tif test $skip = 1\n"
	"\t\t\tset skip 0\n"
	"\t\t\tcontinue\n"
	"\t\tend\n"
	"\t\tswitch $t\n"
	"\t\t\tcase";
static const char fish_middle[] =
	"\n"
	"\t\t\t\tset skip 1\n"
	"\t\t\tcase '-*'\n"
	"\t\t\tcase '*'\n"
	"\t\t\t\techo $t\n"
	"\t\tend\n"
	"\tend\n"
	"end\n"
	"# are these the words so far, and none behind them?\n"
	"function __sallyport_at\n"
	"\tset -l typed (__sallyport_words)\n"
	"\ttest \"$typed\" = \"$argv\"\n"
	"end\n"
	"# do they begin with these, and are so many behind them?\n"
	"function __sallyport_place\n"
	"\tset -l typed (__sallyport_words)\n"
	"\tset -l n (count $argv[2..-1])\n"
	"\ttest (count $typed) = (math $n + $argv[1]); and test \"$typed[1..$n]\" = \"$argv[2..-1]\"\n"
	"end\n"
	"function __sallyport_in\n"
	"\tset -l typed (__sallyport_words)\n"
	"\tset -l n (count $argv)\n"
	"\ttest (count $typed) -ge $n; and test \"$typed[1..$n]\" = \"$argv\"\n"
	"end\n"
	"complete -c sallyport -f\n";

/* ---- what the three share ---- */

static const struct args_command *command_at(const struct args_program *p, size_t family, size_t i)
{
	return p->families[family]->command(i);
}

static bool names_file(const char *what)
{
	return what != NULL && (str_eq(str_of_cstr(what), STR("FILE")) || str_eq(str_of_cstr(what), STR("DIR")));
}

/* Inside single quotes, which end for a quote; with `colon` a colon is told from one that ends the text. */
static void print_quoted(const char *text, const char *quote, const char *colon, FILE *out)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			(void)fputs(quote, out);
		else if (*text == ':')
			(void)fputs(colon, out);
		else
			(void)fputc(*text, out);
	}
}

/* 'name:help' of zsh */
static void print_described(const char *before, const char *name, const char *help, FILE *out)
{
	(void)fprintf(out, " '%s%s:", before, name);
	print_quoted(help, "'\\''", "\\:", out);
	(void)fputc('\'', out);
}

static uint64_t taken(const struct args_program *p, size_t family, const struct args_command *k)
{
	return k->must | k->may | p->families[family]->may;
}

/* Is it the first of its group? */
static bool begins_group(const struct args_program *p, size_t family, size_t i)
{
	return i == 0 || !str_eq(str_of_cstr(command_at(p, family, i)->group),
				 str_of_cstr(command_at(p, family, i - 1)->group));
}

static void print_place(str place, FILE *out)
{
	(void)fprintf(out, " '");
	if (args_place_is_choice(place)) {
		for (size_t i = 0; i < place.n; i++)
			(void)fputc(place.p[i] == '|' ? ' ' : place.p[i], out);
	} else if (str_eq(place, STR("FILE"))) {
		(void)fprintf(out, "@file");
	}
	(void)fprintf(out, "'");
}

/* ---- bash and zsh: one case for what was typed so far ---- */

enum shell {
	BASH = 1,
	ZSH,
};

static void print_names(const struct args_program *p, const char *group, enum shell sh, FILE *out)
{
	(void)fprintf(out, " names=(");
	for (size_t f = 0; f < p->n_families; f++) {
		for (size_t i = 0; command_at(p, f, i) != NULL; i++) {
			const struct args_command *k = command_at(p, f, i);
			const char *name = group == NULL ? k->group : k->name;
			bool wanted = group == NULL ? begins_group(p, f, i) :
						      str_eq(str_of_cstr(k->group), str_of_cstr(group));

			if (wanted && sh == ZSH && (group != NULL || k->name == NULL))
				print_described("", name, k->help, out);
			else if (wanted)
				(void)fprintf(out, " '%s'", name);
		}
	}
	(void)fprintf(out, " )");
}

static void print_options(const struct args_program *p, uint64_t which, enum shell sh, FILE *out)
{
	(void)fprintf(out, " options=(");
	for (size_t i = 0; i < p->n_options; i++) {
		if ((which & TAKES(i)) == 0)
			continue;
		if (sh == ZSH)
			print_described("--", p->options[i].name, p->options[i].help, out);
		else
			(void)fprintf(out, " --%s", p->options[i].name);
	}
	(void)fprintf(out, " )");
}

static void print_case(const struct args_program *p, size_t f, size_t i, enum shell sh, FILE *out)
{
	const struct args_command *k = command_at(p, f, i);
	str places = str_of_cstr(k->words);
	struct args_place place;

	if (k->name == NULL)
		(void)fprintf(out, "\t'%s '*) used=1", k->group);
	else
		(void)fprintf(out, "\t'%s %s') used=2", k->group, k->name);
	print_options(p, taken(p, f, k), sh, out);
	(void)fprintf(out, " places=(");
	while (args_place_next(&places, &place))
		print_place(place.text, out);
	(void)fprintf(out, " ) ;;\n");
}

/* The words of options that take a value, so that the value counts as no word. */
static void print_values(const struct args_program *p, bool files, bool others, const char *between, FILE *out)
{
	const char *before = "";

	for (size_t i = 0; i < p->n_options; i++) {
		const struct args_option *o = &p->options[i];

		if (o->value == NULL || !(names_file(o->value) ? files : others))
			continue;
		(void)fprintf(out, "%s--%s", before, o->name);
		before = between;
	}
}

static void print_cases(const struct args_program *p, enum shell sh, FILE *out)
{
	(void)fprintf(out, "\tcase \"%s\" in\n\t' ')", sh == BASH ? "${words[0]-} ${words[1]-}" : "$typed[1] $typed[2]");
	print_names(p, NULL, sh, out);
	print_options(p, TAKES(0) | TAKES(1), sh, out);
	(void)fprintf(out, " ;;\n");
	for (size_t f = 0; f < p->n_families; f++) {
		for (size_t i = 0; command_at(p, f, i) != NULL; i++) {
			const struct args_command *k = command_at(p, f, i);

			if (k->name != NULL && begins_group(p, f, i)) {
				(void)fprintf(out, "\t'%s ')", k->group);
				print_names(p, k->group, sh, out);
				print_options(p, k->is_default ? taken(p, f, k) : TAKES(0), sh, out);
				(void)fprintf(out, " ;;\n");
			}
			print_case(p, f, i, sh, out);
		}
	}
	(void)fprintf(out, "\tesac\n");
}

static void complete_bash(const struct args_program *p, FILE *out)
{
	(void)fprintf(out, "%s\t\t", bash_top);
	print_values(p, true, true, "|", out);
	(void)fprintf(out, ") ((i++)) ;;\n%s\t", bash_middle);
	print_values(p, true, false, "|", out);
	(void)fprintf(out, ") compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n\t");
	print_values(p, false, true, "|", out);
	(void)fprintf(out, ") return ;;\n\tesac\n");
	print_cases(p, BASH, out);
	(void)fprintf(out, "%s", bash_bottom);
}

static void complete_zsh(const struct args_program *p, FILE *out)
{
	(void)fprintf(out, "%s\t\t", zsh_top);
	print_values(p, true, true, "|", out);
	(void)fprintf(out, ") ((i++)) ;;\n%s\t", zsh_middle);
	print_values(p, true, false, "|", out);
	(void)fprintf(out, ") _files; return ;;\n\t");
	print_values(p, false, true, "|", out);
	(void)fprintf(out, ") return ;;\n\tesac\n");
	print_cases(p, ZSH, out);
	(void)fprintf(out, "%s", zsh_bottom);
}

/* ---- fish: one line for each thing that can be typed ---- */

static void fish_word(const char *condition, const char *word, const char *help, FILE *out)
{
	(void)fprintf(out, "complete -c sallyport -n '%s' -a '%s' -d '", condition, word);
	print_quoted(help, "\\'", ":", out);
	(void)fprintf(out, "'\n");
}

static void fish_option(const char *condition, const struct args_option *o, FILE *out)
{
	(void)fprintf(out, "complete -c sallyport -n '%s' -l %s%s -d '", condition, o->name,
		      o->value == NULL ? "" : names_file(o->value) ? " -r -F" : " -x");
	print_quoted(o->help, "\\'", ":", out);
	(void)fprintf(out, "'\n");
}

static void fish_command(const struct args_program *p, size_t f, const struct args_command *k, FILE *out)
{
	char text[96], condition[160];
	struct buf name = BUF_OF(text);
	str places = str_of_cstr(k->words);
	struct args_place place;
	int nth = 0;

	args_put_name(k, &name);
	(void)snprintf(condition, sizeof(condition), "__sallyport_in %.*s", STR_ARG(buf_view(&name)));
	for (size_t i = 0; i < p->n_options; i++) {
		if ((taken(p, f, k) & TAKES(i)) != 0)
			fish_option(condition, &p->options[i], out);
	}
	for (; args_place_next(&places, &place); nth++) {
		(void)fprintf(out, "complete -c sallyport -n '__sallyport_place %d %.*s'", nth, STR_ARG(buf_view(&name)));
		if (str_eq(place.text, STR("FILE")))
			(void)fprintf(out, " -F\n");
		else if (args_place_is_choice(place.text)) {
			(void)fprintf(out, " -a");
			print_place(place.text, out);
			(void)fprintf(out, "\n");
		} else {
			(void)fprintf(out, " -f\n");
		}
	}
}

static void complete_fish(const struct args_program *p, FILE *out)
{
	char condition[96];

	(void)fprintf(out, "%s ", fish_top);
	print_values(p, true, true, " ", out);
	(void)fprintf(out, "%s", fish_middle);
	for (size_t f = 0; f < p->n_families; f++) {
		for (size_t i = 0; command_at(p, f, i) != NULL; i++) {
			const struct args_command *k = command_at(p, f, i);

			if (begins_group(p, f, i))
				fish_word("__sallyport_at", k->group, k->name == NULL ? k->help : "", out);
			(void)snprintf(condition, sizeof(condition), "__sallyport_at %s", k->group);
			if (k->name != NULL)
				fish_word(condition, k->name, k->help, out);
			fish_command(p, f, k, out);
		}
	}
}

bool args_completion(const struct args_program *p, str shell, FILE *out)
{
	if (str_eq(shell, STR("bash")))
		complete_bash(p, out);
	else if (str_eq(shell, STR("zsh")))
		complete_zsh(p, out);
	else if (str_eq(shell, STR("fish")))
		complete_fish(p, out);
	else
		return false;
	return true;
}
