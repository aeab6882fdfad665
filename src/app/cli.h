/* cli.h — the sub-commands beside `serve`: accounts, keys, audit, backup, settings. They open the store
 * without the server's lock, so they work beside a running server. */
#ifndef APP_CLI_H
#define APP_CLI_H

#include "app/config.h"
#include "app/wire.h"

/* argv[0] is the sub-command. Prints results on stdout, problems on stderr. */
enum exit_code cli_run(const struct config_source *source, int argc, char **argv);

/* Is there a sub-command of that name (other than serve)? */
bool cli_knows(const char *name);

void cli_usage(FILE *out);

#endif
