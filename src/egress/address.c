#include "egress/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct net4 {
	uint32_t base;
	int bits;
};
struct net6 {
	uint8_t base[16];
	int bits;
};

#define V4(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

static const struct net4 closed4[] = {
	{ V4(0, 0, 0, 0), 8 },	     { V4(10, 0, 0, 0), 8 },	 { V4(100, 64, 0, 0), 10 },
	{ V4(127, 0, 0, 0), 8 },     { V4(169, 254, 0, 0), 16 }, { V4(172, 16, 0, 0), 12 },
	{ V4(192, 0, 0, 0), 24 },    { V4(192, 0, 2, 0), 24 },	 { V4(192, 88, 99, 0), 24 },
	{ V4(192, 168, 0, 0), 16 },  { V4(198, 18, 0, 0), 15 },	 { V4(198, 51, 100, 0), 24 },
	{ V4(203, 0, 113, 0), 24 },  { V4(224, 0, 0, 0), 4 },	 { V4(240, 0, 0, 0), 4 },
};

/* Of 2000::/3, which is all that is public: protocol assignments with Teredo, documentation, 6to4. */
static const struct net6 closed6[] = {
	{ { 0x20, 0x01, 0x00 }, 23 },
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32 },
	{ { 0x20, 0x02 }, 16 },
	{ { 0x3f, 0xff }, 20 },
};

/* IPv4 inside IPv6: mapped, and NAT64 (RFC 6052), without which an IPv6-only host reaches nobody. */
static const struct net6 wrapped[] = {
	{ { [10] = 0xff, [11] = 0xff }, 96 },
	{ { 0x00, 0x64, 0xff, 0x9b }, 96 },
};

static bool is_public4(uint32_t a)
{
	for (size_t i = 0; i < sizeof(closed4) / sizeof(closed4[0]); i++) {
		if (((a ^ closed4[i].base) >> (32 - closed4[i].bits)) == 0)
			return false;
	}
	return true;
}

static bool in_net6(const uint8_t a[16], const struct net6 *net)
{
	int whole = net->bits / 8, rest = net->bits % 8;

	if (memcmp(a, net->base, (size_t)whole) != 0)
		return false;
	return rest == 0 || ((a[whole] ^ net->base[whole]) >> (8 - rest)) == 0;
}

static bool is_public6(const uint8_t a[16])
{
	for (size_t i = 0; i < sizeof(wrapped) / sizeof(wrapped[0]); i++) {
		if (in_net6(a, &wrapped[i]))
			return is_public4(V4(a[12], a[13], a[14], a[15]));
	}
	for (size_t i = 0; i < sizeof(closed6) / sizeof(closed6[0]); i++) {
		if (in_net6(a, &closed6[i]))
			return false;
	}
	return a[0] >> 5 == 1;
}

bool address_is_public(const struct sockaddr *a)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (a->sa_family == AF_INET) {
		memcpy(&v4, a, sizeof(v4));
		return is_public4(ntohl(v4.sin_addr.s_addr));
	}
	if (a->sa_family == AF_INET6) {
		memcpy(&v6, a, sizeof(v6));
		return is_public6(v6.sin6_addr.s6_addr);
	}
	return false;
}
