/* call.h — what a row of the table in call.c says. */
#ifndef SP_CALL_H
#define SP_CALL_H

#include "internal.h"

enum who {
	WHO_ANYBODY = 1,
	WHO_NEW, /* signs in: tokens come in the body */
	WHO_USER, /* needs a session */
	WHO_GUEST, /* goes with the session, if there is one */
	WHO_SETUP, /* a temp token as the first argument (then as WHO_NEW), or else a session */
};

/* How a member of the body is made of an argument. */
enum form {
	FORM_TEXT = 1, /* must be there */
	FORM_MAYBE, /* left out when NULL */
	FORM_NULL, /* null when NULL */
	FORM_NAME, /* left out when NULL, null when "" */
	FORM_FLAG, /* true, or left out when "0" */
	FORM_PROOF, /* six digits: totpCode; else recoveryCode; left out when NULL */
	FORM_FIXED, /* no argument: the text itself */
	FORM_LANGUAGE, /* no argument: the client's */
	FORM_DEVICE, /* no argument: what the server knows this device by */
	FORM_TRUST,
	FORM_REMEMBER,
};

struct part {
	enum form form;
	const char *key;
	const char *fixed;
	unsigned argument;
};

#define MAX_PARTS 5

struct call {
	const char *name, *method, *path; /* {N}: the argument of that number */
	enum who who;
	enum gives gives;
	unsigned n_arguments;
	struct part parts[MAX_PARTS];
	/* Instead of all that but name and number. */
	sp_result *(*run)(sp_client *c, const char *const *arguments);
};

/* ---- request.c ---- */

/* Makes the request of the row, for whoever it is for, and stores the tokens that come back. Never NULL. */
struct answer *request_send(sp_client *c, const struct call *call, const char *const *arguments);

#endif
