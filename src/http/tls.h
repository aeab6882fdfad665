/* tls.h — the server's certificate and key, exchangeable while it runs. */
#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include <gnutls/abstract.h>
#include <stdatomic.h>

#include "base/err.h"
#include "base/str.h"

/* TLS 1.2 and 1.3 only, forward secrecy and authenticated encryption only. */
#define TLS_PRIORITIES                                                                       \
	"SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-AES-128-CBC:-AES-256-CBC:-SHA1:" \
	"-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1:%SERVER_PRECEDENCE"

struct tls_identity {
	gnutls_pcert_st certs[8]; /* the chain, ours first */
	unsigned n_certs;
	gnutls_privkey_t key;
	struct tls_identity *older;
};

/* The current identity and the ones before it. Handshakes may still use an older one, and there are
 * as many as there were reloads, so they stay until the end. */
struct tls_store {
	_Atomic(struct tls_identity *) current; /* NULL: no TLS */
};

/* Read PEM files and use them for handshakes from now on. `why` holds one line on failure.
 * Refusals: ERR_CONFIG (unreadable, malformed, or key and certificate do not belong together). */
MUST_USE err_t tls_store_load(struct tls_store *s, str cert_file, str key_file, char *why,
			      size_t why_max);
void tls_store_clear(struct tls_store *s);

#endif
