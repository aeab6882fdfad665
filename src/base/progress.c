#include "base/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

#define PATIENCE_MS 1000
#define EVERY_MS    200

/* Until it is over, or so long. */
static void rest(struct progress *p, int64_t ms)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += (ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	while (!p->over && pthread_cond_timedwait(&p->ended, &p->lock, &until) == 0)
		;
}

static void *tell(void *arg)
{
	struct progress *p = arg;
	int64_t began_ms = monotonic_ms();

	(void)pthread_mutex_lock(&p->lock);
	rest(p, p->patience_ms > 0 ? p->patience_ms : PATIENCE_MS);
	while (!p->over) {
		(void)fprintf(stderr, "\r\033[K%s: %" PRId64 " %s, %" PRId64 " s", p->what, p->look(p->self), p->unit,
			      (monotonic_ms() - began_ms) / 1000);
		p->shown = true;
		rest(p, EVERY_MS);
	}
	if (p->shown)
		(void)fprintf(stderr, "\r\033[K");
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

void progress_begin(struct progress *p)
{
	pthread_condattr_t attr;

	p->on = isatty(STDERR_FILENO) == 1 && pthread_mutex_init(&p->lock, NULL) == 0 &&
		pthread_condattr_init(&attr) == 0 && pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
		pthread_cond_init(&p->ended, &attr) == 0 && pthread_create(&p->thread, NULL, tell, p) == 0;
}

void progress_end(struct progress *p)
{
	if (!p->on)
		return;
	(void)pthread_mutex_lock(&p->lock);
	p->over = true;
	(void)pthread_cond_signal(&p->ended);
	(void)pthread_mutex_unlock(&p->lock);
	(void)pthread_join(p->thread, NULL);
	(void)pthread_cond_destroy(&p->ended);
	(void)pthread_mutex_destroy(&p->lock);
	p->on = false;
}

/* The number behind a name of /proc/self/io. */
static int64_t mib_of(str name)
{
	FILE *f = fopen("/proc/self/io", "re");
	char line[64];
	uint64_t n = 0;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		str rest = str_of_cstr(line);

		if (str_starts(rest, name) && str_cut(str_skip(rest, name.n), '\n', &rest, &(str){ 0 }))
			(void)str_to_u64(rest, INT64_MAX, &n);
	}
	if (f != NULL)
		(void)fclose(f);
	return (int64_t)(n / 1024 / 1024);
}

int64_t progress_mib_read(void *self)
{
	(void)self;
	return mib_of(STR("rchar: "));
}

int64_t progress_mib_written(void *self)
{
	(void)self;
	return mib_of(STR("wchar: "));
}
