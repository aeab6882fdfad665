#include "app/cli_oauth.h"

#include <stdio.h>
#include <string.h>

#include "app/outbound.h"
#include "crypto/jwks.h"
#include "crypto/jws.h"
#include "egress/mailer.h"
#include "oauth/exchange.h"

#define PATIENCE_MS 10000

static const struct config *hold(void *self, void **ret_held)
{
	*ret_held = NULL;
	return ((struct cli *)self)->cfg;
}

static void release(void *self, void *held)
{
	(void)self;
	(void)held;
}

struct probe {
	struct cli *cli;
	struct provider p;
	struct asking asking;
	struct finding why; /* of the last thing tried */
	bool failed;
	void (*sink)(void *self, bool good, const char *what, str detail); /* NULL: it is printed */
	void *self;
};

/* One thing that was tried, or that is to be known. */
struct line {
	bool is_note, good;
	const char *what;
	str detail;
};

static void put_line(struct json_out *o, const void *of)
{
	const struct line *f = of;

	out_key(o, STR("ok"));
	if (f->is_note)
		out_value_null(o);
	else
		out_value_bool(o, f->good);
	out_str(o, STR("what"), str_of_cstr(f->what));
	json_text(o, STR("detail"), f->detail.n > 0 ? f->detail : STR_NONE);
}

static void tell(struct probe *t, const struct line *f)
{
	if (t->sink != NULL) {
		if (!f->is_note)
			t->sink(t->self, f->good, f->what, f->detail);
	} else if (t->cli->json)
		(void)result(t->cli, NULL, put_line, f);
	else
		(void)printf("%s  %s%s%.*s\n", f->is_note ? "note " : f->good ? "ok   " : "WRONG", f->what,
			     f->detail.n > 0 ? ": " : "", STR_ARG(f->detail));
}

static void say(struct probe *t, bool good, const char *what, str detail)
{
	tell(t, &(struct line){ .good = good, .what = what, .detail = detail });
	t->failed = t->failed || !good;
}

static void note(struct probe *t, const char *what, str detail)
{
	tell(t, &(struct line){ .is_note = true, .what = what, .detail = detail });
}

/* Which check failed, and what the provider said, below the line about it. */
static void note_why(struct probe *t)
{
	const struct finding *f = &t->why;
	str text;

	if (f->check != NULL &&
	    arena_printf(t->asking.mem, &text, "%s%s%s", f->check, f->alg[0] != '\0' ? ", algorithm " : "", f->alg).code == ERR_OK)
		note(t, "the check that failed", text);
	if ((f->error[0] != '\0' || f->description[0] != '\0') &&
	    arena_printf(t->asking.mem, &text, "%s%s%s (status %d of %.*s)", f->error, f->description[0] != '\0' ? ": " : "",
			 f->description, f->status, STR_ARG(f->url)).code == ERR_OK)
		note(t, "it says", text);
	t->why = (struct finding){ 0 };
}

/* ---- what is published ---- */

static void test_discovery(struct probe *t)
{
	bool says_iss, discovered = provider_is_discovered(&t->p);
	err_t e = directory_complete(t->asking.outside->directory, &t->asking, &t->p, &says_iss);

	if (!discovered)
		return;
	say(t, e.code == ERR_OK,
	    e.code == ERR_OK ? "the discovery document is there and of this issuer" :
			       "the issuer has no discovery document, or one of another issuer; compare it byte by byte",
	    t->p.issuer);
	note_why(t);
}

static bool takes_one_of(str algs)
{
	str alg;
	bool more = algs.n > 0;

	while (more) {
		more = str_cut(algs, ' ', &alg, &algs);
		if (jwa_find(alg) != NULL)
			return true;
	}
	return false;
}

static void test_algorithms(struct probe *t)
{
	bool good = takes_one_of(t->p.id_algs);

	if (t->p.id_algs.n == 0)
		return;
	say(t, good, good ? "it signs ID tokens with an algorithm that is taken" : "it signs ID tokens with none that is taken",
	    t->p.id_algs);
}

static void test_keys(struct probe *t)
{
	struct jwks *keys = NULL;
	err_t e;

	if (t->p.kind != PROVIDER_OIDC || t->p.jwks_url.n == 0)
		return;
	e = directory_keys(t->asking.outside->directory, &t->asking, &t->p, NULL, &keys);
	say(t, e.code == ERR_OK,
	    e.code == ERR_OK ? "keys that can sign ID tokens are published" :
			       "no keys that can sign ID tokens can be read (RSA from 2,048 bits, P-256, P-384, P-521, Ed25519)",
	    t->p.jwks_url);
	note_why(t);
	jwks_release(keys);
}

static void test_key_of_apple(struct probe *t)
{
	struct jws_key *key = NULL;

	if (t->p.auth != CLIENT_AUTH_APPLE)
		return;
	say(t, jws_key_parse(ALG_ES256, secret_str(t->p.set->private_key), &key).code == ERR_OK,
	    "private_key is a key for ES256", STR(""));
	jws_key_free(key);
}

/* ---- the client ---- */

static bool complains_of_client(str body)
{
	return str_has(body, STR("invalid_client")) || str_has(body, STR("incorrect_client_credentials")) ||
	       str_has(body, STR("unauthorized_client"));
}

/* A code that nobody gave is refused for itself when the client is known, and else for the client. */
static err_t ask_with_wrong_code(struct probe *t, struct outside_reply *ret)
{
	struct exchange x = { .p = &t->p };
	struct outside_request r = { .deadline_ms = t->asking.deadline_ms };

	TRY(arena_printf(t->asking.mem, &x.redirect_uri, "%.*s%.*s/oauth/%.*s/callback",
			 STR_ARG(t->cli->cfg->server.public_url), STR_ARG(t->cli->cfg->server.api_prefix),
			 STR_ARG(t->p.name)));
	x.verifier = STR("a-verifier-that-belongs-to-no-sign-in-at-all");
	TRY(exchange_request(&x, STR("a-code-that-nobody-gave"), t->asking.mem, t->cli->c.now_ms / 1000, &r));
	return t->asking.outside->send(t->asking.outside->self, t->p.name, &r, t->asking.mem, ret);
}

static void test_client(struct probe *t)
{
	struct outside_reply reply = { 0 };

	if (t->p.token_url.n == 0)
		return;
	if (ask_with_wrong_code(t, &reply).code != ERR_OK || reply.status == 0 || reply.status >= 500)
		say(t, false, "the token endpoint does not answer", reply.problem.n > 0 ? reply.problem : t->p.token_url);
	else if (complains_of_client(reply.body))
		say(t, false, "the provider does not know this client_id with this secret", STR(""));
	else
		say(t, true, "the token endpoint answers, and does not complain of the client", STR(""));
	finding_answer(&t->why, t->asking.mem, t->p.token_url, &reply);
	note_why(t);
}

/* ---- an ID token ---- */

/* With a line end behind it, as an editor leaves it. */
static err_t read_token(struct cli *cli, const char *path, str *ret)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	char *text;
	size_t n;

	REQUIRE(f != NULL, ERR_NOT_FOUND);
	text = arena_new(&cli->mem, char, ID_TOKEN_MAX + 2);
	n = text == NULL ? 0 : fread(text, 1, ID_TOKEN_MAX + 2, f);
	if (f != stdin)
		(void)fclose(f);
	REQUIRE(text != NULL, ERR_NO_MEMORY);
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		n--;
	*ret = (str){ text, n };
	return OK;
}

static err_t test_token(struct probe *t, const char *path)
{
	struct profile who;
	str token = STR_NONE;
	err_t e;

	TRY(read_token(t->cli, path, &token));
	e = exchange_look(&t->p, token, &t->asking, t->cli->c.now_ms / 1000, &who);
	say(t, e.code == ERR_OK,
	    e.code == ERR_OK ? "the ID token would be taken, if its nonce is that of the sign-in" : "the ID token is refused",
	    STR(""));
	note_why(t);
	return err_is_fault(e) ? e : OK;
}

/* ---- the command ---- */

static err_t probe_all(struct probe *t, const char *token_path)
{
	str callback;

	TRY(arena_printf(t->asking.mem, &callback, "%.*s%.*s/oauth/%.*s/callback", STR_ARG(t->cli->cfg->server.public_url),
			 STR_ARG(t->cli->cfg->server.api_prefix), STR_ARG(t->p.name)));
	if (t->cli->json || t->sink != NULL)
		note(t, "register", callback);
	else
		(void)printf("provider   %.*s (%.*s)\nregister   %.*s\n", STR_ARG(t->p.name), STR_ARG(t->p.label), STR_ARG(callback));
	test_discovery(t);
	test_algorithms(t);
	test_keys(t);
	test_key_of_apple(t);
	test_client(t);
	if (token_path != NULL)
		TRY(test_token(t, token_path));
	if (!str_starts(callback, STR("https://")))
		note(t, "most providers send people back to https:// only: server.public_url", STR(""));
	if (!t->p.trusts_email)
		note(t, "its addresses count as not proven (trust_email)", STR(""));
	return OK;
}

static err_t probe_provider(struct probe *t, const struct oauth_settings *set, const char *token_path)
{
	const struct outbound_options o = { .workers = 2, .hold = hold, .release = release, .self = t->cli };
	struct outbound *out = NULL;
	err_t e;

	TRY(egress_init());
	TRY(outbound_new(&o, &out));
	t->asking = (struct asking){ .outside = outbound_port(out), .mem = &t->cli->mem, .now_ms = monotonic_ms(),
				     .deadline_ms = monotonic_ms() + PATIENCE_MS, .why = &t->why };
	e = provider_view(set, &t->cli->mem, &t->p);
	if (e.code == ERR_OK)
		e = probe_all(t, token_path);
	outbound_free(out);
	return e;
}

err_t oauth_look(struct cli *cli, const struct oauth_settings *set,
		 void (*each)(void *self, bool good, const char *what, str detail), void *self)
{
	struct probe t = { .cli = cli, .sink = each, .self = self };

	return probe_provider(&t, set, NULL);
}

enum exit_code oauth_test_cmd(struct cli *cli, const struct args *a)
{
	struct probe t = { .cli = cli };
	const struct oauth_settings *set;
	err_t e;

	set = provider_settings(cli->cfg, str_of_cstr(a->word[0]));
	if (set == NULL)
		return fail("there is no such section [oauth.NAME]");
	e = probe_provider(&t, set, a->n_words == 2 ? a->word[1] : NULL);
	if (e.code == ERR_NOT_FOUND)
		return fail("there is no such file with an ID token");
	if (e.code != ERR_OK)
		return fail_err(cli, e);
	return t.failed ? EXIT_REFUSED : EXIT_DONE;
}
