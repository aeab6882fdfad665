/* cli_settings.h — `sallyport check-config`, `print-config`. */
#ifndef APP_CLI_SETTINGS_H
#define APP_CLI_SETTINGS_H

#include "app/cli_internal.h"

/* Loads the settings by itself, so that it can tell their problems as a result. */
enum exit_code check_config_cmd(struct cli *cli, const struct args *a);

/* The settings in force; with --help-settings what each means. */
enum exit_code print_config_cmd(struct cli *cli, const struct args *a);

#endif
