/* cli.h — the operator's commands: accounts, keys, audit, backup, settings. They open the store without the
 * server's lock, so they work beside a running server. */
#ifndef APP_CLI_H
#define APP_CLI_H

#include "app/config.h"
#include "app/wire.h"
#include "base/args.h"

/* Print results on stdout, problems on stderr. The exit status is one of enum exit_code. */
extern const struct args_family cli_family;

/* The settings' sources: what the command line says of them, and the environment. */
void cli_source(const struct args *a, struct config_source *ret);

#endif
