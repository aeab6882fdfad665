/* theme.c — theme.css, made of numbers and of addresses with a narrow grammar; and the files it names. */
#include <fcntl.h>
#include <stdio.h>

#include "base/color.h"
#include "web/ui_internal.h"

#define CSS_MAX        ((size_t)64 * 1024)
#define LOGO_MAX       ((size_t)256 * 1024)
#define BACKGROUND_MAX ((size_t)1024 * 1024)
#define CSS_TYPE       "text/css; charset=utf-8"
#define RULES_MAX      ((size_t)4096)

static const struct color white = { 255, 255, 255, 255 };
static const struct color black = { 0, 0, 0, 255 };

/* Of web/ui/base.css, for browsers that know no light-dark(). */
static const struct {
	struct color text, muted, border;
} light = { { 0x16, 0x19, 0x1d, 255 }, { 0x57, 0x60, 0x6a, 255 }, { 0x86, 0x8e, 0x99, 255 } },
  dark = { { 0xec, 0xef, 0xf3, 255 }, { 0xa7, 0xb0, 0xbc, 255 }, { 0x72, 0x7c, 0x89, 255 } };

/* ---- rules ---- */

static void rule(struct buf *out, str name, struct color c)
{
	buf_str(out, name);
	buf_byte(out, ':');
	color_write(c, out);
	buf_byte(out, ';');
}

/* Text on it is black or white, whichever reads better: at least 4.5 to 1 with any colour. Under the mouse
 * it moves away from its text, so that this stays so. */
static void primary_rules(struct buf *out, struct color c)
{
	struct color text = color_contrast(c, white) >= color_contrast(c, black) ? white : black;

	rule(out, STR("--primary-color"), c);
	rule(out, STR("--primary-color-hover"), color_mix(c, text.r == 0 ? white : black, 18));
	rule(out, STR("--primary-contrast"), text);
	rule(out, STR("--input-focus"), c);
}

/* A ground of one's own is the same by day and by night, so the text on it is too. */
static void ground_rules(struct buf *out, struct color ground)
{
	bool is_light = color_contrast(ground, light.text) >= color_contrast(ground, dark.text);

	buf_str(out, is_light ? STR("color-scheme:light;") : STR("color-scheme:dark;"));
	rule(out, STR("--text-color"), is_light ? light.text : dark.text);
	rule(out, STR("--text-muted"), is_light ? light.muted : dark.muted);
	rule(out, STR("--border-color"), is_light ? light.border : dark.border);
}

static void color_rules(const struct config *cfg, struct buf *out)
{
	struct color c, ground = white;
	bool has_bg = color_parse(cfg->ui.bg_color, &c);

	if (has_bg) {
		rule(out, STR("--bg-color"), c);
		ground = color_over(c, white);
	}
	if (color_parse(cfg->ui.card_bg, &c)) {
		rule(out, STR("--card-bg"), c);
		ground_rules(out, color_over(c, ground));
	} else if (has_bg) {
		ground_rules(out, ground);
	}
	if (color_parse(cfg->ui.primary_color, &c))
		primary_rules(out, color_over(c, white));
	if (color_parse(cfg->ui.secondary_color, &c)) {
		rule(out, STR("--secondary-color"), color_over(c, white));
		rule(out, STR("--secondary-color-hover"), color_mix(color_over(c, white), black, 18));
	}
}

/* ---- files ---- */

static err_t refuse(struct ui_load *l, const char *setting, str file, const char *what)
{
	(void)snprintf(l->why, l->why_max, "%s: %.*s %s", setting, STR_ARG(file), what);
	FAIL(ERR_CONFIG);
}

static err_t load(struct ui_load *l, const char *setting, str file, size_t max, str *ret)
{
	char what[96];
	err_t e = file_read(&l->ui->mem, AT_FDCWD, file, false, max, ret);

	if (e.code == ERR_OK || e.code == ERR_NO_MEMORY)
		return e;
	(void)snprintf(what, sizeof(what), "cannot be read, or is no plain file of 1 to %zu bytes", max);
	return refuse(l, setting, file, what);
}

static err_t load_picture(struct ui_load *l, const char *setting, str file, str name, size_t max, str *ret_hash)
{
	const char *type;
	str bytes;

	TRY(load(l, setting, file, max, &bytes));
	type = picture_type(bytes);
	if (type == NULL)
		return refuse(l, setting, file, "is no PNG, JPEG or WebP");
	return file_add(l->ui, name, type, bytes, ret_hash);
}

static void write_base(const struct config *cfg, struct buf *out)
{
	buf_str(out, cfg->server.api_prefix);
	buf_lit(out, "/ui/");
}

static err_t picture_url(struct ui_load *l, const char *setting, str file, str name, size_t max, str url,
			 struct buf *out)
{
	str hash;

	if (file.n == 0) {
		buf_str(out, url);
		return OK;
	}
	TRY(load_picture(l, setting, file, name, max, &hash));
	write_base(l->cfg, out);
	buf_str(out, name);
	buf_lit(out, "?v=");
	buf_str(out, hash);
	return OK;
}

/* ---- the parts ---- */

static err_t load_background(struct ui_load *l, struct buf *out)
{
	const struct config *cfg = l->cfg;

	if (cfg->ui.bg_file.n == 0 && cfg->ui.bg_image.n == 0)
		return OK;
	buf_lit(out, "--bg-image:url(\"");
	TRY(picture_url(l, "ui.bg_file", cfg->ui.bg_file, STR("assets/background"), BACKGROUND_MAX,
			cfg->ui.bg_image, out));
	buf_lit(out, "\");");
	return OK;
}

static err_t load_logo(struct ui_load *l)
{
	const struct config *cfg = l->cfg;
	struct buf b = { .cap = 8192 }, url = { .cap = 1280 };

	if (cfg->ui.logo_file.n == 0 && cfg->ui.logo_url.n == 0)
		return OK;
	NEW(b.p, &l->ui->mem, char, b.cap);
	NEW(url.p, &l->ui->mem, char, url.cap);
	TRY(picture_url(l, "ui.logo_file", cfg->ui.logo_file, STR("assets/logo"), LOGO_MAX, cfg->ui.logo_url,
			&url));
	buf_lit(&b, "<img class=\"logo\" alt=\"\" src=\"");
	html_escape(&b, buf_view(&url));
	buf_lit(&b, "\">");
	REQUIRE(!b.overflow && !url.overflow, ERR_BUG);
	l->ui->logo = buf_view(&b);
	return OK;
}

static err_t load_css(struct ui_load *l)
{
	str css, hash;

	if (l->cfg->ui.css_file.n == 0)
		return OK;
	TRY(load(l, "ui.css_file", l->cfg->ui.css_file, CSS_MAX, &css));
	TRY(file_add(l->ui, STR("assets/custom.css"), CSS_TYPE, css, &hash));
	return arena_printf(&l->ui->mem, &l->ui->custom_css,
			    "<link rel=\"stylesheet\" href=\"%.*s/ui/assets/custom.css?v=%.*s\">",
			    STR_ARG(l->cfg->server.api_prefix), STR_ARG(hash));
}

/* "https://cdn.example:8443" of an address that passed its check; nothing of a path. */
static void write_origin(str url, struct buf *out)
{
	size_t n = STR("https://").n;

	if (!str_starts(url, STR("https://")))
		return;
	while (n < url.n && url.p[n] != '/' && url.p[n] != '?' && url.p[n] != '#')
		n++;
	buf_byte(out, ' ');
	buf_str(out, (str){ url.p, n });
}

static err_t load_origins(struct ui_load *l)
{
	struct buf b = { .cap = (size_t)2 * 1100 };

	NEW(b.p, &l->ui->mem, char, b.cap);
	if (l->cfg->ui.logo_file.n == 0)
		write_origin(l->cfg->ui.logo_url, &b);
	if (l->cfg->ui.bg_file.n == 0)
		write_origin(l->cfg->ui.bg_image, &b);
	REQUIRE(!b.overflow, ERR_BUG);
	l->ui->img_origins = buf_view(&b);
	return OK;
}

err_t theme_load(struct ui_load *l)
{
	struct buf b = { .cap = RULES_MAX };

	NEW(b.p, &l->ui->mem, char, b.cap);
	TRY(load_css(l));
	TRY(load_logo(l));
	TRY(load_origins(l));
	buf_lit(&b, ":root{");
	color_rules(l->cfg, &b);
	TRY(load_background(l, &b));
	buf_lit(&b, "}\n");
	REQUIRE(!b.overflow, ERR_BUG);
	return file_add(l->ui, STR("theme.css"), CSS_TYPE, buf_view(&b), &l->ui->theme_hash);
}
