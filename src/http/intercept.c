/* The calls through which bytes and events reach the HTTP library, taken over.
 *
 * libmicrohttpd parses what it reads at once and more kindly than we want (bare LF, folded lines,
 * control bytes), and there is no hook between its socket and its parser. It calls recv() and
 * gnutls_record_recv() from shared libraries, so definitions in the executable come first: reads on
 * descriptors that belong to a connection of ours pass the guard (conn_read), all others go
 * straight on. For a TLS connection only the decrypted side is guarded: gnutls itself reads with
 * recv(). */
#include <dlfcn.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "http/edge.h"

#define TABLE_MAX ((size_t)1 << 20)

typedef ssize_t recv_fn(int fd, void *buf, size_t n, int flags);
typedef ssize_t record_recv_fn(gnutls_session_t session, void *buf, size_t n);
typedef int epoll_wait_fn(int epfd, struct epoll_event *events, int n_max, int timeout_ms);

static struct {
	_Atomic(struct conn *) *conns; /* by descriptor */
	_Atomic size_t n;
} table;
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

static void table_make(void)
{
	struct rlimit rl = { 0 };
	size_t n = 1024;

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0)
		n = rl.rlim_max < TABLE_MAX ? (size_t)rl.rlim_max : TABLE_MAX;
	table.conns = calloc(n, sizeof(*table.conns));
	if (table.conns != NULL)
		atomic_store(&table.n, n);
}

size_t fd_table_size(void)
{
	return atomic_load_explicit(&table.n, memory_order_acquire);
}

void fd_table_set(int fd, struct conn *c)
{
	if (fd >= 0 && (size_t)fd < fd_table_size())
		atomic_store(&table.conns[fd], c);
}

struct conn *fd_table_get(int fd)
{
	if (fd < 0 || (size_t)fd >= fd_table_size())
		return NULL;
	return atomic_load_explicit(&table.conns[fd], memory_order_acquire);
}

/* ISO C has no conversion from the object pointer dlsym() returns to a function pointer; POSIX
 * promises that the bytes are the same. */
static void find_symbol(void *where, const char *name, void *ret_fn, size_t n)
{
	void *symbol = dlsym(where, name);

	memcpy(ret_fn, &symbol, n);
}

static ssize_t next_recv(int fd, void *buf, size_t n, int flags)
{
	static _Atomic(recv_fn *) cached;
	recv_fn *fn = atomic_load_explicit(&cached, memory_order_relaxed);

	if (fn == NULL) {
		find_symbol(RTLD_NEXT, "recv", &fn, sizeof(fn));
		atomic_store_explicit(&cached, fn, memory_order_relaxed);
	}
	return fn(fd, buf, n, flags);
}

static ssize_t next_record_recv(gnutls_session_t session, void *buf, size_t n)
{
	static _Atomic(record_recv_fn *) cached;
	record_recv_fn *fn = atomic_load_explicit(&cached, memory_order_relaxed);

	if (fn == NULL) {
		find_symbol(RTLD_NEXT, "gnutls_record_recv", &fn, sizeof(fn));
		atomic_store_explicit(&cached, fn, memory_order_relaxed);
	}
	return fn(session, buf, n);
}

struct socket_read {
	int fd, flags;
};

static ssize_t read_socket(void *self, void *buf, size_t n)
{
	const struct socket_read *r = self;

	return next_recv(r->fd, buf, n, r->flags);
}

static ssize_t read_record(void *self, void *buf, size_t n)
{
	ssize_t got = next_record_recv(self, buf, n);

	return got == GNUTLS_E_INTERRUPTED ? GNUTLS_E_AGAIN : got;
}

/* The symbol is recv; the name is another because fortified headers give recv an inline body. */
ssize_t recv_guarded(int fd, void *buf, size_t n, int flags) __asm__("recv");
ssize_t recv_guarded(int fd, void *buf, size_t n, int flags)
{
	struct conn *c = fd_table_get(fd);
	struct socket_read r = { fd, flags };

	if (c == NULL || c->tls)
		return next_recv(fd, buf, n, flags);
	return conn_read(c, buf, n, &(struct raw_reader){ read_socket, &r, -1 });
}

ssize_t gnutls_record_recv(gnutls_session_t session, void *data, size_t data_size)
{
	struct conn *c = fd_table_get(gnutls_transport_get_int(session));

	if (c == NULL || !c->tls)
		return next_record_recv(session, data, data_size);
	return conn_read(c, data, data_size,
			 &(struct raw_reader){ read_record, session, GNUTLS_E_AGAIN });
}

/* ---- events ---- */

/* The loop asks for 128 events and asks again, with the same time-out, when it got 128; only then does it look at any of
 * them. With exactly 128 connections ready, all of them would wait until something else happens, for ten seconds and more.
 * Who got an array full is asking for what else there is, not for something to wait for. */
int epoll_wait(int epfd, struct epoll_event *events, int n_max, int timeout_ms)
{
	static _Thread_local int full = -1; /* the one that filled the array last */
	static _Atomic(epoll_wait_fn *) cached;
	epoll_wait_fn *next = atomic_load_explicit(&cached, memory_order_relaxed);
	int n;

	if (next == NULL) {
		find_symbol(RTLD_NEXT, "epoll_wait", &next, sizeof(next));
		atomic_store_explicit(&cached, next, memory_order_relaxed);
	}
	n = next(epfd, events, n_max, full == epfd ? 0 : timeout_ms);
	full = n == n_max ? epfd : -1;
	return n;
}

/* What the libraries get when they ask for these names must be what stands above: a server whose
 * guard is not in the way must not start. */
err_t fd_table_init(void)
{
	recv_fn *plain = NULL;
	record_recv_fn *tls = NULL;
	epoll_wait_fn *wait = NULL;

	(void)pthread_once(&table_once, table_make);
	REQUIRE(fd_table_size() > 0, ERR_NO_MEMORY);
	find_symbol(RTLD_DEFAULT, "recv", &plain, sizeof(plain));
	find_symbol(RTLD_DEFAULT, "gnutls_record_recv", &tls, sizeof(tls));
	find_symbol(RTLD_DEFAULT, "epoll_wait", &wait, sizeof(wait));
	REQUIRE(plain == recv_guarded && tls == gnutls_record_recv && wait == epoll_wait, ERR_BUG);
	return OK;
}
