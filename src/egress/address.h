/* address.h — may a request whose host others chose go to this address? Only to the public Internet: not to this
 * machine, a private network, a cloud's metadata service, or what leads there in disguise (IPv4 inside IPv6).
 * Source: IANA special-purpose address registries; ASVS 5.0 13.2.4. */
#ifndef EGRESS_ADDRESS_H
#define EGRESS_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* False for every family but IPv4 and IPv6. */
bool address_is_public(const struct sockaddr *a);

#endif
