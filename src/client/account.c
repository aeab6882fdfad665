/* account.c — the commands of somebody who is signed in. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/internal.h"

enum client_exit run_whoami(const struct options *o, sp_client *c)
{
	sp_result *r = sp_get_profile(c);

	if (r->error == SP_OK && o->json) {
		(void)printf("%s\n", r->body);
	} else if (r->error == SP_OK) {
		print_clean(r->profile->is_guest ? "guest" : r->profile->email);
		if (r->profile->name != NULL) {
			(void)printf(" (");
			print_clean(r->profile->name);
			(void)putchar(')');
		}
		(void)printf("\n");
	}
	return report(o, r);
}

enum client_exit run_token(const struct options *o, sp_client *c)
{
	const char *wanted = o->args->value[OPT_MIN_VALIDITY];
	uint64_t seconds = 60;
	sp_result *r;

	if (wanted != NULL && !str_to_u64(str_of_cstr(wanted), 86400, &seconds))
		return (enum client_exit)args_wrong(o->args, "--min-validity SECONDS is a number up to 86400");
	r = sp_access_token(c, (int)seconds);
	if (r->error == SP_OK)
		(void)printf(o->json ? "{\"accessToken\":\"%s\"}\n" : "%s\n", r->access_token);
	return report(o, r);
}

enum client_exit run_logout(const struct options *o, sp_client *c)
{
	return conclude(o, sp_logout(c), "signed out");
}

/* ---- sessions ---- */

static void print_sessions(const sp_result *r)
{
	for (size_t i = 0; i < r->n_sessions; i++) {
		const sp_session *s = &r->sessions[i];

		(void)printf("%c %s  %s  ", s->is_current ? '*' : ' ', s->handle, s->last_active_at);
		print_clean(s->ip_address != NULL ? s->ip_address : "-");
		(void)printf("  ");
		print_clean(s->user_agent != NULL ? s->user_agent : "-");
		(void)putchar('\n');
	}
}

static enum client_exit revoke_others(const struct options *o, sp_client *c)
{
	sp_result *list = sp_get_sessions(c);
	enum client_exit code = CLIENT_DONE;
	size_t n = 0;

	if (list->error != SP_OK)
		return report(o, list);
	for (size_t i = 0; i < list->n_sessions && code == CLIENT_DONE; i++) {
		if (list->sessions[i].is_current)
			continue;
		code = report(o, sp_revoke_session(c, list->sessions[i].handle));
		n += code == CLIENT_DONE;
	}
	sp_result_free(list);
	(void)printf(o->json ? "{\"revoked\":%zu}\n" : "%zu ended\n", n);
	return code;
}

enum client_exit run_sessions(const struct options *o, sp_client *c)
{
	sp_result *r = sp_get_sessions(c);

	if (r->error == SP_OK && o->json)
		(void)printf("%s\n", r->body);
	else if (r->error == SP_OK)
		print_sessions(r);
	return report(o, r);
}

enum client_exit run_revoke(const struct options *o, sp_client *c)
{
	bool others = args_has(o->args, OPT_OTHERS);
	enum client_exit code = CLIENT_DONE;

	if (others == (o->args->n_words > 0))
		return (enum client_exit)args_wrong(o->args, "what is meant are handles of `sessions list`, or --others");
	if (others)
		return revoke_others(o, c);
	for (size_t i = 0; i < o->args->n_words && code == CLIENT_DONE; i++)
		code = conclude(o, sp_revoke_session(c, o->args->word[i]), "ended");
	return code;
}

/* ---- second factors ---- */

/* A call that the server may want a proof for: asks for one then, once. */
static sp_result *with_proof(sp_client *c, sp_result *(*call)(sp_client *c, const char *password, const char *code))
{
	char code[64];
	sp_result *r = call(c, NULL, NULL);

	if (r->error != SP_REAUTH || !prompt("Code of your app, or a recovery code: ", false, code, sizeof code))
		return r;
	sp_result_free(r);
	r = call(c, NULL, code);
	prompt_wipe(code, sizeof code);
	return r;
}

enum client_exit run_2fa_setup(const struct options *o, sp_client *c)
{
	return set_up_2fa(o, c, NULL);
}

enum client_exit run_2fa_disable(const struct options *o, sp_client *c)
{
	return conclude(o, with_proof(c, sp_disable_2fa), "off");
}

enum client_exit run_2fa_recovery_codes(const struct options *o, sp_client *c)
{
	sp_result *r = with_proof(c, sp_new_recovery_codes);

	if (r->error == SP_OK && o->json)
		(void)printf("%s\n", r->body);
	for (size_t i = 0; r->error == SP_OK && !o->json && i < r->n_recovery_codes; i++)
		(void)printf("%s\n", r->recovery_codes[i]);
	return report(o, r);
}

enum client_exit run_2fa_status(const struct options *o, sp_client *c)
{
	sp_result *r = sp_get_profile(c);

	if (r->error == SP_OK)
		(void)printf(o->json ? "{\"isTotpEnabled\":%s}\n" : "%s\n",
			     r->profile->is_totp_enabled ? (o->json ? "true" : "on") : (o->json ? "false" : "off"));
	return report(o, r);
}
