/* Who the client is, behind proxies and without; and how many connections a source may hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "http/client_addr.h"
#include "http/source.h"

static const str trusted[] = {
	{ "10.0.0.0/8", 10 },
	{ "192.0.2.1", 9 },
	{ "2001:db8:1::/48", 15 },
	{ "unix", 4 },
};

static struct client client_at(const char *text)
{
	struct client c = { 0 };

	if (strcmp(text, "unix") == 0)
		c.is_unix = true;
	else
		assert_true(client_addr_parse(str_of_cstr(text), c.addr));
	return c;
}

static struct client_values values(const char *const *lines)
{
	struct client_values v = { 0 };

	for (; lines != NULL && *lines != NULL; lines++) {
		if (v.n < CLIENT_VALUES_MAX)
			v.items[v.n] = str_of_cstr(*lines);
		v.n++;
	}
	return v;
}
#define LINES(...) ((const char *const[]){ __VA_ARGS__, NULL })

static struct client found(const char *peer, const char *const *forwarded_for,
			   const char *const *proto, const char *const *forwarded)
{
	const struct str_list list = { trusted, sizeof(trusted) / sizeof(trusted[0]) };
	struct client_values f = values(forwarded_for), p = values(proto), e = values(forwarded);
	struct client who, from = client_at(peer);
	struct proxies proxies;
	str bad;

	assert_int_equal(proxies_init(&proxies, &list, &bad).code, ERR_OK);
	client_find(&proxies, &from, &f, &p, &e, &who);
	proxies_clear(&proxies);
	return who;
}

static void assert_client(struct client got, const char *want)
{
	char text[46];

	client_text(&got, text);
	assert_string_equal(text, want);
}

static void BF07_a_direct_client_cannot_name_its_address(void **state)
{
	static const char *const lies[] = { "1.2.3.1", "1.2.3.2", "1.2.3.3", "10.0.0.1",
					    "unknown" };

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		assert_client(found("203.0.113.9", LINES(lies[i]), LINES("https"), NULL),
			      "203.0.113.9");
		assert_false(found("203.0.113.9", LINES(lies[i]), LINES("https"), NULL).https);
	}
	assert_client(found("203.0.113.9", NULL, NULL, LINES("for=1.2.3.4;proto=https")),
		      "203.0.113.9");
	assert_client(found("2001:db8:2::1", LINES("1.2.3.4"), NULL, NULL), "2001:db8:2::1");
}

static void BF07_forwarded_addresses_are_counted_from_the_right(void **state)
{
	(void)state;
	assert_client(found("10.0.0.1", LINES("203.0.113.9"), NULL, NULL), "203.0.113.9");
	assert_client(found("10.0.0.1", LINES("1.2.3.4, 203.0.113.9"), NULL, NULL), "203.0.113.9");
	assert_client(found("10.0.0.1", LINES("1.2.3.4,203.0.113.9,10.9.9.9"), NULL, NULL),
		      "203.0.113.9");
	assert_client(
		found("10.0.0.1", LINES("1.2.3.4, 203.0.113.9 ,\t10.1.1.1, 192.0.2.1"), NULL, NULL),
		"203.0.113.9");
	assert_client(found("2001:db8:1::5", LINES("2001:db8:2::7"), NULL, NULL), "2001:db8:2::7");
	assert_client(found("unix", LINES("203.0.113.9"), NULL, NULL), "203.0.113.9");
	assert_client(found("10.0.0.1", NULL, NULL, NULL), "10.0.0.1");
	assert_client(found("10.0.0.1", LINES("10.0.0.7, 10.0.0.8"), NULL, NULL), "10.0.0.7");
}

static void BF07_several_header_lines_are_joined_in_order(void **state)
{
	(void)state;
	assert_client(found("10.0.0.1", LINES("1.2.3.4", "203.0.113.9"), NULL, NULL),
		      "203.0.113.9");
	assert_client(found("10.0.0.1", LINES("203.0.113.9", "10.0.0.2"), NULL, NULL),
		      "203.0.113.9");
	assert_client(found("10.0.0.1",
			    LINES("5.5.5.5, 6.6.6.6", "203.0.113.9, 10.0.0.2", "10.0.0.3"), NULL,
			    NULL),
		      "203.0.113.9");
	/* more lines than any proxy makes: nothing of it is believed */
	assert_client(
		found("10.0.0.1", LINES("1", "2", "3", "4", "5", "6", "7", "8", "9"), NULL, NULL),
		"10.0.0.1");
}

static void BF07_an_entry_that_is_no_address_ends_the_reading(void **state)
{
	(void)state;
	assert_client(found("10.0.0.1", LINES("1.2.3.4, unknown"), NULL, NULL), "10.0.0.1");
	assert_client(found("10.0.0.1", LINES("1.2.3.4, unknown, 10.0.0.2"), NULL, NULL),
		      "10.0.0.2");
	assert_client(found("10.0.0.1", LINES("1.2.3.4, 999.1.1.1"), NULL, NULL), "10.0.0.1");
}

/* RFC 9110 §5.6.1.2: a recipient must pass over empty elements. A proxy that appends to an empty header makes one. */
static void BF07_an_empty_entry_is_none(void **state)
{
	static const char *const lists[] = { "203.0.113.9, ", ", 203.0.113.9", "203.0.113.9,,", " , ,203.0.113.9, ,10.0.0.2" };

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		assert_client(found("10.0.0.1", LINES(lists[i]), NULL, NULL), "203.0.113.9");
	assert_client(found("10.0.0.1", LINES("", "203.0.113.9"), NULL, NULL), "203.0.113.9");
	assert_client(found("10.0.0.1", LINES(""), NULL, NULL), "10.0.0.1");
	assert_client(found("10.0.0.1", LINES(", ,"), NULL, NULL), "10.0.0.1");
	assert_client(found("10.0.0.1", NULL, NULL, LINES(", for=203.0.113.9, ")), "203.0.113.9");
	assert_true(found("10.0.0.1", LINES("203.0.113.9"), LINES("https, "), NULL).https);
}

static void BF07_the_forwarded_header_is_read_like_rfc_7239(void **state)
{
	(void)state;
	assert_client(found("10.0.0.1", NULL, NULL, LINES("for=203.0.113.9")), "203.0.113.9");
	assert_client(found("10.0.0.1", NULL, NULL, LINES("For=1.1.1.1, FOR=\"203.0.113.9:4711\"")),
		      "203.0.113.9");
	assert_client(found("10.0.0.1", NULL, NULL,
			    LINES("for=1.1.1.1;by=2.2.2.2, proto=http; for=\"[2001:db8::7]:80\" "
				  ";host=x")),
		      "2001:db8::7");
	assert_client(found("10.0.0.1", NULL, NULL,
			    LINES("for=1.1.1.1", "for=203.0.113.9, for=10.0.0.2")),
		      "203.0.113.9");
	assert_client(found("10.0.0.1", NULL, NULL, LINES("for=1.1.1.1, for=_hidden")), "10.0.0.1");
	assert_client(found("10.0.0.1", NULL, NULL, LINES("for=1.1.1.1, by=x")), "10.0.0.1");
	/* separators inside quotes separate nothing */
	assert_client(found("10.0.0.1", NULL, NULL, LINES("for=1.1.1.1;x=\"a,for=2.2.2.2;\\\",\"")),
		      "1.1.1.1");
	assert_client(found("10.0.0.1", NULL, NULL, LINES("for=1.1.1.1;x=\"open")), "10.0.0.1");
	assert_true(found("10.0.0.1", NULL, NULL, LINES("for=1.1.1.1;proto=https")).https);
	assert_false(found("10.0.0.1", NULL, NULL, LINES("for=1.1.1.1;proto=http")).https);
}

static void BF07_two_headers_that_disagree_are_both_not_believed(void **state)
{
	(void)state;
	assert_client(found("10.0.0.1", LINES("203.0.113.9"), NULL, LINES("for=1.2.3.4")),
		      "10.0.0.1");
	assert_client(found("10.0.0.1", LINES("203.0.113.9"), NULL, LINES("for=203.0.113.9")),
		      "203.0.113.9");
}

static void BF07_the_nearest_proxy_says_whether_it_was_tls(void **state)
{
	(void)state;
	assert_true(found("10.0.0.1", LINES("203.0.113.9"), LINES("https"), NULL).https);
	assert_true(found("10.0.0.1", LINES("203.0.113.9"), LINES("http, HTTPS"), NULL).https);
	assert_false(found("10.0.0.1", LINES("203.0.113.9"), LINES("https, http"), NULL).https);
	assert_false(found("10.0.0.1", LINES("203.0.113.9"), NULL, NULL).https);
}

static void AK03_an_ipv4_address_is_one_address_however_it_arrives(void **state)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct client a, b, c = client_at("::ffff:10.0.0.1");

	(void)state;
	assert_int_equal(inet_pton(AF_INET, "10.0.0.1", &in.sin_addr), 1);
	assert_int_equal(inet_pton(AF_INET6, "::ffff:10.0.0.1", &in6.sin6_addr), 1);
	client_of_sockaddr((const struct sockaddr *)&in, &a);
	client_of_sockaddr((const struct sockaddr *)&in6, &b);
	assert_memory_equal(a.addr, b.addr, CLIENT_ADDR_LEN);
	assert_memory_equal(a.addr, c.addr, CLIENT_ADDR_LEN);
	assert_client(a, "10.0.0.1");
	assert_client(found("::ffff:10.0.0.1", LINES("203.0.113.9"), NULL, NULL), "203.0.113.9");
}

static void addresses_are_parsed_with_ports_and_brackets(void **state)
{
	static const char *const good[] = {
		"1.2.3.4",	     "1.2.3.4:80", "2001:db8::1", "[2001:db8::1]",
		"[2001:db8::1]:443", "::1",	   "::",
	};
	static const char *const bad[] = {
		"",
		":",
		"1.2.3",
		"1.2.3.4.5",
		"1.2.3.4:",
		"1.2.3.4:65536",
		"1.2.3.4:x",
		"256.1.1.1",
		"[1.2.3.4]",
		"[::1",
		"::1]",
		"[::1]x",
		"[::1]:",
		"[::1]:99999",
		"01.2.3.4",
		"localhost",
		" 1.2.3.4",
		"1.2.3.4 ",
		"2001:db8::1::2",
		"fe80::1%lo",
		"1.2.3.4/8",
	};
	uint8_t addr[CLIENT_ADDR_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(client_addr_parse(str_of_cstr(good[i]), addr));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (client_addr_parse(str_of_cstr(bad[i]), addr))
			fail_msg("taken: %s", bad[i]);
	}
	assert_false(client_addr_parse((str){ "1.2.3.4\0", 8 }, addr));
}

static bool trusts(const char *cidr, const char *addr)
{
	const str item = str_of_cstr(cidr);
	const struct str_list list = { &item, 1 };
	struct client who = client_at(addr);
	struct proxies p;
	bool yes;
	str bad;

	assert_int_equal(proxies_init(&p, &list, &bad).code, ERR_OK);
	yes = proxies_trust(&p, &who);
	proxies_clear(&p);
	return yes;
}

static void BF07_ranges_end_where_they_end(void **state)
{
	(void)state;
	assert_true(trusts("10.0.0.0/8", "10.255.255.255"));
	assert_false(trusts("10.0.0.0/8", "11.0.0.0"));
	assert_true(trusts("10.0.0.128/25", "10.0.0.128"));
	assert_false(trusts("10.0.0.128/25", "10.0.0.127"));
	assert_true(trusts("10.0.0.1/32", "10.0.0.1"));
	assert_false(trusts("10.0.0.1/32", "10.0.0.2"));
	assert_true(trusts("0.0.0.0/0", "203.0.113.9"));
	assert_false(trusts("0.0.0.0/0", "2001:db8::1"));
	assert_true(trusts("::/0", "2001:db8::1"));
	assert_true(trusts("2001:db8::/33", "2001:db8:7fff::1"));
	assert_false(trusts("2001:db8::/33", "2001:db8:8000::1"));
	assert_true(trusts("::1", "::1"));
	assert_false(trusts("::1", "unix"));
	assert_false(trusts("::/0", "unix"));
	assert_true(trusts("unix", "unix"));
	assert_false(trusts("unix", "::1"));
}

static void ranges_that_are_none_are_named(void **state)
{
	static const char *const bad[] = { "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1",
					   "x",		  "",	    "/8",	 "10.0.0.0/8/8",
					   "10.0.0.1:80" };
	struct proxies p;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const str items[] = { STR("::1"), str_of_cstr(bad[i]) };
		const struct str_list list = { items, 2 };
		str named = STR_NONE;

		assert_int_equal(proxies_init(&p, &list, &named).code, ERR_CONFIG);
		assert_true(str_eq(named, items[1]));
	}
}

/* ---- connections of a source ---- */

static bool take(struct source_table *t, const char *addr, int64_t limit)
{
	struct client c = client_at(addr);

	return source_take(t, c.addr, limit);
}

static void give_back(struct source_table *t, const char *addr)
{
	struct client c = client_at(addr);

	source_give_back(t, c.addr);
}

static void HT18_a_source_holds_so_many_connections(void **state)
{
	struct source_table t;

	(void)state;
	assert_int_equal(source_init(&t, 100).code, ERR_OK);
	assert_true(take(&t, "192.0.2.1", 2));
	assert_true(take(&t, "192.0.2.1", 2));
	assert_false(take(&t, "192.0.2.1", 2));
	assert_true(take(&t, "192.0.2.2", 2));
	give_back(&t, "192.0.2.1");
	assert_true(take(&t, "192.0.2.1", 2));
	assert_false(take(&t, "192.0.2.1", 2));
	source_clear(&t);
}

static void HT18_an_ipv6_source_is_a_64(void **state)
{
	struct source_table t;

	(void)state;
	assert_int_equal(source_init(&t, 100).code, ERR_OK);
	assert_true(take(&t, "2001:db8:0:1::1", 2));
	assert_true(take(&t, "2001:db8:0:1:ffff::2", 2));
	assert_false(take(&t, "2001:db8:0:1::3", 2));
	assert_true(take(&t, "2001:db8:0:2::1", 2));
	source_clear(&t);
}

static void HT18_counts_stay_right_when_sources_come_and_go(void **state)
{
	enum {
		SOURCES = 256,
		ROUNDS = 20000
	};
	static int held[SOURCES];
	struct source_table t;
	uint32_t x = 1;
	int total = 0;

	(void)state;
	assert_int_equal(source_init(&t, 64).code, ERR_OK);
	for (int i = 0; i < ROUNDS; i++) {
		uint8_t addr[CLIENT_ADDR_LEN] = { 0x20, 1 };
		unsigned who;

		x = x * 1664525 + 1013904223;
		who = x >> 24;
		addr[7] = (uint8_t)who;
		if ((x >> 20 & 1) != 0 && total < 64) {
			bool room = held[who] < 3;

			assert_int_equal(source_take(&t, addr, 3), room);
			held[who] += room;
			total += room;
		} else if (held[who] > 0) {
			source_give_back(&t, addr);
			held[who]--;
			total--;
		}
	}
	for (unsigned who = 0; who < SOURCES; who++) {
		uint8_t addr[CLIENT_ADDR_LEN] = { 0x20, 1, [7] = (uint8_t)who };

		for (; held[who] > 0; held[who]--)
			source_give_back(&t, addr);
	}
	for (size_t i = 0; i <= t.mask; i++)
		assert_int_equal(t.slots[i].count, 0);
	source_clear(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(BF07_a_direct_client_cannot_name_its_address),
		cmocka_unit_test(BF07_forwarded_addresses_are_counted_from_the_right),
		cmocka_unit_test(BF07_several_header_lines_are_joined_in_order),
		cmocka_unit_test(BF07_an_entry_that_is_no_address_ends_the_reading),
		cmocka_unit_test(BF07_an_empty_entry_is_none),
		cmocka_unit_test(BF07_the_forwarded_header_is_read_like_rfc_7239),
		cmocka_unit_test(BF07_two_headers_that_disagree_are_both_not_believed),
		cmocka_unit_test(BF07_the_nearest_proxy_says_whether_it_was_tls),
		cmocka_unit_test(AK03_an_ipv4_address_is_one_address_however_it_arrives),
		cmocka_unit_test(addresses_are_parsed_with_ports_and_brackets),
		cmocka_unit_test(BF07_ranges_end_where_they_end),
		cmocka_unit_test(ranges_that_are_none_are_named),
		cmocka_unit_test(HT18_a_source_holds_so_many_connections),
		cmocka_unit_test(HT18_an_ipv6_source_is_a_64),
		cmocka_unit_test(HT18_counts_stay_right_when_sources_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
