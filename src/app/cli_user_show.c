#include "app/cli_user_show.h"

#include <inttypes.h>

#include "domain/attempt.h"
#include "domain/email.h"
#include "domain/linked.h"
#include "domain/session.h"
#include "domain/uid.h"
#include "store/query.h"

/* All that is shown of one account. */
struct view {
	str id;
	const struct user_row *u;
	/* only of a whole one */
	struct attempt_look passwords, codes;
	int64_t recovery_left;
	struct linked_row *linked;
	struct session_row *sessions;
	str *handles; /* of the sessions */
	size_t n_linked, n_sessions;
};

/* ---- in JSON ---- */

static void put_user(struct json_out *o, const void *of)
{
	const struct view *v = of;
	const struct user_row *u = v->u;

	out_str(o, STR("id"), v->id);
	json_text(o, STR("email"), u->is_guest ? STR_NONE : u->email);
	out_bool(o, STR("emailVerified"), u->email_verified);
	json_text(o, STR("firstName"), u->first_name);
	json_text(o, STR("lastName"), u->last_name);
	json_text(o, STR("phone"), u->phone);
	json_text(o, STR("lang"), u->lang);
	json_text(o, STR("role"), u->role);
	out_bool(o, STR("isGuest"), u->is_guest);
	out_bool(o, STR("isAdmin"), u->is_admin);
	json_time(o, STR("disabledAt"), u->disabled_ms);
	json_time(o, STR("createdAt"), u->created_ms);
	json_time(o, STR("lastLoginAt"), u->last_login_ms);
	json_time(o, STR("verifyBy"), u->email_verified ? 0 : u->verify_by_ms);
	out_bool(o, STR("hasPassword"), u->has_password);
	out_bool(o, STR("hasTotp"), u->has_totp);
	out_bool(o, STR("requires2FA"), u->require_2fa);
	json_time(o, STR("factorResetAt"), u->factor_reset_ms);
}

static void put_linked(struct json_out *o, const struct linked_row *l)
{
	out_obj(o);
	out_str(o, STR("provider"), l->provider);
	out_str(o, STR("accountId"), l->account_id);
	json_text(o, STR("email"), l->email);
	json_text(o, STR("name"), l->name);
	json_time(o, STR("linkedAt"), l->linked_ms);
	out_end_obj(o);
}

static int64_t expires_ms(const struct session_row *s)
{
	return s->idle_expires_ms < s->abs_expires_ms ? s->idle_expires_ms : s->abs_expires_ms;
}

static void put_session(struct json_out *o, const struct session_row *s, str handle)
{
	out_obj(o);
	out_str(o, STR("handle"), handle);
	json_time(o, STR("createdAt"), s->created_ms);
	json_time(o, STR("lastActiveAt"), s->last_active_ms);
	json_time(o, STR("expiresAt"), expires_ms(s));
	json_text(o, STR("ip"), s->ip);
	json_text(o, STR("userAgent"), s->user_agent);
	out_end_obj(o);
}

static void put_lock(struct json_out *o, str key, const struct attempt_look *lock)
{
	out_key(o, key);
	out_obj(o);
	out_i64(o, STR("failures"), lock->failures);
	json_time(o, STR("until"), lock->until_ms);
	out_bool(o, STR("closed"), lock->closed);
	out_end_obj(o);
}

static void put_whole(struct json_out *o, const void *of)
{
	const struct view *v = of;

	put_user(o, v);
	out_i64(o, STR("recoveryCodesLeft"), v->recovery_left);
	out_key(o, STR("lock"));
	out_obj(o);
	put_lock(o, STR("passwords"), &v->passwords);
	put_lock(o, STR("codes"), &v->codes);
	out_end_obj(o);
	out_key(o, STR("providers"));
	out_arr(o);
	for (size_t i = 0; i < v->n_linked; i++)
		put_linked(o, &v->linked[i]);
	out_end_arr(o);
	out_key(o, STR("sessions"));
	out_arr(o);
	for (size_t i = 0; i < v->n_sessions; i++)
		put_session(o, &v->sessions[i], v->handles[i]);
	out_end_arr(o);
}

/* ---- as text ---- */

static void print_line(const struct view *v)
{
	const struct user_row *u = v->u;

	(void)printf("%.*s  ", STR_ARG(v->id));
	print_clean_text(u->is_guest ? STR("guest") : u->email);
	(void)printf("%s%s  created ", u->is_admin ? "  admin" : "", u->disabled_ms != 0 ? "  disabled" : "");
	print_time(u->created_ms);
	(void)printf("  last sign-in ");
	print_time(u->last_login_ms);
	if (u->factor_reset_ms != 0) {
		(void)printf("  second factor is reset ");
		print_time(u->factor_reset_ms);
	}
	(void)printf("\n");
}

/* The beginning of a line of a whole account. */
static void label(const char *name)
{
	(void)printf("%-18s", name);
}

static void print_who(const struct user_row *u)
{
	label("address");
	print_clean_text(u->is_guest ? STR("none: a guest") : u->email);
	if (!u->is_guest)
		(void)printf(" (%s)", u->email_verified ? "proven" : "not proven");
	if (!u->email_verified && u->verify_by_ms != 0) {
		(void)printf(", to be proven by ");
		print_time(u->verify_by_ms);
	}
	(void)printf("\n");
	if (u->first_name.n + u->last_name.n > 0) {
		label("name");
		print_clean_text(u->first_name);
		(void)printf("%s", u->first_name.n > 0 && u->last_name.n > 0 ? " " : "");
		print_clean_text(u->last_name);
		(void)printf("\n");
	}
	label("phone");
	print_clean_text(u->phone.p == NULL ? STR("none") : u->phone);
	(void)printf("\n");
}

static void print_state(const struct user_row *u)
{
	label("state");
	(void)printf("%s%s", u->is_admin ? "administrator, " : "", u->disabled_ms == 0 ? "enabled" : "disabled since ");
	if (u->disabled_ms != 0)
		print_time(u->disabled_ms);
	(void)printf("\n");
	label("created");
	print_time(u->created_ms);
	(void)printf("\n");
	label("last sign-in");
	print_time(u->last_login_ms);
	(void)printf("\n");
}

static void print_factors(const struct view *v)
{
	const struct user_row *u = v->u;

	label("password");
	(void)printf("%s\n", u->has_password ? "set" : "none");
	label("second factor");
	if (u->has_totp)
		(void)printf("authenticator app, %" PRId64 " recovery codes left", v->recovery_left);
	else
		(void)printf("no authenticator app");
	(void)printf("%s", u->require_2fa ? ", required" : "");
	if (u->factor_reset_ms != 0) {
		(void)printf(", is reset ");
		print_time(u->factor_reset_ms);
	}
	(void)printf("\n");
}

static void print_wait(const struct attempt_look *lock, const char *who)
{
	if (lock->until_ms != 0) {
		(void)printf(", %s until ", who);
		print_time(lock->until_ms);
	}
	(void)printf("\n");
}

static void print_lock(const struct view *v)
{
	label("wrong passwords");
	(void)printf("%" PRId64, v->passwords.failures);
	if (v->passwords.closed)
		(void)printf(", closed to unknown devices until the owner proves it, or `user enable`\n");
	else
		print_wait(&v->passwords, "unknown devices wait");
	label("wrong codes");
	(void)printf("%" PRId64, v->codes.failures);
	print_wait(&v->codes, v->codes.closed ? "all wait" : "unknown devices wait");
}

static void print_linked(const struct view *v)
{
	(void)printf("%s\n", v->n_linked == 0 ? "providers         none" : "providers");
	for (size_t i = 0; i < v->n_linked; i++) {
		(void)printf("  ");
		print_clean_text(v->linked[i].provider);
		(void)printf("  ");
		print_clean_text(v->linked[i].account_id);
		(void)printf("  ");
		print_clean_text(v->linked[i].email.p == NULL ? STR("-") : v->linked[i].email);
		(void)printf("  since ");
		print_time(v->linked[i].linked_ms);
		(void)printf("\n");
	}
}

static void print_sessions(const struct view *v)
{
	(void)printf("%s\n", v->n_sessions == 0 ? "sessions          none" : "sessions");
	for (size_t i = 0; i < v->n_sessions; i++) {
		const struct session_row *s = &v->sessions[i];

		(void)printf("  %.*s  last used ", STR_ARG(v->handles[i]));
		print_time(s->last_active_ms);
		(void)printf("  ");
		print_clean_text(s->ip.p == NULL ? STR("-") : s->ip);
		(void)printf("  ");
		print_clean_text(s->user_agent.p == NULL ? STR("-") : s->user_agent);
		(void)printf("\n");
	}
}

static void print_whole(const struct view *v)
{
	label("id");
	(void)printf("%.*s\n", STR_ARG(v->id));
	print_who(v->u);
	print_state(v->u);
	print_factors(v);
	print_lock(v);
	print_linked(v);
	print_sessions(v);
}

/* ---- reading it ---- */

static err_t read_lock(struct cli *cli, struct view *v)
{
	str typed, key;

	TRY(attempt_look_codes(&cli->c, v->u->id, &v->codes));
	if (v->u->is_guest)
		return OK;
	TRY(email_canonical(&cli->mem, v->u->email, &typed, &key));
	return attempt_look_passwords(&cli->c, key, &v->passwords);
}

static err_t read_whole(struct cli *cli, struct view *v)
{
	bool found;

	TRY(read_lock(cli, v));
	TRY(q_recovery_left(cli->db, &cli->mem, v->u->id, &v->recovery_left, &found));
	TRY(linked_list(&cli->c, v->u->id, &v->linked, &v->n_linked));
	TRY(session_list_own(&cli->c, v->u->id, &v->sessions, &v->n_sessions));
	NEW(v->handles, &cli->mem, str, v->n_sessions + 1);
	for (size_t i = 0; i < v->n_sessions; i++)
		TRY(uid_text(&cli->mem, v->sessions[i].sid, &v->handles[i]));
	return OK;
}

err_t list_user(struct cli *cli, const struct user_row *u)
{
	struct view v = { .u = u };

	TRY(uid_text(&cli->mem, u->uid, &v.id));
	if (cli->json)
		return print_object(put_user, &v);
	print_line(&v);
	return OK;
}

err_t show_user(struct cli *cli, const struct user_row *u)
{
	struct view v = { .u = u };

	TRY(uid_text(&cli->mem, u->uid, &v.id));
	TRY(read_whole(cli, &v));
	if (cli->json)
		return print_object(put_whole, &v);
	print_whole(&v);
	return OK;
}
