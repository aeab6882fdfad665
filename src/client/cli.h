/* cli.h — the commands of somebody who signs in to a server (login, whoami, token, logout, 2fa, sessions), made of
 * libsallyport. They know nothing of the server's settings and store. */
#ifndef CLIENT_CLI_H
#define CLIENT_CLI_H

#include <stdbool.h>
#include <stdio.h>

/* argv[0] is the command. Prints results on stdout, questions and problems on stderr. */
int client_run(int argc, char **argv);

/* Is there a command of that name? */
bool client_knows(const char *name);

void client_usage(FILE *out);

#endif
