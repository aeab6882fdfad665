#include "app/cli_user.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "app/cli_user_show.h"
#include "base/prompt.h"
#include "base/progress.h"
#include "domain/factor.h"
#include "domain/password.h"
#include "domain/uid.h"
#include "domain/user.h"
#include "store/query.h"

#define PAGE	   200
#define SEARCH_MAX 256 /* bytes */

/* ---- passwords: from a prompt or standard input, never from the command line ---- */

static err_t read_secret(struct cli *cli, const char *question, struct secret *ret)
{
	size_t room = PASSWORD_MAX_BYTES + 2; /* one too long is told apart, and a zero */
	char *line;

	NEW(line, &cli->mem, char, room);
	REQUIRE(prompt(question, true, line, room) && line[0] != '\0', ERR_INPUT);
	*ret = (struct secret){ (uint8_t *)line, strlen(line) };
	return OK;
}

static err_t read_password(struct cli *cli, bool from_stdin, struct secret *ret)
{
	struct secret again;

	if (from_stdin || !isatty(STDIN_FILENO))
		return read_secret(cli, "", ret);
	TRY(read_secret(cli, "Password: ", ret));
	TRY(read_secret(cli, "Once more: ", &again));
	if (!secret_equal(*ret, again)) {
		(void)fprintf(stderr, "sallyport: the two are not the same\n");
		FAIL(ERR_INPUT);
	}
	return OK;
}

/* ---- making ---- */

static void put_id(struct json_out *o, const void *of)
{
	out_str(o, STR("id"), *(const str *)of);
}

enum exit_code user_create_cmd(struct cli *cli, const struct args *a)
{
	struct user_new n = {
		.email = str_of_cstr(a->value[OPT_EMAIL]),
		.first_name = str_of_cstr(a->value[OPT_FIRST_NAME]),
		.last_name = str_of_cstr(a->value[OPT_LAST_NAME]),
		.is_admin = args_has(a, OPT_ADMIN),
		.email_verified = true,
	};
	err_t e;
	str uid;

	e = read_password(cli, args_has(a, OPT_PASSWORD_STDIN), &n.password);
	if (e.code == ERR_INPUT)
		return fail("no usable password given");
	if (e.code == ERR_OK)
		e = user_create(&cli->c, &n, &uid, NULL);
	secret_wipe(&n.password);
	if (e.code != ERR_OK)
		return fail_err(cli, e);
	if (cli->json)
		return result(cli, NULL, put_id, &uid);
	(void)printf("%.*s\n", STR_ARG(uid));
	return EXIT_DONE;
}

/* ---- one account ---- */

static bool means_on(const struct args *a)
{
	return str_eq(str_of_cstr(args_word(a, 1)), STR("on"));
}

/* What was done to it is known from the command; the result is whose it was. */
static enum exit_code on_user(struct cli *cli, const struct args *a, const char *text,
			      err_t (*act)(struct ctx *c, const struct user_row *u))
{
	struct user_row u = { 0 };
	str id = STR_NONE;
	err_t e;

	e = user_get(&cli->c, str_of_cstr(a->word[0]), &u);
	if (e.code == ERR_OK)
		e = act(&cli->c, &u);
	if (e.code == ERR_OK)
		e = uid_text(&cli->mem, u.uid, &id);
	return e.code == ERR_OK ? result(cli, text, put_id, &id) : fail_err(cli, e);
}

enum exit_code user_show_cmd(struct cli *cli, const struct args *a)
{
	struct user_row u = { 0 };
	err_t e = user_get(&cli->c, str_of_cstr(a->word[0]), &u);

	if (e.code == ERR_OK)
		e = show_user(cli, &u);
	return e.code == ERR_OK ? EXIT_DONE : fail_err(cli, e);
}

enum exit_code user_disable_cmd(struct cli *cli, const struct args *a)
{
	return on_user(cli, a, NULL, user_disable);
}

enum exit_code user_enable_cmd(struct cli *cli, const struct args *a)
{
	return on_user(cli, a, NULL, user_enable);
}

enum exit_code user_delete_cmd(struct cli *cli, const struct args *a)
{
	return on_user(cli, a, NULL, user_remove);
}

enum exit_code user_reset_cmd(struct cli *cli, const struct args *a)
{
	return on_user(cli, a, "a mail with a reset link is on its way; a running server sends it",
		       password_send_reset);
}

enum exit_code user_require_cmd(struct cli *cli, const struct args *a)
{
	return on_user(cli, a, NULL, means_on(a) ? factor_require : factor_require_no_more);
}

static err_t admin_on(struct ctx *c, const struct user_row *u)
{
	return user_set_admin(c, u, true);
}

static err_t admin_off(struct ctx *c, const struct user_row *u)
{
	return user_set_admin(c, u, false);
}

enum exit_code user_admin_cmd(struct cli *cli, const struct args *a)
{
	return on_user(cli, a, NULL, means_on(a) ? admin_on : admin_off);
}

static void put_reset(struct json_out *o, const void *of)
{
	json_time(o, STR("dueAt"), ((const struct user_row *)of)->factor_reset_ms);
}

/* An administrator's waits: when it takes place is what the operator wants to know. */
enum exit_code user_factor_cmd(struct cli *cli, const struct args *a)
{
	bool cancel = args_has(a, OPT_CANCEL);
	struct user_row u = { 0 };
	err_t e = user_get(&cli->c, str_of_cstr(a->word[0]), &u);

	if (e.code == ERR_OK)
		e = cancel ? factor_keep(&cli->c, &u) : factor_reset(&cli->c, &u);
	if (e.code == ERR_OK)
		e = user_get(&cli->c, str_of_cstr(a->word[0]), &u);
	if (e.code != ERR_OK)
		return fail_err(cli, e);
	if (cli->json)
		return result(cli, NULL, put_reset, &u);
	if (cancel || u.factor_reset_ms == 0)
		return EXIT_DONE;
	(void)printf("an administrator's: done by a running server ");
	print_time(u.factor_reset_ms);
	(void)printf(", unless called off\n");
	return EXIT_DONE;
}

enum exit_code user_password_cmd(struct cli *cli, const struct args *a)
{
	struct secret password = { 0 };
	struct user_row u = { 0 };
	str id = STR_NONE;
	err_t e;

	e = user_get(&cli->c, str_of_cstr(a->word[0]), &u);
	if (e.code == ERR_OK)
		e = read_password(cli, args_has(a, OPT_PASSWORD_STDIN), &password);
	if (e.code == ERR_OK)
		e = user_set_password(&cli->c, &u, password);
	secret_wipe(&password);
	if (e.code == ERR_OK)
		e = uid_text(&cli->mem, u.uid, &id);
	return e.code == ERR_OK ? result(cli, NULL, put_id, &id) : fail_err(cli, e);
}

/* ---- all ---- */

struct listing {
	str words;    /* in lower case; STR_NONE: all */
	int64_t left; /* that may be listed still */
	int64_t after;
	_Atomic int64_t n;
};

static int64_t listed(void *self)
{
	return ((struct listing *)self)->n;
}

static err_t list_page(struct cli *cli, struct listing *l, bool *ret_more)
{
	int64_t limit = l->left < PAGE ? l->left : PAGE;
	struct user_row *rows;
	size_t n;

	arena_reset(&cli->mem);
	if (l->words.p == NULL)
		TRY(q_user_page(cli->db, &cli->mem, l->after, limit, &rows, &n));
	else
		TRY(q_user_search(cli->db, &cli->mem, l->after, limit, l->words, &rows, &n));
	for (size_t i = 0; i < n; i++) {
		TRY(list_user(cli, &rows[i]));
		l->after = rows[i].id;
	}
	l->n += (int64_t)n;
	l->left -= (int64_t)n;
	*ret_more = n > 0 && l->left > 0;
	return OK;
}

static err_t list_all(struct cli *cli, struct listing *l)
{
	bool more = true;

	while (more && ferror(stdout) == 0)
		TRY(list_page(cli, l, &more));
	return OK;
}

/* Lower-cased as SQLite does it: of ASCII. In place, as words of the command line may be. */
static str lower_case(char *room, size_t max, const char *text)
{
	size_t n = 0;

	for (; n < max && text[n] != '\0'; n++)
		room[n] = (char)(text[n] >= 'A' && text[n] <= 'Z' ? text[n] + ('a' - 'A') : text[n]);
	return (str){ room, n };
}

enum exit_code user_list_cmd(struct cli *cli, const struct args *a)
{
	struct listing l = { .left = INT64_MAX };
	struct progress p = { .what = "user list", .unit = "accounts", .look = listed, .self = &l };
	const char *search = a->value[OPT_SEARCH], *limit = a->value[OPT_LIMIT];
	char room[SEARCH_MAX];
	uint64_t max = 0;
	err_t e;

	if (limit != NULL && (!str_to_u64(str_of_cstr(limit), INT64_MAX, &max) || max == 0))
		return (enum exit_code)args_wrong(a, "--limit NUMBER is a number from 1");
	if (search != NULL && (search[0] == '\0' || strlen(search) > sizeof(room)))
		return (enum exit_code)args_wrong(a, "--search TEXT has 1 to %d bytes", SEARCH_MAX);
	if (limit != NULL)
		l.left = (int64_t)max;
	if (search != NULL)
		l.words = lower_case(room, sizeof(room), search);
	if (isatty(STDOUT_FILENO) == 0)
		progress_begin(&p);
	e = list_all(cli, &l);
	progress_end(&p);
	return e.code == ERR_OK ? EXIT_DONE : fail_err(cli, e);
}
