/* cli_store.h — `sallyport backup`, `verify`, `clock reset`: the store as a whole. */
#ifndef APP_CLI_STORE_H
#define APP_CLI_STORE_H

#include "app/cli_internal.h"

enum exit_code backup_cmd(struct cli *cli, const struct args *a); /* into word 0 */
enum exit_code verify_cmd(struct cli *cli, const struct args *a);
enum exit_code clock_reset_cmd(struct cli *cli, const struct args *a);

#endif
