/* app_links.c — GET /.well-known/assetlinks.json and /.well-known/apple-app-site-association: which apps may open
 * this host's addresses and are offered the passwords and passkeys saved for it, as Android and Apple ask it. Both are
 * 404 without an app. Source: Digital Asset Links, "Relation Strings"; Apple, "Supporting associated domains". */
#include "api/routes.h"
#include "domain/site.h"

static void out_android(struct json_out *o, str app)
{
	str package, print;

	(void)str_cut(app, '=', &package, &print);
	out_obj(o);
	out_key(o, STR("relation"));
	out_arr(o);
	out_value_str(o, STR("delegate_permission/common.handle_all_urls"));
	out_value_str(o, STR("delegate_permission/common.get_login_creds"));
	out_end_arr(o);
	out_key(o, STR("target"));
	out_obj(o);
	out_str(o, STR("namespace"), STR("android_app"));
	out_str(o, STR("package_name"), package);
	out_key(o, STR("sha256_cert_fingerprints"));
	out_arr(o);
	out_value_str(o, print);
	out_end_arr(o);
	out_end_obj(o);
	out_end_obj(o);
}

err_t api_assetlinks(struct req *r, const void *body, struct http_reply *rep)
{
	const struct str_list *apps = &r->c.cfg->native.android_apps;
	struct json_out o;

	(void)body;
	REQUIRE(apps->n > 0, ERR_NO_ROUTE);
	rep->status = 200;
	out_begin(&o, &rep->body);
	out_arr(&o);
	for (size_t i = 0; i < apps->n; i++)
		out_android(&o, apps->items[i]);
	out_end_arr(&o);
	return OK;
}

static bool is_below(str url, str base, str *ret_path)
{
	*ret_path = str_skip(url, base.n);
	return str_starts(url, base) && ret_path->n > 0 && ret_path->p[0] == '/';
}

static void out_component(struct json_out *o, const struct req *r, str url)
{
	str path;

	if (!is_below(url, r->c.cfg->server.public_url, &path))
		return;
	out_obj(o);
	out_str(o, STR("/"), path);
	out_end_obj(o);
}

/* The links of mails to this host. */
static err_t out_mailed(struct json_out *o, struct req *r)
{
	static const str paths[] = { STR_INIT("verify-email"), STR_INIT("reset-password"), STR_INIT("change-email/confirm"),
				     STR_INIT("change-email/revert"), STR_INIT("magic-link/verify"),
				     STR_INIT("link-verify"), STR_INIT("2fa/keep") };
	const struct str_list *sites = &r->c.cfg->site.urls;
	str url;

	for (size_t i = 0; i < sites->n * (sizeof(paths) / sizeof(paths[0])); i++) {
		TRY(site_page(&r->c, sites->items[i % sites->n], paths[i / sites->n], &url));
		out_component(o, r, url);
	}
	return OK;
}

/* What apps are sent back to, and mailed links if they are the apps': other addresses stay the browser's. */
static err_t out_components(struct json_out *o, struct req *r)
{
	const struct str_list *uris = &r->c.cfg->native.redirect_uris;

	out_key(o, STR("components"));
	out_arr(o);
	for (size_t i = 0; i < uris->n; i++)
		out_component(o, r, uris->items[i]);
	if (r->c.cfg->native.mailed_links)
		TRY(out_mailed(o, r));
	out_end_arr(o);
	return OK;
}

static void out_apps(struct json_out *o, str key, const struct str_list *apps)
{
	out_key(o, key);
	out_arr(o);
	for (size_t i = 0; i < apps->n; i++)
		out_value_str(o, apps->items[i]);
	out_end_arr(o);
}

err_t api_apple_apps(struct req *r, const void *body, struct http_reply *rep)
{
	const struct str_list *apps = &r->c.cfg->native.apple_apps;
	struct json_out o;

	(void)body;
	REQUIRE(apps->n > 0, ERR_NO_ROUTE);
	rep->status = 200;
	out_begin(&o, &rep->body);
	out_obj(&o);
	out_key(&o, STR("applinks"));
	out_obj(&o);
	out_key(&o, STR("details"));
	out_arr(&o);
	out_obj(&o);
	out_apps(&o, STR("appIDs"), apps);
	TRY(out_components(&o, r));
	out_end_obj(&o);
	out_end_arr(&o);
	out_end_obj(&o);
	out_key(&o, STR("webcredentials"));
	out_obj(&o);
	out_apps(&o, STR("apps"), apps);
	out_end_obj(&o);
	out_end_obj(&o);
	return OK;
}
