/* cli_audit.h — `sallyport audit`: the security events. */
#ifndef APP_CLI_AUDIT_H
#define APP_CLI_AUDIT_H

#include "app/cli_internal.h"

/* The last ones, one line each. With --follow those that come, until it is stopped. */
enum exit_code audit_tail_cmd(struct cli *cli, const struct args *a);

#endif
