/* The hosted pages without a server: languages, theme, files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "web/ui.h"

static struct world {
	char dir[64], why[512];
	char out[128 * 1024];
	struct config cfg;
	struct ui *ui;
} w;

static void path_of(const char *name, char ret[192])
{
	(void)snprintf(ret, 192, "%s/%s", w.dir, name);
}

static void put(const char *name, const char *bytes, size_t n)
{
	char path[192];
	FILE *f;

	path_of(name, path);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}
#define PUT(name, text) put(name, text, sizeof(text) - 1)

static int set_up(void **state)
{
	(void)state;
	memset(&w, 0, sizeof(w));
	(void)snprintf(w.dir, sizeof(w.dir), "/tmp/sallyport-web-XXXXXX");
	assert_non_null(mkdtemp(w.dir));
	w.cfg.server.api_prefix = STR("/auth");
	w.cfg.mail.default_lang = STR("en");
	w.cfg.mail.transport = MAIL_NONE;
	w.cfg.sms.transport = SMS_NONE;
	w.cfg.ui.site_name = STR("Sallyport");
	w.cfg.ui.frame_ancestors = STR("none");
	w.cfg.ui.lang_dir = str_of_cstr(w.dir);
	return 0;
}

static int tear_down(void **state)
{
	char command[192];

	(void)state;
	ui_free(w.ui);
	for (const char *const *name = (const char *const[]){ "de.json", "he.json", "pt-BR.json", "x.json", "eo.json", "link.json",
							       "logo", "big", "css", "notes.txt", "toolongtag1.json", NULL };
	     *name != NULL; name++) {
		path_of(*name, command);
		(void)unlink(command);
	}
	assert_int_equal(rmdir(w.dir), 0);
	return 0;
}

static void load(void)
{
	ui_free(w.ui);
	w.ui = NULL;
	if (ui_new(&w.cfg, &w.ui, w.why, sizeof(w.why)).code != ERR_OK)
		fail_msg("%s", w.why);
}

static void refused(const char *setting)
{
	struct ui *ui = NULL;

	assert_int_equal(ui_new(&w.cfg, &ui, w.why, sizeof(w.why)).code, ERR_CONFIG);
	assert_null(ui);
	assert_true(str_starts(str_of_cstr(w.why), str_of_cstr(setting)));
}

static const char *chosen(const char *wanted, const char *accept)
{
	static char tag[16];
	const struct ui_lang *l = ui_lang_choose(w.ui, &w.cfg, str_of_cstr(wanted), str_of_cstr(accept));

	(void)snprintf(tag, sizeof(tag), "%.*s", STR_ARG(l->tag));
	return tag;
}

static str text_of(const struct ui_lang *l, const char *key, bool html)
{
	for (size_t i = 0; i < n_embedded_keys; i++) {
		if (str_eq(embedded_keys[i], str_of_cstr(key)))
			return html ? l->html[i] : l->texts[i];
	}
	fail_msg("no key %s", key);
	return STR_NONE;
}

static const struct ui_lang *lang(const char *tag)
{
	return ui_lang_choose(w.ui, &w.cfg, str_of_cstr(tag), STR_NONE);
}

/* ---- languages ---- */

static void the_query_wins_over_the_browser_and_the_browser_over_the_setting(void **state)
{
	(void)state;
	load();
	assert_string_equal(chosen("it", "de"), "it");
	assert_string_equal(chosen("IT-ch", "de"), "it");
	assert_string_equal(chosen("", "de"), "de");
	assert_string_equal(chosen("", "nl, de;q=0.5, fr;q=0.9"), "fr");
	assert_string_equal(chosen("", "fr;q=0.5, de;q=0.5"), "fr");
	assert_string_equal(chosen("", "de-AT,de;q=0.9,en;q=0.8"), "de");
	assert_string_equal(chosen("de_DE", "fr"), "de");
	assert_string_equal(chosen("it_IT.UTF-8", "fr"), "it");
	assert_string_equal(chosen("", "fr;q=0, de;q=0.001"), "de");
	assert_string_equal(chosen("", "*"), "en");
	w.cfg.mail.default_lang = STR("es");
	assert_string_equal(chosen("", ""), "es");
	assert_string_equal(chosen("", "nl"), "es");
	w.cfg.mail.default_lang = STR("nl");
	assert_string_equal(chosen("", ""), "en");
}

static void wb15_a_language_that_is_none_is_as_if_nothing_had_been_asked(void **state)
{
	static const char *const bad[] = { "</script><script>alert(1)//", "e", "en\"", "de\r\n", "12", "aaaaaaaaaaa", "../de", "%64%65" };

	(void)state;
	load();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_string_equal(chosen(bad[i], "fr"), "fr");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_string_equal(chosen("", bad[i]), "en");
	assert_string_equal(chosen("", "de;q=x"), "en");
	assert_string_equal(chosen("", "de;q=0.5000"), "en");
	assert_string_equal(chosen("", ",,,;;;q=,de"), "de");
}

static void a_file_adds_a_language_and_english_stands_in_for_what_it_lacks(void **state)
{
	(void)state;
	PUT("he.json", "{\"login_title\": \"כניסה <b> & \\\"x\\\"\", \"no_such_key\": \"x\"}");
	PUT("pt-BR.json", "{\"login_title\": \"Entrar\"}");
	load();
	assert_string_equal(chosen("he", ""), "he");
	assert_string_equal(chosen("", "pt-BR"), "pt-BR");
	assert_true(lang("he")->rtl);
	assert_false(lang("pt-br")->rtl);
	assert_true(str_eq(text_of(lang("he"), "login_title", false), STR("כניסה <b> & \"x\"")));
	assert_true(str_eq(text_of(lang("he"), "login_title", true), STR("כניסה &lt;b&gt; &amp; &quot;x&quot;")));
	assert_true(str_eq(text_of(lang("he"), "login_button", false), text_of(lang("en"), "login_button", false)));
}

static void a_file_changes_texts_of_a_language_that_is_built_in(void **state)
{
	str other;

	(void)state;
	load();
	other = text_of(lang("de"), "login_button", false);
	PUT("de.json", "{\"login_title\": \"Grüß Gott\"}");
	load();
	assert_true(str_eq(text_of(lang("de"), "login_title", false), STR("Grüß Gott")));
	assert_true(str_eq(text_of(lang("de"), "login_button", false), other));
	assert_string_equal(chosen("", "de"), "de");
}

static void broken_language_files_are_left_out(void **state)
{
	char target[192], link_name[192];

	(void)state;
	PUT("x.json", "{}");
	PUT("toolongtag1.json", "{\"login_title\": \"x\"}");
	PUT("eo.json", "{\"login_title\": [1]");
	PUT("notes.txt", "no language");
	path_of("notes.txt", target);
	path_of("link.json", link_name);
	assert_int_equal(symlink(target, link_name), 0);
	PUT("he.json", "{\"login_title\": 7, \"login_button\": \"a\\nb\", \"email_label\": \"\", \"password_label\": \"טוב\"}");
	load();
	assert_string_equal(chosen("eo", ""), "en");
	assert_string_equal(chosen("x", ""), "en");
	assert_string_equal(chosen("link", ""), "en");
	assert_true(str_eq(text_of(lang("he"), "login_title", false), text_of(lang("en"), "login_title", false)));
	assert_true(str_eq(text_of(lang("he"), "login_button", false), text_of(lang("en"), "login_button", false)));
	assert_true(str_eq(text_of(lang("he"), "password_label", false), STR("טוב")));
}

static void a_directory_that_is_not_there_is_no_fault_and_one_that_is_none_is(void **state)
{
	static char file[192];

	(void)state;
	w.cfg.ui.lang_dir = STR("/nonexistent/lang");
	load();
	PUT("notes.txt", "x");
	path_of("notes.txt", file);
	w.cfg.ui.lang_dir = str_of_cstr(file);
	refused("ui.lang_dir");
}

/* ---- theme ---- */

static str theme(void)
{
	struct ui_file f;

	load();
	assert_true(ui_file_find(w.ui, STR("theme.css"), &f));
	assert_int_equal(f.hash.n, 16);
	return f.bytes;
}

static bool has(str text, const char *part)
{
	return memmem(text.p, text.n, part, str_of_cstr(part).n) != NULL;
}

static void without_settings_the_theme_changes_nothing(void **state)
{
	(void)state;
	assert_true(str_eq(theme(), STR(":root{}\n")));
}

static void text_on_the_primary_colour_is_what_reads_better(void **state)
{
	(void)state;
	w.cfg.ui.primary_color = STR("navy");
	assert_true(has(theme(), "--primary-color:#000080;"));
	assert_true(has(theme(), "--primary-contrast:#ffffff;"));
	w.cfg.ui.primary_color = STR("rgb(255, 220, 0)");
	assert_true(has(theme(), "--primary-color:#ffdc00;"));
	assert_true(has(theme(), "--primary-contrast:#000000;"));
}

static void a_ground_of_ones_own_brings_text_that_can_be_read_on_it(void **state)
{
	(void)state;
	w.cfg.ui.card_bg = STR("#101010");
	assert_true(has(theme(), "color-scheme:dark;") && has(theme(), "--text-color:#eceff3;"));
	w.cfg.ui.bg_color = STR("#101010");
	w.cfg.ui.card_bg = STR("hsla(0, 0%, 100%, 0.95)");
	assert_true(has(theme(), "color-scheme:light;") && has(theme(), "--text-color:#16191d;"));
}

static void wb13_a_setting_never_stands_in_the_style_sheet_as_it_was_written(void **state)
{
	static const char evil[] = "red;}</style><script>";

	(void)state;
	/* Past the check of the settings, that is. */
	w.cfg.ui.primary_color = w.cfg.ui.secondary_color = w.cfg.ui.bg_color = w.cfg.ui.card_bg = str_of_cstr(evil);
	assert_true(str_eq(theme(), STR(":root{}\n")));
}

/* ---- files ---- */

static void set_file(str *setting, const char *name)
{
	static char path[192];

	path_of(name, path);
	*setting = str_of_cstr(path);
}

static void pictures_are_known_by_their_first_bytes(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *type;
	} rows[] = {
		{ "\x89PNG\r\n\x1a\nrest", 12, "image/png" },
		{ "\xff\xd8\xff\xe0rest", 8, "image/jpeg" },
		{ "RIFF\1\2\3\4WEBPVP8 ", 16, "image/webp" },
	};
	static const char *const bad[] = { "<svg xmlns='http://www.w3.org/2000/svg'/>", "GIF89a", "RIFF", "\x89PNG", "<html>" };
	struct ui_file f;

	(void)state;
	set_file(&w.cfg.ui.logo_file, "logo");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put("logo", rows[i].bytes, rows[i].n);
		load();
		assert_true(ui_file_find(w.ui, STR("assets/logo"), &f));
		assert_string_equal(f.type, rows[i].type);
		assert_true(f.is_own && f.bytes.n == rows[i].n);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put("logo", bad[i], str_of_cstr(bad[i]).n);
		refused("ui.logo_file: ");
	}
}

static void files_that_are_missing_empty_too_large_or_no_files_are_refused(void **state)
{
	static char big[256 * 1024 + 1];

	(void)state;
	set_file(&w.cfg.ui.logo_file, "logo");
	refused("ui.logo_file: ");
	PUT("logo", "");
	refused("ui.logo_file: ");
	memcpy(big, "\x89PNG\r\n\x1a\n", 8);
	put("logo", big, sizeof(big));
	refused("ui.logo_file: ");
	put("logo", big, sizeof(big) - 1);
	load();
	w.cfg.ui.logo_file = str_of_cstr(w.dir);
	refused("ui.logo_file: ");
	w.cfg.ui.logo_file = STR_NONE;
	set_file(&w.cfg.ui.css_file, "css");
	refused("ui.css_file: ");
}

static void a_file_of_ones_own_wins_over_the_address(void **state)
{
	struct buf out = BUF_OF(w.out);

	(void)state;
	PUT("logo", "\xff\xd8\xff\xe0rest");
	w.cfg.ui.logo_url = STR("https://cdn.example.test/logo.png");
	w.cfg.ui.bg_image = STR("https://pictures.example.test:8443/a/b.jpg?x=1");
	load();
	ui_policy_write(w.ui, &w.cfg, STR("N"), &out);
	assert_true(has(buf_view(&out), "img-src 'self' data: https://cdn.example.test https://pictures.example.test:8443;"));
	set_file(&w.cfg.ui.logo_file, "logo");
	load();
	out.n = 0;
	ui_policy_write(w.ui, &w.cfg, STR("N"), &out);
	assert_true(has(buf_view(&out), "img-src 'self' data: https://pictures.example.test:8443;"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_query_wins_over_the_browser_and_the_browser_over_the_setting),
		TEST(wb15_a_language_that_is_none_is_as_if_nothing_had_been_asked),
		TEST(a_file_adds_a_language_and_english_stands_in_for_what_it_lacks),
		TEST(a_file_changes_texts_of_a_language_that_is_built_in),
		TEST(broken_language_files_are_left_out),
		TEST(a_directory_that_is_not_there_is_no_fault_and_one_that_is_none_is),
		TEST(without_settings_the_theme_changes_nothing),
		TEST(text_on_the_primary_colour_is_what_reads_better),
		TEST(a_ground_of_ones_own_brings_text_that_can_be_read_on_it),
		TEST(wb13_a_setting_never_stands_in_the_style_sheet_as_it_was_written),
		TEST(pictures_are_known_by_their_first_bytes),
		TEST(files_that_are_missing_empty_too_large_or_no_files_are_refused),
		TEST(a_file_of_ones_own_wins_over_the_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
