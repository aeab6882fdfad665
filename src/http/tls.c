#include "http/tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static err_t say(char *why, size_t max, str file, const char *what)
{
	(void)snprintf(why, max, "TLS: %.*s: %s", STR_ARG(file), what);
	return err_raise(ERR_CONFIG, __FILE__, __LINE__);
}

static err_t file_name(str file, char *out, size_t max, char *why, size_t why_max)
{
	if (file.n == 0 || file.n >= max || str_has_byte(file, '\0'))
		return say(why, why_max, file, "not a file name");
	memcpy(out, file.p, file.n);
	out[file.n] = '\0';
	return OK;
}

static void identity_free(struct tls_identity *id)
{
	for (unsigned i = 0; i < id->n_certs; i++)
		gnutls_pcert_deinit(&id->certs[i]);
	if (id->key != NULL)
		gnutls_privkey_deinit(id->key);
	free(id);
}

static err_t load_certs(struct tls_identity *id, str file, char *why, size_t why_max)
{
	unsigned n = sizeof(id->certs) / sizeof(id->certs[0]);
	gnutls_datum_t pem = { 0 };
	char name[4096];
	int failed;

	TRY(file_name(file, name, sizeof(name), why, why_max));
	failed = gnutls_load_file(name, &pem);
	if (failed == 0)
		failed = gnutls_pcert_list_import_x509_raw(id->certs, &n, &pem, GNUTLS_X509_FMT_PEM,
							   GNUTLS_X509_CRT_LIST_SORT);
	gnutls_free(pem.data);
	if (failed != 0)
		return say(why, why_max, file, gnutls_strerror(failed));
	id->n_certs = n;
	return OK;
}

static err_t load_key(struct tls_identity *id, str file, char *why, size_t why_max)
{
	gnutls_datum_t pem = { 0 };
	char name[4096];
	int failed;

	TRY(file_name(file, name, sizeof(name), why, why_max));
	failed = gnutls_load_file(name, &pem);
	if (failed == 0)
		failed = gnutls_privkey_init(&id->key);
	if (failed == 0)
		failed =
			gnutls_privkey_import_x509_raw(id->key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (pem.data != NULL)
		explicit_bzero(pem.data, pem.size);
	gnutls_free(pem.data);
	return failed == 0 ? OK : say(why, why_max, file, gnutls_strerror(failed));
}

static bool key_fits(const struct tls_identity *id)
{
	unsigned char of_cert[64], of_key[64];
	size_t n_cert = sizeof(of_cert), n_key = sizeof(of_key);
	gnutls_pubkey_t pub;
	bool fits;

	if (gnutls_pubkey_init(&pub) != 0)
		return false;
	fits = gnutls_pubkey_import_privkey(pub, id->key, 0, 0) == 0 &&
	       gnutls_pubkey_get_key_id(pub, GNUTLS_KEYID_USE_SHA256, of_key, &n_key) == 0 &&
	       gnutls_pubkey_get_key_id(id->certs[0].pubkey, GNUTLS_KEYID_USE_SHA256, of_cert,
					&n_cert) == 0 &&
	       n_key == n_cert && memcmp(of_key, of_cert, n_key) == 0;
	gnutls_pubkey_deinit(pub);
	return fits;
}

err_t tls_store_load(struct tls_store *s, str cert_file, str key_file, char *why, size_t why_max)
{
	struct tls_identity *id = calloc(1, sizeof(*id));
	err_t e;

	REQUIRE(id != NULL, ERR_NO_MEMORY);
	e = load_certs(id, cert_file, why, why_max);
	if (e.code == ERR_OK)
		e = load_key(id, key_file, why, why_max);
	if (e.code == ERR_OK && !key_fits(id))
		e = say(why, why_max, key_file, "the key does not belong to the certificate");
	if (e.code != ERR_OK) {
		identity_free(id);
		return e;
	}
	id->older = atomic_load(&s->current);
	atomic_store(&s->current, id);
	return OK;
}

void tls_store_clear(struct tls_store *s)
{
	struct tls_identity *id = atomic_exchange(&s->current, NULL);

	while (id != NULL) {
		struct tls_identity *older = id->older;

		identity_free(id);
		id = older;
	}
}
