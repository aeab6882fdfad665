/* Hashing, verifying and judging passwords; the gate in front of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <crypt.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "crypto/mac.h"
#include "crypto/password.h"
#include "crypto/password_gate.h"

#define MANY_BYTES ((size_t)2 * 1024 * 1024)

static struct arena mem;
static struct password_gate *gate;
static const struct password_params plain = { ARGON2_MEMORY_FLOOR, ARGON2_ITER_FLOOR, { NULL, 0 } };

static struct secret secret_of(str s)
{
	static uint8_t empty[1];
	uint8_t *p = empty;

	if (s.n > 0) {
		p = arena_new(&mem, uint8_t, s.n);
		assert_non_null(p);
		memcpy(p, s.p, s.n);
	}
	return (struct secret){ p, s.n };
}

static int64_t in_s(int64_t s)
{
	return monotonic_us() + s * 1000000;
}

static str hash_with(const struct password_params *p, str password)
{
	struct secret normal;
	str ret;

	assert_int_equal(password_normalise(&mem, secret_of(password), &normal).code, ERR_OK);
	assert_int_equal(password_hash(gate, p, rng_system, &mem, normal, in_s(30), &ret).code,
			 ERR_OK);
	return ret;
}

static bool verify_with(const struct password_params *p, str stored, str password, bool *ret_rehash)
{
	bool match = true;

	*ret_rehash = true;
	assert_int_equal(password_verify(gate, p, &mem, stored, secret_of(password), in_s(30),
					 &match, ret_rehash)
				 .code,
			 ERR_OK);
	return match;
}

static bool matches(str stored, str password)
{
	bool rehash;

	return verify_with(&plain, stored, password, &rehash);
}

/* A hash as another system would have made it. */
static str imported(const char *prefix, unsigned long cost, const char *password)
{
	static struct crypt_data data;
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	str ret;

	assert_non_null(crypt_gensalt_rn(prefix, cost, NULL, 0, setting, sizeof(setting)));
	memset(&data, 0, sizeof(data));
	assert_int_equal(
		arena_copy(&mem, str_of_cstr(crypt_r(password, setting, &data)), &ret).code,
		ERR_OK);
	return ret;
}

/* ---- hashes ---- */

static void PW01_a_new_hash_is_argon2id_and_says_so(void **state)
{
	str first = hash_with(&plain, STR("correct horse")), second;
	struct phc what;

	(void)state;
	assert_true(str_starts(first, STR("$argon2id$v=19$m=19456,t=2,p=1$")));
	assert_int_equal(first.p[first.n], '\0');
	assert_true(phc_parse(first, &what));
	assert_int_equal(what.kind, PHC_ARGON2ID);
	assert_int_equal(what.memory, ARGON2_MEMORY_FLOOR);
	assert_int_equal(what.iterations, 2);
	assert_int_equal(what.parallelism, 1);
	assert_int_equal(what.pepper_id.n, 0);
	second = hash_with(&plain, STR("correct horse"));
	assert_int_equal(first.n, second.n);
	assert_memory_not_equal(first.p + 31, second.p + 31, 22); /* 16 bytes of salt */
	assert_true(matches(first, STR("correct horse")));
	assert_true(matches(second, STR("correct horse")));
	assert_false(matches(first, STR("correct horsf")));
	assert_false(matches(first, STR("")));
}

static void PW02_parameters_below_the_floor_or_beyond_reading_back_are_not_used(void **state)
{
	const struct password_params small = { (int64_t)1024 * 1024, 2, { NULL, 0 } };
	const struct password_params once = { ARGON2_MEMORY_FLOOR, 1, { NULL, 0 } };
	const struct password_params much = { ARGON2_MEMORY_MAX, 17, { NULL, 0 } };
	const struct password_params vast = { ARGON2_MEMORY_MAX + 1024, 2, { NULL, 0 } };
	bool match, rehash;
	str ret;

	(void)state;
	assert_int_equal(
		password_hash(gate, &small, rng_system, &mem, secret_of(STR("x")), in_s(30), &ret)
			.code,
		ERR_BUG);
	assert_int_equal(
		password_hash(gate, &once, rng_system, &mem, secret_of(STR("x")), in_s(30), &ret)
			.code,
		ERR_BUG);
	assert_int_equal(
		password_hash(gate, &much, rng_system, &mem, secret_of(STR("x")), in_s(30), &ret)
			.code,
		ERR_BUG);
	assert_int_equal(
		password_hash(gate, &vast, rng_system, &mem, secret_of(STR("x")), in_s(30), &ret)
			.code,
		ERR_BUG);
	assert_int_equal(password_verify(gate, &small, &mem, STR_NONE, secret_of(STR("x")),
					 in_s(30), &match, &rehash)
				 .code,
			 ERR_BUG);
	assert_int_equal(password_gate_running(gate), 0);
}

static void PW03_a_match_under_other_parameters_asks_for_a_rehash(void **state)
{
	const struct password_params more = { ARGON2_MEMORY_FLOOR, 3, { NULL, 0 } };
	const struct password_params larger = { 2 * ARGON2_MEMORY_FLOOR, 2, { NULL, 0 } };
	str stored = hash_with(&plain, STR("secret"));
	bool rehash;

	(void)state;
	assert_true(verify_with(&plain, stored, STR("secret"), &rehash));
	assert_false(rehash);
	assert_true(verify_with(&more, stored, STR("secret"), &rehash));
	assert_true(rehash);
	assert_true(verify_with(&larger, stored, STR("secret"), &rehash));
	assert_true(rehash);
	assert_false(verify_with(&more, stored, STR("wrong"), &rehash));
	assert_false(rehash);
}

static void PW03_an_imported_hash_that_matches_asks_for_a_rehash(void **state)
{
	static const char *prefix[] = { "$2b$", "$2y$", "$2a$", "$7$", "$y$" };
	bool rehash;

	(void)state;
	for (size_t i = 0; i < sizeof(prefix) / sizeof(prefix[0]); i++) {
		str stored = imported(prefix[i], i < 3 ? 4 : i == 3 ? 6 : 1, "from elsewhere");
		struct phc what;

		assert_true(phc_parse(stored, &what));
		assert_true(verify_with(&plain, stored, STR("from elsewhere"), &rehash));
		assert_true(rehash);
		assert_false(verify_with(&plain, stored, STR("from elsewherE"), &rehash));
		assert_false(rehash);
	}
}

static void imported_hashes_of_published_examples_match(void **state)
{
	(void)state;
	/* the argon2 reference implementation's own tests: short salt, and two lanes */
	assert_true(matches(STR("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$"
				"nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"),
			    STR("password")));
	assert_true(matches(STR("$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$"
				"bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc"),
			    STR("password")));
	assert_false(matches(STR("$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$"
				 "bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc"),
			     STR("Password")));
	/* RFC 7914 §12, third example, as a crypt(3) line */
	assert_true(matches(STR("$7$C6..../....SodiumChloride$"
				"kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D"),
			    STR("pleaseletmein")));
	assert_true(matches(STR("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
			    STR("U*U")));
}

static void all_three_bcrypt_letters_mean_the_same_also_for_8_bit_passwords(void **state)
{
	char line[] = "$2y$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e";

	(void)state;
	for (const char *letter = "aby"; *letter != '\0'; letter++) {
		line[2] = *letter;
		assert_true(matches(str_of_cstr(line), STR("\xff\xff\xa3")));
		assert_false(matches(str_of_cstr(line), STR("\xff\xa3")));
	}
}

static void PW04_bcrypt_sees_72_bytes_as_it_always_did_and_new_hashes_see_all(void **state)
{
	char first[101], second[101], early[101];
	str stored;

	(void)state;
	memset(first, 'p', 100);
	first[100] = '\0';
	memcpy(second, first, sizeof(first));
	memcpy(early, first, sizeof(first));
	second[90] = 'q';
	early[71] = 'q';
	stored = imported("$2b$", 4, first);
	assert_true(matches(stored, str_of_cstr(first)));
	assert_true(matches(stored, str_of_cstr(second)));
	assert_false(matches(stored, str_of_cstr(early)));
	stored = hash_with(&plain, str_of_cstr(first));
	assert_true(matches(stored, str_of_cstr(first)));
	assert_false(matches(stored, str_of_cstr(second)));
}

/* A typing error behind the 72nd byte, or somebody who knows the first 72: the hash stays, and so does its owner's way in. */
static void PW04_a_hash_is_renewed_only_from_a_password_that_it_tells_from_every_other(void **state)
{
	static const struct {
		const char *prefix;
		size_t made_of, typed;
		bool match, rehash;
	} rows[] = {
		{ "$2b$", 109, 109, true, false }, { "$2b$", 109, 72, true, false }, { "$2b$", 109, 80, true, false },
		{ "$2b$", 73, 72, true, false },   { "$2b$", 72, 72, true, false },  { "$2b$", 72, 73, true, false },
		{ "$2b$", 71, 71, true, true },	   { "$2b$", 71, 72, false, false }, { "$2b$", 72, 71, false, false },
		{ "$2b$", 8, 8, true, true },	   { "$7$", 109, 109, true, true },  { "$7$", 109, 72, false, false },
		{ "$y$", 109, 109, true, true },   { "$y$", 109, 72, false, false },
	};
	char made_of[128] = { 0 }, typed[128] = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool match, rehash;
		str stored;

		memset(made_of, 'p', sizeof(made_of) - 1);
		memset(typed, 'p', sizeof(typed) - 1);
		made_of[rows[i].made_of] = typed[rows[i].typed] = '\0';
		stored = imported(rows[i].prefix, rows[i].prefix[1] == '2' ? 4 : rows[i].prefix[1] == '7' ? 6 : 1,
				  made_of);
		match = verify_with(&plain, stored, str_of_cstr(typed), &rehash);
		assert_int_equal(match, rows[i].match);
		assert_int_equal(rehash, rows[i].rehash);
	}
}

static void other_imported_hashes_never_match_a_password_they_could_not_have_seen_whole(
	void **state)
{
	static char longer[700];
	char cut[512];
	str stored;

	(void)state;
	memset(longer, 'x', sizeof(longer));
	memcpy(cut, longer, sizeof(cut));
	cut[511] = '\0';
	stored = imported("$7$", 6, cut);
	assert_true(matches(stored, str_of_cstr(cut)));
	assert_false(matches(stored, str_of_bytes(longer, sizeof(longer))));
}

static void PW08_the_password_is_used_exactly_as_sent(void **state)
{
	str stored = hash_with(&plain, STR(" Secret "));

	(void)state;
	assert_true(matches(stored, STR(" Secret ")));
	assert_false(matches(stored, STR("Secret ")));
	assert_false(matches(stored, STR(" Secret")));
	assert_false(matches(stored, STR(" secret ")));
}

static void PW08_composed_and_decomposed_letters_are_one_password(void **state)
{
	str composed = STR("caf\xc3\xa9 cr\xc3\xa8me"),
	    decomposed = STR("cafe\xcc\x81 cre\xcc\x80me");

	(void)state;
	assert_true(matches(hash_with(&plain, composed), decomposed));
	assert_true(matches(hash_with(&plain, decomposed), composed));
	/* NFC, not NFKC: the ligature stays itself */
	assert_false(matches(hash_with(&plain, STR("\xef\xac\x81sh")), STR("fish")));
}

static void PW08_an_imported_hash_of_either_form_matches(void **state)
{
	str nfd = imported("$2b$", 4, "cafe\xcc\x81"), nfc = imported("$2b$", 4, "caf\xc3\xa9");

	(void)state;
	assert_true(matches(nfd, STR("cafe\xcc\x81")));
	assert_true(matches(nfc, STR("cafe\xcc\x81"))); /* second try, with the normal form */
	assert_true(matches(nfc, STR("caf\xc3\xa9")));
	assert_false(matches(nfd, STR("caf\xc3\xa9"))); /* nobody can undo a normalisation */
	assert_false(matches(nfd, STR("cafe")));
}

static void PW08_normalising_refuses_what_is_not_text(void **state)
{
	char longest[PASSWORD_MAX_BYTES + 1];
	struct secret ret;

	(void)state;
	assert_int_equal(password_normalise(&mem, secret_of(STR("\xff")), &ret).code, ERR_INPUT);
	assert_int_equal(password_normalise(&mem, secret_of(STR("\xed\xa0\x80")), &ret).code,
			 ERR_INPUT);
	memset(longest, 'a', sizeof(longest));
	assert_int_equal(
		password_normalise(&mem, secret_of(str_of_bytes(longest, sizeof(longest))), &ret)
			.code,
		ERR_INPUT);
	assert_int_equal(
		password_normalise(&mem, secret_of(str_of_bytes(longest, PASSWORD_MAX_BYTES)), &ret)
			.code,
		ERR_OK);
	assert_int_equal(ret.n, PASSWORD_MAX_BYTES);
	assert_int_equal(password_normalise(&mem, secret_of(STR("")), &ret).code, ERR_OK);
	assert_int_equal(ret.n, 0);
	assert_int_equal(password_normalise(&mem, secret_of(STR("a\0e\xcc\x81")), &ret).code,
			 ERR_OK);
	assert_int_equal(ret.n, 4);
	assert_memory_equal(ret.p, "a\0\xc3\xa9", 4);
}

static void the_longest_growth_of_normalisation_fits(void **state)
{
	/* U+1D160 triples under NFC: excluded from composition */
	static const char note[4] = { '\xf0', '\x9d', '\x85', '\xa0' };
	char text[PASSWORD_MAX_BYTES];
	struct secret ret;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i += 4)
		memcpy(text + i, note, sizeof(note));
	assert_int_equal(
		password_normalise(&mem, secret_of(str_of_bytes(text, sizeof(text))), &ret).code,
		ERR_OK);
	assert_int_equal(ret.n, 3 * sizeof(text));
}

static void PW09_a_nul_inside_is_part_of_the_password(void **state)
{
	str stored = hash_with(&plain, STR("abc\0defgh"));

	(void)state;
	assert_true(matches(stored, STR("abc\0defgh")));
	assert_false(matches(stored, STR("abc")));
	assert_false(matches(stored, STR("abc\0")));
	assert_false(matches(stored, STR("abc\0defgi")));
}

static void PW09_a_nul_never_ends_a_password_for_an_imported_hash(void **state)
{
	str bcrypt = imported("$2b$", 4, "abc"), scrypt = imported("$7$", 6, "abc");

	(void)state;
	assert_true(matches(bcrypt, STR("abc")));
	assert_false(matches(bcrypt, STR("abc\0def")));
	assert_false(matches(bcrypt, STR("abc\0")));
	assert_false(matches(scrypt, STR("abc\0def")));
}

static void nothing_matches_an_absent_or_unreadable_hash(void **state)
{
#define REST "$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	static const char *unreadable[] = {
		"",
		"x",
		"$2b$",
		"$argon2id$v=19$m=19456,t=2,p=1$",
		"{SSHA}abc",
		"*0",
		"$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/",
		"$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
	};
	bool rehash;

	(void)state;
	assert_false(verify_with(&plain, STR_NONE, STR("password"), &rehash));
	assert_false(rehash);
	/* the same numbers match as $argon2id$v=19 */
	assert_true(matches(STR("$argon2id$v=19" REST), STR("password")));
	assert_false(matches(STR("$argon2i$v=19" REST), STR("password")));
	assert_false(matches(STR("$argon2id$v=16" REST), STR("password")));
	for (size_t i = 0; i < sizeof(unreadable) / sizeof(unreadable[0]); i++) {
		assert_false(
			verify_with(&plain, str_of_cstr(unreadable[i]), STR("password"), &rehash));
		assert_false(rehash);
	}
	assert_false(matches(STR_NONE, STR("")));
}

static void what_is_not_text_or_too_long_matches_nothing(void **state)
{
	static char longer[PASSWORD_MAX_BYTES + 100], start[73];
	str stored;

	(void)state;
	memset(longer, 'x', sizeof(longer));
	memset(start, 'x', sizeof(start) - 1);
	stored = hash_with(&plain, str_of_bytes(longer, PASSWORD_MAX_BYTES));
	assert_true(matches(stored, str_of_bytes(longer, PASSWORD_MAX_BYTES)));
	assert_false(matches(stored, str_of_bytes(longer, sizeof(longer))));
	assert_false(matches(stored, STR("\xff\xfe")));
	stored = imported("$2b$", 4, start);
	assert_true(matches(stored, str_of_bytes(longer, PASSWORD_MAX_BYTES)));
	assert_false(matches(stored, str_of_bytes(longer, sizeof(longer))));
}

/* Of the thread's own time: what else the machine does is not in it. */
static int64_t own_us(void)
{
	struct timespec t;

	assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t), 0);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t fastest_us(str stored)
{
	int64_t best = INT64_MAX;

	for (int i = 0; i < 5; i++) {
		int64_t start = own_us(), took;

		assert_false(matches(stored, STR("some wrong password")));
		took = own_us() - start;
		best = took < best ? took : best;
	}
	return best;
}

static void BF10_an_unknown_account_costs_one_hash_like_a_known_one(void **state)
{
	/* Coarse on purpose: a missing or a doubled hash is a factor, not a percentage. */
	int64_t known = fastest_us(hash_with(&plain, STR("the right password")));
	int64_t unknown = fastest_us(STR_NONE), damaged = fastest_us(STR("$argon2id$v=19$m=x"));

	(void)state;
	assert_true(unknown * 3 > known * 2 && known * 3 > unknown * 2);
	assert_true(damaged * 3 > known * 2 && known * 3 > damaged * 2);
}

/* ---- pepper ---- */

static void a_pepper_is_needed_to_verify_and_named_in_the_hash(void **state)
{
	uint8_t a[] = "a pepper of some length", b[] = "another pepper of some length";
	const struct password_params with_a = { ARGON2_MEMORY_FLOOR, 2, { a, sizeof(a) - 1 } };
	const struct password_params with_b = { ARGON2_MEMORY_FLOOR, 2, { b, sizeof(b) - 1 } };
	str stored = hash_with(&with_a, STR("secret"));
	struct phc what;
	bool rehash;

	(void)state;
	assert_true(str_starts(stored, STR("$argon2id-hmac$k=")));
	assert_true(phc_parse(stored, &what));
	assert_int_equal(what.pepper_id.n, 8);
	assert_true(verify_with(&with_a, stored, STR("secret"), &rehash));
	assert_false(rehash);
	assert_false(verify_with(&with_a, stored, STR("wrong"), &rehash));
	assert_false(verify_with(&with_b, stored, STR("secret"), &rehash));
	assert_false(verify_with(&plain, stored, STR("secret"), &rehash));
	assert_false(rehash);
}

static void the_peppered_tag_is_not_the_plain_tag_under_another_name(void **state)
{
	uint8_t pepper[] = "pepper";
	const struct password_params with = { ARGON2_MEMORY_FLOOR, 2, { pepper, 6 } };
	str stored = hash_with(&with, STR("secret")), head, tail, bare;

	(void)state;
	assert_true(str_cut(str_skip(stored, strlen("$argon2id-hmac$")), '$', &head, &tail));
	assert_int_equal(arena_printf(&mem, &bare, "$argon2id$%.*s", STR_ARG(tail)).code, ERR_OK);
	assert_false(matches(bare, STR("secret")));
}

static void a_hash_from_before_the_pepper_still_matches_and_asks_for_a_rehash(void **state)
{
	uint8_t pepper[] = "pepper";
	const struct password_params with = { ARGON2_MEMORY_FLOOR, 2, { pepper, 6 } };
	str stored = hash_with(&plain, STR("secret"));
	bool rehash;

	(void)state;
	assert_true(verify_with(&with, stored, STR("secret"), &rehash));
	assert_true(rehash);
}

/* ---- reading hashes ---- */

static void stored_hashes_that_ask_for_the_impossible_are_unreadable(void **state)
{
#define TAIL "$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
#define OWN  "$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define BC   "CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
#define SC   "SodiumChloride$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D"
	static const char *refused[] = {
		"$argon2id$v=19$m=4194305,t=1,p=1" TAIL,
		"$argon2id$v=19$m=4194304,t=17,p=1" TAIL,
		"$argon2id$v=19$m=256,t=0,p=1" TAIL,
		"$argon2id$v=19$m=256,t=101,p=1" TAIL,
		"$argon2id$v=19$m=256,t=2,p=0" TAIL,
		"$argon2id$v=19$m=256,t=2,p=17" TAIL,
		"$argon2id$v=19$m=8,t=2,p=2" TAIL,
		"$argon2id$v=19$m=7,t=2,p=1" TAIL,
		"$argon2id$v=19$m=0256,t=2,p=1" TAIL,
		"$argon2id$v=19$m=+256,t=2,p=1" TAIL,
		"$argon2id$v=19$m=256, t=2,p=1" TAIL,
		"$argon2id$v=19$t=2,m=256,p=1" TAIL,
		"$argon2id$v=19$m=256,t=2,p=1" TAIL "=",
		"$argon2id$v=19$m=256,t=2,p=1" TAIL "$",
		"$argon2id$v=19$m=256,t=2,p=1" TAIL "\n",
		" $argon2id$v=19$m=256,t=2,p=1" TAIL,
		"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$",
		"$argon2id$v=19$m=256,t=2,p=1$$AAAA",
		"$argon2id$v=19$m=256,t=2,p=1$c29tZXM$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
		"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR_"
		"uIPnA4rEsF5h7TKyQwu9U1bMCHGi_4",
		"$argon2id-hmac$k=$v=19$m=19456,t=2,p=1" OWN,
		"$argon2id-hmac$k=0123456G$v=19$m=19456,t=2,p=1" OWN,
		"$argon2id-hmac$k=01234567$v=19$m=19456,t=2,p=2" OWN,
		"$argon2id-hmac$k=01234567$v=19$m=19456,t=2,p=1" TAIL,
		"$argon2id-hmac$v=19$m=19456,t=2,p=1" OWN,
		"$2b$03$" BC,
		"$2b$17$" BC,
		"$2b$31$" BC,
		"$2b$5$" BC "x",
		"$2c$05$" BC,
		"$2b$05$" BC "x",
		"$2b$05!" BC,
		"$7$S6..../...." SC,
		"$7$C6.......z." SC,
		"$7$C...../...." SC,
		"$7$C6..../zzzz" SC,
		"$7$C6..../....$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D",
		"$7$C6..../....Sodium",
		"$y$jzT$" SC,
		"$y$j9z$" SC,
		"$y$j9T" SC,
		"$y$k9T$" SC,
		"$y$j9T$$kBGj",
		"$y$j",
	};
	struct phc what;

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (phc_parse(str_of_cstr(refused[i]), &what))
			fail_msg("accepted: %s", refused[i]);
	}
	assert_true(phc_parse(STR("$argon2id$v=19$m=256,t=2,p=1" TAIL), &what));
	assert_true(phc_parse(STR("$argon2id-hmac$k=01234567$v=19$m=19456,t=2,p=1" OWN), &what));
	assert_true(str_eq(what.pepper_id, STR("01234567")));
	assert_true(phc_parse(STR("$2b$05$" BC), &what));
	assert_int_equal(what.kind, PHC_BCRYPT);
	assert_true(phc_parse(STR("$7$C6..../...." SC), &what));
	assert_int_equal(what.kind, PHC_SCRYPT);
	assert_true(phc_parse(STR("$y$j9T$" SC), &what));
	assert_int_equal(what.kind, PHC_YESCRYPT);
	assert_false(phc_parse(STR_NONE, &what));
}

/* ---- the rule for new passwords ---- */

static enum password_verdict judge(str password, const char *word)
{
	const str context[] = { STR("ada.lovelace@engines.example"), STR("Analytical Portal"),
				str_of_cstr(word) };

	return password_judge(&mem, secret_of(password), 8, 2, context, 3);
}

static str repeat(const char *unit, size_t n)
{
	const str u = str_of_cstr(unit);
	char *p = arena_new(&mem, char, n *u.n + 1);

	assert_non_null(p);
	for (size_t i = 0; i < n; i++)
		memcpy(p + i * u.n, u.p, u.n);
	return (str){ p, n * u.n };
}

static enum password_verdict judge_length_only(str password)
{
	return password_judge(&mem, secret_of(password), 8, 0, NULL, 0);
}

static void PW05_length_counts_code_points(void **state)
{
	(void)state;
	assert_int_equal(judge_length_only(STR("1234567")), PASSWORD_TOO_SHORT);
	assert_int_equal(judge_length_only(STR("12345678")), PASSWORD_OK);
	assert_int_equal(judge_length_only(repeat("\xf0\x9f\x98\x80", 7)), PASSWORD_TOO_SHORT);
	assert_int_equal(judge_length_only(repeat("\xf0\x9f\x98\x80", 8)), PASSWORD_OK);
	assert_int_equal(judge_length_only(repeat("\xc3\xa9", 256)), PASSWORD_OK);
	assert_int_equal(judge_length_only(repeat("\xc3\xa9", 257)), PASSWORD_TOO_LONG);
	assert_int_equal(judge_length_only(repeat("\xf0\x9f\x98\x80", 256)), PASSWORD_OK);
	assert_int_equal(judge_length_only(repeat("\xf0\x9f\x98\x80", 257)), PASSWORD_TOO_LONG);
	/* as hashed, e and its accent are one */
	assert_int_equal(judge_length_only(repeat("e\xcc\x81", 7)), PASSWORD_TOO_SHORT);
	assert_int_equal(judge_length_only(repeat("a", 100000)), PASSWORD_TOO_LONG);
	assert_int_equal(judge_length_only(STR("")), PASSWORD_TOO_SHORT);
}

static void PW05_sixty_four_emoji_are_a_good_password(void **state)
{
	static const char face[4] = { '\xf0', '\x9f', '\x98', '\x80' };
	char mixed[64 * sizeof(face)];

	(void)state;
	for (size_t i = 0; i < 64; i++) {
		memcpy(mixed + 4 * i, face, sizeof(face));
		mixed[4 * i + 3] = (char)(0x80 + i * 37 % 64);
	}
	assert_int_equal(judge(str_of_bytes(mixed, sizeof(mixed)), NULL), PASSWORD_OK);
	assert_int_equal(judge(repeat("\xf0\x9f\x98\x80", 64), NULL), PASSWORD_OK);
}

static void PW05_length_is_told_before_strength(void **state)
{
	(void)state;
	assert_int_equal(judge(STR("pass"), NULL), PASSWORD_TOO_SHORT);
	assert_int_equal(judge(STR("\xff\xff"), NULL), PASSWORD_NOT_TEXT);
	assert_int_equal(judge(repeat("password", 33), NULL), PASSWORD_TOO_LONG);
	assert_int_equal(judge(STR("password"), NULL), PASSWORD_TOO_WEAK);
}

static void PW06_no_kinds_of_characters_are_demanded(void **state)
{
	(void)state;
	assert_int_equal(judge(STR("qwzkvtmxjplr"), NULL), PASSWORD_OK);
	assert_int_equal(judge(STR("vfkqzhtubmwxnyd"), NULL), PASSWORD_OK);
	assert_int_equal(judge(STR("correct horse battery staple"), NULL), PASSWORD_OK);
}

static void PW07_common_passwords_are_refused(void **state)
{
	static const char *weak[] = {
		"passwordpassword", "password1",
		"P@ssw0rd1",	    "qwertyuiop",
		"12345678",	    "11111111111",
		"aaaaaaaaaaaaaaaa", "abcdefghijklmnop",
		"letmein123",	    "iloveyou1",
		"summer2024",	    "19841984",
		"asdfghjkl",	    "password\x01password",
	};

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(weak) / sizeof(weak[0]); i++) {
		if (judge(str_of_cstr(weak[i]), NULL) != PASSWORD_TOO_WEAK)
			fail_msg("accepted: %s", weak[i]);
	}
}

static void PW07_words_of_the_account_and_the_site_are_refused(void **state)
{
	static const char *weak[] = {
		"ada.lovelace@engines.example",
		"Ada.Lovelace@Engines.Example",
		"ada.lovelace",
		"adalovelace",
		"lovelace",
		"LOVELACE1",
		"enginesengines",
		"engines.example",
		"Analytical Portal",
		"analytical",
		"analytical1",
		"qwzkvtmxjplr",
		"lovelace12",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(weak) / sizeof(weak[0]); i++) {
		if (judge(str_of_cstr(weak[i]), "qwzkvtmxjplr") != PASSWORD_TOO_WEAK)
			fail_msg("accepted: %s", weak[i]);
	}
	assert_int_equal(judge(STR("qwzkvtmxjplr"), NULL), PASSWORD_OK);
}

static void PW09_a_nul_does_not_end_what_is_judged(void **state)
{
	(void)state;
	assert_int_equal(judge(STR("password\0wzkvtmxjplr"), NULL), PASSWORD_OK);
	assert_int_equal(judge(STR("\0wzkvtmxjplr"), NULL), PASSWORD_OK);
	assert_int_equal(judge_length_only(STR("a\0\0\0\0\0\0\0")), PASSWORD_OK);
}

static void judging_the_longest_password_is_quick(void **state)
{
	str longest = repeat("abcdefghijklmnopassword1990qwert", 8);
	int64_t start, took = INT64_MAX;

	(void)state;
	assert_int_equal(longest.n, PASSWORD_MAX_POINTS);
	for (int i = 0; i < 3; i++) {
		start = monotonic_us();
		assert_int_not_equal(judge(longest, NULL), PASSWORD_TOO_LONG);
		took = monotonic_us() - start < took ? monotonic_us() - start : took;
	}
	assert_true(took < 100000); /* 10 ms by itself; ten times that on a busy machine */
}

static void a_password_nobody_could_look_at_for_want_of_memory_is_refused(void **state)
{
	struct arena small;
	char room[64];

	(void)state;
	arena_init_fixed(&small, room, sizeof(room));
	assert_int_equal(password_judge(&small, secret_of(STR("vfkqzhtubmwxnyd")), 8, 2, NULL, 0),
			 PASSWORD_OK);
	for (size_t n = 1; n <= 2; n++) {
		arena_reset(&small);
		small.fail_at = n;
		assert_int_equal(
			password_judge(&small, secret_of(STR("vfkqzhtubmwxnyd")), 8, 2, NULL, 0),
			PASSWORD_TOO_WEAK);
	}
}

/* ---- faults ---- */

static void every_failing_allocation_is_passed_up_and_gives_the_permit_back(void **state)
{
	str stored[] = { hash_with(&plain, STR("secret")), imported("$2b$", 4, "secret") };
	bool match, rehash;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		size_t n = 0;
		err_t e;

		do {
			struct secret s = secret_of(STR("secret"));

			mem.fail_at = ++n;
			e = password_verify(gate, &plain, &mem, stored[i], s, in_s(30), &match,
					    &rehash);
			assert_true(e.code == ERR_OK || e.code == ERR_NO_MEMORY);
			assert_int_equal(password_gate_running(gate), 0);
		} while (e.code != ERR_OK);
		mem.fail_at = 0;
		assert_true(match);
		assert_true(n > 1);
	}
}

static err_t broken_fill(void *self, void *dst, size_t n)
{
	(void)self;
	(void)dst;
	(void)n;
	FAIL(ERR_CRYPTO);
}

static void no_hash_is_made_without_random_bytes(void **state)
{
	const struct rng broken = { broken_fill, NULL };
	str ret = STR("untouched");

	(void)state;
	assert_int_equal(
		password_hash(gate, &plain, broken, &mem, secret_of(STR("x")), in_s(30), &ret).code,
		ERR_CRYPTO);
	assert_true(str_eq(ret, STR("untouched")));
}

static void measuring_tells_the_time_of_one_hash(void **state)
{
	int64_t us = 0;

	(void)state;
	assert_int_equal(password_measure(&plain, 2, &us).code, ERR_OK);
	assert_true(us > 1000 && us < 10000000);
}

/* ---- the gate ---- */

static void a_full_gate_refuses_when_the_deadline_passes(void **state)
{
	struct password_gate *g = NULL;
	int64_t start;

	(void)state;
	assert_int_equal(password_gate_new(1, &g).code, ERR_OK);
	assert_int_equal(gate_enter(g, in_s(1)).code, ERR_OK);
	start = monotonic_us();
	assert_int_equal(gate_enter(g, start + 30000).code, ERR_OVERLOAD);
	assert_true(monotonic_us() - start >= 30000);
	assert_int_equal(gate_enter(g, start).code, ERR_OVERLOAD); /* already over */
	assert_int_equal(password_gate_waiting(g), 0);
	assert_int_equal(password_gate_running(g), 1);
	gate_leave(g, 20000);
	assert_int_equal(password_gate_running(g), 0);
	assert_int_equal(gate_enter(g, 0).code, ERR_OK); /* free: no wait, no refusal */
	gate_leave(g, 20000);
	password_gate_free(g);
}

static void PW13_a_hash_that_cannot_start_in_time_is_refused(void **state)
{
	struct password_gate *g = NULL;
	bool match, rehash;
	str ret;

	(void)state;
	assert_int_equal(password_gate_new(1, &g).code, ERR_OK);
	assert_int_equal(gate_enter(g, in_s(1)).code, ERR_OK);
	assert_int_equal(password_hash(g, &plain, rng_system, &mem, secret_of(STR("x")),
				       monotonic_us() + 1000, &ret)
				 .code,
			 ERR_OVERLOAD);
	assert_int_equal(password_verify(g, &plain, &mem, STR_NONE, secret_of(STR("x")),
					 monotonic_us() + 1000, &match, &rehash)
				 .code,
			 ERR_OVERLOAD);
	gate_leave(g, 1000);
	password_gate_free(g);
}

struct queue_test {
	struct password_gate *g;
	atomic_int arrivals, inside, most;
	int order[8];
};

struct queue_thread {
	struct queue_test *t;
	int number;
	pthread_t id;
};

static void *pass_through(void *arg)
{
	struct queue_thread *me = arg;

	if (gate_enter(me->t->g, in_s(30)).code == ERR_OK) {
		me->t->order[me->t->arrivals++] = me->number;
		gate_leave(me->t->g, 1000);
	}
	return NULL;
}

static void waiters_are_served_in_the_order_they_came(void **state)
{
	struct queue_test t = { 0 };
	struct queue_thread thread[8];

	(void)state;
	assert_int_equal(password_gate_new(1, &t.g).code, ERR_OK);
	assert_int_equal(gate_enter(t.g, in_s(1)).code, ERR_OK);
	for (int i = 0; i < 8; i++) {
		thread[i] = (struct queue_thread){ .t = &t, .number = i };
		assert_int_equal(pthread_create(&thread[i].id, NULL, pass_through, &thread[i]), 0);
		while (password_gate_waiting(t.g) != i + 1)
			(void)sched_yield();
	}
	gate_leave(t.g, 1000);
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_join(thread[i].id, NULL), 0);
	for (int i = 0; i < 8; i++)
		assert_int_equal(t.order[i], i);
	assert_int_equal(password_gate_running(t.g), 0);
	assert_int_equal(password_gate_waiting(t.g), 0);
	password_gate_free(t.g);
}

static void *crowd(void *arg)
{
	struct queue_thread *me = arg;
	struct queue_test *t = me->t;

	for (int i = 0; i < 200; i++) {
		/* some give up, so that the queue also loses people from its middle */
		if (gate_enter(t->g, monotonic_us() + (i % 3 == 0 ? 50 : 30000000)).code != ERR_OK)
			continue;
		int now = ++t->inside, seen = t->most;
		while (now > seen && !atomic_compare_exchange_weak(&t->most, &seen, now))
			;
		(void)sched_yield();
		t->inside--;
		t->arrivals++;
		gate_leave(t->g, 10);
	}
	return NULL;
}

static void PW13_never_more_than_the_permits_run_at_once(void **state)
{
	struct queue_test t = { 0 };
	struct queue_thread thread[8];

	(void)state;
	assert_int_equal(password_gate_new(2, &t.g).code, ERR_OK);
	for (int i = 0; i < 8; i++) {
		thread[i] = (struct queue_thread){ .t = &t, .number = i };
		assert_int_equal(pthread_create(&thread[i].id, NULL, crowd, &thread[i]), 0);
	}
	for (int i = 0; i < 8; i++)
		assert_int_equal(pthread_join(thread[i].id, NULL), 0);
	assert_true(t.most >= 1 && t.most <= 2);
	assert_true(t.arrivals >= 8 * 133); /* all the patient ones */
	assert_int_equal(password_gate_running(t.g), 0);
	assert_int_equal(password_gate_waiting(t.g), 0);
	password_gate_free(t.g);
}

static void the_smoothed_time_starts_at_the_first_and_follows_slowly(void **state)
{
	struct password_gate *g = NULL;

	(void)state;
	assert_int_equal(password_gate_new(3, &g).code, ERR_OK);
	assert_int_equal(password_gate_permits(g), 3);
	assert_int_equal(password_gate_hash_us(g), 0);
	assert_int_equal(gate_enter(g, 0).code, ERR_OK);
	gate_leave(g, 8000);
	assert_int_equal(password_gate_hash_us(g), 8000);
	assert_int_equal(gate_enter(g, 0).code, ERR_OK);
	gate_leave(g, 16000);
	assert_int_equal(password_gate_hash_us(g), 9000);
	password_gate_free(g);
	password_gate_free(NULL);
	assert_int_equal(password_gate_new(0, &g).code, ERR_BUG);
}

static int fresh_memory(void **state)
{
	(void)state;
	arena_reset(&mem);
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	return crypto_init().code == ERR_OK && arena_init(&mem, MANY_BYTES).code == ERR_OK &&
			       password_gate_new(2, &gate).code == ERR_OK
		       ? 0
		       : -1;
}

static int tear_down(void **state)
{
	(void)state;
	password_gate_free(gate);
	arena_clear(&mem);
	return 0;
}

#define T(f) cmocka_unit_test_setup(f, fresh_memory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(PW01_a_new_hash_is_argon2id_and_says_so),
		T(PW02_parameters_below_the_floor_or_beyond_reading_back_are_not_used),
		T(PW03_a_match_under_other_parameters_asks_for_a_rehash),
		T(PW03_an_imported_hash_that_matches_asks_for_a_rehash),
		T(imported_hashes_of_published_examples_match),
		T(all_three_bcrypt_letters_mean_the_same_also_for_8_bit_passwords),
		T(PW04_bcrypt_sees_72_bytes_as_it_always_did_and_new_hashes_see_all),
		T(PW04_a_hash_is_renewed_only_from_a_password_that_it_tells_from_every_other),
		T(other_imported_hashes_never_match_a_password_they_could_not_have_seen_whole),
		T(PW08_the_password_is_used_exactly_as_sent),
		T(PW08_composed_and_decomposed_letters_are_one_password),
		T(PW08_an_imported_hash_of_either_form_matches),
		T(PW08_normalising_refuses_what_is_not_text),
		T(the_longest_growth_of_normalisation_fits),
		T(PW09_a_nul_inside_is_part_of_the_password),
		T(PW09_a_nul_never_ends_a_password_for_an_imported_hash),
		T(nothing_matches_an_absent_or_unreadable_hash),
		T(what_is_not_text_or_too_long_matches_nothing),
		T(BF10_an_unknown_account_costs_one_hash_like_a_known_one),
		T(a_pepper_is_needed_to_verify_and_named_in_the_hash),
		T(the_peppered_tag_is_not_the_plain_tag_under_another_name),
		T(a_hash_from_before_the_pepper_still_matches_and_asks_for_a_rehash),
		T(stored_hashes_that_ask_for_the_impossible_are_unreadable),
		T(PW05_length_counts_code_points),
		T(PW05_sixty_four_emoji_are_a_good_password),
		T(PW05_length_is_told_before_strength),
		T(PW06_no_kinds_of_characters_are_demanded),
		T(PW07_common_passwords_are_refused),
		T(PW07_words_of_the_account_and_the_site_are_refused),
		T(PW09_a_nul_does_not_end_what_is_judged),
		T(judging_the_longest_password_is_quick),
		T(a_password_nobody_could_look_at_for_want_of_memory_is_refused),
		T(every_failing_allocation_is_passed_up_and_gives_the_permit_back),
		T(no_hash_is_made_without_random_bytes),
		T(measuring_tells_the_time_of_one_hash),
		T(a_full_gate_refuses_when_the_deadline_passes),
		T(PW13_a_hash_that_cannot_start_in_time_is_refused),
		T(waiters_are_served_in_the_order_they_came),
		T(PW13_never_more_than_the_permits_run_at_once),
		T(the_smoothed_time_starts_at_the_first_and_follows_slowly),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
