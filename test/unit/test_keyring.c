/* The keys of a data directory: made once, kept private, rotated without a gap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64url.h"
#include "crypto/jws_key.h"
#include "crypto/keyring.h"
#include "crypto/keyring_dir.h"
#include "crypto/mac.h"

#define T0 ((int64_t)1700000000000)

static char home[64], keys[80];
static char why[256];

static str data_dir(void)
{
	return str_of_cstr(home);
}

static const char *in_keys(const char *file)
{
	static char path[400];

	(void)snprintf(path, sizeof(path), "%s/%s", keys, file);
	return path;
}

static struct keyring *loaded_at(int64_t now_ms)
{
	struct keyring *k = NULL;
	err_t e = keyring_load(data_dir(), ALG_ES256, now_ms, false, rng_system, &k, why,
			       sizeof(why));

	if (e.code != ERR_OK)
		fail_msg("not loaded: %s", why);
	assert_string_equal(why, "");
	return k;
}

static struct keyring *created(enum token_algorithm alg)
{
	struct keyring *k = NULL;
	err_t e = keyring_load(data_dir(), alg, T0, true, rng_system, &k, why, sizeof(why));

	if (e.code != ERR_OK)
		fail_msg("not created: %s", why);
	return k;
}

static void make_keys(void)
{
	keyring_free(created(ALG_ES256));
}

static void assert_refused(const char *reason)
{
	struct keyring *k = NULL;

	why[0] = '\0';
	assert_int_equal(
		keyring_load(data_dir(), ALG_ES256, T0, false, rng_system, &k, why, sizeof(why))
			.code,
		ERR_CONFIG);
	assert_null(k);
	if (strstr(why, reason) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", why, reason);
}

static void write_file(const char *file, const char *text, mode_t mode)
{
	int fd = open(in_keys(file), O_WRONLY | O_CREAT | O_TRUNC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

/* How many files begin with `prefix`, and the name of one of them. */
static size_t count_files(const char *prefix, char *ret_last)
{
	DIR *dir = opendir(keys);
	const struct dirent *e;
	size_t n = 0;

	assert_non_null(dir);
	while ((e = readdir(dir)) != NULL) {
		if (strncmp(e->d_name, prefix, strlen(prefix)) != 0)
			continue;
		n++;
		if (ret_last != NULL)
			(void)snprintf(ret_last, KEY_NAME_MAX, "%.63s", e->d_name);
	}
	assert_int_equal(closedir(dir), 0);
	return n;
}

/* ---- making and keeping ---- */

static void JW13_keys_are_made_once_and_found_again(void **state)
{
	struct keyring *first = created(ALG_ES256), *second = created(ALG_ES256), *third;

	(void)state;
	assert_int_equal(first->n, 1);
	assert_int_equal(second->n, 1);
	assert_memory_equal(&first->refresh, &second->refresh, sizeof(struct mac_key));
	assert_memory_equal(&first->storage, &second->storage, sizeof(struct mac_key));
	assert_true(str_eq(jws_key_kid(first->entry[0].key), jws_key_kid(second->entry[0].key)));
	assert_true(second->serial > first->serial);
	third = loaded_at(T0 + MS_PER_DAY);
	assert_ptr_equal(keyring_signer(third, T0 + MS_PER_DAY), third->entry[0].key);
	assert_true(str_eq(jws_key_kid(first->entry[0].key), jws_key_kid(third->entry[0].key)));
	assert_true(str_eq(first->entry[0].file, STR("jwt-1700000000000-ES256.pem")));
	assert_int_equal(first->entry[0].active_from_ms, T0);
	keyring_free(first);
	keyring_free(second);
	keyring_free(third);
	keyring_free(NULL);
}

static void JW13_without_leave_to_create_missing_keys_are_an_error(void **state)
{
	(void)state;
	assert_refused("keys: No such file");
	assert_int_equal(access(keys, F_OK), -1);
	make_keys();
	assert_int_equal(unlink(in_keys("jwt-1700000000000-ES256.pem")), 0);
	assert_refused("no signing key");
	assert_int_equal(unlink(in_keys(MASTER_FILE)), 0);
	assert_refused(MASTER_FILE);
}

static void made_files_are_private_and_nothing_else_is_left(void **state)
{
	struct stat st;
	mode_t before = umask(0);

	(void)state;
	make_keys();
	(void)umask(before);
	assert_int_equal(stat(keys, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(in_keys(MASTER_FILE), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(stat(in_keys("jwt-1700000000000-ES256.pem"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(count_files("", NULL), 4); /* with . and .. */
}

static void every_algorithm_can_be_created_and_loaded(void **state)
{
	static const enum token_algorithm alg[] = { ALG_ES256, ALG_RS256, ALG_EDDSA, ALG_HS256 };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct keyring *k = created(alg[i]);
		char name[KEY_NAME_MAX];

		assert_int_equal(k->n, 1);
		assert_int_equal(jws_key_alg(keyring_signer(k, T0)), alg[i]);
		keyring_free(k);
		assert_int_equal(count_files("jwt-", name), 1);
		assert_int_equal(unlink(in_keys(name)), 0);
	}
}

static void *create_in_thread(void *ret)
{
	struct keyring *k = NULL;
	char reason[100];

	if (keyring_load(data_dir(), ALG_ES256, T0, true, rng_system, &k, reason, sizeof(reason))
		    .code == ERR_OK)
		*(struct keyring **)ret = k;
	return NULL;
}

static void processes_that_start_together_make_one_set_of_keys(void **state)
{
	struct keyring *k[6] = { NULL };
	pthread_t thread[6];

	(void)state;
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, create_in_thread, &k[i]), 0);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	for (size_t i = 0; i < 6; i++) {
		assert_non_null(k[i]);
		assert_int_equal(k[i]->n, 1);
		assert_memory_equal(&k[0]->refresh, &k[i]->refresh, sizeof(struct mac_key));
		assert_true(
			str_eq(jws_key_kid(k[0]->entry[0].key), jws_key_kid(k[i]->entry[0].key)));
	}
	for (size_t i = 0; i < 6; i++)
		keyring_free(k[i]);
}

static void an_existing_file_is_never_replaced(void **state)
{
	struct key_dir d = { -1, why, sizeof(why) };
	char text[] = "other";

	(void)state;
	make_keys();
	assert_int_equal(key_dir_open(data_dir(), KEY_DIR_WRITE, &d).code, ERR_OK);
	assert_int_equal(
		key_dir_write(&d, MASTER_FILE, (struct secret){ (uint8_t *)text, 5 }, rng_system)
			.code,
		ERR_CONFIG);
	assert_non_null(strstr(why, "File exists"));
	key_dir_close(&d);
	assert_int_equal(count_files(".new-", NULL), 0);
	keyring_free(loaded_at(T0));
}

static void what_a_crash_left_behind_is_cleared_away(void **state)
{
	(void)state;
	make_keys();
	write_file(".new-0123", "half a key", 0600);
	keyring_free(loaded_at(T0)); /* not ours to touch when only reading */
	assert_int_equal(count_files(".new-", NULL), 1);
	make_keys();
	assert_int_equal(count_files(".new-", NULL), 0);
}

/* Works for a number of calls, then never again. */
static err_t failing_fill(void *self, void *dst, size_t n)
{
	int *left = self;

	REQUIRE(--*left > 0, ERR_CRYPTO);
	return rng_fill(rng_system, dst, n);
}

static void without_random_bytes_nothing_half_made_is_left(void **state)
{
	struct keyring *k = NULL;
	int calls = 0, left;
	err_t e;

	(void)state;
	do {
		const struct rng failing = { failing_fill, &left };

		left = ++calls;
		e = keyring_load(data_dir(), ALG_HS256, T0, true, failing, &k, why, sizeof(why));
		assert_true(e.code == ERR_OK || e.code == ERR_CRYPTO);
		assert_int_equal(count_files(".new-", NULL), 0);
	} while (e.code != ERR_OK);
	assert_int_equal(calls, 4); /* two for the master key, which stays; two for the other */
	keyring_free(k);
}

/* ---- who may read ---- */

static void files_open_to_others_are_refused(void **state)
{
	static const mode_t bad[] = { 0640, 0604, 0620, 0602, 0610, 0601, 0666 };

	(void)state;
	make_keys();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(chmod(in_keys(MASTER_FILE), bad[i]), 0);
		assert_refused(MASTER_FILE ": open to group or others");
		assert_int_equal(chmod(in_keys(MASTER_FILE), 0600), 0);
		assert_int_equal(chmod(in_keys("jwt-1700000000000-ES256.pem"), bad[i]), 0);
		assert_refused("jwt-1700000000000-ES256.pem: open to group or others");
		assert_int_equal(chmod(in_keys("jwt-1700000000000-ES256.pem"), 0400), 0);
		assert_int_equal(chmod(keys, bad[i] | 0700), 0);
		assert_refused("keys: open to group or others");
		assert_int_equal(chmod(keys, 0700), 0);
	}
	keyring_free(loaded_at(T0));
}

static void links_pipes_and_oversized_files_are_refused(void **state)
{
	static char big[KEY_FILE_MAX + 1];

	(void)state;
	make_keys();
	write_file("copy", "9qZ1eYcwC2b8gT0xk5mHn3dJrLsVtUpQyXaEoIfWzAE", 0600);
	assert_int_equal(unlink(in_keys(MASTER_FILE)), 0);
	assert_int_equal(symlink("copy", in_keys(MASTER_FILE)), 0);
	assert_refused(MASTER_FILE ": Too many levels of symbolic links");
	assert_int_equal(unlink(in_keys(MASTER_FILE)), 0);
	assert_int_equal(mkfifo(in_keys(MASTER_FILE), 0600), 0);
	assert_refused(MASTER_FILE ": not a key file");
	assert_int_equal(unlink(in_keys(MASTER_FILE)), 0);
	memset(big, 'A', sizeof(big) - 1);
	write_file(MASTER_FILE, big, 0600);
	assert_refused(MASTER_FILE ": not a key file");
}

/* ---- weak and odd content ---- */

static void JW14_a_master_key_that_is_weak_or_misspelt_is_refused(void **state)
{
	static const char *bad[] = {
		"",
		"\n",
		"c2VjcmV0",
		"9qZ1eYcwC2b8gT0xk5mHn3dJrLsVtUpQyXaEoIfWzA",  /* short */
		"VVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVU", /* one byte */
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", /* 00 01 02 … */
		"Y2hhbmdlLW1lLWNoYW5nZS1tZS1jaGFuZ2UtbWUtYWI", /* change-me-… */
		"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY", /* 0123…def */
		"9qZ1eYcwC2b8gT0xk5mHn3dJrLsVtUpQyXaEoIfWzAE=",
		"9qZ1eYcwC2b8gT0xk5mHn3dJrLsVtUpQyXaEoIfWz+E",
		" 9qZ1eYcwC2b8gT0xk5mHn3dJrLsVtUpQyXaEoIfWzAE",
		"9qZ1eYcwC2b8gT0xk5mHn3dJrLsVtUpQyXaEoIfWzAE\n\n",
		"9qZ1eYcwC2b8gT0xk5mHn3dJrLsVtUpQyXaEoIfWzAEAAAA", /* 35 bytes */
	};

	(void)state;
	make_keys();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_file(MASTER_FILE, bad[i], 0600);
		assert_refused(MASTER_FILE ": not ");
	}
	write_file(MASTER_FILE, "9qZ1eYcwC2b8gT0xk5mHn3dJrLsVtUpQyXaEoIfWzAE", 0600);
	keyring_free(loaded_at(T0));
	write_file(MASTER_FILE, "9qZ1eYcwC2b8gT0xk5mHn3dJrLsVtUpQyXaEoIfWzAE\n", 0600);
	keyring_free(loaded_at(T0));
}

static void a_signing_key_with_an_unreadable_name_is_refused_by_name(void **state)
{
	static const char *bad[] = {
		"jwt-abc-ES256.pem",
		"jwt-01700000000000-ES256.pem",
		"jwt-1700000000000-ES512.pem",
		"jwt-1700000000000-es256.pem",
		"jwt-1700000000000.pem",
		"jwt--ES256.pem",
		"jwt-1700000000000-ES256.pem~",
		"jwt-1700000000000-ES256",
		"jwt-.pem",
		"jwt-",
		"jwt-99999999999999999999-ES256.pem",
		"jwt-1700000000000-ES256-old.pem",
		"jwt-9007199254740993-ES256.pem",
		"old.pem",
		"signing.pem",
		"jwt--1-ES256.pem",
	};

	(void)state;
	make_keys();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		write_file(bad[i], "", 0600);
		assert_refused(bad[i]);
		assert_int_equal(unlink(in_keys(bad[i])), 0);
	}
	write_file("README", "notes", 0644); /* not a key, not ours */
	keyring_free(loaded_at(T0));
}

static void a_signing_key_that_is_not_what_its_name_says_is_refused(void **state)
{
	(void)state;
	make_keys();
	write_file("jwt-1700000000001-EdDSA.pem", "-----BEGIN PRIVATE KEY-----\n", 0600);
	assert_refused("jwt-1700000000001-EdDSA.pem: not a usable EdDSA key");
	assert_int_equal(unlink(in_keys("jwt-1700000000001-EdDSA.pem")), 0);
	keyring_free(loaded_at(T0));
}

static void more_signing_keys_than_fit_are_refused(void **state)
{
	char name[KEY_NAME_MAX];

	(void)state;
	make_keys();
	for (int i = 0; i < KEYRING_MAX; i++) {
		(void)snprintf(name, sizeof(name), "jwt-%d-ES256.pem", i + 1);
		write_file(name, "", 0600);
	}
	assert_refused("more than 16 signing keys");
}

/* ---- purposes ---- */

static void JW15_each_purpose_has_a_key_of_its_own(void **state)
{
	struct keyring *k = created(ALG_ES256);
	const struct mac_key *key[] = { &k->refresh, &k->device, &k->attempt,
					&k->csrf,    &k->cursor, &k->storage };
	uint8_t tag[6][MAC_BYTES];

	(void)state;
	for (size_t i = 0; i < 6; i++)
		mac_tag(key[i], STR("the same message"), tag[i]);
	for (size_t i = 0; i < 6; i++) {
		for (size_t j = 0; j < i; j++) {
			assert_memory_not_equal(key[i], key[j], sizeof(struct mac_key));
			assert_memory_not_equal(tag[i], tag[j], MAC_BYTES);
			assert_false(mac_check(key[i], STR("the same message"), tag[j]));
		}
	}
	keyring_free(k);
}

static void JW15_the_labels_are_part_of_the_stored_data_and_never_change(void **state)
{
	uint8_t master[KEY_BYTES];
	struct mac_key want;
	struct keyring *k;
	size_t n;

	(void)state;
	make_keys();
	write_file(MASTER_FILE, "9qZ1eYcwC2b8gT0xk5mHn3dJrLsVtUpQyXaEoIfWzAE", 0600);
	assert_true(base64url_decode(STR("9qZ1eYcwC2b8gT0xk5mHn3dJrLsVtUpQyXaEoIfWzAE"), master,
				     sizeof(master), &n));
	k = loaded_at(T0);
	mac_derive(master, STR("sallyport/v1/refresh"), &want);
	assert_memory_equal(&k->refresh, &want, sizeof(want));
	mac_derive(master, STR("sallyport/v1/device"), &want);
	assert_memory_equal(&k->device, &want, sizeof(want));
	mac_derive(master, STR("sallyport/v1/csrf"), &want);
	assert_memory_equal(&k->csrf, &want, sizeof(want));
	keyring_free(k);
}

/* ---- rotation ---- */

static void rotate_at(int64_t now_ms, bool at_once)
{
	err_t e = keyring_rotate(data_dir(), ALG_ES256, now_ms, at_once, rng_system, why,
				 sizeof(why));

	if (e.code != ERR_OK)
		fail_msg("not rotated: %s", why);
}

static bool published(const struct keyring *k, const struct jws_key *key, int64_t now_ms)
{
	char text[8192];
	struct buf out = BUF_OF(text);
	bool found = false;
	const json_t *jwk;
	json_t *set;
	size_t i;

	keyring_jwks(k, now_ms, &out);
	assert_false(out.overflow);
	set = json_loadb(out.p, out.n, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(set);
	json_array_foreach(json_object_get(set, "keys"), i, jwk) found =
		found || str_eq(str_of_cstr(json_string_value(json_object_get(jwk, "kid"))),
				jws_key_kid(key));
	json_decref(set);
	return found;
}

static bool verifies(const struct keyring *k, const struct jws_key *key, int64_t now_ms)
{
	const struct keyring_at at = { k, now_ms };

	return keyring_find(&at, jws_key_kid(key)) == key;
}

static void JW10_a_new_key_is_published_before_it_signs_and_the_old_one_outlives_its_tokens(
	void **state)
{
	const int64_t rotated = T0 + 5 * MS_PER_DAY, from = rotated + KEY_PUBLISH_MS;
	const int64_t gone = from + KEY_TOKEN_LIFE_MS;
	const struct jws_key *old, *new;
	struct keyring *k;

	(void)state;
	make_keys();
	rotate_at(rotated, false);
	k = loaded_at(rotated);
	assert_int_equal(k->n, 2);
	old = k->entry[0].key;
	new = k->entry[1].key;
	assert_int_equal(k->entry[1].active_from_ms, from);
	assert_int_equal(k->entry[0].retire_ms, gone);

	assert_ptr_equal(keyring_signer(k, rotated), old);
	assert_true(published(k, old, rotated) && published(k, new, rotated));
	assert_ptr_equal(keyring_signer(k, from - 1), old);
	assert_ptr_equal(keyring_signer(k, from), new);
	/* the last token of the old key was made at from - 1 and lives a day at most */
	assert_true(verifies(k, old, gone - 1) && published(k, old, gone - 1));
	assert_false(verifies(k, old, gone) || published(k, old, gone));
	assert_true(verifies(k, new, gone) && published(k, new, gone));
	assert_true(verifies(k, new, rotated));
	keyring_free(k);
}

static void JW10_rotating_at_once_signs_at_once(void **state)
{
	struct keyring *k;

	(void)state;
	make_keys();
	rotate_at(T0 + 1000, true);
	k = loaded_at(T0 + 1000);
	assert_int_equal(k->n, 2);
	assert_ptr_equal(keyring_signer(k, T0 + 1000), k->entry[1].key);
	assert_true(verifies(k, k->entry[0].key, T0 + 1000));
	keyring_free(k);
}

static void JW10_rotating_at_once_takes_back_what_was_published_to_sign_later(void **state)
{
	const int64_t now = T0 + MS_PER_DAY;
	struct keyring *k;

	(void)state;
	make_keys();
	rotate_at(now, false);
	rotate_at(now + 1000, true);
	k = loaded_at(now + 1000);
	assert_int_equal(k->n, 2);
	assert_ptr_equal(keyring_signer(k, now + 1000), k->entry[1].key);
	assert_ptr_equal(keyring_signer(k, now + 2 * KEY_PUBLISH_MS), k->entry[1].key);
	keyring_free(k);
	/* The clock is behind all keys: the oldest signs, so it stays. */
	rotate_at(T0 - MS_PER_DAY, true);
	k = loaded_at(T0 - MS_PER_DAY);
	assert_int_equal(k->n, 2);
	assert_int_equal(k->entry[0].active_from_ms, T0 - MS_PER_DAY);
	assert_int_equal(k->entry[1].active_from_ms, T0);
	keyring_free(k);
}

static void rotating_removes_keys_a_day_after_they_retired(void **state)
{
	int64_t now = T0 + MS_PER_DAY, gone;
	struct keyring *k;

	(void)state;
	make_keys();
	rotate_at(now, false);
	gone = now + KEY_PUBLISH_MS + KEY_TOKEN_LIFE_MS + MS_PER_DAY;
	rotate_at(gone, false);
	k = loaded_at(gone);
	assert_int_equal(k->n, 3); /* exactly a day: still there */
	assert_int_equal(k->entry[0].active_from_ms, T0);
	keyring_free(k);
	rotate_at(gone + 1, false);
	k = loaded_at(gone + 1);
	assert_int_equal(k->n, 3);
	assert_int_equal(k->entry[0].active_from_ms, now + KEY_PUBLISH_MS);
	keyring_free(k);
}

static void rotating_needs_a_directory_and_room(void **state)
{
	(void)state;
	assert_int_equal(
		keyring_rotate(data_dir(), ALG_ES256, T0, false, rng_system, why, sizeof(why)).code,
		ERR_CONFIG);
	make_keys();
	for (int i = 1; i < KEYRING_MAX; i++)
		rotate_at(T0 + i, false);
	assert_int_equal(
		keyring_rotate(data_dir(), ALG_ES256, T0 + 99, false, rng_system, why, sizeof(why))
			.code,
		ERR_CONFIG);
	assert_non_null(strstr(why, "16 signing keys"));
	assert_int_equal(count_files("jwt-", NULL), KEYRING_MAX);
}

static void a_clock_behind_every_key_signs_with_the_first(void **state)
{
	struct keyring *k;

	(void)state;
	make_keys();
	rotate_at(T0, false);
	k = loaded_at(T0);
	assert_ptr_equal(keyring_signer(k, T0 - MS_PER_DAY), k->entry[0].key);
	assert_true(verifies(k, k->entry[0].key, T0 - MS_PER_DAY));
	keyring_free(k);
}

static void an_algorithm_can_change_by_rotation(void **state)
{
	struct keyring *k;

	(void)state;
	make_keys();
	assert_int_equal(
		keyring_rotate(data_dir(), ALG_EDDSA, T0, true, rng_system, why, sizeof(why)).code,
		ERR_OK);
	k = loaded_at(T0);
	assert_int_equal(jws_key_alg(k->entry[0].key), ALG_ES256);
	assert_int_equal(jws_key_alg(keyring_signer(k, T0)), ALG_EDDSA);
	keyring_free(k);
}

static void the_fingerprint_changes_with_the_files_and_only_then(void **state)
{
	uint64_t before, after;

	(void)state;
	assert_int_equal(keyring_fingerprint(data_dir()), 0);
	make_keys();
	before = keyring_fingerprint(data_dir());
	assert_int_not_equal(before, 0);
	keyring_free(loaded_at(T0));
	assert_int_equal(keyring_fingerprint(data_dir()), before);
	rotate_at(T0, false);
	after = keyring_fingerprint(data_dir());
	assert_int_not_equal(after, before);
	write_file(".new-x", "", 0600);
	assert_int_equal(keyring_fingerprint(data_dir()), after);
}

/* ---- JWKS ---- */

static void JW11_the_key_set_holds_public_parts_only(void **state)
{
	static const char *private[] = { "d", "p", "q", "dp", "dq", "qi", "oth", "k" };
	static const enum token_algorithm alg[] = { ALG_RS256, ALG_EDDSA, ALG_HS256 };
	char text[8192];
	struct buf out = BUF_OF(text);
	const json_t *jwk;
	struct keyring *k;
	json_t *set, *list;
	size_t i;

	(void)state;
	make_keys();
	for (i = 0; i < 3; i++)
		assert_int_equal(keyring_rotate(data_dir(), alg[i], T0 + (int64_t)i, false,
						rng_system, why, sizeof(why))
					 .code,
				 ERR_OK);
	k = loaded_at(T0);
	assert_int_equal(k->n, 4);
	keyring_jwks(k, T0, &out);
	set = json_loadb(out.p, out.n, JSON_REJECT_DUPLICATES, NULL);
	list = json_object_get(set, "keys");
	assert_int_equal(json_array_size(list), 3); /* a shared secret is not published at all */
	json_array_foreach(list, i, jwk)
	{
		for (size_t j = 0; j < sizeof(private) / sizeof(private[0]); j++)
			assert_null(json_object_get(jwk, private[j]));
	}
	json_decref(set);
	keyring_free(k);
}

static void a_ring_of_shared_secrets_publishes_an_empty_set(void **state)
{
	struct keyring *k = created(ALG_HS256);
	char text[64], small[10];
	struct buf out = BUF_OF(text), full = BUF_OF(small);

	(void)state;
	keyring_jwks(k, T0, &out);
	assert_true(str_eq(buf_view(&out), STR("{\"keys\":[]}")));
	keyring_jwks(k, T0, &full);
	assert_true(full.overflow);
	keyring_free(k);
}

/* ---- fixture ---- */

static int fresh_home(void **state)
{
	const char *base = getenv("TMPDIR");

	(void)state;
	(void)snprintf(home, sizeof(home), "%s/sallyport-keys-XXXXXX",
		       base != NULL && strlen(base) < 30 ? base : "/tmp");
	if (mkdtemp(home) == NULL)
		return -1;
	(void)snprintf(keys, sizeof(keys), "%s/keys", home);
	return 0;
}

static int remove_home(void **state)
{
	DIR *dir = opendir(keys);
	const struct dirent *e;

	(void)state;
	while (dir != NULL && (e = readdir(dir)) != NULL) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			(void)unlink(in_keys(e->d_name));
	}
	if (dir != NULL)
		(void)closedir(dir);
	(void)rmdir(keys);
	return rmdir(home);
}

static int set_up(void **state)
{
	(void)state;
	return crypto_init().code == ERR_OK ? 0 : -1;
}

#define T(f) cmocka_unit_test_setup_teardown(f, fresh_home, remove_home)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(JW13_keys_are_made_once_and_found_again),
		T(JW13_without_leave_to_create_missing_keys_are_an_error),
		T(made_files_are_private_and_nothing_else_is_left),
		T(every_algorithm_can_be_created_and_loaded),
		T(processes_that_start_together_make_one_set_of_keys),
		T(an_existing_file_is_never_replaced),
		T(what_a_crash_left_behind_is_cleared_away),
		T(without_random_bytes_nothing_half_made_is_left),
		T(files_open_to_others_are_refused),
		T(links_pipes_and_oversized_files_are_refused),
		T(JW14_a_master_key_that_is_weak_or_misspelt_is_refused),
		T(a_signing_key_with_an_unreadable_name_is_refused_by_name),
		T(a_signing_key_that_is_not_what_its_name_says_is_refused),
		T(more_signing_keys_than_fit_are_refused),
		T(JW15_each_purpose_has_a_key_of_its_own),
		T(JW15_the_labels_are_part_of_the_stored_data_and_never_change),
		T(JW10_a_new_key_is_published_before_it_signs_and_the_old_one_outlives_its_tokens),
		T(JW10_rotating_at_once_signs_at_once),
		T(JW10_rotating_at_once_takes_back_what_was_published_to_sign_later),
		T(rotating_removes_keys_a_day_after_they_retired),
		T(rotating_needs_a_directory_and_room),
		T(a_clock_behind_every_key_signs_with_the_first),
		T(an_algorithm_can_change_by_rotation),
		T(the_fingerprint_changes_with_the_files_and_only_then),
		T(JW11_the_key_set_holds_public_parts_only),
		T(a_ring_of_shared_secrets_publishes_an_empty_set),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
