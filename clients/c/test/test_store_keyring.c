/* The store in the kernel's keyring: what all promise, and what becomes of keys; or that this kernel has none. */
#include "sp_store_promises.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct place place = { "keyring", sp_store_keyring, true, true };

/* What the kernel says, not what the store makes of it. */
static bool kernel_has_keyrings(void)
{
	long key = syscall(SYS_add_key, "user", "sallyport-test", "x", (size_t)1, (long)KEY_SPEC_USER_KEYRING);

	if (key >= 0)
		(void)syscall(SYS_keyctl, (long)KEYCTL_UNLINK, key, (long)KEY_SPEC_USER_KEYRING);
	return key >= 0;
}

/* A service, or who came by su(1), has a session keyring that does not lead to the user's. */
static int role_outside(sp_store *unused, const char *key, const char *value)
{
	sp_store s;
	int status;

	(void)unused;
	if (syscall(SYS_keyctl, (long)KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0)
		return 11;
	if (sp_store_keyring(&s) != SP_OK)
		return 12;
	status = role_load(&s, key, value);
	if (status == 0)
		status = role_save(&s, key, "written outside");
	if (status == 0)
		status = role_save(&s, value, "made outside");
	s.close(s.context);
	return status;
}

static void keys_are_read_from_outside_the_session(void **state)
{
	sp_store s = opened(*state);
	struct process p;

	save(&s, k("inside"), k("outside"));
	p = start_role("outside", k("inside"), k("outside"));
	assert_int_equal(finish(&p), 0);
	check(&s, k("inside"), "written outside");
	check(&s, k("outside"), "made outside");
	p = start_role("outside", k("outside"), "made outside");
	assert_int_equal(finish(&p), 0);
	s.close(s.context);
	s = opened(*state);
	assert_int_equal(s.erase(s.context, "made outside"), SP_OK);
	s.close(s.context);
}

static long serial_of(const char *key)
{
	char description[128];
	long serial;

	(void)snprintf(description, sizeof description, "sallyport:%s", key);
	serial = syscall(SYS_keyctl, (long)KEYCTL_SEARCH, (long)KEY_SPEC_USER_KEYRING, "user", description, 0L);
	assert_true(serial > 0);
	return serial;
}

/* Users other than root have room for one of the longest, and not for two. */
static void a_long_record_is_replaced_in_place(void **state)
{
	static char value[SP_RECORD_MAX + 1];
	sp_store s = opened(*state);
	long serial;

	memset(value, 'v', SP_RECORD_MAX);
	save(&s, k("mine"), value);
	serial = serial_of(k("mine"));
	value[0] = 'w';
	save(&s, k("mine"), value);
	check(&s, k("mine"), value);
	assert_int_equal(serial_of(k("mine")), serial);
	s.close(s.context);
}

static void keys_are_for_the_user_alone(void **state)
{
	sp_store s = opened(*state);
	char text[512] = "";

	save(&s, k("mine"), "v");
	assert_true(syscall(SYS_keyctl, (long)KEYCTL_DESCRIBE, serial_of(k("mine")), text, sizeof text - 1) > 0);
	assert_non_null(strstr(text, ";3f3f0000;")); /* nothing for group and others */
	s.close(s.context);
}

/* Somebody has made the key unreadable for the session: it is replaced, not given up. */
static void a_revoked_key_is_none(void **state)
{
	sp_store s = opened(*state);

	save(&s, k("mine"), "v");
	assert_int_equal(syscall(SYS_keyctl, (long)KEYCTL_REVOKE, serial_of(k("mine"))), 0);
	check(&s, k("mine"), NULL);
	assert_int_equal(s.erase(s.context, k("mine")), SP_OK);
	save(&s, k("mine"), "w");
	check(&s, k("mine"), "w");
	s.close(s.context);
}

/* As containers do it: the calls are there and refused. */
static int role_forbidden(sp_store *unused, const char *error, const char *b)
{
	const unsigned answer = SECCOMP_RET_ERRNO | ((unsigned)strtoul(error, NULL, 10) & SECCOMP_RET_DATA);
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), /* the number of the call */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_add_key, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_keyctl, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, answer),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog whole = { sizeof filter / sizeof *filter, filter };
	sp_store s;

	(void)unused;
	(void)b;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole) != 0)
		return 10;
	return sp_store_keyring(&s) == SP_UNAVAILABLE && s.context == NULL ? 0 : 11;
}

static void without_keyrings_there_is_no_store(void **state)
{
	static const int errors[] = { EPERM, ENOSYS, EACCES };
	char text[16];

	(void)state;
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
		struct process p;

		(void)snprintf(text, sizeof text, "%d", errors[i]);
		p = start_role("forbidden", text, "");
		assert_int_equal(finish(&p), 0);
	}
}

static void this_machine_has_no_keyrings(void **state)
{
	sp_store s;

	(void)state;
	assert_int_equal(sp_store_keyring(&s), SP_UNAVAILABLE);
	assert_null(s.context);
}

/* ---- all together ---- */

static const struct role roles[] = {
	{ "outside", role_outside, false },
	{ "forbidden", role_forbidden, false },
};

static const struct CMUnitTest with_keyrings[] = {
	cmocka_unit_test(keys_are_read_from_outside_the_session),
	cmocka_unit_test(keys_are_for_the_user_alone),
	cmocka_unit_test(a_long_record_is_replaced_in_place),
	cmocka_unit_test(a_revoked_key_is_none),
	cmocka_unit_test(null_is_refused),
};

static const struct CMUnitTest without_keyrings[] = {
	cmocka_unit_test(this_machine_has_no_keyrings),
};

static const struct CMUnitTest always[] = {
	cmocka_unit_test(without_keyrings_there_is_no_store),
};

int main(int argc, char **argv)
{
	if (is_role(argc))
		return play(argv, &place, roles, N(roles));
	begin_tests(argv[0]);
	if (kernel_has_keyrings()) {
		add_promises(&place);
		add_tests(&place, with_keyrings, N(with_keyrings));
	} else {
		add_tests(&place, without_keyrings, N(without_keyrings));
	}
	add_tests(&place, always, N(always));
	return run_added("store_keyring");
}
