#include "oauth/provider.h"

#include "base/buf.h"

#define OIDC_MAP                                                                                        \
	{ STR_INIT("sub"), STR_INIT("email"), STR_INIT("email_verified"), STR_INIT("name"), STR_INIT("picture"), \
	  STR_INIT("given_name"), STR_INIT("family_name") }
#define OIDC_SCOPE STR_INIT("openid email profile")
#define BEARER     STR_INIT("Bearer")

/* Trust in addresses: a provider is trusted when its own documents say that it proves them and that its
 * `verified` member tells so. Microsoft's directories let administrators type any address, Facebook and Spotify
 * say nothing or the contrary. */
static const struct preset presets[] = {
	{ "google",
	  { .label = STR_INIT("Google"), .kind = PROVIDER_OIDC, .issuer = STR_INIT("https://accounts.google.com"),
	    .authorize_url = STR_INIT("https://accounts.google.com/o/oauth2/v2/auth"),
	    .token_url = STR_INIT("https://oauth2.googleapis.com/token"),
	    .userinfo_url = STR_INIT("https://www.googleapis.com/oauth2/v3/userinfo"),
	    .jwks_url = STR_INIT("https://www.googleapis.com/oauth2/v3/certs"), .scope = OIDC_SCOPE, .map = OIDC_MAP,
	    .auth = CLIENT_AUTH_BODY, .pkce = true, .nonce = true, .trusts_email = true, .authorization = BEARER } },
	{ "github",
	  { .label = STR_INIT("GitHub"), .kind = PROVIDER_OAUTH,
	    .authorize_url = STR_INIT("https://github.com/login/oauth/authorize"),
	    .token_url = STR_INIT("https://github.com/login/oauth/access_token"),
	    .userinfo_url = STR_INIT("https://api.github.com/user"),
	    .emails_url = STR_INIT("https://api.github.com/user/emails"), .scope = STR_INIT("user:email"),
	    .map = { .id = STR_INIT("id"), .name = STR_INIT("name"), .picture = STR_INIT("avatar_url") },
	    .auth = CLIENT_AUTH_BODY, .token_json = true, .pkce = true, .trusts_email = true,
	    .authorization = STR_INIT("token") } },
	/* Its answer is posted as soon as a name or address is asked for. */
	{ "apple",
	  { .label = STR_INIT("Apple"), .kind = PROVIDER_OIDC, .issuer = STR_INIT("https://appleid.apple.com"),
	    .authorize_url = STR_INIT("https://appleid.apple.com/auth/authorize"),
	    .token_url = STR_INIT("https://appleid.apple.com/auth/token"),
	    .jwks_url = STR_INIT("https://appleid.apple.com/auth/keys"),
	    .revoke_url = STR_INIT("https://appleid.apple.com/auth/revoke"), .scope = STR_INIT("name email"),
	    .extra_query = STR_INIT("response_mode=form_post"), .map = OIDC_MAP, .auth = CLIENT_AUTH_APPLE,
	    .form_post = true, .nonce = true, .trusts_email = true, .authorization = BEARER } },
	{ "microsoft",
	  { .label = STR_INIT("Microsoft"), .kind = PROVIDER_OIDC,
	    .issuer = STR_INIT("https://login.microsoftonline.com/{tenantid}/v2.0"),
	    .authorize_url = STR_INIT("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize"),
	    .token_url = STR_INIT("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"),
	    .jwks_url = STR_INIT("https://login.microsoftonline.com/{tenant}/discovery/v2.0/keys"), .scope = OIDC_SCOPE,
	    .map = OIDC_MAP, .auth = CLIENT_AUTH_BODY, .pkce = true, .nonce = true, .authorization = BEARER } },
	{ "facebook",
	  { .label = STR_INIT("Facebook"), .kind = PROVIDER_OAUTH,
	    .authorize_url = STR_INIT("https://www.facebook.com/v21.0/dialog/oauth"),
	    .token_url = STR_INIT("https://graph.facebook.com/v21.0/oauth/access_token"),
	    .userinfo_url = STR_INIT("https://graph.facebook.com/v21.0/me?fields=id,name,first_name,last_name,email,picture"),
	    .scope = STR_INIT("email public_profile"),
	    .map = { .id = STR_INIT("id"), .email = STR_INIT("email"), .name = STR_INIT("name"),
		     .picture = STR_INIT("picture.data.url"), .given = STR_INIT("first_name"),
		     .family = STR_INIT("last_name") },
	    .auth = CLIENT_AUTH_BODY, .pkce = true, .authorization = BEARER } },
	{ "gitlab",
	  { .label = STR_INIT("GitLab"), .kind = PROVIDER_OIDC, .issuer = STR_INIT("https://gitlab.com"),
	    .authorize_url = STR_INIT("https://gitlab.com/oauth/authorize"),
	    .token_url = STR_INIT("https://gitlab.com/oauth/token"),
	    .userinfo_url = STR_INIT("https://gitlab.com/oauth/userinfo"),
	    .jwks_url = STR_INIT("https://gitlab.com/oauth/discovery/keys"), .scope = OIDC_SCOPE, .map = OIDC_MAP,
	    .auth = CLIENT_AUTH_BODY, .pkce = true, .nonce = true, .trusts_email = true, .authorization = BEARER } },
	{ "discord",
	  { .label = STR_INIT("Discord"), .kind = PROVIDER_OAUTH,
	    .authorize_url = STR_INIT("https://discord.com/oauth2/authorize"),
	    .token_url = STR_INIT("https://discord.com/api/oauth2/token"),
	    .userinfo_url = STR_INIT("https://discord.com/api/users/@me"), .scope = STR_INIT("identify email"),
	    .map = { .id = STR_INIT("id"), .email = STR_INIT("email"), .verified = STR_INIT("verified"),
		     .name = STR_INIT("global_name") },
	    .auth = CLIENT_AUTH_BODY, .pkce = true, .trusts_email = true, .authorization = BEARER } },
	/* Its ID tokens bear no nonce, so they prove nothing here: the profile does. */
	{ "linkedin",
	  { .label = STR_INIT("LinkedIn"), .kind = PROVIDER_OAUTH,
	    .authorize_url = STR_INIT("https://www.linkedin.com/oauth/v2/authorization"),
	    .token_url = STR_INIT("https://www.linkedin.com/oauth/v2/accessToken"),
	    .userinfo_url = STR_INIT("https://api.linkedin.com/v2/userinfo"), .scope = OIDC_SCOPE, .map = OIDC_MAP,
	    .auth = CLIENT_AUTH_BODY, .trusts_email = true, .authorization = BEARER } },
	{ "twitch",
	  { .label = STR_INIT("Twitch"), .kind = PROVIDER_OIDC, .issuer = STR_INIT("https://id.twitch.tv/oauth2"),
	    .authorize_url = STR_INIT("https://id.twitch.tv/oauth2/authorize"),
	    .token_url = STR_INIT("https://id.twitch.tv/oauth2/token"),
	    .userinfo_url = STR_INIT("https://id.twitch.tv/oauth2/userinfo"),
	    .jwks_url = STR_INIT("https://id.twitch.tv/oauth2/keys"), .scope = STR_INIT("openid user:read:email"),
	    .extra_query = STR_INIT("claims=%7B%22id_token%22%3A%7B%22email%22%3Anull%2C%22email_verified%22%3Anull%2C"
				    "%22preferred_username%22%3Anull%2C%22picture%22%3Anull%7D%7D"),
	    .map = { .id = STR_INIT("sub"), .email = STR_INIT("email"), .verified = STR_INIT("email_verified"),
		     .name = STR_INIT("preferred_username"), .picture = STR_INIT("picture") },
	    .auth = CLIENT_AUTH_BODY, .nonce = true, .trusts_email = true, .authorization = BEARER } },
	{ "spotify",
	  { .label = STR_INIT("Spotify"), .kind = PROVIDER_OAUTH,
	    .authorize_url = STR_INIT("https://accounts.spotify.com/authorize"),
	    .token_url = STR_INIT("https://accounts.spotify.com/api/token"),
	    .userinfo_url = STR_INIT("https://api.spotify.com/v1/me"), .scope = STR_INIT("user-read-email"),
	    .map = { .id = STR_INIT("id"), .email = STR_INIT("email"), .name = STR_INIT("display_name"),
		     .picture = STR_INIT("images.0.url") },
	    .auth = CLIENT_AUTH_BASIC, .pkce = true, .authorization = BEARER } },
	{ "slack",
	  { .label = STR_INIT("Slack"), .kind = PROVIDER_OIDC, .issuer = STR_INIT("https://slack.com"),
	    .authorize_url = STR_INIT("https://slack.com/openid/connect/authorize"),
	    .token_url = STR_INIT("https://slack.com/api/openid.connect.token"),
	    .userinfo_url = STR_INIT("https://slack.com/api/openid.connect.userInfo"),
	    .jwks_url = STR_INIT("https://slack.com/openid/connect/keys"), .scope = OIDC_SCOPE, .map = OIDC_MAP,
	    .auth = CLIENT_AUTH_BODY, .nonce = true, .trusts_email = true, .authorization = BEARER } },
};

static const struct provider any_oidc = {
	.kind = PROVIDER_OIDC, .scope = OIDC_SCOPE, .map = OIDC_MAP, .auth = CLIENT_AUTH_BODY, .pkce = true,
	.nonce = true, .authorization = BEARER,
};
static const struct provider any_oauth = {
	.kind = PROVIDER_OAUTH, .scope = STR_INIT("email"), .auth = CLIENT_AUTH_BODY, .pkce = true, .authorization = BEARER,
	/* id, or else sub */
	.map = { .email = STR_INIT("email"), .verified = STR_INIT("email_verified"), .name = STR_INIT("name"),
		 .picture = STR_INIT("picture"), .given = STR_INIT("given_name"), .family = STR_INIT("family_name") },
};

const struct preset *preset_at(size_t i)
{
	return i < sizeof(presets) / sizeof(presets[0]) ? &presets[i] : NULL;
}

const struct preset *preset_find(str name)
{
	for (size_t i = 0; i < sizeof(presets) / sizeof(presets[0]); i++) {
		if (str_eq(name, str_of_cstr(presets[i].name)))
			return &presets[i];
	}
	return NULL;
}

const struct preset *preset_of(const struct oauth_settings *set)
{
	if (set->preset.n > 0)
		return preset_find(set->preset);
	return set->issuer.n > 0 || set->authorize_url.n > 0 ? NULL : preset_find(set->name);
}

const struct oauth_settings *provider_settings(const struct config *cfg, str name)
{
	for (size_t i = 0; i < cfg->oauth.n; i++) {
		if (str_eq(cfg->oauth.provider[i].name, name))
			return &cfg->oauth.provider[i];
	}
	return NULL;
}

static void set_over(str *to, str from)
{
	if (from.n > 0)
		*to = from;
}

static err_t join(struct arena *mem, const struct str_list *list, char between, str *ret)
{
	struct buf b = { 0 };

	if (list->n == 0)
		return OK;
	for (size_t i = 0; i < list->n; i++)
		b.cap += list->items[i].n + 1;
	NEW(b.p, mem, char, b.cap);
	for (size_t i = 0; i < list->n; i++) {
		if (i > 0)
			buf_byte(&b, between);
		buf_str(&b, list->items[i]);
	}
	*ret = buf_view(&b);
	return OK;
}

/* Where users of one directory go; of several, they choose. */
static err_t fill_tenant(struct arena *mem, const struct oauth_settings *set, str *url)
{
	const str mark = STR("{tenant}");
	str tenant = set->tenants.n == 1 ? set->tenants.items[0] : STR("common");

	for (size_t i = 0; i + mark.n <= url->n; i++) {
		if (str_eq((str){ url->p + i, mark.n }, mark))
			return arena_printf(mem, url, "%.*s%.*s%.*s", (int)i, url->p, STR_ARG(tenant),
					    STR_ARG(str_skip(*url, i + mark.n)));
	}
	return OK;
}

static err_t fill_lists(struct arena *mem, const struct oauth_settings *set, struct provider *p)
{
	TRY(join(mem, &set->scopes, ' ', &p->scope));
	TRY(join(mem, &set->auth_params, '&', &p->extra_query));
	TRY(fill_tenant(mem, set, &p->authorize_url));
	TRY(fill_tenant(mem, set, &p->token_url));
	return fill_tenant(mem, set, &p->jwks_url);
}

static void fill_map(const struct oauth_settings *set, struct profile_map *m)
{
	set_over(&m->id, set->id_field);
	set_over(&m->email, set->email_field);
	set_over(&m->verified, set->email_verified_field);
	set_over(&m->name, set->name_field);
	set_over(&m->picture, set->picture_field);
	set_over(&m->given, set->given_name_field);
	set_over(&m->family, set->family_name_field);
}

str provider_label(const struct oauth_settings *set)
{
	const struct preset *preset = preset_of(set);

	if (set->label.n > 0)
		return set->label;
	return preset != NULL ? preset->base.label : set->name;
}

err_t provider_view(const struct oauth_settings *set, struct arena *mem, struct provider *ret)
{
	const struct preset *preset = preset_of(set);

	*ret = preset != NULL ? preset->base : set->issuer.n > 0 ? any_oidc : any_oauth;
	ret->name = set->name;
	ret->set = set;
	ret->label = provider_label(set);
	/* Another issuer than the preset's: its addresses are its own. */
	if (set->issuer.n > 0 && !str_eq(set->issuer, ret->issuer))
		ret->authorize_url = ret->token_url = ret->userinfo_url = ret->jwks_url = ret->revoke_url = STR_NONE;
	set_over(&ret->issuer, set->issuer);
	set_over(&ret->authorize_url, set->authorize_url);
	set_over(&ret->token_url, set->token_url);
	set_over(&ret->userinfo_url, set->userinfo_url);
	set_over(&ret->jwks_url, set->jwks_url);
	set_over(&ret->revoke_url, set->revoke_url);
	set_over(&ret->emails_url, set->emails_url);
	fill_map(set, &ret->map);
	if (set->token_auth != OAUTH_AUTH_PRESET && set->token_auth != OAUTH_AUTH_UNSET)
		ret->auth = set->token_auth == OAUTH_AUTH_BASIC ? CLIENT_AUTH_BASIC : CLIENT_AUTH_BODY;
	if (set->trust_email != OAUTH_TRUST_PRESET && set->trust_email != OAUTH_TRUST_UNSET)
		ret->trusts_email = set->trust_email == OAUTH_TRUST_TRUE;
	ret->pkce = ret->pkce && set->pkce;
	return fill_lists(mem, set, ret);
}
