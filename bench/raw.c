/* raw.c — the limits the server is measured against, on the same machine in the same run.
 *
 *   raw argon2 THREADS SECONDS      argon2id hashes a second with libsodium alone, our parameters
 *   raw sqlite FILE SECONDS         one row, one transaction, one fsync, in a plain loop: rows a second
 */
#include <pthread.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double seconds;

static double now_s(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void *hash_loop(void *arg)
{
	static const char password[] = "correct horse battery";
	uint64_t *n = arg;
	double end = now_s() + seconds;
	uint8_t salt[16] = { 1 }, tag[32];

	while (now_s() < end) {
		if (crypto_pwhash(tag, sizeof(tag), password, sizeof(password) - 1, salt, 2,
				  (size_t)19456 * 1024, crypto_pwhash_ALG_ARGON2ID13) != 0)
			abort();
		(*n)++;
	}
	return NULL;
}

static int argon2(int threads)
{
	pthread_t id[64];
	uint64_t n[64] = { 0 }, total = 0;
	double begin = now_s();

	if (sodium_init() < 0 || threads < 1 || threads > 64)
		return 1;
	for (int i = 0; i < threads; i++)
		if (pthread_create(&id[i], NULL, hash_loop, &n[i]) != 0)
			return 1;
	for (int i = 0; i < threads; i++) {
		(void)pthread_join(id[i], NULL);
		total += n[i];
	}
	(void)printf("%.2f\n", (double)total / (now_s() - begin));
	return 0;
}

static void sql(sqlite3 *db, const char *text)
{
	if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK) {
		(void)fprintf(stderr, "%s\n", sqlite3_errmsg(db));
		exit(1);
	}
}

static int sqlite_loop(const char *file)
{
	sqlite3_stmt *update;
	uint64_t n = 0;
	double begin, end;
	sqlite3 *db;

	if (sqlite3_open(file, &db) != SQLITE_OK)
		return 1;
	sql(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
		"CREATE TABLE t (id INTEGER PRIMARY KEY, gen INTEGER, nonce BLOB);"
		"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 10000)"
		"INSERT INTO t SELECT x, 0, randomblob(150) FROM c;");
	if (sqlite3_prepare_v2(db, "UPDATE t SET gen = gen + 1 WHERE id = ?1", -1, &update, NULL) != SQLITE_OK)
		return 1;
	begin = now_s();
	end = begin + seconds;
	while (now_s() < end) {
		(void)sqlite3_bind_int64(update, 1, (sqlite3_int64)(n * 7919 % 10000 + 1));
		if (sqlite3_step(update) != SQLITE_DONE || sqlite3_reset(update) != SQLITE_OK)
			return 1;
		n++;
	}
	(void)printf("%.0f\n", (double)n / (now_s() - begin));
	(void)sqlite3_finalize(update);
	return sqlite3_close(db) == SQLITE_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	seconds = strtod(argv[3], NULL);
	if (strcmp(argv[1], "argon2") == 0)
		return argon2((int)strtol(argv[2], NULL, 10));
	return sqlite_loop(argv[2]);
}
