/* Links that wait for their owner: found by their id and nothing else, once, for an hour.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "domain/linked.h"
#include "domain_fixture.h"


static struct domain_fixture w;

static int set_up(void **state)
{
	(void)state;
	return domain_open(&w);
}

static int tear_down(void **state)
{
	(void)state;
	domain_close(&w);
	return 0;
}

static const struct pending_link ada = {
	.provider = STR_INIT("google"), .account_id = STR_INIT("1122"), .email = STR_INIT("Ada@Example.test"),
	.name = STR_INIT("Ada L"),
};

static err_t keep(const struct pending_link *p, str *ret_id)
{
	TX tx = { 0 };

	TRY(tx_begin(&tx, w.c.db));
	TRY(pending_link_keep(&w.c, p, ret_id));
	return tx_commit(&tx);
}

static enum err_code take(str id, struct pending_link_row *ret)
{
	TX tx = { 0 };
	err_t e;

	OK_OF(tx_begin(&tx, w.c.db));
	e = pending_link_take(&w.c, id, ret);
	OK_OF(tx_commit(&tx));
	return e.code;
}

static void one_is_found_by_its_id_and_used_once(void **state)
{
	struct pending_link_row row = { 0 };
	str id, other;

	(void)state;
	OK_OF(keep(&ada, &id));
	assert_int_equal(id.n, 64);
	OK_OF(pending_link_find(&w.c, id, &row));
	assert_true(str_eq(row.provider, STR("google")) && str_eq(row.account_id, STR("1122")) &&
		    str_eq(row.email_key, STR("ada@example.test")) &&
		    str_eq(row.email, STR("Ada@Example.test")) && str_eq(row.name, STR("Ada L")));
	OK_OF(keep(&ada, &other)); /* the same again replaces nothing */
	assert_false(str_eq(id, other));
	assert_int_equal(take(id, &row), ERR_OK);
	assert_int_equal(take(id, &row), ERR_UNAUTHORIZED);
	assert_int_equal(pending_link_find(&w.c, id, &row).code, ERR_UNAUTHORIZED);
	OK_OF(pending_link_find(&w.c, other, &row));
}

static void neither_address_nor_provider_finds_one(void **state)
{
	const str guesses[] = { STR(""),     STR("ada@example.test"), STR("google"),
				STR("1122"), STR("ada@example.test google") };
	struct pending_link_row row;
	str id;

	(void)state;
	OK_OF(keep(&ada, &id));
	for (size_t i = 0; i < sizeof(guesses) / sizeof(guesses[0]); i++)
		assert_int_equal(pending_link_find(&w.c, guesses[i], &row).code, ERR_UNAUTHORIZED);
	assert_int_equal(pending_link_find(&w.c, (str){ id.p, id.n - 1 }, &row).code, ERR_UNAUTHORIZED);
}

static void one_ends_after_an_hour_and_is_swept(void **state)
{
	struct pending_link_row row;
	int64_t n;
	str id;

	(void)state;
	OK_OF(keep(&ada, &id));
	w.c.now_ms += MS_PER_HOUR - 1;
	OK_OF(pending_link_find(&w.c, id, &row));
	OK_OF(pending_link_sweep(&w.c, 10, &n));
	assert_int_equal(n, 0);
	w.c.now_ms++;
	assert_int_equal(pending_link_find(&w.c, id, &row).code, ERR_UNAUTHORIZED);
	assert_int_equal(take(id, &row), ERR_UNAUTHORIZED);
	OK_OF(pending_link_sweep(&w.c, 10, &n));
	assert_int_equal(n, 1);
}

static void nothing_without_identity_is_kept(void **state)
{
	struct pending_link p = ada;
	str id;

	(void)state;
	p.account_id = STR("");
	assert_int_equal(keep(&p, &id).code, ERR_INPUT);
	p = ada;
	p.email = STR("no address");
	assert_int_equal(keep(&p, &id).code, ERR_INPUT);
	p = ada;
	p.provider = STR("Google");
	assert_int_equal(keep(&p, &id).code, ERR_INPUT);
}

static void provider_names_are_short_and_plain(void **state)
{
	static const char *const good[] = { "a", "email", "my-idp_2", "abcdefghijklmnopqrstuvwxyz012345" };
	static const char *const bad[] = { "", "Google", "a b", "a.b", "a/b", "é", "abcdefghijklmnopqrstuvwxyz0123456" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(provider_name_ok(str_of_cstr(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(provider_name_ok(str_of_cstr(bad[i])));
}

#define ID(id, f) { id " " #f, f, set_up, tear_down, NULL }

int main(void)
{
	const struct CMUnitTest tests[] = {
		ID("ID09", one_is_found_by_its_id_and_used_once),
		ID("ID09", neither_address_nor_provider_finds_one),
		ID("ID09", one_ends_after_an_hour_and_is_swept),
		ID("ID05", nothing_without_identity_is_kept),
		ID("ID05", provider_names_are_short_and_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
