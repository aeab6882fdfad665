/* keyring_dir.h — the files of DATA/keys: who may read them, how they come into being, and what
 * their names say. Internal to crypto/; what the keys mean stands in keyring.c. */
#ifndef CRYPTO_KEYRING_DIR_H
#define CRYPTO_KEYRING_DIR_H

#include "crypto/keyring.h"

#define KEY_FILE_MAX 16384
#define KEY_NAME_MAX 64
#define MASTER_FILE  "master.key"

enum key_dir_mode {
	KEY_DIR_READ,	/* shared lock */
	KEY_DIR_WRITE,	/* exclusive lock; the directory must be there */
	KEY_DIR_CREATE, /* exclusive lock; makes the directory when it is missing */
};

struct key_dir {
	int fd; /* locked while open: two processes never make keys side by side */
	char *why;
	size_t why_max;
};

/* What a file name says of a signing key. */
struct key_name {
	int64_t active_from_ms;
	enum token_algorithm alg;
	char file[KEY_NAME_MAX];
};

/* Every refusal is ERR_CONFIG and puts one line into d->why. */
MUST_USE err_t key_dir_open(str data_dir, enum key_dir_mode mode, struct key_dir *d);
void key_dir_close(struct key_dir *d);
MUST_USE err_t key_dir_complain(const struct key_dir *d, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

bool key_dir_has(const struct key_dir *d, const char *file);
/* The content, without group or other having had a look at it. *ret lies in `mem`. */
MUST_USE err_t key_dir_read(const struct key_dir *d, const char *file, struct arena *mem,
			    struct secret *ret);
/* All or nothing, and never over an existing file. */
MUST_USE err_t key_dir_write(const struct key_dir *d, const char *file, struct secret text,
			     struct rng rng);
MUST_USE err_t key_dir_remove(const struct key_dir *d, const char *file);

/* The signing keys by active_from_ms, oldest first. */
MUST_USE err_t key_dir_list(const struct key_dir *d, struct key_name ret[KEYRING_MAX],
			    size_t *ret_n);
void key_name_make(int64_t active_from_ms, enum token_algorithm alg, struct key_name *ret);

#endif
