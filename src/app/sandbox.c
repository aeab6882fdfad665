#include "app/sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define OUR_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define OUR_ARCH AUDIT_ARCH_RISCV64
#endif

#define REFUSE(number) (SECCOMP_RET_ERRNO | (number))
#define END	       SECCOMP_RET_KILL_PROCESS
#define ALLOW	       SECCOMP_RET_ALLOW
#define N_OF(table)    (sizeof(table) / sizeof((table)[0]))

/* ---- calls that depend on an argument: the first row that fits decides ---- */

static const struct rule {
	uint32_t nr;
	uint32_t arg, mask, value; /* (args[arg] & mask) == value; mask 0: always */
	uint32_t action;
} rules[] = {
	/* A page that is written is never run. */
	{ __NR_mmap, 2, PROT_WRITE | PROT_EXEC, PROT_WRITE | PROT_EXEC, REFUSE(EACCES) },
	{ __NR_mmap, 0, 0, 0, ALLOW },
	{ __NR_mprotect, 2, PROT_EXEC, PROT_EXEC, REFUSE(EACCES) },
	{ __NR_mprotect, 0, 0, 0, ALLOW },
	{ __NR_socket, 0, ~0U, AF_INET, ALLOW },
	{ __NR_socket, 0, ~0U, AF_INET6, ALLOW },
	{ __NR_socket, 0, ~0U, AF_UNIX, ALLOW },
	{ __NR_socket, 0, ~0U, AF_NETLINK, ALLOW }, /* looking up names */
	{ __NR_socket, 0, 0, 0, REFUSE(EAFNOSUPPORT) },
	/* Threads, but no processes. The flags of clone3 are out of sight; the C library falls back. */
	{ __NR_clone, 0, CLONE_THREAD, CLONE_THREAD, ALLOW },
#ifdef SANITIZED /* their run-time looks at its own process at the end, and asks another program for names */
	{ __NR_clone, 0, 0, 0, ALLOW },
#else
	{ __NR_clone, 0, 0, 0, END },
#endif
	{ __NR_clone3, 0, 0, 0, REFUSE(ENOSYS) },
	{ __NR_ioctl, 1, ~0U, TIOCSTI, END }, /* typing into the operator's terminal */
	{ __NR_ioctl, 1, ~0U, TIOCLINUX, END },
	{ __NR_ioctl, 0, 0, 0, ALLOW },
};

/* ---- calls that are allowed whatever they ask ---- */

static const uint32_t allowed[] = {
	/* files */
	__NR_read, __NR_write, __NR_readv, __NR_writev, __NR_pread64, __NR_pwrite64, __NR_preadv, __NR_pwritev,
	__NR_openat, __NR_close, __NR_close_range, __NR_fstat, __NR_newfstatat, __NR_statx, __NR_statfs, __NR_fstatfs, __NR_lseek,
	__NR_faccessat, __NR_faccessat2, __NR_readlinkat, __NR_getdents64, __NR_getcwd, __NR_dup, __NR_dup3, __NR_pipe2,
	__NR_fcntl, __NR_flock, __NR_fsync, __NR_fdatasync, __NR_ftruncate, __NR_fallocate, __NR_mkdirat,
	__NR_unlinkat, __NR_renameat2, __NR_linkat, __NR_fchmod, __NR_fchmodat, __NR_fchown,
	__NR_utimensat, __NR_sendfile, __NR_umask,
	/* memory */
	__NR_munmap, __NR_mremap, __NR_madvise, __NR_brk, __NR_mlock, __NR_mlock2, __NR_munlock, __NR_mincore, __NR_msync,
	__NR_membarrier,
	/* threads, signals, limits */
	__NR_futex, __NR_set_robust_list, __NR_get_robust_list, __NR_rseq, __NR_exit, __NR_exit_group, __NR_gettid,
	__NR_getpid, __NR_getppid, __NR_sched_yield, __NR_sched_getaffinity, __NR_sched_setaffinity, __NR_set_tid_address,
	__NR_sched_getparam, __NR_sched_getscheduler, __NR_tgkill, __NR_rt_sigaction, __NR_rt_sigprocmask, __NR_rt_sigreturn,
	__NR_rt_sigtimedwait, __NR_rt_sigpending, __NR_sigaltstack, __NR_restart_syscall, __NR_prctl, __NR_getrusage,
	__NR_times, __NR_prlimit64, __NR_sysinfo, __NR_uname, __NR_getcpu, __NR_getrandom, __NR_getuid, __NR_geteuid,
	__NR_getgid, __NR_getegid, __NR_getgroups, __NR_getresuid, __NR_getresgid, __NR_capget,
	/* time and waiting */
	__NR_clock_gettime, __NR_clock_getres, __NR_clock_nanosleep, __NR_nanosleep, __NR_gettimeofday, __NR_ppoll,
	__NR_pselect6, __NR_epoll_create1, __NR_epoll_ctl, __NR_epoll_pwait, __NR_eventfd2, __NR_signalfd4,
	/* network */
	__NR_socketpair, __NR_bind, __NR_listen, __NR_accept, __NR_accept4, __NR_connect, __NR_getsockname, __NR_getpeername,
	__NR_getsockopt, __NR_setsockopt, __NR_sendto, __NR_recvfrom, __NR_sendmsg, __NR_recvmsg, __NR_sendmmsg,
	__NR_recvmmsg, __NR_shutdown,
	/* what older processors have beside them */
#ifdef __x86_64__
	__NR_open, __NR_stat, __NR_lstat, __NR_access, __NR_readlink, __NR_getdents, __NR_dup2, __NR_pipe, __NR_mkdir,
	__NR_rmdir, __NR_unlink, __NR_rename, __NR_link, __NR_chmod, __NR_poll, __NR_select, __NR_epoll_create,
	__NR_epoll_wait, __NR_eventfd, __NR_time, __NR_arch_prctl, __NR_getrlimit, __NR_setrlimit, __NR_getpgrp,
#endif
#if defined(__x86_64__) || defined(__aarch64__)
	__NR_renameat,
#endif
#ifdef SANITIZED
	__NR_execve, __NR_wait4, __NR_ptrace, __NR_kill, __NR_personality,
#ifdef __x86_64__
	__NR_fork, __NR_vfork,
#endif
#endif
};

/* ---- calls that only an intruder makes ---- */

static const uint32_t fatal[] = {
	__NR_execve, __NR_execveat, __NR_ptrace, __NR_process_vm_readv, __NR_process_vm_writev, __NR_kill, __NR_pidfd_open,
	__NR_pidfd_getfd, __NR_mount, __NR_umount2, __NR_pivot_root, __NR_chroot, __NR_unshare, __NR_setns, __NR_bpf,
	__NR_perf_event_open, __NR_init_module, __NR_finit_module, __NR_delete_module, __NR_kexec_load, __NR_keyctl,
	__NR_add_key, __NR_request_key, __NR_userfaultfd, __NR_reboot, __NR_swapon, __NR_settimeofday, __NR_clock_settime,
	__NR_setuid, __NR_setgid, __NR_setreuid, __NR_setregid, __NR_setresuid, __NR_setresgid, __NR_setgroups, __NR_capset,
	__NR_personality, __NR_sethostname, __NR_open_by_handle_at, __NR_mknodat,
#ifdef __x86_64__
	__NR_fork, __NR_vfork, __NR_iopl, __NR_ioperm, __NR_modify_ldt, __NR_mknod,
#endif
};

/* ---- the program ---- */

struct program {
	struct sock_filter code[8 + 6 * N_OF(rules) + 2 * N_OF(allowed) + 2 * N_OF(fatal)];
	unsigned short n;
};

static void add(struct program *p, unsigned op, uint32_t k, unsigned yes, unsigned no)
{
	p->code[p->n++] = (struct sock_filter){ (uint16_t)op, (uint8_t)yes, (uint8_t)no, k };
}

static void load(struct program *p, size_t offset)
{
	add(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void answer(struct program *p, uint32_t action)
{
	add(p, BPF_RET | BPF_K, action, 0, 0);
}

/* Each piece expects the call's number in the accumulator and leaves it there. */
static void add_call(struct program *p, uint32_t nr, uint32_t action)
{
	add(p, BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1);
	answer(p, action);
}

/* The low half of an argument: none of those looked at has a meaning in the high one. */
static void add_rule(struct program *p, const struct rule *r)
{
	if (r->mask == 0) {
		add_call(p, r->nr, r->action);
		return;
	}
	add(p, BPF_JMP | BPF_JEQ | BPF_K, r->nr, 0, 5);
	load(p, offsetof(struct seccomp_data, args) + r->arg * sizeof(uint64_t));
	add(p, BPF_ALU | BPF_AND | BPF_K, r->mask, 0, 0);
	add(p, BPF_JMP | BPF_JEQ | BPF_K, r->value, 0, 1);
	answer(p, r->action);
	load(p, offsetof(struct seccomp_data, nr));
}

#ifdef OUR_ARCH
static void make_program(struct program *p)
{
	load(p, offsetof(struct seccomp_data, arch));
	add(p, BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCH, 1, 0);
	answer(p, END); /* the numbers of another processor mean other calls */
	load(p, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < N_OF(rules); i++)
		add_rule(p, &rules[i]);
	for (size_t i = 0; i < N_OF(allowed); i++)
		add_call(p, allowed[i], ALLOW);
	for (size_t i = 0; i < N_OF(fatal); i++)
		add_call(p, fatal[i], END);
	answer(p, REFUSE(ENOSYS));
}
#endif

void sandbox_drop(void)
{
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

err_t sandbox_enter(void)
{
#ifdef OUR_ARCH
	struct program p = { .n = 0 };
	struct sock_fprog filter = { .filter = p.code };

	make_program(&p);
	filter.len = p.n;
	REQUIRE(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0, ERR_IO);
	return OK;
#else
	FAIL(ERR_IO);
#endif
}
