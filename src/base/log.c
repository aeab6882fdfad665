#include "base/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json_out.h"
#include "base/timefmt.h"
#include "base/utf8.h"
#include "base/wait.h"

#define RING_BYTES   ((size_t)256 * 1024)
#define LINE_MAX_LEN ((size_t)PIPE_BUF) /* a line goes to a pipe in one piece or not at all */
#define TAIL_ROOM    ((size_t)96)       /* kept free for what is added to a line at its end */
#define TEXT_MAX     ((size_t)512)
#define STALL_POLL_MS      100       /* how often a stalled writer looks whether to give up */
#define STOP_PATIENCE_US   2000000   /* log_stop waits this long for a stalled reader */
#define DIRECT_PATIENCE_US 1000000

/* `lock` guards everything; the ring holds whole lines only. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t more;
	pthread_cond_t gone;  /* the writer has ended */
	pthread_t writer;
	bool running;         /* a writer thread takes lines from the ring */
	bool stopping, ended;
	bool torn;            /* the last write broke off inside a line */
	int fd;
	size_t head, used;    /* head: the oldest byte */
	int64_t dropped;      /* since the start of the process */
	int64_t unreported;   /* dropped since a line said so */
	char ring[RING_BYTES];
} lg = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.more = PTHREAD_COND_INITIALIZER,
	.fd = STDERR_FILENO,
};
static _Atomic int64_t writer_deadline_us; /* when the writer gives up on a stalled reader */
static atomic_bool text_form;
static atomic_int least_level = LOG_INFO;

static const char *level_name(enum log_level level)
{
	switch (level) {
	case LOG_DEBUG: return "debug";
	case LOG_INFO: return "info";
	case LOG_WARN: return "warn";
	case LOG_ERROR: return "error";
	case LOG_LEVEL_UNSET: break;
	}
	return "unset";
}

/* ---- making a line ---- */

struct line {
	char text[1 + LINE_MAX_LEN]; /* text[0] is kept for write_out */
	struct buf b;
	struct json_out o;
	bool json;
	bool truncated;
};

static bool bare_word(str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] > '~' || strchr("\"\\=", s.p[i]) != NULL)
			return false;
	}
	return s.n > 0;
}

static void put_quoted(struct buf *b, str s)
{
	buf_byte(b, '"');
	json_escape(b, s);
	buf_byte(b, '"');
}

/* LOG_KIND_RAW is JSON that our own code made; what could break the line is treated as text. */
static bool raw_is_safe(str s)
{
	return s.n > 0 && utf8_is_plain_text(s);
}

static void put_json_field(struct line *l, const struct log_field *f)
{
	out_key(&l->o, str_of_cstr(f->key));
	switch (f->kind) {
	case LOG_KIND_INT: out_value_i64(&l->o, f->i); break;
	case LOG_KIND_STR: out_value_str(&l->o, utf8_cut(f->s, TEXT_MAX)); break;
	case LOG_KIND_RAW:
		if (raw_is_safe(f->s))
			out_value_raw(&l->o, f->s);
		else
			out_value_str(&l->o, utf8_cut(f->s, TEXT_MAX));
		break;
	}
}

static void put_text_field(struct line *l, const struct log_field *f)
{
	str s = utf8_cut(f->s, TEXT_MAX);

	buf_byte(&l->b, ' ');
	buf_str(&l->b, str_of_cstr(f->key));
	buf_byte(&l->b, '=');
	if (f->kind == LOG_KIND_INT)
		buf_i64(&l->b, f->i);
	else if (bare_word(s) || (f->kind == LOG_KIND_RAW && raw_is_safe(s)))
		buf_str(&l->b, s);
	else
		put_quoted(&l->b, s);
}

/* A field that does not fit is left out whole, and the line says "truncated". */
static void put_field(struct line *l, const struct log_field *f)
{
	size_t n = l->b.n;
	struct json_out o = l->o;

	if (f->kind != LOG_KIND_INT && f->s.p == NULL)
		return;
	if (l->json)
		put_json_field(l, f);
	else
		put_text_field(l, f);
	if (l->b.overflow) {
		l->b.overflow = false;
		l->b.n = n;
		l->o = o;
		l->truncated = true;
	}
}

static void line_begin(struct line *l, enum log_level level, const char *event)
{
	int64_t now_ms = clock_now_ms(clock_system);

	l->json = !atomic_load_explicit(&text_form, memory_order_relaxed);
	l->truncated = false;
	l->b = (struct buf){ .p = l->text + 1, .cap = LINE_MAX_LEN - TAIL_ROOM };
	if (l->json) {
		out_begin(&l->o, &l->b);
		out_obj(&l->o);
		out_time(&l->o, STR("ts"), now_ms);
		out_str(&l->o, STR("level"), str_of_cstr(level_name(level)));
		out_str(&l->o, STR("event"), str_of_cstr(event));
		return;
	}
	char stamp[TIME_TEXT_LEN];
	struct buf b = BUF_OF(stamp);
	time_format(&b, now_ms);
	buf_str(&l->b, (str){ stamp + 11, 12 });
	buf_printf(&l->b, " %-5s %s", level_name(level), event);
}

/* The end of the line, with what is known only under the lock. TAIL_ROOM suffices for all of it. */
static void line_end(struct line *l, int64_t unreported)
{
	l->b.cap += TAIL_ROOM;
	if (l->truncated)
		buf_str(&l->b, l->json ? STR(",\"truncated\":true") : STR(" truncated=true"));
	if (unreported > 0) {
		buf_str(&l->b, l->json ? STR(",\"log_dropped\":") : STR(" log_dropped="));
		buf_i64(&l->b, unreported);
	}
	buf_str(&l->b, l->json ? STR("}\n") : STR("\n"));
}

/* ---- writing to the descriptor ---- */

/* Write as much of the text as the reader takes before the deadline; returns how much that is.
 * Pieces of at most PIPE_BUF after POLLOUT do not block. */
static size_t write_patiently(int fd, const char *p, size_t n, const _Atomic int64_t *deadline_us)
{
	struct pollfd ready = { .fd = fd, .events = POLLOUT };
	size_t done = 0;

	while (done < n) {
		ssize_t wrote = -1;
		errno = EAGAIN;
		if (poll(&ready, 1, STALL_POLL_MS) > 0)
			wrote = write(fd, p + done, n - done);
		if (wrote > 0)
			done += (size_t)wrote;
		else if ((errno != EAGAIN && errno != EINTR) || monotonic_us() >= *deadline_us)
			break;
	}
	return done;
}

static int64_t count_lines(const char *p, size_t n)
{
	int64_t lines = 0;

	for (size_t i = 0; i < n; i++)
		lines += p[i] == '\n';
	return lines;
}

static void count_dropped(int64_t lines)
{
	lg.dropped += lines;
	lg.unreported += lines;
}

/* Write the n bytes of whole lines at text + 1. Called with the lock held; `unlocked` gives it up
 * meanwhile. After a torn line a newline goes first, so that no reader takes two events for one. */
static void write_out(char *text, size_t n, const _Atomic int64_t *deadline_us, bool unlocked)
{
	bool mend = lg.torn;
	const char *p = mend ? text : text + 1;
	size_t all = mend ? n + 1 : n, done;
	int fd = lg.fd;

	text[0] = '\n';
	if (unlocked)
		(void)pthread_mutex_unlock(&lg.lock);
	done = write_patiently(fd, p, all, deadline_us);
	if (unlocked)
		(void)pthread_mutex_lock(&lg.lock);
	if (done > 0)
		lg.torn = p[done - 1] != '\n';
	if (done < all)
		count_dropped(count_lines(p + done, all - done) - (mend && done == 0));
}

/* In the caller's thread, which a reader that went away must not end by SIGPIPE. */
static void write_directly(struct line *l)
{
	_Atomic int64_t deadline_us = monotonic_us() + DIRECT_PATIENCE_US;
	const struct timespec no_wait = { 0 };
	sigset_t sigpipe, before;

	(void)sigemptyset(&sigpipe);
	(void)sigaddset(&sigpipe, SIGPIPE);
	(void)pthread_sigmask(SIG_BLOCK, &sigpipe, &before);
	write_out(l->text, l->b.n, &deadline_us, false);
	while (sigtimedwait(&sigpipe, NULL, &no_wait) == SIGPIPE)
		continue;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* ---- the ring ---- */

static void ring_put(const char *p, size_t n)
{
	size_t at = (lg.head + lg.used) % RING_BYTES;
	size_t first = n < RING_BYTES - at ? n : RING_BYTES - at;

	memcpy(lg.ring + at, p, first);
	memcpy(lg.ring, p + first, n - first);
	lg.used += n;
}

/* Take as many whole lines as fit into `to`. */
static size_t ring_take(char *to, size_t max)
{
	size_t n = lg.used < max ? lg.used : max;
	size_t first = n < RING_BYTES - lg.head ? n : RING_BYTES - lg.head;

	memcpy(to, lg.ring + lg.head, first);
	memcpy(to + first, lg.ring, n - first);
	while (n > 0 && to[n - 1] != '\n')
		n--;
	lg.head = (lg.head + n) % RING_BYTES;
	lg.used -= n;
	return n;
}

/* What nobody will read any more. */
static void ring_give_up(void)
{
	char lines[LINE_MAX_LEN];

	while (lg.used > 0)
		count_dropped(count_lines(lines, ring_take(lines, sizeof(lines))));
}

static void *writer_run(void *unused)
{
	char text[1 + LINE_MAX_LEN];

	(void)unused;
	(void)pthread_mutex_lock(&lg.lock);
	for (;;) {
		while (lg.used == 0 && !lg.stopping)
			(void)pthread_cond_wait(&lg.more, &lg.lock);
		if (lg.used == 0 || monotonic_us() >= writer_deadline_us)
			break;
		write_out(text, ring_take(text + 1, LINE_MAX_LEN), &writer_deadline_us, true);
	}
	lg.ended = true;
	(void)pthread_cond_signal(&lg.gone);
	(void)pthread_mutex_unlock(&lg.lock);
	return NULL;
}

/* ---- the public part ---- */

bool log_wants(enum log_level level)
{
	return (int)level >= atomic_load_explicit(&least_level, memory_order_relaxed);
}

void log_set(bool json, enum log_level level)
{
	atomic_store_explicit(&text_form, !json, memory_order_relaxed);
	atomic_store_explicit(&least_level, (int)level, memory_order_relaxed);
}

int64_t log_dropped(void)
{
	int64_t dropped;

	(void)pthread_mutex_lock(&lg.lock);
	dropped = lg.dropped;
	(void)pthread_mutex_unlock(&lg.lock);
	return dropped;
}

static void submit(struct line *l)
{
	line_end(l, lg.unreported);
	if (lg.running && l->b.n > RING_BYTES - lg.used) {
		count_dropped(1);
		return;
	}
	lg.unreported = 0;
	if (lg.running) {
		ring_put(l->text + 1, l->b.n);
		(void)pthread_cond_signal(&lg.more);
	} else {
		write_directly(l);
	}
}

void log_fields(enum log_level level, const char *event, const struct log_field *f, size_t n)
{
	struct line l;

	if (!log_wants(level))
		return;
	line_begin(&l, level, event);
	for (size_t i = 0; i < n; i++)
		put_field(&l, &f[i]);
	(void)pthread_mutex_lock(&lg.lock);
	submit(&l);
	(void)pthread_mutex_unlock(&lg.lock);
}

/* The writer takes no signals: they are the signal thread's, and a closed pipe must not end us. */
static int start_writer(void)
{
	sigset_t all, before;
	int failed;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&lg.writer, NULL, writer_run, NULL);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed;
}

static err_t start_locked(int fd)
{
	/* `stopping` is left set when a writer could not be stopped: it may still come back */
	REQUIRE(!lg.running && !lg.stopping, ERR_BUG);
	TRY(wait_cond_init(&lg.gone));
	lg.fd = fd;
	lg.ended = false;
	writer_deadline_us = INT64_MAX;
	if (start_writer() != 0) {
		lg.fd = STDERR_FILENO;
		(void)pthread_cond_destroy(&lg.gone);
		FAIL(ERR_NO_MEMORY);
	}
	lg.running = true;
	return OK;
}

err_t log_start(int fd, bool json, enum log_level level)
{
	err_t e;

	log_set(json, level);
	(void)pthread_mutex_lock(&lg.lock);
	e = start_locked(fd);
	(void)pthread_mutex_unlock(&lg.lock);
	return e;
}

/* Under the lock. True when the writer has ended and is joined. */
static bool stop_writer(void)
{
	int64_t deadline_us = monotonic_us() + STOP_PATIENCE_US;
	bool in_time = true;

	lg.stopping = true;
	writer_deadline_us = deadline_us;
	(void)pthread_cond_signal(&lg.more);
	while (!lg.ended && in_time)
		in_time = wait_until(&lg.gone, &lg.lock, deadline_us + STOP_PATIENCE_US);
	lg.running = false;
	if (!lg.ended) { /* stuck inside write(): leave it behind */
		(void)pthread_detach(lg.writer);
		return false;
	}
	return true;
}

void log_stop(void)
{
	pthread_t writer;
	bool ended, tell;

	(void)pthread_mutex_lock(&lg.lock);
	if (!lg.running) {
		(void)pthread_mutex_unlock(&lg.lock);
		return;
	}
	ended = stop_writer();
	tell = ended && lg.used == 0 && lg.unreported > 0;
	ring_give_up();
	writer = lg.writer;
	(void)pthread_mutex_unlock(&lg.lock);
	if (!ended)
		return;
	(void)pthread_join(writer, NULL);
	if (tell)
		log_event(LOG_ERROR, "log_stop", LOG_INT("dropped_total", log_dropped()));
	(void)pthread_mutex_lock(&lg.lock);
	lg.stopping = false;
	lg.fd = STDERR_FILENO;
	(void)pthread_cond_destroy(&lg.gone);
	(void)pthread_mutex_unlock(&lg.lock);
}
