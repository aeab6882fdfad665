#include "web/ui.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/json_out.h"
#include "oauth/provider.h"
#include "web/ui_internal.h"

/* An upper bound; what is not used is never touched. */
#define MEMORY_MAX ((size_t)48 * 1024 * 1024)

/* ---- finding ---- */

const struct embedded_page *ui_page_find(str name)
{
	for (size_t i = 0; i < n_embedded_pages; i++) {
		if (str_eq_nocase(embedded_pages[i].name, name))
			return &embedded_pages[i];
	}
	return NULL;
}

static bool find_embedded(const struct embedded_asset *assets, size_t n, str name, struct ui_file *ret)
{
	for (size_t i = 0; i < n; i++) {
		const struct embedded_asset *a = &assets[i];

		if (!str_eq_nocase(a->name, name))
			continue;
		*ret = (struct ui_file){ a->name, a->type, a->hash, a->bytes, false };
		return true;
	}
	return false;
}

bool ui_file_find(const struct ui *ui, str name, struct ui_file *ret)
{
	for (size_t i = 0; i < ui->n_files; i++) {
		if (str_eq_nocase(ui->files[i].name, name)) {
			*ret = ui->files[i];
			return true;
		}
	}
	if (find_embedded(embedded_assets, n_embedded_assets, name, ret))
		return true;
	/* Clients know the script by both addresses. */
	return str_eq_nocase(name, STR("assets/auth.js")) &&
	       find_embedded(embedded_assets, n_embedded_assets, STR("auth.js"), ret);
}

bool ui_docs_file_find(str name, struct ui_file *ret)
{
	return find_embedded(embedded_docs_assets, n_embedded_docs_assets, name, ret);
}

/* ---- the configuration ---- */

static void write_providers(const struct config *cfg, str key, struct json_out *o)
{
	out_key(o, key);
	out_arr(o);
	for (size_t i = 0; i < cfg->oauth.n; i++)
		out_value_str(o, cfg->oauth.provider[i].name);
	out_end_arr(o);
}

static void write_labels(const struct config *cfg, struct json_out *o)
{
	out_key(o, STR("oauthLabels"));
	out_obj(o);
	for (size_t i = 0; i < cfg->oauth.n; i++)
		out_str(o, cfg->oauth.provider[i].name, provider_label(&cfg->oauth.provider[i]));
	out_end_obj(o);
}

/* Which drawing of marks/ stands for a provider: its preset's, else a key. */
static void write_marks(const struct config *cfg, struct json_out *o)
{
	out_key(o, STR("oauthMarks"));
	out_obj(o);
	for (size_t i = 0; i < cfg->oauth.n; i++) {
		const struct preset *known = preset_of(&cfg->oauth.provider[i]);

		out_str(o, cfg->oauth.provider[i].name, known != NULL ? str_of_cstr(known->name) : STR("key"));
	}
	out_end_obj(o);
}

static void write_features(const struct config *cfg, struct json_out *o)
{
	bool mail = cfg->mail.transport != MAIL_NONE, sms = cfg->sms.transport != SMS_NONE;

	out_key(o, STR("features"));
	out_obj(o);
	out_bool(o, STR("register"), cfg->registration.enabled);
	out_bool(o, STR("magicLink"), mail);
	out_bool(o, STR("sms"), sms);
	out_bool(o, STR("google"), provider_settings(cfg, STR("google")) != NULL);
	out_bool(o, STR("github"), provider_settings(cfg, STR("github")) != NULL);
	out_bool(o, STR("forgotPassword"), mail);
	out_bool(o, STR("verifyEmail"), mail && cfg->verification.mode != VERIFICATION_NONE);
	out_bool(o, STR("twoFactor"), true);
	out_bool(o, STR("rememberDevice"), cfg->twofactor.remember);
	write_providers(cfg, STR("oauthProviders"), o);
	write_labels(cfg, o);
	write_marks(cfg, o);
	out_bool(o, STR("askNames"), cfg->ui.ask_names);
	out_end_obj(o);
}

/* What apps read that know no nested members. */
static void write_flat(const struct config *cfg, struct json_out *o)
{
	out_bool(o, STR("registrationEnabled"), cfg->registration.enabled);
	out_bool(o, STR("magicLinkEnabled"), cfg->mail.transport != MAIL_NONE);
	out_bool(o, STR("smsEnabled"), cfg->sms.transport != SMS_NONE);
	out_bool(o, STR("totpEnabled"), true);
	out_bool(o, STR("googleEnabled"), provider_settings(cfg, STR("google")) != NULL);
	out_bool(o, STR("githubEnabled"), provider_settings(cfg, STR("github")) != NULL);
	write_providers(cfg, STR("availableProviders"), o);
}

static str or_default(str value, str otherwise)
{
	return value.n > 0 ? value : otherwise;
}

static str if_given(str value)
{
	return value.n > 0 ? value : STR_NONE;
}

static void write_asset_url(const struct config *cfg, str key, str file, str name, str url, struct json_out *o)
{
	if (file.n == 0) {
		out_str(o, key, if_given(url));
		return;
	}
	out_key(o, key);
	out_value_raw(o, STR("\""));
	json_escape(o->b, cfg->server.api_prefix);
	buf_lit(o->b, "/ui/");
	buf_str(o->b, name);
	buf_byte(o->b, '"');
}

static void write_look(const struct config *cfg, struct json_out *o)
{
	out_key(o, STR("ui"));
	out_obj(o);
	out_str(o, STR("primaryColor"), or_default(cfg->ui.primary_color, STR("#2f5bd8")));
	out_str(o, STR("secondaryColor"), or_default(cfg->ui.secondary_color, STR("#57606a")));
	write_asset_url(cfg, STR("logoUrl"), cfg->ui.logo_file, STR("assets/logo"), cfg->ui.logo_url, o);
	out_str(o, STR("siteName"), cfg->ui.site_name);
	out_str(o, STR("bgColor"), if_given(cfg->ui.bg_color));
	write_asset_url(cfg, STR("bgImage"), cfg->ui.bg_file, STR("assets/background"), cfg->ui.bg_image, o);
	out_str(o, STR("cardBg"), if_given(cfg->ui.card_bg));
	out_end_obj(o);
}

static void write_texts(const struct embedded_page *page, const struct ui_lang *lang, struct json_out *o)
{
	size_t n = page != NULL ? page->n_keys : n_embedded_keys;

	out_key(o, STR("translations"));
	out_obj(o);
	for (size_t i = 0; i < n; i++) {
		size_t k = page != NULL ? page->keys[i].index : i;

		out_str(o, embedded_keys[k], lang->texts[k]);
	}
	out_end_obj(o);
}

static void write_languages(const struct ui *ui, struct json_out *o)
{
	out_key(o, STR("languages"));
	out_arr(o);
	for (size_t i = 0; i < ui->n_langs; i++)
		out_value_str(o, ui->langs[i].tag);
	out_end_arr(o);
}

void ui_config_write(const struct ui *ui, const struct config *cfg, const struct embedded_page *page,
		     const struct ui_lang *lang, str return_path, bool is_answer, struct buf *out)
{
	struct json_out o;

	out_begin(&o, out);
	out_obj(&o);
	out_str(&o, STR("apiPrefix"), cfg->server.api_prefix);
	write_features(cfg, &o);
	write_look(cfg, &o);
	write_texts(page, lang, &o);
	out_str(&o, STR("lang"), lang->tag);
	out_str(&o, STR("loginUrl"), if_given(cfg->ui.login_url));
	out_str(&o, STR("registerUrl"), if_given(cfg->ui.register_url));
	out_str(&o, STR("homeUrl"), if_given(cfg->ui.home_url));
	out_str(&o, STR("termsUrl"), if_given(cfg->ui.terms_url));
	out_str(&o, STR("privacyUrl"), if_given(cfg->ui.privacy_url));
	write_languages(ui, &o);
	if (is_answer) {
		write_flat(cfg, &o);
		out_bool(&o, STR("headless"), cfg->ui.headless);
	} else {
		out_str(&o, STR("returnTo"), if_given(return_path));
	}
	out_end_obj(&o);
}

/* ---- pages ---- */

/* Everything that a mark may stand for. */
struct fill {
	const struct ui *ui;
	const struct config *cfg;
	const struct embedded_page *page;
	const struct ui_lang *lang;
	str nonce, return_path;
};

static void write_base(const struct config *cfg, struct buf *out)
{
	buf_str(out, cfg->server.api_prefix);
	buf_lit(out, "/ui/");
}

/* Without a home of the operator's, a person looks after the account. */
static void write_home(const struct config *cfg, struct buf *out)
{
	if (cfg->ui.home_url.n > 0) {
		html_escape(out, cfg->ui.home_url);
		return;
	}
	write_base(cfg, out);
	buf_lit(out, "account");
}

static void write_theme(const struct fill *f, struct buf *out)
{
	write_base(f->cfg, out);
	buf_lit(out, "theme.css?v=");
	buf_str(out, f->ui->theme_hash);
}

static void write_mark(const struct fill *f, const struct embedded_part *p, struct buf *out)
{
	switch (p->mark) {
	case MARK_NONE: break;
	case MARK_NONCE: buf_str(out, f->nonce); break;
	case MARK_LANG: buf_str(out, f->lang->tag); break;
	case MARK_DIR: buf_str(out, f->lang->rtl ? STR("rtl") : STR("ltr")); break;
	case MARK_BASE: write_base(f->cfg, out); break;
	case MARK_PREFIX: buf_str(out, f->cfg->server.api_prefix); break;
	case MARK_SITE_NAME: html_escape(out, f->cfg->ui.site_name); break;
	case MARK_HOME: write_home(f->cfg, out); break;
	case MARK_CONFIG: ui_config_write(f->ui, f->cfg, f->page, f->lang, f->return_path, false, out); break;
	case MARK_LOGO: buf_str(out, f->ui->logo); break;
	case MARK_CUSTOM_CSS: buf_str(out, f->ui->custom_css); break;
	case MARK_THEME: write_theme(f, out); break;
	case MARK_TEXT: buf_str(out, f->lang->html[p->index]); break;
	}
}

static void write_parts(const struct fill *f, struct buf *out)
{
	for (size_t i = 0; i < f->page->n_parts; i++) {
		buf_str(out, f->page->parts[i].text);
		write_mark(f, &f->page->parts[i], out);
	}
}

void ui_page_write(const struct ui *ui, const struct config *cfg, const struct embedded_page *page,
		   const struct ui_lang *lang, str nonce, str return_path, struct buf *out)
{
	write_parts(&(struct fill){ ui, cfg, page, lang, nonce, return_path }, out);
}

void ui_docs_write(const struct ui *ui, const struct config *cfg, str nonce, struct buf *out)
{
	ui_page_write(ui, cfg, &embedded_docs[DOC_VIEWER], &ui->langs[0], nonce, STR_NONE, out);
}

const struct ui_file *ui_openapi(const struct ui *ui)
{
	return &ui->openapi;
}

static err_t load_openapi(struct ui_load *l)
{
	const struct embedded_page *doc = &embedded_docs[DOC_OPENAPI];
	struct buf b = { 0 };

	for (size_t i = 0; i < doc->n_parts; i++)
		b.cap += doc->parts[i].text.n + l->cfg->server.api_prefix.n;
	NEW(b.p, &l->ui->mem, char, b.cap);
	ui_page_write(l->ui, l->cfg, doc, &l->ui->langs[0], STR_NONE, STR_NONE, &b);
	REQUIRE(!b.overflow, ERR_BUG);
	return file_make(l->ui, STR("openapi.json"), "application/json; charset=utf-8", buf_view(&b), &l->ui->openapi);
}

/* ---- life ---- */

static err_t load(struct ui_load *l)
{
	TRY(arena_init(&l->ui->mem, MEMORY_MAX));
	TRY(langs_load(l));
	TRY(load_openapi(l));
	return theme_load(l);
}

err_t ui_new(const struct config *cfg, struct ui **ret, char *why, size_t why_max)
{
	struct ui_load l = { calloc(1, sizeof(*l.ui)), cfg, why, why_max };
	err_t e;

	REQUIRE(l.ui != NULL, ERR_NO_MEMORY);
	e = load(&l);
	if (e.code != ERR_OK) {
		if (e.code != ERR_CONFIG)
			(void)snprintf(why, why_max, "the hosted pages cannot be loaded: %s", err_name(e.code));
		ui_free(l.ui);
		return e;
	}
	*ret = l.ui;
	return OK;
}

void ui_free(struct ui *ui)
{
	if (ui == NULL)
		return;
	arena_clear(&ui->mem);
	free(ui);
}

/* ---- the policy ---- */

void ui_policy_write(const struct ui *ui, const struct config *cfg, str nonce, struct buf *out)
{
	buf_lit(out, "default-src 'none'; script-src 'nonce-");
	buf_str(out, nonce);
	buf_lit(out, "' 'strict-dynamic'; style-src 'self'; img-src 'self' data:");
	buf_str(out, ui->img_origins);
	buf_lit(out, "; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors '");
	buf_str(out, cfg->ui.frame_ancestors);
	buf_lit(out, "'; object-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'");
	if (cfg->ui.csp_report_url.n > 0) {
		buf_lit(out, "; report-uri ");
		buf_str(out, cfg->ui.csp_report_url);
	}
}
