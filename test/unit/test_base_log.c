/* The log: one event, one line; a stalled reader stops nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define CAPTURE_MAX ((size_t)1 << 20)

static struct {
	int fd[2];
	char *text;
	size_t n;
} pipe_log;

static int open_pipe(void **state)
{
	(void)state;
	pipe_log.n = 0;
	pipe_log.text = calloc(1, CAPTURE_MAX);
	return pipe_log.text == NULL ? -1 : pipe2(pipe_log.fd, O_CLOEXEC);
}

static int close_pipe(void **state)
{
	(void)state;
	log_stop();
	(void)close(pipe_log.fd[0]);
	(void)close(pipe_log.fd[1]);
	free(pipe_log.text);
	log_set(true, LOG_INFO);
	return 0;
}

/* What has been written so far, NUL-terminated. */
static char *read_pipe(void)
{
	ssize_t got;

	assert_int_equal(fcntl(pipe_log.fd[0], F_SETFL, O_NONBLOCK), 0);
	while ((got = read(pipe_log.fd[0], pipe_log.text + pipe_log.n,
			   CAPTURE_MAX - 1 - pipe_log.n)) > 0)
		pipe_log.n += (size_t)got;
	return pipe_log.text;
}

/* Stop the log, so that everything is written, and read it. */
static char *stop_and_read(void)
{
	log_stop();
	return read_pipe();
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	while ((text = strstr(text, what)) != NULL) {
		n++;
		text += strlen(what);
	}
	return n;
}

/* The sum of what the lines say was dropped. */
static int64_t told(const char *text)
{
	static const char key[] = "\"log_dropped\":";
	int64_t sum = 0;

	while ((text = strstr(text, key)) != NULL) {
		text += sizeof(key) - 1;
		sum += strtoll(text, NULL, 10);
	}
	return sum;
}

static void start(bool json, enum log_level level)
{
	assert_int_equal(log_start(pipe_log.fd[1], json, level).code, ERR_OK);
}

static void an_event_is_one_json_line_with_its_fields(void **state)
{
	char *text;

	(void)state;
	start(true, LOG_INFO);
	log_event(LOG_INFO, "listening", LOG_CSTR("address", "127.0.0.1:3000"), LOG_INT("workers", 48),
		  LOG_STR("absent", STR_NONE),
		  { .key = "raw", .kind = LOG_KIND_RAW, .s = STR("[1,2]") });
	text = stop_and_read();
	assert_memory_equal(text, "{\"ts\":\"20", 9);
	assert_non_null(strstr(text, "Z\",\"level\":\"info\",\"event\":\"listening\","
				     "\"address\":\"127.0.0.1:3000\",\"workers\":48,\"raw\":[1,2]}\n"));
	assert_int_equal(count(text, "\n"), 1);
}

static void the_text_form_is_for_people(void **state)
{
	char *text;

	(void)state;
	start(false, LOG_INFO);
	log_event(LOG_INFO, "listening", LOG_CSTR("address", "127.0.0.1:3000"), LOG_INT("n", -1),
		  LOG_CSTR("why", "two words"), LOG_CSTR("empty", ""));
	text = stop_and_read();
	assert_int_equal(text[2], ':');
	assert_int_equal(text[5], ':');
	assert_int_equal(text[8], '.');
	assert_string_equal(text + 12,
			    " info  listening address=127.0.0.1:3000 n=-1 why=\"two words\" empty=\"\"\n");
}

static const str hostile = STR_INIT("a\nb\r\n{\"event\":\"forged\"}\x1B[2J\x1B]0;x\x07\xE2\x80\xA8"
			       "c\xE2\x80\xA9\xE2\x80\xAE\xC2\x9B" "d\xFF\0e\x7F");

static void LG02_hostile_text_stays_inside_its_line_in_json(void **state)
{
	char *text;

	(void)state;
	start(true, LOG_INFO);
	log_event(LOG_INFO, "login", LOG_STR("agent", hostile), LOG_INT("after", 1));
	text = stop_and_read();
	assert_int_equal(count(text, "\n"), 1);
	assert_int_equal(count(text, "\x1B"), 0);
	assert_int_equal(count(text, "\xE2\x80"), 0);
	assert_int_equal(count(text, "\xC2\x9B"), 0);
	assert_int_equal(count(text, "\x7F"), 0);
	assert_int_equal(count(text, "\"event\":\"forged\""), 0);
	assert_non_null(strstr(text, "\"agent\":\"a\\nb\\r\\n{\\\"event\\\":\\\"forged\\\"}\\u001b[2J"));
	assert_non_null(strstr(text, "\\u2028c\\u2029\\u202e\\u009bd\xEF\xBF\xBD\\u0000e\\u007f\""));
	assert_int_equal(strlen(text), pipe_log.n);
}

static void LG02_hostile_text_stays_inside_its_line_in_text_form(void **state)
{
	char *text;

	(void)state;
	start(false, LOG_INFO);
	log_event(LOG_INFO, "login", LOG_STR("agent", hostile),
		  { .key = "raw", .kind = LOG_KIND_RAW, .s = hostile },
		  LOG_CSTR("spaced", "x admin=true"));
	text = stop_and_read();
	assert_int_equal(count(text, "\n"), 1);
	assert_int_equal(count(text, "\x1B"), 0);
	assert_int_equal(count(text, "\xE2\x80"), 0);
	assert_non_null(strstr(text, " agent=\"a\\nb"));
	assert_non_null(strstr(text, " raw=\"a\\nb"));
	assert_non_null(strstr(text, " spaced=\"x admin=true\"\n"));
	assert_int_equal(strlen(text), pipe_log.n);
}

static void raw_fields_that_could_break_the_line_are_escaped(void **state)
{
	char *text;

	(void)state;
	start(true, LOG_INFO);
	log_event(LOG_INFO, "x", { .key = "raw", .kind = LOG_KIND_RAW, .s = STR("1}\n{\"a\":2") });
	text = stop_and_read();
	assert_int_equal(count(text, "\n"), 1);
	assert_non_null(strstr(text, "\"raw\":\"1}\\n{\\\"a\\\":2\"}"));
}

static void long_text_is_cut_between_characters(void **state)
{
	char longest[600];
	char *text;

	(void)state;
	memset(longest, 'a', sizeof(longest));
	memcpy(longest + 511, "\xC3\xA4", 2); /* would be split at 512 */
	start(true, LOG_INFO);
	log_event(LOG_INFO, "x", LOG_STR("long", str_of_bytes(longest, sizeof(longest))));
	text = stop_and_read();
	assert_int_equal(count(text, "a"), 511);
	assert_int_equal(count(text, "\xEF\xBF\xBD"), 0);
	assert_non_null(strstr(text, "aaa\"}\n"));
}

static void a_line_too_long_loses_fields_not_its_form(void **state)
{
	char longest[512];
	struct log_field fields[12];
	char *text;

	(void)state;
	memset(longest, '\x01', sizeof(longest)); /* six bytes each when escaped */
	for (size_t i = 0; i < 11; i++)
		fields[i] = LOG_STR("k", str_of_bytes(longest, sizeof(longest)));
	fields[11] = LOG_INT("last", 5);
	start(true, LOG_INFO);
	log_fields(LOG_INFO, "x", fields, 12);
	log_set(false, LOG_INFO);
	log_fields(LOG_INFO, "x", fields, 12);
	text = stop_and_read();
	assert_int_equal(count(text, "\n"), 2);
	assert_non_null(strstr(text, "\\u0001\",\"last\":5,\"truncated\":true}\n"));
	assert_non_null(strstr(text, "\\u0001\" last=5 truncated=true\n"));
	assert_true(pipe_log.n <= 2 * 4096);
}

static void events_below_the_level_are_not_written(void **state)
{
	char *text;

	(void)state;
	start(true, LOG_WARN);
	assert_false(log_wants(LOG_INFO));
	assert_true(log_wants(LOG_WARN));
	log_event(LOG_INFO, "quiet", LOG_INT("n", 1));
	log_event(LOG_ERROR, "loud", LOG_INT("n", 1));
	log_set(true, LOG_DEBUG);
	log_event(LOG_DEBUG, "now_too", LOG_INT("n", 1));
	text = stop_and_read();
	assert_int_equal(count(text, "quiet"), 0);
	assert_int_equal(count(text, "\"level\":\"error\",\"event\":\"loud\""), 1);
	assert_int_equal(count(text, "\"level\":\"debug\",\"event\":\"now_too\""), 1);
}

/* REL-29: nobody reads for the whole test; 20 000 lines are far more than ring and pipe hold. */
static void LG06_a_stalled_reader_never_blocks_and_the_loss_is_counted(void **state)
{
	int64_t before = log_dropped(), start_us, n_lines = 20000, written, lost;
	char *text;

	(void)state;
	start(true, LOG_INFO);
	start_us = monotonic_us();
	for (int64_t i = 0; i < n_lines; i++)
		log_event(LOG_INFO, "flood", LOG_INT("i", i), LOG_CSTR("fill", "0123456789012345678"));
	assert_true(monotonic_us() - start_us < 5000000);
	lost = log_dropped() - before;
	assert_true(lost > 10000);
	for (int round = 0; round < 100; round++) { /* now somebody reads again */
		text = read_pipe();
		(void)usleep(5000);
	}
	log_event(LOG_INFO, "after", LOG_INT("n", 1));
	text = stop_and_read();
	written = (int64_t)count(text, "\"event\":\"flood\"");
	assert_int_equal(written + lost, n_lines);
	assert_int_equal(count(text, "\n"), written + 1);
	assert_int_equal(count(text, "{\"ts\""), written + 1);
	assert_int_equal(count(text, "}\n"), written + 1);
	assert_int_equal(told(text), lost);
	assert_non_null(strstr(text, "\"event\":\"after\",\"n\":1,\"log_dropped\":"));
}

static void stopping_does_not_wait_for_a_stalled_reader_for_ever(void **state)
{
	int64_t before = log_dropped(), start_us;
	char *text;

	(void)state;
	start(true, LOG_INFO);
	for (int i = 0; i < 3000; i++)
		log_event(LOG_INFO, "flood", LOG_INT("i", i));
	start_us = monotonic_us();
	log_stop();
	assert_true(monotonic_us() - start_us < 8000000);
	text = read_pipe();
	assert_int_equal(log_dropped() - before + (int64_t)count(text, "\"flood\""), 3000);
	assert_int_equal(count(text, "\n"), count(text, "{\"ts\""));
	assert_int_equal(text[pipe_log.n - 1], '\n');
}

/* The writer may still move lines into the pipe while the flood goes on; then one of the flood's own
 * lines would tell of the loss. */
static void flood_until_nothing_gets_in(void)
{
	int64_t before;

	for (int round = 0; round < 200; round++) {
		before = log_dropped();
		for (int i = 0; i < 8000; i++)
			log_event(LOG_INFO, "flood", LOG_INT("i", i), LOG_CSTR("f", "0123456789012345678"));
		if (log_dropped() - before == 8000)
			return;
		(void)usleep(20000);
	}
	fail_msg("the pipe never filled");
}

static void a_loss_at_the_very_end_is_told_by_a_last_line(void **state)
{
	int64_t before = log_dropped(), earlier;
	char *text;

	(void)state;
	start(true, LOG_INFO);
	log_event(LOG_INFO, "first", LOG_INT("n", 1)); /* tells what earlier tests lost */
	earlier = told(stop_and_read());
	start(true, LOG_INFO);
	flood_until_nothing_gets_in();
	before = log_dropped() - before;
	for (int round = 0; round < 100; round++) {
		(void)read_pipe();
		(void)usleep(5000);
	}
	text = stop_and_read();
	assert_non_null(strstr(text, "\"event\":\"log_stop\",\"dropped_total\":"));
	assert_int_equal(told(text) - earlier, before);
}

static void a_closed_pipe_neither_ends_nor_blocks_the_program(void **state)
{
	int64_t before = log_dropped();

	(void)state;
	start(true, LOG_INFO);
	(void)close(pipe_log.fd[0]);
	for (int i = 0; i < 100; i++)
		log_event(LOG_INFO, "nobody", LOG_INT("i", i));
	log_stop();
	assert_int_equal(log_dropped() - before, 100 + 1); /* the last word is lost as well */
	pipe_log.fd[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

#define N_THREADS 4
#define N_EACH    2000

static void *write_many(void *arg)
{
	const int *who = arg;

	for (int i = 0; i < N_EACH; i++)
		log_event(LOG_INFO, "thread", LOG_INT("who", *who), LOG_INT("i", i));
	return NULL;
}

/* Into a file, which never stalls: every line is there once, whole, in each thread's order. */
static void lines_of_many_threads_are_whole_and_in_order(void **state)
{
	char path[] = "/tmp/test_base_log_XXXXXX";
	int fd = mkstemp(path), who[N_THREADS], next[N_THREADS] = { 0 };
	int64_t before = log_dropped();
	pthread_t threads[N_THREADS];
	char line[256];
	FILE *f;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(log_start(fd, true, LOG_INFO).code, ERR_OK);
	assert_int_equal(log_start(fd, true, LOG_INFO).code, ERR_BUG);
	for (int i = 0; i < N_THREADS; i++) {
		who[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, write_many, &who[i]), 0);
	}
	for (int i = 0; i < N_THREADS; i++)
		(void)pthread_join(threads[i], NULL);
	log_stop();
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		const char *at = strstr(line, "\"event\":\"thread\",\"who\":");
		int w, i;
		if (at == NULL) { /* the last word about dropped lines */
			assert_non_null(strstr(line, "log_stop"));
			continue;
		}
		assert_int_equal(sscanf(at, "\"event\":\"thread\",\"who\":%d,\"i\":%d", &w, &i), 2);
		assert_in_range(w, 0, N_THREADS - 1);
		assert_true(i >= next[w]);
		before += i - next[w]; /* those between were dropped */
		next[w] = i + 1;
		assert_int_equal(line[strlen(line) - 2], '}');
	}
	for (int i = 0; i < N_THREADS; i++)
		before += N_EACH - next[i];
	assert_int_equal(before, log_dropped());
	(void)fclose(f);
	(void)close(fd);
	(void)unlink(path);
}

/* Before log_start: standard error itself, at once. */
static void before_the_start_lines_are_written_directly(void **state)
{
	int saved = dup(STDERR_FILENO);
	char *text;

	(void)state;
	assert_true(saved >= 0);
	assert_true(dup2(pipe_log.fd[1], STDERR_FILENO) >= 0);
	log_event(LOG_ERROR, "early", LOG_INT("n", 1));
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	(void)close(saved);
	text = read_pipe();
	assert_non_null(strstr(text, "\"level\":\"error\",\"event\":\"early\",\"n\":1}\n"));
}

#define WITH_PIPE(test) cmocka_unit_test_setup_teardown(test, open_pipe, close_pipe)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PIPE(an_event_is_one_json_line_with_its_fields),
		WITH_PIPE(the_text_form_is_for_people),
		WITH_PIPE(LG02_hostile_text_stays_inside_its_line_in_json),
		WITH_PIPE(LG02_hostile_text_stays_inside_its_line_in_text_form),
		WITH_PIPE(raw_fields_that_could_break_the_line_are_escaped),
		WITH_PIPE(long_text_is_cut_between_characters),
		WITH_PIPE(a_line_too_long_loses_fields_not_its_form),
		WITH_PIPE(events_below_the_level_are_not_written),
		WITH_PIPE(LG06_a_stalled_reader_never_blocks_and_the_loss_is_counted),
		WITH_PIPE(stopping_does_not_wait_for_a_stalled_reader_for_ever),
		WITH_PIPE(a_loss_at_the_very_end_is_told_by_a_last_line),
		WITH_PIPE(a_closed_pipe_neither_ends_nor_blocks_the_program),
		WITH_PIPE(lines_of_many_threads_are_whole_and_in_order),
		WITH_PIPE(before_the_start_lines_are_written_directly),
	};

	return cmocka_run_group_tests_name("base_log", tests, NULL, NULL);
}
