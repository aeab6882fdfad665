#include "api/routes.h"

const struct route routes[] = {
	/* method      place         pattern  auth         asks again    lane       body  handler */
	{ METHOD_POST, PLACE_PREFIX, "/register", AUTH_GUEST, STEPUP_NONE, LANE_HASH,
	  &user_register_shape, api_user_register, false },
	{ METHOD_POST, PLACE_PREFIX, "/login", AUTH_SIGN_IN, STEPUP_NONE, LANE_HASH,
	  &session_login_shape, api_session_login, false },
	{ METHOD_POST, PLACE_PREFIX, "/refresh", AUTH_SESSION, STEPUP_NONE, LANE_POOL,
	  &session_refresh_shape, api_session_refresh, true },
	{ METHOD_POST, PLACE_PREFIX, "/logout", AUTH_SESSION, STEPUP_NONE, LANE_POOL,
	  &session_refresh_shape, api_session_logout, false },
	{ METHOD_GET, PLACE_PREFIX, "/me", AUTH_USER, STEPUP_NONE, LANE_LOOP,
	  NULL, api_user_me, false },
	{ METHOD_PATCH, PLACE_PREFIX, "/profile", AUTH_USER, STEPUP_NONE, LANE_POOL,
	  &user_profile_shape, api_user_profile, false },
	{ METHOD_GET, PLACE_PREFIX, "/sessions", AUTH_USER, STEPUP_NONE, LANE_LOOP,
	  NULL, api_session_list, false },
	{ METHOD_POST, PLACE_PREFIX, "/sessions/cleanup", AUTH_ADMIN, STEPUP_NONE, LANE_POOL,
	  NULL, api_session_cleanup, false },
	{ METHOD_DELETE, PLACE_PREFIX, "/sessions/{handle}", AUTH_USER, STEPUP_NONE, LANE_POOL,
	  NULL, api_session_end, false },
	{ METHOD_POST, PLACE_PREFIX, "/forgot-password", AUTH_PUBLIC, STEPUP_NONE, LANE_POOL,
	  &password_forgot_shape, api_password_forgot, false },
	{ METHOD_GET, PLACE_PREFIX, "/reset-password", AUTH_PUBLIC, STEPUP_NONE, LANE_LOOP,
	  NULL, api_ui_redirect, false },
	{ METHOD_POST, PLACE_PREFIX, "/reset-password", AUTH_PUBLIC, STEPUP_NONE, LANE_HASH,
	  &password_reset_shape, api_password_reset, false },
	{ METHOD_POST, PLACE_PREFIX, "/change-password", AUTH_USER, STEPUP_NONE, LANE_HASH,
	  &password_change_shape, api_password_change, false },
	{ METHOD_POST, PLACE_PREFIX, "/send-verification-email", AUTH_MAYBE, STEPUP_NONE, LANE_POOL,
	  &verification_send_shape, api_verification_send, false },
	{ METHOD_GET, PLACE_PREFIX, "/verify-email", AUTH_PUBLIC, STEPUP_NONE, LANE_POOL,
	  NULL, api_verification_get, false },
	{ METHOD_POST, PLACE_PREFIX, "/verify-email", AUTH_PUBLIC, STEPUP_NONE, LANE_POOL,
	  &verification_confirm_shape, api_verification_confirm, false },
	{ METHOD_POST, PLACE_PREFIX, "/change-email/request", AUTH_USER, STEPUP_NO_GUEST, LANE_HASH,
	  &email_change_request_shape, api_email_change_request, false },
	{ METHOD_GET, PLACE_PREFIX, "/change-email/confirm", AUTH_PUBLIC, STEPUP_NONE, LANE_LOOP,
	  NULL, api_ui_redirect, false },
	{ METHOD_POST, PLACE_PREFIX, "/change-email/confirm", AUTH_PUBLIC, STEPUP_NONE, LANE_POOL,
	  &email_change_confirm_shape, api_email_change_confirm, false },
	{ METHOD_GET, PLACE_PREFIX, "/change-email/revert", AUTH_PUBLIC, STEPUP_NONE, LANE_LOOP,
	  NULL, api_ui_redirect, false },
	{ METHOD_POST, PLACE_PREFIX, "/change-email/revert", AUTH_PUBLIC, STEPUP_NONE, LANE_POOL,
	  &token_shape, api_email_change_revert, false },
	{ METHOD_GET, PLACE_PREFIX, "/2fa/keep", AUTH_PUBLIC, STEPUP_NONE, LANE_LOOP,
	  NULL, api_ui_redirect, false },
	{ METHOD_POST, PLACE_PREFIX, "/2fa/keep", AUTH_PUBLIC, STEPUP_NONE, LANE_POOL,
	  &token_shape, api_factor_keep, false },
	{ METHOD_POST, PLACE_PREFIX, "/add-phone", AUTH_USER, STEPUP_FRESH, LANE_HASH,
	  &phone_change_shape, api_phone_change, false },
	{ METHOD_POST, PLACE_PREFIX, "/add-phone/verify", AUTH_USER, STEPUP_NONE, LANE_POOL,
	  &phone_verify_shape, api_phone_verify, false },
	{ METHOD_POST, PLACE_PREFIX, "/magic-link/send", AUTH_PUBLIC, STEPUP_NONE, LANE_POOL,
	  &magic_send_shape, api_magic_send, false },
	{ METHOD_GET, PLACE_PREFIX, "/magic-link/verify", AUTH_PUBLIC, STEPUP_NONE, LANE_LOOP,
	  NULL, api_ui_redirect, false },
	{ METHOD_POST, PLACE_PREFIX, "/magic-link/verify", AUTH_SIGN_IN, STEPUP_NONE, LANE_POOL,
	  &magic_verify_shape, api_magic_verify, false },
	{ METHOD_POST, PLACE_PREFIX, "/claim", AUTH_PUBLIC, STEPUP_NONE, LANE_POOL,
	  &claim_shape, api_claim_ask, false },
	{ METHOD_POST, PLACE_PREFIX, "/sms/send", AUTH_PUBLIC, STEPUP_NONE, LANE_POOL,
	  &sms_send_shape, api_sms_send, false },
	{ METHOD_POST, PLACE_PREFIX, "/sms/verify", AUTH_SIGN_IN, STEPUP_NONE, LANE_POOL,
	  &sms_verify_shape, api_sms_verify, false },
	{ METHOD_GET, PLACE_PREFIX, "/linked-accounts", AUTH_USER, STEPUP_NONE, LANE_LOOP,
	  NULL, api_linked_list, false },
	{ METHOD_DELETE, PLACE_PREFIX, "/linked-accounts/{provider}/{providerAccountId}", AUTH_USER,
	  STEPUP_FRESH, LANE_HASH, &linked_unlink_shape, api_linked_unlink, false },
	{ METHOD_POST, PLACE_PREFIX, "/link-request", AUTH_MAYBE, STEPUP_NONE, LANE_HASH,
	  &link_request_shape, api_linked_request, false },
	{ METHOD_GET, PLACE_PREFIX, "/link-verify", AUTH_PUBLIC, STEPUP_NONE, LANE_LOOP,
	  NULL, api_ui_redirect, false },
	{ METHOD_POST, PLACE_PREFIX, "/link-verify", AUTH_SIGN_IN, STEPUP_NONE, LANE_POOL,
	  &link_verify_shape, api_linked_verify, false },
	{ METHOD_GET, PLACE_PREFIX, "/oauth/{provider}", AUTH_PUBLIC, STEPUP_NONE, LANE_EGRESS,
	  NULL, api_oauth_start, false },
	{ METHOD_GET, PLACE_PREFIX, "/oauth/{provider}/callback", AUTH_SIGN_IN, STEPUP_NONE, LANE_EGRESS,
	  NULL, api_oauth_callback, false },
	{ METHOD_POST, PLACE_PREFIX, "/oauth/{provider}/callback", AUTH_PUBLIC, STEPUP_NONE, LANE_LOOP,
	  NULL, api_oauth_posted, false },
	{ METHOD_POST, PLACE_PREFIX, "/oauth/exchange", AUTH_SIGN_IN, STEPUP_NONE, LANE_POOL,
	  &oauth_exchange_shape, api_oauth_exchange, false },
	{ METHOD_POST, PLACE_PREFIX, "/oauth/link", AUTH_USER, STEPUP_NONE, LANE_POOL,
	  &oauth_exchange_shape, api_oauth_link, false },
	{ METHOD_POST, PLACE_PREFIX, "/oauth/{provider}/token", AUTH_SIGN_IN, STEPUP_NONE, LANE_EGRESS,
	  &oauth_token_shape, api_oauth_token, false },
	{ METHOD_POST, PLACE_PREFIX, "/oauth/{provider}/link", AUTH_USER, STEPUP_FRESH, LANE_HASH,
	  &oauth_link_shape, api_oauth_link_begin, false },
	{ METHOD_POST, PLACE_PREFIX, "/guest", AUTH_SIGN_IN, STEPUP_NONE, LANE_POOL,
	  NULL, api_guest_create, false },
	{ METHOD_POST, PLACE_PREFIX, "/2fa/setup", AUTH_SETUP, STEPUP_FACTOR, LANE_HASH,
	  &factor_set_up_shape, api_factor_set_up, false },
	{ METHOD_POST, PLACE_PREFIX, "/2fa/verify-setup", AUTH_SETUP, STEPUP_NONE, LANE_HASH,
	  &factor_confirm_shape, api_factor_confirm, false },
	{ METHOD_POST, PLACE_PREFIX, "/2fa/verify", AUTH_SIGN_IN, STEPUP_NONE, LANE_POOL,
	  &factor_verify_shape, api_factor_verify, false },
	{ METHOD_POST, PLACE_PREFIX, "/2fa/disable", AUTH_USER, STEPUP_REMOVAL, LANE_HASH,
	  &factor_proof_shape, api_factor_disable, false },
	{ METHOD_POST, PLACE_PREFIX, "/2fa/recovery-codes", AUTH_USER, STEPUP_FACTOR, LANE_HASH,
	  &factor_proof_shape, api_factor_new_codes, false },
	{ METHOD_DELETE, PLACE_PREFIX, "/account", AUTH_USER, STEPUP_SETTING, LANE_HASH,
	  &account_delete_shape, api_account_delete, false },
	{ METHOD_GET, PLACE_PREFIX, "/export", AUTH_USER, STEPUP_NONE, LANE_POOL,
	  NULL, api_account_export, false },
	{ METHOD_GET, PLACE_PREFIX, "/2fa", AUTH_PUBLIC, STEPUP_NONE, LANE_LOOP,
	  NULL, api_ui_redirect, false },
	{ METHOD_GET, PLACE_PREFIX, "/account-conflict", AUTH_PUBLIC, STEPUP_NONE, LANE_LOOP,
	  NULL, api_ui_redirect, false },
	{ METHOD_GET, PLACE_ROOT, "/", AUTH_PUBLIC, STEPUP_NONE, LANE_LOOP,
	  NULL, api_ui_front, false },
	{ METHOD_GET, PLACE_PREFIX, "/", AUTH_PUBLIC, STEPUP_NONE, LANE_LOOP,
	  NULL, api_ui_front, false },
	{ METHOD_GET, PLACE_PREFIX, "/ui", AUTH_PUBLIC, STEPUP_NONE, LANE_LOOP,
	  NULL, api_ui_start, false },
	{ METHOD_GET, PLACE_PREFIX, "/ui/config", AUTH_PUBLIC, STEPUP_NONE, LANE_LOOP,
	  NULL, api_ui_config, false },
	{ METHOD_GET, PLACE_PREFIX, "/ui/{name}", AUTH_PUBLIC, STEPUP_NONE, LANE_LOOP,
	  NULL, api_ui_file, false },
	{ METHOD_GET, PLACE_PREFIX, "/ui/{folder}/{name}", AUTH_PUBLIC, STEPUP_NONE, LANE_LOOP,
	  NULL, api_ui_file, false },
	{ METHOD_GET, PLACE_PREFIX, "/openapi.json", AUTH_PUBLIC, STEPUP_NONE, LANE_LOOP,
	  NULL, api_docs_openapi, false },
	{ METHOD_GET, PLACE_PREFIX, "/docs", AUTH_PUBLIC, STEPUP_NONE, LANE_LOOP,
	  NULL, api_docs_viewer, false },
	{ METHOD_GET, PLACE_PREFIX, "/docs/{name}", AUTH_PUBLIC, STEPUP_NONE, LANE_LOOP,
	  NULL, api_docs_file, false },
	{ METHOD_GET, PLACE_PREFIX, "/check", AUTH_PROXY, STEPUP_NONE, LANE_LOOP,
	  NULL, api_check, false },
	{ METHOD_GET, PLACE_PREFIX, "/doctor", AUTH_PUBLIC, STEPUP_NONE, LANE_LOOP,
	  NULL, api_doctor, false },
	{ METHOD_GET, PLACE_PREFIX, "/forward", AUTH_BROWSER, STEPUP_NONE, LANE_LOOP,
	  NULL, api_check, false },
	{ METHOD_GET, PLACE_PREFIX, "/forward/sign-in", AUTH_SESSION, STEPUP_NONE, LANE_POOL,
	  NULL, api_forward_sign_in, false },
	{ METHOD_GET, PLACE_PREFIX, "/forward/done", AUTH_PUBLIC, STEPUP_NONE, LANE_POOL,
	  NULL, api_forward_done, false },
	{ METHOD_GET, PLACE_PREFIX, "/.well-known/jwks.json", AUTH_PUBLIC, STEPUP_NONE, LANE_LOOP,
	  NULL, api_jwks, false },
	{ METHOD_GET, PLACE_ROOT, "/.well-known/jwks.json", AUTH_PUBLIC, STEPUP_NONE, LANE_LOOP,
	  NULL, api_jwks, false },
	{ METHOD_GET, PLACE_ROOT, "/.well-known/assetlinks.json", AUTH_PUBLIC, STEPUP_NONE, LANE_LOOP,
	  NULL, api_assetlinks, false },
	{ METHOD_GET, PLACE_ROOT, "/.well-known/apple-app-site-association", AUTH_PUBLIC, STEPUP_NONE, LANE_LOOP,
	  NULL, api_apple_apps, false },
	{ METHOD_GET, PLACE_ROOT, "/healthz", AUTH_PUBLIC, STEPUP_NONE, LANE_LOOP,
	  NULL, api_ops_health, false },
	{ METHOD_GET, PLACE_ROOT, "/readyz", AUTH_PUBLIC, STEPUP_NONE, LANE_POOL,
	  NULL, api_ops_ready, false },
	{ METHOD_GET, PLACE_OPS, "/metrics", AUTH_PUBLIC, STEPUP_NONE, LANE_LOOP,
	  NULL, api_ops_metrics, false },
};
const size_t n_routes = sizeof(routes) / sizeof(routes[0]);

void reply_success(struct http_reply *rep)
{
	rep->status = 200;
	buf_lit(&rep->body, "{\"success\":true}");
}

static bool is_repeated(const struct route *rt)
{
	for (const struct route *other = routes; other < rt; other++) {
		if (other->method == rt->method && other->place == rt->place &&
		    str_eq(str_of_cstr(other->pattern), str_of_cstr(rt->pattern)))
			return true;
	}
	return false;
}

const struct route *route_check(void)
{
	for (size_t i = 0; i < n_routes; i++) {
		const struct route *rt = &routes[i];

		if (rt->method == METHOD_UNSET || rt->place == PLACE_UNSET || rt->pattern == NULL ||
		    rt->auth == AUTH_UNSET || rt->stepup == STEPUP_UNSET || rt->lane == LANE_UNSET || rt->handle == NULL)
			return rt;
		if (rt->stepup != STEPUP_NONE && ((rt->auth != AUTH_USER && rt->auth != AUTH_SETUP) || rt->lane != LANE_HASH ||
						  rt->body == NULL || !rt->body->has_proof))
			return rt;
		if (is_repeated(rt))
			return rt;
	}
	return NULL;
}

/* One step of both paths: the next segments, false when there is none. */
static bool next_segment(str *path, str *ret)
{
	if (path->n < 2 || path->p[0] != '/')
		return false;
	(void)str_cut(str_skip(*path, 1), '/', ret, path);
	if (path->p != NULL) { /* give the '/' back */
		path->p--;
		path->n++;
	}
	return true;
}

static bool matches(const char *pattern, str path, str params[4])
{
	str want, want_rest = str_of_cstr(pattern), got, got_rest = path;
	size_t n = 0;

	while (next_segment(&want_rest, &want)) {
		if (!next_segment(&got_rest, &got) || got.n == 0)
			return false;
		if (want.p[0] == '{')
			params[n++] = got;
		else if (!str_eq_nocase(want, got))
			return false;
	}
	return got_rest.n == 0 || str_eq(got_rest, STR("/"));
}

static bool placed(const struct route *rt, const struct api_listener *l, str prefix, str *path)
{
	if (rt->place == PLACE_OPS)
		return l->serves_metrics;
	if (rt->place == PLACE_ROOT)
		return true;
	if (l->ops_only || path->n < prefix.n ||
	    !str_eq_nocase((str){ path->p, prefix.n }, prefix))
		return false;
	*path = str_skip(*path, prefix.n);
	return path->n == 0 || path->p[0] == '/';
}

static bool method_fits(enum http_method want, enum http_method got)
{
	return want == got || (want == METHOD_GET && got == METHOD_HEAD);
}

err_t route_find(const struct api_listener *l, str prefix, struct http_request *r,
		 const struct route **ret, unsigned *ret_allow)
{
	unsigned allow = 0;

	for (size_t i = 0; i < n_routes; i++) {
		const struct route *rt = &routes[i];
		str path = r->path, params[4] = { { 0 } };

		if (!placed(rt, l, prefix, &path) || !matches(rt->pattern, path, params))
			continue;
		allow |= 1U << rt->method;
		if (method_fits(rt->method, r->method)) {
			for (size_t k = 0; k < 4; k++)
				r->route_params[k] = params[k];
			*ret = rt;
			return OK;
		}
	}
	*ret_allow = allow;
	FAIL(allow == 0 ? ERR_NO_ROUTE : ERR_METHOD);
}
