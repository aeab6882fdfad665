/* sign_in.c — `sallyport login`: a first proof, and whatever the server asks for after it. */
#include <stdio.h>
#include <string.h>

#include "client/internal.h"

#define TRIES 3

/* ---- the second factor ---- */

struct way {
	const char *method, *label, *question;
	sp_result *(*send)(sp_client *c, const char *temp_token); /* NULL: nothing is sent */
	sp_result *(*verify)(sp_client *c, const char *temp_token, const char *code);
};

static sp_result *send_code(sp_client *c, const char *temp_token)
{
	return sp_send_magic_link_2fa(c, temp_token, "code");
}

static const struct way ways[] = {
	{ "totp", "a code of your app", "Code of your app: ", NULL, sp_verify_totp },
	{ "sms", "a code by SMS", "Code of the SMS: ", sp_send_sms_2fa, sp_verify_sms_2fa },
	{ "magic-link", "a code by mail", "Code of the mail: ", send_code, sp_verify_email_code_2fa },
	{ "totp", "a recovery code", "Recovery code: ", NULL, sp_verify_recovery_code },
};

#define N_WAYS (sizeof ways / sizeof *ways)

static bool offers(const sp_challenge *challenge, const char *method)
{
	for (size_t i = 0; i < challenge->n_methods; i++)
		if (strcmp(challenge->methods[i], method) == 0)
			return true;
	return false;
}

/* NULL: the user said nothing we know. */
static const struct way *choose_way(const sp_challenge *challenge)
{
	const struct way *offered[N_WAYS];
	char line[16];
	size_t n = 0;

	for (size_t i = 0; i < N_WAYS; i++)
		if (offers(challenge, ways[i].method))
			offered[n++] = &ways[i];
	if (n <= 1)
		return n == 1 ? offered[0] : NULL;
	(void)fprintf(stderr, "A second factor is needed:\n");
	for (size_t i = 0; i < n; i++)
		(void)fprintf(stderr, "  %zu  %s\n", i + 1, offered[i]->label);
	if (!prompt("Which (1): ", false, line, sizeof line))
		return NULL;
	if (line[0] == '\0')
		return offered[0];
	return line[0] >= '1' && (size_t)(line[0] - '1') < n && line[1] == '\0' ? offered[line[0] - '1'] : NULL;
}

static sp_result *second_factor(sp_client *c, sp_result *r)
{
	const struct way *way = choose_way(r->challenge);
	char code[64];
	sp_result *answer;

	if (way == NULL) {
		(void)fprintf(stderr, "sallyport: no second factor was chosen\n");
		return r;
	}
	if (way->send != NULL) {
		answer = way->send(c, r->challenge->temp_token);
		if (answer->error != SP_OK) {
			sp_result_free(r);
			return answer;
		}
		sp_result_free(answer);
	}
	for (int i = 1; prompt(way->question, false, code, sizeof code); i++) {
		answer = way->verify(c, r->challenge->temp_token, code);
		prompt_wipe(code, sizeof code);
		if (i == TRIES || answer->error != SP_REFUSED || answer->status != 401) {
			sp_result_free(r);
			return answer;
		}
		(void)fprintf(stderr, "%s\n", answer->message);
		sp_result_free(answer);
	}
	return r;
}

enum client_exit set_up_2fa(const struct options *o, sp_client *c, const char *temp_token)
{
	char password[SECRET_MAX], code[64];
	sp_result *r = sp_setup_2fa(c, temp_token, NULL, NULL);

	if (r->error == SP_REAUTH && prompt("Password: ", true, password, sizeof password)) {
		sp_result_free(r);
		r = sp_setup_2fa(c, temp_token, password, NULL);
		prompt_wipe(password, sizeof password);
	}
	if (r->error != SP_OK)
		return report(o, r);
	(void)fprintf(stderr, "Enter this into your authenticator app:\n\n  %s\n\nor open\n\n  %s\n\n", r->totp->secret,
		      r->totp->otpauth_url);
	sp_result_free(r);
	for (int i = 1;; i++) {
		if (!prompt("The code that it shows: ", false, code, sizeof code))
			return CLIENT_REFUSED;
		r = sp_verify_setup_2fa(c, temp_token, code);
		prompt_wipe(code, sizeof code);
		if (r->error == SP_OK || i == TRIES || r->error != SP_REFUSED)
			break;
		(void)fprintf(stderr, "%s\n", r->message);
		sp_result_free(r);
	}
	if (r->error == SP_OK && r->n_recovery_codes > 0) {
		(void)fprintf(stderr, "Recovery codes, each good once. Keep them; they are not shown again:\n\n");
		for (size_t i = 0; i < r->n_recovery_codes; i++)
			(void)fprintf(stderr, "  %s\n", r->recovery_codes[i]);
		(void)fputc('\n', stderr);
		if (o->json && temp_token == NULL)
			(void)printf("%s\n", r->body);
	}
	return report(o, r);
}

/* ---- the first ---- */

static int show_url(void *context, const char *url)
{
	(void)context;
	(void)fprintf(stderr, "If no browser opens, go to\n\n  %s\n\n", url);
	(void)sp_open_browser(NULL, url); /* the user has the address in any case */
	return 0;
}

/* Both halves; what went wrong in the first comes back. */
static sp_result *with_mailed_code(sp_client *c, const char *email)
{
	char code[64];
	sp_result *r = sp_send_magic_link(c, email, "code");

	if (r->error != SP_OK)
		return r;
	sp_result_free(r);
	(void)fprintf(stderr, "If that address has an account, a code is on its way to it.\n");
	(void)prompt("Code of the mail: ", false, code, sizeof code);
	r = sp_verify_email_code(c, email, code);
	prompt_wipe(code, sizeof code);
	return r;
}

static sp_result *with_password(const struct options *o, sp_client *c, const char *email)
{
	char password[SECRET_MAX], again[SECRET_MAX];
	bool is_read = prompt("Password: ", true, password, sizeof password);
	sp_result *r = NULL;

	if (is_read && args_has(o->args, OPT_REGISTER)) {
		is_read = args_has(o->args, OPT_PASSWORD_STDIN) ||
			  (prompt("Once more: ", true, again, sizeof again) && strcmp(password, again) == 0);
		prompt_wipe(again, sizeof again);
		if (is_read)
			r = sp_register(c, email, password, NULL, NULL);
		else
			(void)fprintf(stderr, "sallyport: the two are not the same\n");
	}
	if (is_read && (r == NULL || r->error == SP_OK)) {
		sp_result_free(r);
		r = sp_login(c, email, password);
	}
	prompt_wipe(password, sizeof password);
	return r;
}

static sp_result *first_factor(const struct options *o, sp_client *c)
{
	char typed[SECRET_MAX];
	const char *email = o->args->value[OPT_EMAIL], *provider = o->args->value[OPT_BROWSER];

	if (provider != NULL)
		return sp_oauth_login(c, provider, show_url, NULL, 0);
	if (email == NULL) {
		if (!prompt("E-mail: ", false, typed, sizeof typed))
			return NULL;
		email = typed;
	}
	return args_has(o->args, OPT_CODE) ? with_mailed_code(c, email) : with_password(o, c, email);
}

enum client_exit run_login(const struct options *o, sp_client *c)
{
	const struct args *a = o->args;
	enum client_exit code;
	sp_result *r;

	if (args_has(a, OPT_CODE) + args_has(a, OPT_BROWSER) + args_has(a, OPT_REGISTER) > 1)
		return (enum client_exit)args_wrong(a, "of --code, --browser and --register only one can be meant");
	r = first_factor(o, c);
	if (r == NULL) {
		(void)fprintf(stderr, "sallyport: nothing to sign in with\n");
		return CLIENT_USAGE;
	}
	if (r->error == SP_SECOND_FACTOR)
		r = second_factor(c, r);
	if (r->error == SP_SETUP_REQUIRED) {
		(void)fprintf(stderr, "This account needs a second factor.\n");
		code = set_up_2fa(o, c, r->challenge->temp_token);
		sp_result_free(r);
	} else {
		code = report(o, r);
	}
	if (code != CLIENT_DONE)
		return code;
	code = place_remember(o);
	return code == CLIENT_DONE ? run_whoami(o, c) : code;
}
