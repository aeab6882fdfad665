/* The client library's file of tokens: bytes of a file under a key that is known, and bytes as they are when decrypted.
 * What a file asks for is bounded; what is read is written again as it was. The first byte says which. */
#include <stdlib.h>
#include <string.h>

#include "sealed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const unsigned char key[SEALED_KEY] = "the key of the corpus, 32 bytes";
static struct sodium sodium;

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_bounds(const struct sealed_head *head)
{
	must(head->memory_kib >= 8192 && head->memory_kib <= 262144);
	must(head->passes >= 1 && (uint64_t)head->memory_kib * head->passes <= 1048576);
}

static void check_records(const struct record *records)
{
	const char *last = "";

	for (const struct record *r = records; r != NULL; r = r->next) {
		must(record_good_key(r->key) && record_good_value(r->value) && strcmp(last, r->key) < 0);
		must(records_find(records, r->key) == r->value);
		last = r->key;
	}
}

/* Sealed and opened, they are the same bytes. */
static void check_again(const struct record *records, const unsigned char *plain, size_t n_plain)
{
	struct sealed_head head = { .memory_kib = 65536, .passes = 3 };
	struct text bytes = { 0 };
	struct record *again;
	unsigned char *file;
	size_t n;

	must(sealed_make(&sodium, &head, key, records, &file, &n) == SP_OK);
	must(sealed_open(&sodium, file, n, key, &again) == SP_OK);
	records_encode(again, &bytes);
	must(!bytes.failed && bytes.n == n_plain && (n_plain == 0 || memcmp(bytes.p, plain, n_plain) == 0));
	file[n - 1] ^= 1;
	records_free(&again);
	must(sealed_open(&sodium, file, n, key, &again) == SP_REFUSED && again == NULL);
	text_free(&bytes);
	free(file);
}

static void run_file(const uint8_t *data, size_t size)
{
	struct record *records;
	struct sealed_head head;
	sp_error read = sealed_read_head(data, size, &head);
	sp_error opened = sealed_open(&sodium, data, size, key, &records);

	must(read == SP_OK || (read == SP_STORE && opened == SP_STORE));
	must(opened == SP_OK || records == NULL);
	if (read == SP_OK)
		check_bounds(&head);
	check_records(records);
	records_free(&records);
}

static void run_plain(const uint8_t *data, size_t size)
{
	struct record *records;
	sp_error e = records_decode(data, size, &records);

	must(e == SP_OK || (e == SP_STORE && records == NULL));
	check_records(records);
	if (e == SP_OK)
		check_again(records, data, size);
	records_free(&records);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (sodium.library == NULL)
		must(sealed_load_sodium(&sodium));
	if (size < 1 || size > 65536)
		return 0;
	if (data[0] == 'f')
		run_file(data + 1, size - 1);
	else
		run_plain(data + 1, size - 1);
	return 0;
}
