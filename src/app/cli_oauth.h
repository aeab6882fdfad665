/* cli_oauth.h — `sallyport oauth test NAME`: asks the provider what can be asked without a person, and says what is
 * wrong. */
#ifndef APP_CLI_OAUTH_H
#define APP_CLI_OAUTH_H

#include "app/cli_internal.h"

/* The same for somebody else to tell: `each` is called for each thing that was tried. Faults only. */
MUST_USE err_t oauth_look(struct cli *cli, const struct oauth_settings *set,
			  void (*each)(void *self, bool good, const char *what, str detail), void *self);

enum exit_code oauth_test_cmd(struct cli *cli, const struct args *a);

#endif
