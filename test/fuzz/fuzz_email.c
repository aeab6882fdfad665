/* E-mail addresses: the canonical form of a canonical form is itself, mail goes to an address with the same
 * one, both are ASCII, and the local part is what was typed but for the case of its letters. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "domain/email.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char mem[64 * 1024];

static void must(bool holds)
{
	if (!holds)
		abort();
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool is_lower_host(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

static void check_form(str key)
{
	str local, domain;

	must(key.n >= 5 && key.n <= EMAIL_MAX_BYTES);
	must(str_cut(key, '@', &local, &domain));
	must(local.n > 0 && local.n <= 64);
	for (size_t i = 0; i < local.n; i++)
		must(local.p[i] > ' ' && local.p[i] < 0x7f && lower(local.p[i]) == local.p[i]);
	for (size_t i = 0; i < domain.n; i++)
		must(is_lower_host(domain.p[i]));
	must(str_has_byte(domain, '.'));
}

/* The bytes before the '@' decide: no two inputs are equal whose local parts differ in more than case. */
static void check_local(str typed, str key)
{
	str typed_local, key_local, rest;

	must(str_cut(typed, '@', &typed_local, &rest));
	must(str_cut(key, '@', &key_local, &rest));
	must(typed_local.n == key_local.n);
	for (size_t i = 0; i < key_local.n; i++)
		must(lower(typed_local.p[i]) == key_local.p[i]);
}

static void check_same(struct arena *a, str address, str key)
{
	str typed, again;

	must(email_canonical(a, address, &typed, &again).code == ERR_OK);
	must(str_eq(again, key));
}

static void check_envelope(struct arena *a, str typed, str key)
{
	str envelope, local, domain;

	must(email_envelope(a, typed, &envelope).code == ERR_OK);
	must(envelope.n <= EMAIL_MAX_BYTES);
	must(str_cut(typed, '@', &local, &domain));
	must(str_starts(envelope, local));
	for (size_t i = 0; i < envelope.n; i++)
		must(envelope.p[i] > ' ' && envelope.p[i] < 0x7f);
	check_same(a, envelope, key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str raw = str_of_bytes(data, size), typed = STR_NONE, key = STR_NONE, subject;
	struct arena a;
	err_t e;

	arena_init_fixed(&a, mem, sizeof(mem));
	e = email_canonical(&a, raw, &typed, &key);
	must(e.code == ERR_OK || e.code == ERR_INPUT);
	must(email_subject(&a, raw, &subject).code == ERR_OK);
	must(str_eq(subject, e.code == ERR_OK ? key : raw));
	if (e.code != ERR_OK) {
		must(key.p == NULL);
		return 0;
	}
	check_form(key);
	check_local(typed, key);
	check_same(&a, key, key);
	check_same(&a, typed, key);
	check_envelope(&a, typed, key);
	return 0;
}
