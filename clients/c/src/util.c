/* util.c — see util.h. */
#include "util.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#if defined(__APPLE__)
#include <sys/random.h>
#endif

void wipe(void *p, size_t n)
{
	if (n > 0)
		memset(p, 0, n);
	__asm__ __volatile__("" : : "r"(p) : "memory"); /* as if somebody read it */
}

void wipe_free(char *text)
{
	if (text != NULL)
		wipe(text, strlen(text));
	free(text);
}

bool start_thread(pthread_t *thread, void *(*run)(void *), void *argument)
{
	sigset_t all, before;
	bool started;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	started = pthread_create(thread, NULL, run, argument) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

bool copy_text(const char *from, char **to)
{
	*to = from == NULL ? NULL : strdup(from);
	return from == NULL || *to != NULL;
}

int64_t now_ms(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void pause_ms(int64_t ms)
{
	struct timespec t = { .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000 };

	(void)nanosleep(&t, NULL);
}

bool random_bytes(void *p, size_t n)
{
	unsigned char *at = p;

	while (n > 0) {
		size_t part = n < 256 ? n : 256; /* getentropy's limit */

		if (getentropy(at, part) != 0)
			return false;
		at += part;
		n -= part;
	}
	return true;
}

bool equal_secret(const char *a, const char *b)
{
	size_t n = strlen(a);
	unsigned char difference = 0;

	if (strlen(b) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		difference |= (unsigned char)a[i] ^ (unsigned char)b[i];
	return difference == 0;
}

/* ---- SHA-256 ---- */

/* FIPS 180-4 §4.2.2. */
static const uint32_t round_constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

/* §6.2.2, for one block of 64 bytes. */
static void sha256_block(uint32_t state[8], const unsigned char *block)
{
	uint32_t w[64], v[8];

	for (size_t i = 0; i < 16; i++)
		w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
		       (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
	for (size_t i = 16; i < 64; i++)
		w[i] = w[i - 16] + w[i - 7] +
		       (rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3) +
		       (rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10);
	memcpy(v, state, sizeof v);
	for (size_t i = 0; i < 64; i++) {
		uint32_t t1 = v[7] + (rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25)) +
			      ((v[4] & v[5]) ^ (~v[4] & v[6])) + round_constants[i] + w[i];
		uint32_t t2 = (rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22)) +
			      ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));

		memmove(v + 1, v, 7 * sizeof *v);
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (size_t i = 0; i < 8; i++)
		state[i] += v[i];
}

void sha256(const void *p, size_t n, unsigned char digest[SHA256_BYTES])
{
	uint32_t state[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
			      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
	const unsigned char *at = p;
	unsigned char last[128] = { 0 };
	size_t left = n, tail;

	for (; left >= 64; left -= 64, at += 64)
		sha256_block(state, at);
	if (left > 0)
		memcpy(last, at, left);
	last[left] = 0x80;
	tail = left < 56 ? 64 : 128;
	for (size_t i = 0; i < 8; i++)
		last[tail - 1 - i] = (unsigned char)((uint64_t)n * 8 >> 8 * i);
	sha256_block(state, last);
	if (tail == 128)
		sha256_block(state, last + 64);
	for (size_t i = 0; i < 32; i++)
		digest[i] = (unsigned char)(state[i / 4] >> (24 - 8 * (i % 4)));
}

void base64url(const unsigned char *p, size_t n, char *text)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint32_t bits = 0;
	unsigned have = 0;

	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | p[i];
		for (have += 8; have >= 6; have -= 6)
			*text++ = letters[bits >> (have - 6) & 63];
	}
	if (have > 0)
		*text++ = letters[bits << (6 - have) & 63];
	*text = '\0';
}

/* ---- text ---- */

void text_add_n(struct text *t, const char *s, size_t n)
{
	if (t->failed)
		return;
	if (t->room - t->n <= n) {
		size_t room = 2 * t->room + n + 64;
		char *p = malloc(room);

		if (p == NULL) {
			t->failed = true;
			return;
		}
		if (t->n > 0) {
			memcpy(p, t->p, t->n);
			wipe(t->p, t->n);
		}
		free(t->p);
		t->p = p;
		t->room = room;
	}
	if (n > 0)
		memcpy(t->p + t->n, s, n);
	t->n += n;
	t->p[t->n] = '\0';
}

void text_add(struct text *t, const char *s)
{
	text_add_n(t, s, strlen(s));
}

void text_add_number(struct text *t, int64_t value)
{
	char digits[24];

	(void)snprintf(digits, sizeof digits, "%lld", (long long)value);
	text_add(t, digits);
}

void text_add_url(struct text *t, const char *s)
{
	static const char hex[] = "0123456789ABCDEF";

	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;
		char coded[3] = { '%', hex[c >> 4], hex[c & 15] };

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
		    c == '.' || c == '_' || c == '~')
			text_add_n(t, s, 1);
		else
			text_add_n(t, coded, sizeof coded);
	}
}

void text_add_json(struct text *t, const char *s)
{
	text_add_n(t, "\"", 1);
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;
		char coded[8];

		if (c == '"' || c == '\\') {
			(void)snprintf(coded, sizeof coded, "\\%c", c);
			text_add(t, coded);
		} else if (c < 0x20) {
			(void)snprintf(coded, sizeof coded, "\\u%04x", c);
			text_add(t, coded);
		} else {
			text_add_n(t, s, 1);
		}
	}
	text_add_n(t, "\"", 1);
}

void text_free(struct text *t)
{
	if (t->p != NULL)
		wipe(t->p, t->n);
	free(t->p);
	*t = (struct text){ 0 };
}
