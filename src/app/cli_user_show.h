/* cli_user_show.h — an account as an operator sees it: in a line of a list, and whole. No secret is among it. */
#ifndef APP_CLI_USER_SHOW_H
#define APP_CLI_USER_SHOW_H

#include "app/cli_internal.h"
#include "store/rows.h"

MUST_USE err_t list_user(struct cli *cli, const struct user_row *u);
/* With its factors, providers, sessions and failures: needs keys. */
MUST_USE err_t show_user(struct cli *cli, const struct user_row *u);

#endif
