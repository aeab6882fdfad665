/* cli_keys.h — `sallyport keys`: the keys that sign access tokens. */
#ifndef APP_CLI_KEYS_H
#define APP_CLI_KEYS_H

#include "app/cli_internal.h"

/* One line each: whether it signs, verifies or waits, since when, and its file. */
enum exit_code keys_list_cmd(struct cli *cli, const struct args *a);

/* Publishes a new one, which signs in an hour; with --now at once. Makes what is missing. */
enum exit_code keys_rotate_cmd(struct cli *cli, const struct args *a);

#endif
