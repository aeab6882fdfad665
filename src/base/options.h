/* options.h — every option of the command line, once: what a name means is the same for all commands that take it. */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include "base/args.h"

enum option_name {
	OPT_HELP,
	OPT_VERSION,
	OPT_JSON,
	/* the settings */
	OPT_CONFIG,
	OPT_DATA,
	OPT_DEV,
	OPT_LISTEN,
	/* of operators */
	OPT_EMAIL, /* of users too */
	OPT_ADMIN,
	OPT_FIRST_NAME,
	OPT_LAST_NAME,
	OPT_PASSWORD_STDIN, /* of users too */
	OPT_CANCEL,
	OPT_SEARCH,
	OPT_LIMIT,
	OPT_NOW,
	OPT_FOLLOW,
	OPT_DEAD,
	OPT_ORIGIN,
	OPT_HELP_SETTINGS,
	/* of users */
	OPT_CODE,
	OPT_BROWSER,
	OPT_REGISTER,
	OPT_MIN_VALIDITY,
	OPT_OTHERS,
	OPT_SERVER,
	OPT_ACCOUNT,
	OPT_STORE,
	OPT_PASSPHRASE_FILE,
	N_OPTIONS,
};

extern const struct args_option program_options[N_OPTIONS];

#endif
