#include "app/cli_user.h"

#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "base/prompt.h"
#include "domain/factor.h"
#include "domain/password.h"
#include "domain/uid.h"
#include "domain/user.h"
#include "store/query.h"

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

/* ---- the commands ---- */

static void print_user(struct cli *cli, const struct user_row *u)
{
	str id = STR_NONE;

	if (uid_text(&cli->mem, u->uid, &id).code != ERR_OK)
		return;
	(void)printf("%.*s  %.*s%s%s%s  created ", STR_ARG(id), STR_ARG(u->email),
		     u->is_guest ? "guest" : "", u->is_admin ? "  admin" : "",
		     u->disabled_ms != 0 ? "  disabled" : "");
	print_time(u->created_ms);
	(void)printf("  last sign-in ");
	print_time(u->last_login_ms);
	if (u->factor_reset_ms != 0) {
		(void)printf("  second factor is reset ");
		print_time(u->factor_reset_ms);
	}
	(void)printf("\n");
}

enum exit_code user_create_cmd(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = { { "email", required_argument, NULL, 'e' },
						 { "admin", no_argument, NULL, 'a' },
						 { "password-stdin", no_argument, NULL, 'p' },
						 { "first-name", required_argument, NULL, 'f' },
						 { "last-name", required_argument, NULL, 'l' },
						 { NULL, 0, NULL, 0 } };
	struct user_new n = { .email_verified = true };
	bool from_stdin = false;
	err_t e;
	str uid;
	int ch;

	optind = 1;
	while ((ch = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (ch) {
		case 'e': n.email = str_of_cstr(optarg); break;
		case 'a': n.is_admin = true; break;
		case 'p': from_stdin = true; break;
		case 'f': n.first_name = str_of_cstr(optarg); break;
		case 'l': n.last_name = str_of_cstr(optarg); break;
		default: return EXIT_USAGE;
		}
	}
	if (n.email.n == 0 || optind != argc)
		return EXIT_USAGE;
	e = read_password(cli, from_stdin, &n.password);
	if (e.code == ERR_INPUT)
		return fail("no usable password given");
	if (e.code == ERR_OK)
		e = user_create(&cli->c, &n, &uid);
	secret_wipe(&n.password);
	if (e.code != ERR_OK)
		return fail_err(cli, e);
	(void)printf("%.*s\n", STR_ARG(uid));
	return EXIT_DONE;
}

static enum exit_code on_user(struct cli *cli, int argc, char **argv,
			      err_t (*act)(struct ctx *c, const struct user_row *u))
{
	struct user_row u = { 0 };
	err_t e;

	if (argc != 2)
		return EXIT_USAGE;
	e = user_get(&cli->c, str_of_cstr(argv[1]), &u);
	if (e.code == ERR_OK && act != NULL)
		e = act(&cli->c, &u);
	if (e.code != ERR_OK)
		return fail_err(cli, e);
	if (act == NULL)
		print_user(cli, &u);
	return EXIT_DONE;
}

enum exit_code user_show_cmd(struct cli *cli, int argc, char **argv)
{
	return on_user(cli, argc, argv, NULL);
}

enum exit_code user_disable_cmd(struct cli *cli, int argc, char **argv)
{
	return on_user(cli, argc, argv, user_disable);
}

enum exit_code user_enable_cmd(struct cli *cli, int argc, char **argv)
{
	return on_user(cli, argc, argv, user_enable);
}

enum exit_code user_delete_cmd(struct cli *cli, int argc, char **argv)
{
	return on_user(cli, argc, argv, user_remove);
}

enum exit_code user_reset_cmd(struct cli *cli, int argc, char **argv)
{
	enum exit_code code = on_user(cli, argc, argv, password_send_reset);

	if (code == EXIT_DONE)
		(void)printf("a mail with a reset link is on its way; a running server sends it\n");
	return code;
}

enum exit_code user_require_cmd(struct cli *cli, int argc, char **argv)
{
	if (argc == 3 && str_eq(str_of_cstr(argv[2]), STR("on")))
		return on_user(cli, 2, argv, factor_require);
	if (argc == 3 && str_eq(str_of_cstr(argv[2]), STR("off")))
		return on_user(cli, 2, argv, factor_require_no_more);
	return EXIT_USAGE;
}

/* An administrator's waits: when it takes place is what the operator wants to know. */
enum exit_code user_factor_cmd(struct cli *cli, int argc, char **argv)
{
	bool cancel = argc == 3 && str_eq(str_of_cstr(argv[2]), STR("--cancel"));
	struct user_row u = { 0 };
	enum exit_code code = on_user(cli, cancel ? 2 : argc, argv, cancel ? factor_keep : factor_reset);

	if (code != EXIT_DONE || cancel || user_get(&cli->c, str_of_cstr(argv[1]), &u).code != ERR_OK ||
	    u.factor_reset_ms == 0)
		return code;
	(void)printf("an administrator's: done by a running server ");
	print_time(u.factor_reset_ms);
	(void)printf(", unless called off\n");
	return code;
}

enum exit_code user_list_cmd(struct cli *cli, int argc, char **argv)
{
	struct user_row *rows;
	int64_t after = 0;
	size_t n;

	(void)argv;
	if (argc != 1)
		return EXIT_USAGE;
	do {
		err_t e = q_user_page(cli->db, &cli->mem, after, 200, &rows, &n);

		if (e.code != ERR_OK)
			return fail_err(cli, e);
		for (size_t i = 0; i < n; i++) {
			print_user(cli, &rows[i]);
			after = rows[i].id;
		}
		arena_reset(&cli->mem);
	} while (n > 0);
	return EXIT_DONE;
}

enum exit_code user_password_cmd(struct cli *cli, int argc, char **argv)
{
	bool from_stdin = argc == 3 && str_eq(str_of_cstr(argv[2]), STR("--password-stdin"));
	struct secret password = { 0 };
	struct user_row u = { 0 };
	err_t e;

	if (argc != 2 && !from_stdin)
		return EXIT_USAGE;
	e = user_get(&cli->c, str_of_cstr(argv[1]), &u);
	if (e.code == ERR_OK)
		e = read_password(cli, from_stdin, &password);
	if (e.code == ERR_OK)
		e = user_set_password(&cli->c, &u, password);
	secret_wipe(&password);
	return e.code == ERR_OK ? EXIT_DONE : fail_err(cli, e);
}
