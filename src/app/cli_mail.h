/* cli_mail.h — `sallyport mail`: does mail leave this machine? */
#ifndef APP_CLI_MAIL_H
#define APP_CLI_MAIL_H

#include "app/cli_internal.h"

/* Sends one mail to word 0 directly, without the outbox, and prints what the server answered. */
enum exit_code mail_test_cmd(struct cli *cli, const struct args *a);

#endif
