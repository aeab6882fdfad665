/* What the kernel answers to a process in the sandbox: each call in a child of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/sandbox.h"

/* Ends the child with the error number of a call, 0 when it was allowed. */
static void tell(long result)
{
	_exit(result == -1 ? errno : 0);
}

static void exec_program(void)
{
	char *none[] = { NULL };

	tell(syscall(__NR_execveat, AT_FDCWD, "/bin/true", none, none, 0));
}

static void read_another(void)
{
	tell(syscall(__NR_process_vm_readv, getppid(), NULL, 0L, NULL, 0L, 0L));
}

static void leave_namespace(void)
{
	tell(syscall(__NR_unshare, 0));
}

static void become_root(void)
{
	tell(syscall(__NR_setuid, 0));
}

static void type_into_terminal(void)
{
	tell(ioctl(0, TIOCSTI, "x"));
}

static void own_packets(void)
{
	tell(socket(AF_PACKET, SOCK_RAW, 0));
}

static void netlink(void)
{
	tell(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static void run_what_is_written(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	tell(p == MAP_FAILED ? -1 : 0);
}

static void run_what_was_written(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	tell(p == MAP_FAILED ? -1 : mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static void new_ring(void)
{
	tell(syscall(__NR_io_uring_setup, 1, NULL));
}

static void *nothing(void *arg)
{
	return arg;
}

static void start_thread(void)
{
	pthread_t thread;

	_exit(pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0 ? 0 : EAGAIN);
}

#ifndef SANITIZED /* a sanitizer's run-time needs these */
static void start_process(void)
{
	tell(fork());
}

static void plain_exec(void)
{
	char *none[] = { NULL };

	tell(execve("/bin/true", none, none));
}

static void be_traced(void)
{
	tell(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static void kill_another(void)
{
	tell(kill(getppid(), 0));
}
#endif

static const struct {
	const char *name;
	void (*call)(void);
	int sig, error; /* that the child ends with; sig 0: the call was refused with this error, or 0 */
} cases[] = {
	{ "execveat", exec_program, SIGSYS, 0 },
	{ "process_vm_readv", read_another, SIGSYS, 0 },
	{ "unshare", leave_namespace, SIGSYS, 0 },
	{ "setuid", become_root, SIGSYS, 0 },
	{ "TIOCSTI", type_into_terminal, SIGSYS, 0 },
#ifndef SANITIZED
	{ "fork", start_process, SIGSYS, 0 },
	{ "execve", plain_exec, SIGSYS, 0 },
	{ "ptrace", be_traced, SIGSYS, 0 },
	{ "kill", kill_another, SIGSYS, 0 },
#endif
	{ "packet socket", own_packets, 0, EAFNOSUPPORT },
	{ "writable code", run_what_is_written, 0, EACCES },
	{ "code that was data", run_what_was_written, 0, EACCES },
	{ "io_uring", new_ring, 0, ENOSYS },
	{ "thread", start_thread, 0, 0 },
	{ "netlink socket", netlink, 0, 0 },
};

static int child_status(void (*call)(void))
{
	int status = 0;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		sandbox_drop();
		if (sandbox_enter().code != ERR_OK)
			_exit(255);
		call();
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void HT23_what_the_server_never_calls_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int status = child_status(cases[i].call);
		int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
		int error = WIFEXITED(status) ? WEXITSTATUS(status) : 0;

		if (sig != cases[i].sig || error != cases[i].error)
			fail_msg("%s: signal %d, error %d", cases[i].name, sig, error);
	}
}

static void say_what_is_on(void)
{
	int bits = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && prctl(PR_GET_SECCOMP) == SECCOMP_MODE_FILTER;

	_exit(bits ? 0 : 1);
}

static void HT23_no_new_privileges_and_a_filter_are_on(void **state)
{
	(void)state;
	assert_int_equal(child_status(say_what_is_on), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(HT23_what_the_server_never_calls_is_refused),
		cmocka_unit_test(HT23_no_new_privileges_and_a_filter_are_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
