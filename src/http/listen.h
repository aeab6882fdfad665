/* listen.h — where connections come from: TCP, a Unix-domain socket, or one handed over by systemd. */
#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H

#include <sys/types.h>

#include "base/err.h"
#include "base/str.h"

struct listener {
	int fd;          /* non-blocking, close-on-exec; -1 when closed */
	char text[128];  /* as bound: "127.0.0.1:3000", "[::1]:3000", "unix:/path" */
	char path[108];  /* of a Unix socket we made, to be removed again; else "" */
	dev_t dev;
	ino_t ino;
};

/* `spec`: "127.0.0.1:3000", "[::1]:3000", "localhost:3000" (IPv4 loopback), port 0 for any free one,
 * "unix:/path" (mode 0660; a socket left behind by a dead server is replaced, anything else at that
 * path is not), or "systemd" (the first of LISTEN_FDS).
 * On failure `why` holds one line. Refusals: ERR_CONFIG (spec), ERR_IO (the system said no). */
MUST_USE err_t listener_open(str spec, struct listener *ret, char *why, size_t why_max);
void listener_close(struct listener *l); /* removes our Unix socket; -1 is a no-op */

#endif
