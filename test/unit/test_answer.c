/* What providers answer: the documented shapes of each preset, and what must not pass for one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "crypto/mac.h"
#include "oauth/answer.h"
#include "oauth/exchange.h"
#include "oauth/id_token.h"

static struct arena mem;

static int fresh_arena(void **state)
{
	(void)state;
	arena_reset(&mem);
	return 0;
}

static void preset(const char *name, struct provider *ret)
{
	static struct oauth_settings set;
	static const str ids[] = { STR_INIT("client-1"), STR_INIT("client-2") };
	static const str tenants[] = { STR_INIT("9188040d-6c67-4c5b-b112-36a304b66dad"),
				       STR_INIT("11111111-2222-3333-4444-555555555555") };

	set = (struct oauth_settings){ .name = str_of_cstr(name), .pkce = true, .client_id = { ids, 2 }, .tenants = { tenants, 2 } };
	assert_int_equal(provider_view(&set, &mem, ret).code, ERR_OK);
}

/* ---- profiles ---- */

struct shape {
	const char *preset, *body;
	const char *id, *email, *name, *picture; /* NULL: none */
	bool verified;
	const char *given, *family; /* NULL: it does not part the name */
};

/* As the providers' documents show them, with other names. */
static const struct shape shapes[] = {
	{ "google",
	  "{\"sub\":\"110248495921238986420\",\"name\":\"Ada L\",\"given_name\":\"Ada\",\"family_name\":\"L\",\"picture\":"
	  "\"https://lh4.googleusercontent.com/a/photo.jpg\",\"email\":\"ada@gmail.com\",\"email_verified\":true,\"locale\":\"en\"}",
	  "110248495921238986420", "ada@gmail.com", "Ada L", "https://lh4.googleusercontent.com/a/photo.jpg", true, "Ada", "L" },
	{ "github",
	  "{\"login\":\"octocat\",\"id\":583231,\"node_id\":\"MDQ6VXNlcjU4MzIzMQ==\",\"avatar_url\":"
	  "\"https://avatars.githubusercontent.com/u/583231?v=4\",\"type\":\"User\",\"name\":null,\"email\":\"public@github.test\","
	  "\"two_factor_authentication\":true,\"plan\":{\"name\":\"pro\",\"space\":1}}",
	  "583231", NULL, NULL, "https://avatars.githubusercontent.com/u/583231?v=4", false, NULL, NULL },
	{ "apple",
	  "{\"iss\":\"https://appleid.apple.com\",\"aud\":\"com.example.web\",\"sub\":\"001234.a1b2c3.0456\",\"email\":"
	  "\"x7q@privaterelay.appleid.com\",\"email_verified\":\"true\",\"is_private_email\":\"true\",\"auth_time\":1}",
	  "001234.a1b2c3.0456", "x7q@privaterelay.appleid.com", NULL, NULL, true, NULL, NULL },
	{ "microsoft",
	  "{\"sub\":\"OLu859SGc2Sr9ZsqbkG-QbeLgJlb41KcdiPoLYNpSFA\",\"name\":\"Mikah Ollenburg\",\"email\":\"mikah@contoso.test\","
	  "\"picture\":\"https://graph.microsoft.com/v1.0/me/photo/$value\"}",
	  "OLu859SGc2Sr9ZsqbkG-QbeLgJlb41KcdiPoLYNpSFA", "mikah@contoso.test", "Mikah Ollenburg",
	  "https://graph.microsoft.com/v1.0/me/photo/$value", false, NULL, NULL },
	{ "facebook",
	  "{\"id\":\"102030405060\",\"name\":\"Ada L\",\"first_name\":\"Ada\",\"last_name\":\"L\",\"email\":\"ada@example.test\",\"picture\":{\"data\":{\"height\":50,"
	  "\"is_silhouette\":false,\"url\":\"https://platform-lookaside.fbsbx.com/p.jpg\",\"width\":50}}}",
	  "102030405060", "ada@example.test", "Ada L", "https://platform-lookaside.fbsbx.com/p.jpg", false, "Ada", "L" },
	{ "gitlab",
	  "{\"sub\":\"42\",\"name\":\"Ada L\",\"nickname\":\"ada\",\"email\":\"ada@example.test\",\"email_verified\":true,"
	  "\"picture\":\"https://gitlab.com/uploads/a.png\",\"groups\":[]}",
	  "42", "ada@example.test", "Ada L", "https://gitlab.com/uploads/a.png", true, NULL, NULL },
	{ "discord",
	  "{\"id\":\"80351110224678912\",\"username\":\"Nelly\",\"discriminator\":\"0\",\"global_name\":\"Nelly N\",\"avatar\":"
	  "\"8342729096ea3675442027381ff50dfe\",\"verified\":true,\"email\":\"nelly@discord.test\",\"flags\":64}",
	  "80351110224678912", "nelly@discord.test", "Nelly N", NULL, true, NULL, NULL },
	{ "linkedin",
	  "{\"sub\":\"782bbtaQ\",\"name\":\"John Doe\",\"given_name\":\"John\",\"family_name\":\"Doe\",\"picture\":"
	  "\"https://media.licdn-ei.com/p\",\"locale\":\"en-US\",\"email\":\"doe@email.test\",\"email_verified\":\"true\"}",
	  "782bbtaQ", "doe@email.test", "John Doe", "https://media.licdn-ei.com/p", true, "John", "Doe" },
	{ "twitch",
	  "{\"aud\":\"x\",\"iss\":\"https://id.twitch.tv/oauth2\",\"sub\":\"713936733\",\"email\":\"ada@example.test\","
	  "\"email_verified\":true,\"preferred_username\":\"scottym\",\"picture\":\"https://static-cdn.jtvnw.net/p.png\"}",
	  "713936733", "ada@example.test", "scottym", "https://static-cdn.jtvnw.net/p.png", true, NULL, NULL },
	{ "spotify",
	  "{\"display_name\":\"JM Wizzler\",\"email\":\"email@example.test\",\"external_urls\":{\"spotify\":\"x\"},\"href\":\"x\","
	  "\"id\":\"wizzler\",\"images\":[{\"height\":null,\"url\":\"https://fbcdn.test/a.jpg\",\"width\":null}],\"type\":\"user\"}",
	  "wizzler", "email@example.test", "JM Wizzler", "https://fbcdn.test/a.jpg", false, NULL, NULL },
	{ "slack",
	  "{\"ok\":true,\"sub\":\"U0R7JM\",\"https://slack.com/user_id\":\"U0R7JM\",\"email\":\"krane@slack.test\",\"email_verified\":true,"
	  "\"name\":\"krane\",\"picture\":\"https://secure.gravatar.com/a.jpg\"}",
	  "U0R7JM", "krane@slack.test", "krane", "https://secure.gravatar.com/a.jpg", true, NULL, NULL },
};

static bool same(str got, const char *want)
{
	return want == NULL ? got.n == 0 : str_eq(got, str_of_cstr(want));
}

static void the_documented_profile_of_every_preset_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		const struct shape *s = &shapes[i];
		struct provider p;
		struct profile got;

		assert_non_null(preset_find(str_of_cstr(s->preset)));
		preset(s->preset, &p);
		assert_int_equal(answer_profile(&mem, &p, str_of_cstr(s->body), &got).code, ERR_OK);
		if (!same(got.id, s->id) || !same(got.email, s->email) || !same(got.name, s->name) || !same(got.picture, s->picture) ||
		    got.email_verified != s->verified || !same(got.given, s->given) || !same(got.family, s->family))
			fail_msg("%s", s->preset);
	}
	assert_null(preset_at(sizeof(shapes) / sizeof(shapes[0])));
}

static void only_some_presets_prove_addresses(void **state)
{
	static const char *const not[] = { "microsoft", "facebook", "spotify" };
	struct provider p;

	(void)state;
	for (size_t i = 0; i < sizeof(not) / sizeof(not[0]); i++) {
		preset(not[i], &p);
		assert_false(p.trusts_email);
	}
	for (size_t i = 0; preset_at(i) != NULL; i++)
		assert_true(preset_at(i)->base.kind != PROVIDER_OIDC || preset_at(i)->base.nonce);
}

static void id05_a_profile_without_a_subject_is_nobody(void **state)
{
	static const char *const wrong[] = { "{}", "[]", "null", "1", "\"x\"", "", "{\"sub\":null}", "{\"sub\":\"\"}", "{\"sub\":0}",
					     "{\"sub\":-1}", "{\"sub\":1.5}", "{\"sub\":true}", "{\"sub\":{}}", "{\"sub\":[]}",
					     "{\"sub\":\"a\",\"sub\":\"b\"}", "{\"sub\":\"a\",\"error\":\"x\"}", "{\"sub\":\"a\",\"ok\":false}",
					     "{\"sub\":\"a\\u0000b\"}", "{\"sub\":\"a\"", "{\"sub\":\"a\"}x", "\xff" };
	struct provider p;
	struct profile got;

	(void)state;
	preset("google", &p);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (answer_profile(&mem, &p, str_of_cstr(wrong[i]), &got).code != ERR_INPUT)
			fail_msg("%s", wrong[i]);
	}
}

static void only_a_proven_primary_address_counts(void **state)
{
	struct profile got = { .id = STR("1") };

	(void)state;
	assert_int_equal(answer_emails(&mem, STR("[{\"email\":\"a@x.test\",\"primary\":true,\"verified\":false},"
						 "{\"email\":\"b@x.test\",\"primary\":false,\"verified\":true}]"),
				       &got).code,
			 ERR_OK);
	assert_false(got.email_verified);
	assert_int_equal(got.email.n, 0);
	assert_int_equal(answer_emails(&mem, STR("[{\"email\":\"c@x.test\",\"primary\":true,\"verified\":true}]"), &got).code, ERR_OK);
	assert_true(got.email_verified && str_eq(got.email, STR("c@x.test")));
	assert_int_equal(answer_emails(&mem, STR("{\"message\":\"Bad credentials\"}"), &got).code, ERR_INPUT);
}

/* What is no address proves none: a fuzzer's input. */
static void id06_without_an_address_none_is_proven(void **state)
{
	static const char *const wrong[] = { "[{\"eub\":\"1\",\"email\":\"\\u007fat\",\"primary\":true,\"verified\":true}]",
					     "[{\"email\":\"\",\"primary\":true,\"verified\":true}]",
					     "[{\"email\":\"\\u202eat\",\"primary\":\"true\",\"verified\":\"true\"}]" };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct profile got = { .id = STR("1") };

		assert_int_equal(answer_emails(&mem, str_of_cstr(wrong[i]), &got).code, ERR_OK);
		if (got.email_verified || got.email.n > 0)
			fail_msg("%s", wrong[i]);
	}
}

/* ---- discovery and tokens ---- */

static void oc04_a_discovery_document_is_of_its_issuer(void **state)
{
	const str body = STR("{\"issuer\":\"https://op.test\",\"authorization_endpoint\":\"https://op.test/a\",\"token_endpoint\":"
			     "\"https://op.test/t\",\"jwks_uri\":\"https://op.test/k\",\"authorization_response_iss_parameter_supported\":true}");
	struct metadata m;

	(void)state;
	assert_int_equal(answer_metadata(&mem, body, STR("https://op.test"), &m).code, ERR_OK);
	assert_true(str_eq(m.token_url, STR("https://op.test/t")) && m.says_iss && m.userinfo_url.n == 0);
	assert_int_equal(answer_metadata(&mem, body, STR("https://op.test/"), &m).code, ERR_INPUT);
	assert_int_equal(answer_metadata(&mem, STR("{\"issuer\":\"https://op.test\"}"), STR("https://op.test"), &m).code, ERR_INPUT);
	assert_int_equal(answer_metadata(&mem, STR("{\"issuer\":\"https://op.test\",\"authorization_endpoint\":\"file:///a\",\"token_endpoint\":"
						   "\"https://op.test/t\",\"jwks_uri\":\"https://op.test/k\"}"),
					 STR("https://op.test"), &m).code,
			 ERR_INPUT);
}

static void a_token_answer_has_a_token_and_no_error(void **state)
{
	struct token_answer t;

	(void)state;
	assert_int_equal(answer_tokens(&mem, STR("{\"access_token\":\"gho_x\",\"scope\":\"user:email\",\"token_type\":\"bearer\"}"), &t).code, ERR_OK);
	assert_true(str_eq(t.access_token, STR("gho_x")) && t.id_token.p == NULL);
	assert_int_equal(answer_tokens(&mem, STR("{\"error\":\"bad_verification_code\",\"error_description\":\"x\"}"), &t).code, ERR_INPUT);
	assert_int_equal(answer_tokens(&mem, STR("{\"ok\":false,\"access_token\":\"x\"}"), &t).code, ERR_INPUT);
	assert_int_equal(answer_tokens(&mem, STR("{\"access_token\":\"a\\r\\nX: y\"}"), &t).code, ERR_INPUT);
	assert_int_equal(answer_tokens(&mem, STR("{\"access_token\":[\"a\"]}"), &t).code, ERR_INPUT);
	assert_int_equal(answer_tokens(&mem, STR("access_token=x&scope=y"), &t).code, ERR_INPUT);
}

static void what_a_provider_says_is_fit_for_a_log(void **state)
{
	static const struct {
		const char *said, *logged;
	} rows[] = {
		{ "AADSTS50105: The signed in user is not assigned to a role", "AADSTS50105: The signed in user is not assigned to a role" },
		{ "user 'ada@contoso.test' is blocked", "user (address) is blocked" },
		{ "Trace ID: 0f8fad5b-d9cb-469f-a165-70867728950e", "Trace ID: 0f8fad5b-d9cb-469f-a165-70867728950e" },
		{ "code ya29.a0AfH6SMBx3Kq0Zz9Tn4yLm7RvWc2Hs8Jd5Fg1Pe6Ou expired", "code (token) expired" },
		{ "one\r\ntwo\tthree", "one  two three" },
		{ "\x1b[31mred\xe2\x80\xae\xff", " [31mred??" },
		{ "", "" },
	};
	static char room[FINDING_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf b = BUF_OF(room);

		finding_clean(&b, str_of_cstr(rows[i].said));
		if (!str_eq(buf_view(&b), str_of_cstr(rows[i].logged)))
			fail_msg("%s: %.*s", rows[i].said, STR_ARG(buf_view(&b)));
	}
}

/* ---- ID tokens ---- */

static enum err_code claims(const struct provider *p, const char *text, struct profile *ret)
{
	const struct id_expect e = { .p = p, .nonce = STR("n"), .now_s = 1000 };

	return id_token_claims(&mem, str_of_cstr(text), &e, ret).code;
}

#define MS_ISS(tid) "\"iss\":\"https://login.microsoftonline.com/" tid "/v2.0\",\"tid\":\"" tid "\","
#define REST	    "\"aud\":\"client-1\",\"exp\":2000,\"iat\":900,\"nonce\":\"n\",\"sub\":\"s\"}"

static void oc05_of_a_directory_only_listed_tenants_and_their_subjects_apart(void **state)
{
	struct provider p;
	struct profile got;

	(void)state;
	preset("microsoft", &p);
	assert_int_equal(claims(&p, "{" MS_ISS("11111111-2222-3333-4444-555555555555") REST, &got), ERR_OK);
	assert_true(str_eq(got.id, STR("11111111-2222-3333-4444-555555555555/s")));
	assert_int_equal(claims(&p, "{" MS_ISS("99999999-2222-3333-4444-555555555555") REST, &got), ERR_INPUT);
	assert_int_equal(claims(&p, "{\"iss\":\"https://login.microsoftonline.com/99999999-2222-3333-4444-555555555555/v2.0\",\"tid\":"
				    "\"11111111-2222-3333-4444-555555555555\"," REST,
				&got),
			 ERR_INPUT);
	assert_int_equal(claims(&p, "{\"iss\":\"https://login.microsoftonline.com/{tenantid}/v2.0\",\"tid\":\"{tenantid}\"," REST, &got), ERR_INPUT);
	assert_int_equal(claims(&p, "{\"iss\":\"https://login.microsoftonline.com/{tenantid}/v2.0\"," REST, &got), ERR_INPUT);
}

static void oc03_times_are_numbers_and_now_give_or_take_a_minute(void **state)
{
	struct provider p;
	struct profile got;

	(void)state;
	preset("google", &p);
#define G(times) "{\"iss\":\"https://accounts.google.com\",\"aud\":\"client-1\",\"nonce\":\"n\",\"sub\":\"s\"," times "}"
	static const struct {
		const char *times;
		enum err_code want;
	} rows[] = {
#define ROW(times, want) { G(times), want }
		ROW("\"exp\":941,\"iat\":1060", ERR_OK),
		ROW("\"exp\":940,\"iat\":900", ERR_INPUT),
		ROW("\"exp\":1001,\"iat\":1061", ERR_INPUT),
		ROW("\"exp\":1001,\"iat\":900,\"nbf\":1060", ERR_OK),
		ROW("\"exp\":1001,\"iat\":900,\"nbf\":1061", ERR_INPUT),
		ROW("\"exp\":1001,\"iat\":900,\"nbf\":\"1\"", ERR_INPUT),
		ROW("\"exp\":1001.25,\"iat\":900.75,\"nbf\":899.5", ERR_OK),
		ROW("\"exp\":940.99,\"iat\":900", ERR_INPUT),
		ROW("\"exp\":1e9,\"iat\":9.0e2", ERR_OK),
		ROW("\"exp\":1e16,\"iat\":900", ERR_INPUT),
		ROW("\"exp\":1e400,\"iat\":900", ERR_INPUT),
		ROW("\"exp\":\"1001\",\"iat\":900", ERR_INPUT),
		ROW("\"exp\":true,\"iat\":900", ERR_INPUT),
		ROW("\"exp\":9223372036854775807,\"iat\":900", ERR_INPUT),
		ROW("\"exp\":1001,\"iat\":-1", ERR_INPUT),
		ROW("\"exp\":1001,\"iat\":-0.5", ERR_INPUT),
		ROW("\"exp\":1001", ERR_INPUT),
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (claims(&p, rows[i].times, &got) != rows[i].want)
			fail_msg("%s", rows[i].times);
	}
}

/* ---- authorization URLs ---- */

static void the_authorization_url_of_google_is_that_of_the_contract(void **state)
{
	struct provider p;
	struct exchange x = { .p = &p, .redirect_uri = STR("https://a.test/auth/oauth/google/callback"), .state = STR("st"),
			      .nonce = STR("no"), .verifier = STR("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") };
	str url;

	(void)state;
	preset("google", &p);
	assert_int_equal(exchange_url(&x, &mem, &url).code, ERR_OK);
	/* the challenge is that of RFC 7636 appendix B */
	assert_true(str_eq(url, STR("https://accounts.google.com/o/oauth2/v2/auth?client_id=client-1&redirect_uri=https%3A%2F%2Fa.test%2Fauth%2Foauth"
				    "%2Fgoogle%2Fcallback&response_type=code&scope=openid+email+profile&state=st&nonce=no&code_challenge="
				    "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256")));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, fresh_arena)
	const struct CMUnitTest tests[] = {
		T(the_documented_profile_of_every_preset_is_read),
		T(only_some_presets_prove_addresses),
		T(id05_a_profile_without_a_subject_is_nobody),
		T(only_a_proven_primary_address_counts),
		T(id06_without_an_address_none_is_proven),
		T(what_a_provider_says_is_fit_for_a_log),
		T(oc04_a_discovery_document_is_of_its_issuer),
		T(a_token_answer_has_a_token_and_no_error),
		T(oc05_of_a_directory_only_listed_tenants_and_their_subjects_apart),
		T(oc03_times_are_numbers_and_now_give_or_take_a_minute),
		T(the_authorization_url_of_google_is_that_of_the_contract),
	};
	int failed;

	if (crypto_init().code != ERR_OK || arena_init(&mem, ARENA_DEFAULT_BYTES).code != ERR_OK)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_clear(&mem);
	return failed;
}
