/* cli_oauth.h — `sallyport oauth test NAME`: asks the provider what can be asked without a person, and says what is
 * wrong. */
#ifndef APP_CLI_OAUTH_H
#define APP_CLI_OAUTH_H

#include "app/cli_internal.h"

enum exit_code oauth_test_cmd(struct cli *cli, const struct args *a);

#endif
