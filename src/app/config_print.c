/* The other side of config.c: what it tells people. */
#include <string.h>

#include "app/config_table.h"
#include "base/duration.h"
#include "base/json_line.h"
#include "base/log.h"

/* ---- the report ---- */

static bool next_line(str *rest, str *ret_line)
{
	return str_cut(*rest, '\n', ret_line, rest);
}

static str lines_text(const struct config_lines *lines)
{
	return (str){ lines->text, lines->used };
}

/* How many lines did not fit. */
static size_t lines_left_out(const struct config_lines *lines)
{
	size_t kept = 0;

	for (size_t i = 0; i < lines->used; i++)
		kept += lines->text[i] == '\n';
	return lines->n - kept;
}

static void print_lines(const struct config_lines *lines, const char *before, FILE *out)
{
	str rest = lines_text(lines), line;

	while (next_line(&rest, &line))
		(void)fprintf(out, "%s%.*s\n", before, STR_ARG(line));
	if (lines_left_out(lines) > 0)
		(void)fprintf(out, "%sand %zu more\n", before, lines_left_out(lines));
}

void config_report_print(const struct config_report *r, FILE *out)
{
	print_lines(&r->problems, "", out);
	print_lines(&r->warnings, "warning: ", out);
}

static void log_lines(const struct config_lines *lines, const char *event, enum log_level level)
{
	str rest = lines_text(lines), line;

	while (next_line(&rest, &line))
		log_event(level, event, LOG_STR("text", line));
	if (lines_left_out(lines) > 0)
		log_event(level, event, LOG_INT("left_out", (int64_t)lines_left_out(lines)));
}

void config_report_log(const struct config_report *r, enum log_level level)
{
	log_lines(&r->problems, "config_problem", level);
	log_lines(&r->warnings, "config_warning", level);
}

void config_report_clear(struct config_report *r)
{
	*r = (struct config_report){ 0 };
}

/* ---- two configurations ---- */

bool config_same_startup(const struct config *a, const struct config *b, struct buf *ret_names)
{
	bool same = true;

	for (size_t i = 0; i < n_settings; i++) {
		if (!settings[i].restart || setting_equal(&settings[i], a, b))
			continue;
		if (!same)
			buf_lit(ret_names, ", ");
		buf_str(ret_names, str_of_cstr(settings[i].key));
		same = false;
	}
	return same;
}

/* Secrets, passwords and enums are never settings that take a restart. */
static err_t keep_value(const struct setting *s, const struct config *from, struct config *to,
			struct arena *mem)
{
	const void *x = setting_value(s, from);
	void *y = setting_member(s, to);
	const struct str_list *list = x;
	str *items;

	switch (s->kind) {
	case SETTING_TEXT:
	case SETTING_WORD: return arena_copy(mem, *(const str *)x, y);
	case SETTING_INT:
	case SETTING_SIZE:
	case SETTING_DURATION: *(int64_t *)y = *(const int64_t *)x; return OK;
	case SETTING_BOOL: *(bool *)y = *(const bool *)x; return OK;
	case SETTING_LIST:
		NEW(items, mem, str, list->n);
		for (size_t i = 0; i < list->n; i++)
			TRY(arena_copy(mem, list->items[i], &items[i]));
		*(struct str_list *)y = (struct str_list){ items, list->n };
		return OK;
	case SETTING_ENUM:
	case SETTING_SECRET:
	case SETTING_PASSWORD:
	case SETTING_PEM:
	case SETTING_UNSET: break;
	}
	FAIL(ERR_BUG);
}

void config_warn_restart(const struct config *running, struct config *fresh)
{
	char names[512];
	struct buf b = BUF_OF(names);

	if (config_same_startup(running, fresh, &b))
		return;
	log_event(LOG_WARN, "restart_needed", LOG_STR("settings", buf_view(&b)));
	for (size_t i = 0; i < n_settings; i++) {
		struct loaded_config *l = (struct loaded_config *)fresh;
		if (!settings[i].restart || setting_equal(&settings[i], running, fresh))
			continue;
		if (keep_value(&settings[i], running, fresh, &l->mem).code != ERR_OK)
			log_event(LOG_ERROR, "restart_needed", LOG_CSTR("not_kept", settings[i].key));
		l->origin[i] = ((const struct loaded_config *)running)->origin[i];
	}
}

/* ---- print-config ---- */

static void print_origin(const struct loaded_config *l, size_t i, FILE *out)
{
	char text[128];
	struct buf b = BUF_OF(text);

	switch (l->origin[i].from) {
	case ORIGIN_DEFAULT: (void)fputs("default", out); break;
	case ORIGIN_DEV: (void)fputs("dev", out); break;
	case ORIGIN_FILE: (void)fprintf(out, "%.*s line %d", STR_ARG(l->file), l->origin[i].line); break;
	case ORIGIN_ENVIRONMENT:
		setting_env_name(row_at(l, i), &b);
		(void)fprintf(out, "environment (%.*s)", STR_ARG(buf_view(&b)));
		break;
	case ORIGIN_DATA: (void)fputs("environment (SALLYPORT_DATA)", out); break;
	case ORIGIN_COMMAND_LINE: (void)fputs("command line", out); break;
	case ORIGIN_UNSET: (void)fputs("nowhere", out); break;
	}
}

static void print_list(const struct str_list *list, FILE *out)
{
	for (size_t i = 0; i < list->n; i++)
		(void)fprintf(out, "%s%.*s", i == 0 ? "" : ", ", STR_ARG(list->items[i]));
}

static void print_value(const struct setting *s, const struct config *cfg, FILE *out)
{
	const void *x = setting_value(s, cfg);
	char text[64];
	struct buf b = BUF_OF(text);

	switch (s->kind) {
	case SETTING_TEXT:
	case SETTING_WORD: (void)fprintf(out, "%.*s", STR_ARG(*(const str *)x)); break;
	case SETTING_LIST: print_list(x, out); break;
	case SETTING_ENUM: (void)fputs(s->words[*(const unsigned *)x - 1], out); break;
	case SETTING_BOOL: (void)fputs(*(const bool *)x ? "true" : "false", out); break;
	case SETTING_INT: buf_i64(&b, *(const int64_t *)x); break;
	case SETTING_SIZE: size_format(&b, *(const int64_t *)x); break;
	case SETTING_DURATION: duration_format(&b, *(const int64_t *)x); break;
	case SETTING_SECRET:
	case SETTING_PASSWORD:
	case SETTING_PEM: (void)fputs(((const struct secret *)x)->n > 0 ? "***" : "", out); break;
	case SETTING_UNSET: break;
	}
	(void)fprintf(out, "%.*s", (int)b.n, text);
}

/* "oauth.google" of "oauth.google.client_id" */
static str section_of(const struct setting *s, str *ret_name)
{
	str key = str_of_cstr(s->key);
	size_t n = key.n;

	while (n > 0 && key.p[n - 1] != '.')
		n--;
	*ret_name = str_skip(key, n);
	return (str){ key.p, n > 0 ? n - 1 : 0 };
}

static bool begins_section(const struct loaded_config *l, size_t i)
{
	str name;

	return i == 0 || !str_eq(section_of(row_at(l, i - 1), &name), section_of(row_at(l, i), &name));
}

void config_print(const struct config *cfg, bool origin, FILE *out)
{
	const struct loaded_config *l = (const struct loaded_config *)cfg;

	if (cfg->dev)
		(void)fputs("# with --dev\n", out);
	for (size_t i = 0; i < rows_n(l); i++) {
		str name, section = section_of(row_at(l, i), &name);
		if (begins_section(l, i))
			(void)fprintf(out, "%s[%.*s]\n", i == 0 ? "" : "\n", STR_ARG(section));
		if (origin) {
			(void)fputs("# from ", out);
			print_origin(l, i, out);
			(void)fputc('\n', out);
		}
		(void)fprintf(out, "%.*s = ", STR_ARG(name));
		print_value(row_at(l, i), cfg, out);
		(void)fputc('\n', out);
	}
}

/* What a printing function prints, as a member. */
struct printed {
	FILE *to;
	char *text;
	size_t n;
};

static err_t printed_begin(struct printed *p)
{
	*p = (struct printed){ 0 };
	p->to = open_memstream(&p->text, &p->n);
	REQUIRE(p->to != NULL, ERR_NO_MEMORY);
	return OK;
}

static err_t printed_member(struct printed *p, struct json_out *o, str key)
{
	bool good = fclose(p->to) == 0 && p->text != NULL;

	if (good)
		json_text(o, key, (str){ p->text, p->n });
	free(p->text);
	REQUIRE(good, ERR_NO_MEMORY);
	return OK;
}

static err_t put_setting(struct json_out *o, const struct loaded_config *l, size_t i)
{
	struct printed p;

	out_str(o, STR("key"), str_of_cstr(row_at(l, i)->key));
	TRY(printed_begin(&p));
	print_value(row_at(l, i), &l->cfg, p.to);
	TRY(printed_member(&p, o, STR("value")));
	TRY(printed_begin(&p));
	print_origin(l, i, p.to);
	return printed_member(&p, o, STR("origin"));
}

err_t config_print_json(const struct config *cfg, FILE *out)
{
	const struct loaded_config *l = (const struct loaded_config *)cfg;

	for (size_t i = 0; i < rows_n(l); i++) {
		struct json_line line;

		TRY(json_line_begin(&line));
		out_obj(&line.o);
		err_t e = put_setting(&line.o, l, i);
		out_end_obj(&line.o);
		TRY(json_line_end(&line, out));
		TRY(e);
	}
	return OK;
}

/* ---- help ---- */

static void print_allowed(const struct setting *s, FILE *out)
{
	char text[512];
	struct buf b = BUF_OF(text);

	setting_allowed(s, &b);
	(void)fprintf(out, "%.*s", STR_ARG(buf_view(&b)));
}

static void print_defaults(const struct setting *s, const char *quote, FILE *out)
{
	if (s->def[0] == '\0')
		(void)fputs("none", out);
	else
		(void)fprintf(out, "%s%s%s", quote, s->def, quote);
	if (s->dev != NULL)
		(void)fprintf(out, " (%s%s%s with --dev)", quote, s->dev, quote);
}

static void help_on(const struct setting *s, FILE *out)
{
	(void)fputs("\n    default: ", out);
	print_defaults(s, "", out);
	(void)fputs("\n    allowed: ", out);
	print_allowed(s, out);
	(void)fprintf(out, "%s\n    %s\n", s->restart ? "\n    changes at a restart only" : "", s->help);
}

void config_help(FILE *out)
{
	for (size_t i = 0; i < n_settings; i++) {
		char text[128];
		struct buf b = BUF_OF(text);
		setting_env_name(&settings[i], &b);
		(void)fprintf(out, "%s, %.*s", settings[i].key, STR_ARG(buf_view(&b)));
		help_on(&settings[i], out);
	}
	for (size_t i = 0; i < n_provider_settings; i++) {
		(void)fprintf(out, "oauth.NAME.%s", provider_settings_table[i].key);
		help_on(&provider_settings_table[i], out);
	}
}

static void put_help(struct json_out *o, const struct setting *s, const char *before)
{
	char key[128], allowed[512];
	struct buf k = BUF_OF(key), b = BUF_OF(allowed);

	buf_printf(&k, "%s%s", before, s->key);
	setting_allowed(s, &b);
	out_str(o, STR("key"), buf_view(&k));
	out_str(o, STR("default"), str_of_cstr(s->def));
	json_text(o, STR("defaultOfDev"), str_of_cstr(s->dev));
	out_str(o, STR("allowed"), buf_view(&b));
	out_bool(o, STR("restart"), s->restart);
	out_str(o, STR("help"), str_of_cstr(s->help));
}

static err_t help_json(const struct setting *rows, size_t n, const char *before, FILE *out)
{
	for (size_t i = 0; i < n; i++) {
		struct json_line line;

		TRY(json_line_begin(&line));
		out_obj(&line.o);
		put_help(&line.o, &rows[i], before);
		out_end_obj(&line.o);
		TRY(json_line_end(&line, out));
	}
	return OK;
}

err_t config_help_json(FILE *out)
{
	TRY(help_json(settings, n_settings, "", out));
	return help_json(provider_settings_table, n_provider_settings, "oauth.NAME.", out);
}

static const char page_top[] =
	"# Settings\n"
	"\n"
	"<!-- Written from the table in src/app/config_table.c: after a change there run\n"
	"     test_config --settings-page > docs/guide/settings.md -->\n"
	"\n"
	"A setting `key` of `[section]` in the configuration file is `SALLYPORT_SECTION_KEY` in the\n"
	"environment. Later sources win: default, `--dev`, file, environment, command line.\n"
	"`SALLYPORT_CONFIG` names the file when `--config` does not; `SALLYPORT_DATA` is short for\n"
	"`SALLYPORT_SERVER_DATA_DIR`. Names that are not in this list are refused, wherever they stand.\n"
	"\n"
	"* A comment is a line that starts with `#` or `;`. Everything after `=` is the value.\n"
	"* Lists are separated by commas.\n"
	"* Durations are a number and a unit: `500ms`, `90s`, `15m`, `1.5h`, `30d`, `2w`, `1y`; without a\n"
	"  unit they are milliseconds. Sizes are a number and `B`, `KiB`, `MiB` or `GiB`.\n"
	"* A secret is best kept in a file of its own: `file:/path`. Such files, and the settings when a secret stands in\n"
	"  them, may be read by a group of the server's user and by nobody else: at most mode 0640.\n"
	"* `SIGHUP` reads everything again. Settings marked *restart* keep their value until the next\n"
	"  start. A configuration with a problem is not used at all: the server goes on with the old one.\n"
	"* `sallyport check-config` says what is wrong, `sallyport print-config --origin` what is in force\n"
	"  and where it came from.\n";

#define PAGE_HEAD "\n| Key | Default | Allowed | Meaning |\n|---|---|---|---|\n"

static void page_row(const struct setting *s, str name, FILE *out)
{
	(void)fprintf(out, "| `%.*s` | ", STR_ARG(name));
	print_defaults(s, "`", out);
	(void)fputs(" | ", out);
	print_allowed(s, out);
	(void)fprintf(out, " | %s%s |\n", s->help, s->restart ? " *restart*" : "");
}

void config_help_markdown(FILE *out)
{
	(void)fputs(page_top, out);
	for (size_t i = 0; i < n_settings; i++) {
		str name, before, section = section_of(&settings[i], &name);
		if (i == 0 || !str_eq(section_of(&settings[i - 1], &before), section))
			(void)fprintf(out, "\n## [%.*s]\n" PAGE_HEAD, STR_ARG(section));
		page_row(&settings[i], name, out);
	}
	(void)fputs("\n## [oauth.NAME]\n\nOne section for each identity provider; NAME is the provider in paths: small letters, "
		    "digits, `_` and `-`.\nIn the environment `client_id` of `[oauth.google]` is "
		    "`SALLYPORT_OAUTH_GOOGLE_CLIENT_ID`.\n" PAGE_HEAD,
		    out);
	for (size_t i = 0; i < n_provider_settings; i++)
		page_row(&provider_settings_table[i], str_of_cstr(provider_settings_table[i].key), out);
}
