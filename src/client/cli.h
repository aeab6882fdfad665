/* cli.h — the commands of somebody who signs in to a server (login, whoami, token, logout, 2fa, sessions), made of
 * libsallyport. They know nothing of the server's settings and store. */
#ifndef CLIENT_CLI_H
#define CLIENT_CLI_H

#include "base/args.h"

/* Print results on stdout, questions and problems on stderr. The exit status is one of enum client_exit. */
extern const struct args_family client_family;

#endif
