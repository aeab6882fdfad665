/* serve.h — `sallyport serve`: start, wait for signals, stop. */
#ifndef APP_SERVE_H
#define APP_SERVE_H

#include "app/wire.h"

/* Runs until SIGTERM or SIGINT (a second one ends at once). SIGHUP reloads. Returns the exit code. */
enum exit_code serve_run(const struct wire_options *o);

#endif
