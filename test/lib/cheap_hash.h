/* cheap_hash.h — argon2id at its floor costs 20 ms, and most tests only want somebody to sign in. A salt that this
 * program made is marked, and a hash over a marked salt is a BLAKE2b; every other hash (of `sallyport user create`, an
 * import, a decoy) is libsodium's. What is measured about hashes runs with TEST_HASH=real in the environment. */
#ifndef TEST_CHEAP_HASH_H
#define TEST_CHEAP_HASH_H

#include <stddef.h>

/* Before any thread. */
void cheap_hash_init(void);
/* Of random bytes just made: when they may be a salt, their last four become a check of the others. */
void cheap_hash_mark(void *bytes, size_t n);

#endif
