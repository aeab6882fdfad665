/* cli_outbox.h — `sallyport outbox`: the messages that wait or were given up. */
#ifndef APP_CLI_OUTBOX_H
#define APP_CLI_OUTBOX_H

#include "app/cli_internal.h"

/* One line each, never their variables. With --dead only those that were given up. */
enum exit_code outbox_list_cmd(struct cli *cli, const struct args *a);

/* Word 0: an id as list prints it; or --dead for all that were given up. */
enum exit_code outbox_retry_cmd(struct cli *cli, const struct args *a);
enum exit_code outbox_drop_cmd(struct cli *cli, const struct args *a);

#endif
