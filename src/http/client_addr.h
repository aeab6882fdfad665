/* client_addr.h — who is at the other end: the TCP peer, or, behind proxies we trust, the address
 * they report. Pure; addresses are 16 bytes, IPv4 as ::ffff:a.b.c.d.
 * Source: ASVS 5.0 4.1.3; RFC 7239. */
#ifndef HTTP_CLIENT_ADDR_H
#define HTTP_CLIENT_ADDR_H

#include <sys/socket.h>

#include "base/config.h"
#include "http/http.h"

struct client {
	uint8_t addr[CLIENT_ADDR_LEN];
	bool is_unix; /* a local socket; addr is all zero */
	bool https;   /* the client spoke TLS to the outermost trusted proxy */
};

struct cidr {
	uint8_t addr[CLIENT_ADDR_LEN];
	unsigned bits; /* of the 128 */
};

struct proxies {
	struct cidr *items;
	size_t n;
	bool trust_unix;
};

/* Refusals: ERR_CONFIG with the offending entry in *ret_bad. Faults: ERR_NO_MEMORY. */
MUST_USE err_t proxies_init(struct proxies *p, const struct str_list *list, str *ret_bad);
void proxies_clear(struct proxies *p);
bool proxies_trust(const struct proxies *p, const struct client *who);

/* One header's values, in the order received. */
#define CLIENT_VALUES_MAX 8
struct client_values {
	str items[CLIENT_VALUES_MAX];
	size_t n; /* may exceed the maximum: then the header is not believed */
};

/* The client of a request from `peer`. Without trust in the peer: the peer, whatever the headers
 * say. X-Forwarded-For and Forwarded are read from the right, past trusted proxies only; an entry
 * that is no address ends the reading. When both headers are there and disagree, one of them came from
 * outside: the peer itself is the answer. */
void client_find(const struct proxies *p, const struct client *peer,
		 const struct client_values *forwarded_for,
		 const struct client_values *forwarded_proto, const struct client_values *forwarded,
		 struct client *ret);

/* "192.0.2.1", "2001:db8::1", with "[…]" and ":port" allowed around. */
bool client_addr_parse(str text, uint8_t ret[CLIENT_ADDR_LEN]);
void client_of_sockaddr(const struct sockaddr *sa, struct client *ret);
void client_text(const struct client *who, char out[46]);

#endif
