/* util.h — what every file of the library may use: wiping, randomness, comparing, SHA-256, base64url, growing text. */
#ifndef SP_UTIL_H
#define SP_UTIL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroes what the compiler would leave. */
void wipe(void *p, size_t n);
/* Wipes a string and frees it. NULL is fine. */
void wipe_free(char *text);

/* A thread that gets no signals: those are for the program's own. False: there is no more. */
bool start_thread(pthread_t *thread, void *(*run)(void *), void *argument);

/* A copy in *to; NULL of NULL. False: no memory. */
bool copy_text(const char *from, char **to);

/* Of a clock that is never set. */
int64_t now_ms(void);
/* May end early. */
void pause_ms(int64_t ms);

/* From the system. False: there is none, nothing can go on. */
bool random_bytes(void *p, size_t n);

/* Compares in a time that depends on the lengths only. */
bool equal_secret(const char *a, const char *b);

#define SHA256_BYTES 32
/* FIPS 180-4 §6.2. */
void sha256(const void *p, size_t n, unsigned char digest[SHA256_BYTES]);

#define BASE64URL_LENGTH(n) (((n) * 4 + 2) / 3)
/* RFC 4648 §5 without padding; text has BASE64URL_LENGTH(n) + 1 bytes. */
void base64url(const unsigned char *p, size_t n, char *text);

/* Text that grows: wiped whenever it moves. failed: memory ran out once, text is void. */
struct text {
	char *p; /* ends with a zero; NULL while empty */
	size_t n, room;
	bool failed;
};

void text_add(struct text *t, const char *s);
void text_add_n(struct text *t, const char *s, size_t n);
void text_add_number(struct text *t, int64_t value);
/* Percent-encoded but for unreserved characters (RFC 3986 §2.3). */
void text_add_url(struct text *t, const char *s);
/* A JSON string with its quotes (RFC 8259 §7). */
void text_add_json(struct text *t, const char *s);
/* Wipes and frees; empty again. */
void text_free(struct text *t);

#endif
