/* internal.h — what the files of the client's commands share. */
#ifndef CLIENT_INTERNAL_H
#define CLIENT_INTERNAL_H

#include <sallyport.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/options.h"
#include "base/prompt.h"

/* What the process ends with; scripts may rely on it. */
enum client_exit {
	CLIENT_DONE = 0,
	CLIENT_REFUSED = 1,
	CLIENT_USAGE = 2,
	CLIENT_SIGNED_OUT = 3, /* `sallyport login` helps */
	CLIENT_LATER = 4, /* no answer, or the server is overloaded: trying again helps */
	CLIENT_STORE = 5, /* tokens cannot be stored or read */
};

#define SECRET_MAX 1024
#define PATH_ROOM 1024

struct options {
	const struct args *args;
	const char *server, *account, *store; /* NULL: as the last login said */
	char opened[PATH_ROOM]; /* the kind of store that was opened */
	bool json;
};

/* ---- place.c: which server, and where its tokens are ---- */

/* A client for what was asked for or remembered; says on stderr what is wrong. */
enum client_exit place_open(struct options *o, sp_client **client);
/* So that the next command needs no options, and finds the tokens from wherever it is typed. */
enum client_exit place_remember(const struct options *o);

/* ---- cli.c ---- */

/* Says what a call came to if that was no success, in JSON if asked; frees it. */
enum client_exit report(const struct options *o, sp_result *result);
/* The same for a success, too: the server's answer with --json, else the text. */
enum client_exit conclude(const struct options *o, sp_result *result, const char *text);
/* The user's own words: a control character among them would command the terminal. */
void print_clean(const char *text);

/* ---- sign_in.c, account.c: the commands ---- */

enum client_exit run_login(const struct options *o, sp_client *c);
enum client_exit run_whoami(const struct options *o, sp_client *c);
enum client_exit run_token(const struct options *o, sp_client *c);
enum client_exit run_logout(const struct options *o, sp_client *c);
enum client_exit run_sessions(const struct options *o, sp_client *c);
enum client_exit run_revoke(const struct options *o, sp_client *c);
enum client_exit run_2fa_status(const struct options *o, sp_client *c);
enum client_exit run_2fa_setup(const struct options *o, sp_client *c);
enum client_exit run_2fa_disable(const struct options *o, sp_client *c);
enum client_exit run_2fa_recovery_codes(const struct options *o, sp_client *c);

/* Shows what to type into an app, takes its first code, shows the recovery codes. temp_token: NULL for the session. */
enum client_exit set_up_2fa(const struct options *o, sp_client *c, const char *temp_token);

#endif
