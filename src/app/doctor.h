/* doctor.h — one table of what can be wrong around a server: what its settings show, and what is found by trying.
 * `sallyport doctor` runs all of it; `serve` says once, at its start, what the settings show. */
#ifndef APP_DOCTOR_H
#define APP_DOCTOR_H

#include "app/cli_internal.h"

enum found {
	FOUND_OK = 1,
	FOUND_WARN, /* it works, and will hurt */
	FOUND_FAIL, /* it does not work, or is not safe */
};

struct doctor {
	struct cli *cli; /* NULL at the start of `serve`: nothing is tried, nothing but what is wrong is told */
	const struct config *cfg;
	struct client *http;    /* for what is tried */
	const char *check;      /* the row that runs */
	enum found worst;       /* of all */
	size_t said;            /* lines of this row */
};

/* One finding of the running check. what: one sentence; to_do: what mends it, NULL where nothing is to be done. */
void doctor_say(struct doctor *d, enum found level, const char *to_do, const char *what, ...)
	__attribute__((format(printf, 4, 5)));

/* A row: the settings are looked at at the start of `serve`, too. NULL: nothing of that kind. */
struct doctor_check {
	const char *name;
	void (*settings)(struct doctor *d);
	void (*attempt)(struct doctor *d);
};

/* doctor_here.c: this machine. */
void doctor_files(struct doctor *d);
void doctor_disk(struct doctor *d);
void doctor_clock(struct doctor *d);
void doctor_store(struct doctor *d); /* leaves the store open for those after it */
void doctor_keys(struct doctor *d);  /* the same of the keys */
void doctor_outbox(struct doctor *d);

/* doctor_there.c: others. */
void doctor_mail(struct doctor *d);
void doctor_sms(struct doctor *d);
void doctor_providers(struct doctor *d);
void doctor_proxy(struct doctor *d);
void doctor_applications(struct doctor *d);

/* At the start of `serve`, when the log runs: event "setup", level warn, one line for each thing that will hurt.
 * Nothing with --dev. */
void doctor_at_start(const struct config *cfg);

/* All checks. Exit status: the worst that was found, EXIT_DONE, EXIT_WARNED or EXIT_REFUSED; EXIT_BAD_CONFIG when the
 * settings cannot be used, and nothing else can be looked at. */
enum exit_code doctor_cmd(struct cli *cli, const struct args *a);

#endif
