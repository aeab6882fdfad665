/* app_links.c — GET /.well-known/assetlinks.json and /.well-known/apple-app-site-association: which apps may open
 * this host's addresses, as Android and Apple ask it. Both are 404 without an app. */
#include "api/routes.h"

static void out_android(struct json_out *o, str app)
{
	str package, print;

	(void)str_cut(app, '=', &package, &print);
	out_obj(o);
	out_key(o, STR("relation"));
	out_arr(o);
	out_value_str(o, STR("delegate_permission/common.handle_all_urls"));
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

/* Only what apps are sent back to: other addresses stay the browser's. */
static void out_components(struct json_out *o, const struct req *r)
{
	const struct str_list *uris = &r->c.cfg->native.redirect_uris;
	str path;

	out_key(o, STR("components"));
	out_arr(o);
	for (size_t i = 0; i < uris->n; i++) {
		if (!is_below(uris->items[i], r->c.cfg->server.public_url, &path))
			continue;
		out_obj(o);
		out_str(o, STR("/"), path);
		out_end_obj(o);
	}
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
	out_key(&o, STR("appIDs"));
	out_arr(&o);
	for (size_t i = 0; i < apps->n; i++)
		out_value_str(&o, apps->items[i]);
	out_end_arr(&o);
	out_components(&o, r);
	out_end_obj(&o);
	out_end_arr(&o);
	out_end_obj(&o);
	out_end_obj(&o);
	return OK;
}
