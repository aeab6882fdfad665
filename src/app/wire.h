/* wire.h — builds the server out of its parts, in order, and takes it apart again in reverse. The only
 * place that knows all parts. The clock, the random source and a hook around each thread's store
 * handle come from outside, so that the test server can bend them; `sallyport` passes the real ones. */
#ifndef APP_WIRE_H
#define APP_WIRE_H

#include "api/api.h"
#include "app/config.h"
#include "base/clock.h"
#include "base/rng.h"

struct wire_options {
	const struct config_source *source; /* read again at each reload */
	struct clock clock;
	struct rng rng;
	void (*thread_opened)(void *self, struct db *db);
	void *thread_opened_self;
};

struct wire;

/* Exit codes of every sub-command; part of the man page. */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_REFUSED = 1, /* the operation could not be done: unknown user, taken address, … */
	EXIT_USAGE = 2,
	EXIT_BAD_CONFIG = 3,
	EXIT_NO_STORE = 4, /* store or keys cannot be opened, or another server holds them */
	EXIT_NO_LISTEN = 5,
	EXIT_FAULT = 6,
	EXIT_WARNED = 7, /* doctor: it works, and something will hurt */
};

/* Everything up and listening, or one clear line in `why` and the exit code. Takes over cfg. */
enum exit_code wire_start(const struct wire_options *o, struct config *cfg, struct wire **ret, char *why,
			  size_t why_max);

/* Read the settings, keys and certificates again; a broken file leaves the old ones and is logged. */
void wire_reload(struct wire *w);
/* Load the keys again if files came or went (`keys rotate`). Called every few seconds. */
void wire_poll_keys(struct wire *w);
/* Follow a `clock reset`. Called every few seconds. */
void wire_poll_clock(struct wire *w);
/* One round of sweeps, and the clock's watermark into the store. */
void wire_sweep(struct wire *w);

/* An fsync failed: the server must end, and be started again by its supervisor. */
bool wire_store_broken(const struct wire *w);

str wire_address(const struct wire *w); /* "127.0.0.1:3000" */
str wire_ops_address(const struct wire *w); /* the same of health and metrics; "same", "none" */
const struct config *wire_config(const struct wire *w);

/* Graceful stop; true if every request had been finished. */
bool wire_stop(struct wire *w);

/* Parts that the command line uses too. exclusive: as a server does; create: if there is none. */
enum exit_code wire_open_store(const struct config *cfg, bool exclusive, bool create, struct store **ret,
			       char *why, size_t why_max);
MUST_USE err_t wire_gate(const struct config *cfg, struct password_gate **ret);

#endif
