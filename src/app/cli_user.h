/* cli_user.h — `sallyport user …`: making accounts, looking at them, letting in and out. */
#ifndef APP_CLI_USER_H
#define APP_CLI_USER_H

#include "app/cli_internal.h"

/* The password comes from a prompt or standard input, never from the command line. */
enum exit_code user_create_cmd(struct cli *cli, const struct args *a);
enum exit_code user_list_cmd(struct cli *cli, const struct args *a);

/* Word 0: an address or an id. */
enum exit_code user_show_cmd(struct cli *cli, const struct args *a);
enum exit_code user_disable_cmd(struct cli *cli, const struct args *a);
enum exit_code user_enable_cmd(struct cli *cli, const struct args *a);
enum exit_code user_delete_cmd(struct cli *cli, const struct args *a);
enum exit_code user_password_cmd(struct cli *cli, const struct args *a);
enum exit_code user_reset_cmd(struct cli *cli, const struct args *a);
enum exit_code user_admin_cmd(struct cli *cli, const struct args *a);
enum exit_code user_require_cmd(struct cli *cli, const struct args *a);
enum exit_code user_factor_cmd(struct cli *cli, const struct args *a);

#endif
