/* progress.h — how far a long command is, for who waits at a terminal: one line on stderr, rewritten in place by a
 * thread of its own, and gone at the end. Nothing at all where stderr is no terminal. */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *what, *unit; /* "verify", "MiB read" */
	int64_t (*look)(void *self); /* how much is done; called in the thread */
	void *self;
	int64_t patience_ms; /* until the first line; 0: a second */

	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool on, over, shown;
};

/* The members before the empty line are set; begin and end in one thread. */
void progress_begin(struct progress *p);
void progress_end(struct progress *p);

/* For `look`: what this process has read or written so far, in MiB; 0 where the system does not say. */
int64_t progress_mib_read(void *self);
int64_t progress_mib_written(void *self);

#endif
