#include "http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG          4096 /* the kernel cuts it to net.core.somaxconn */
#define SYSTEMD_FIRST_FD 3

struct report {
	char *why;
	size_t max;
	str spec;
};

static err_t say(const struct report *rep, enum err_code code, const char *what)
{
	(void)snprintf(rep->why, rep->max, "listen %.*s: %s", STR_ARG(rep->spec), what);
	return err_raise(code, __FILE__, __LINE__);
}

static err_t say_errno(const struct report *rep, const char *call)
{
	(void)snprintf(rep->why, rep->max, "listen %.*s: %s: %s", STR_ARG(rep->spec), call,
		       strerror(errno));
	return err_raise(ERR_IO, __FILE__, __LINE__);
}

/* ---- TCP ---- */

/* "host:port" or "[host]:port" */
static bool cut_port(str spec, str *ret_host, uint16_t *ret_port)
{
	size_t colon = spec.n;
	uint64_t port;

	while (colon > 0 && spec.p[colon - 1] != ':')
		colon--;
	if (colon == 0 || !str_to_u64(str_skip(spec, colon), 65535, &port))
		return false;
	*ret_host = (str){ spec.p, colon - 1 };
	*ret_port = (uint16_t)port;
	return true;
}

static bool address_of(str host, uint16_t port, struct sockaddr_storage *ret, socklen_t *ret_n)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	char text[INET6_ADDRSTRLEN];

	if (str_eq_nocase(host, STR("localhost")))
		host = STR("127.0.0.1");
	if (str_starts(host, STR("[")) && str_ends(host, STR("]")))
		host = (str){ host.p + 1, host.n - 2 };
	if (host.n == 0 || host.n >= sizeof(text))
		return false;
	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	if (inet_pton(AF_INET, text, &in.sin_addr) == 1) {
		memcpy(ret, &in, sizeof(in));
		*ret_n = sizeof(in);
		return true;
	}
	if (inet_pton(AF_INET6, text, &in6.sin6_addr) != 1)
		return false;
	memcpy(ret, &in6, sizeof(in6));
	*ret_n = sizeof(in6);
	return true;
}

static err_t open_tcp(const struct report *rep, struct listener *l)
{
	struct sockaddr_storage sa = { 0 };
	socklen_t n;
	uint16_t port;
	int one = 1;
	str host;

	if (!cut_port(rep->spec, &host, &port) || !address_of(host, port, &sa, &n))
		return say(rep, ERR_CONFIG,
			   "not an address; write 127.0.0.1:3000, [::1]:3000, "
			   "unix:/path or systemd");
	l->fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return say_errno(rep, "socket");
	(void)setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	/* Accepted sockets inherit it: answers are written whole, there is nothing to wait for. */
	(void)setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (bind(l->fd, (struct sockaddr *)&sa, n) != 0)
		return say_errno(rep, "bind");
	return OK;
}

/* ---- Unix-domain ---- */

/* A path is free, or holds a socket nobody listens on any more. */
static err_t make_room(const struct report *rep, const struct sockaddr_un *un)
{
	struct stat st;
	int fd, failed;

	if (lstat(un->sun_path, &st) != 0)
		return errno == ENOENT ? OK : say_errno(rep, "stat");
	if (!S_ISSOCK(st.st_mode))
		return say(rep, ERR_CONFIG, "there is something else at this path");
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return say_errno(rep, "socket");
	failed = connect(fd, (const struct sockaddr *)un, sizeof(*un)) == 0 ? 0 : errno;
	(void)close(fd);
	if (failed != ECONNREFUSED)
		return say(rep, ERR_IO, "another server is listening there");
	return unlink(un->sun_path) == 0 ? OK : say_errno(rep, "unlink");
}

static err_t open_unix(const struct report *rep, str path, struct listener *l)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct stat st;

	if (path.n == 0 || path.p[0] != '/' || path.n >= sizeof(un.sun_path) ||
	    str_has_byte(path, '\0'))
		return say(rep, ERR_CONFIG, "the path must be absolute and at most 107 bytes");
	memcpy(un.sun_path, path.p, path.n);
	TRY(make_room(rep, &un));
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return say_errno(rep, "socket");
	/* The socket's mode becomes that of its name: never wider than 0660, not for a moment. */
	if (fchmod(l->fd, 0660) != 0)
		return say_errno(rep, "fchmod");
	if (bind(l->fd, (struct sockaddr *)&un, sizeof(un)) != 0)
		return say_errno(rep, "bind");
	if (chmod(un.sun_path, 0660) != 0 || stat(un.sun_path, &st) != 0)
		return say_errno(rep, "chmod");
	memcpy(l->path, un.sun_path, path.n + 1);
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	return OK;
}

/* ---- systemd: sd_listen_fds(3) ---- */

static bool env_is(const char *name, uint64_t max, uint64_t *ret)
{
	return str_to_u64(str_of_cstr(getenv(name)), max, ret);
}

static err_t open_systemd(const struct report *rep, struct listener *l)
{
	uint64_t pid, n;
	int listening = 0;
	socklen_t len = sizeof(listening);
	int fd = SYSTEMD_FIRST_FD;

	if (!env_is("LISTEN_PID", INT32_MAX, &pid) || pid != (uint64_t)getpid() ||
	    !env_is("LISTEN_FDS", 64, &n) || n == 0)
		return say(rep, ERR_CONFIG, "systemd handed over no socket (LISTEN_FDS)");
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) != 0 || listening == 0)
		return say(rep, ERR_CONFIG, "the socket from systemd is not a listening one");
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ||
	    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
		return say_errno(rep, "fcntl");
	l->fd = fd;
	return OK;
}

/* ---- all ---- */

static err_t describe(const struct report *rep, struct listener *l)
{
	struct sockaddr_storage sa = { 0 };
	socklen_t n = sizeof(sa);
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
	char ip[INET6_ADDRSTRLEN] = "";

	if (getsockname(l->fd, (struct sockaddr *)&sa, &n) != 0)
		return say_errno(rep, "getsockname");
	if (sa.ss_family == AF_INET) {
		memcpy(&in, &sa, sizeof(in));
		(void)inet_ntop(AF_INET, &in.sin_addr, ip, sizeof(ip));
		(void)snprintf(l->text, sizeof(l->text), "%s:%u", ip, ntohs(in.sin_port));
	} else if (sa.ss_family == AF_INET6) {
		memcpy(&in6, &sa, sizeof(in6));
		(void)inet_ntop(AF_INET6, &in6.sin6_addr, ip, sizeof(ip));
		(void)snprintf(l->text, sizeof(l->text), "[%s]:%u", ip, ntohs(in6.sin6_port));
	} else {
		memcpy(&un, &sa, sizeof(un));
		(void)snprintf(l->text, sizeof(l->text), "unix:%.*s", (int)sizeof(un.sun_path),
			       un.sun_path);
	}
	return OK;
}

static err_t open_any(const struct report *rep, struct listener *l)
{
	if (str_eq(rep->spec, STR("systemd"))) {
		TRY(open_systemd(rep, l));
		return describe(rep, l);
	}
	if (str_starts(rep->spec, STR("unix:")))
		TRY(open_unix(rep, str_skip(rep->spec, 5), l));
	else
		TRY(open_tcp(rep, l));
	if (listen(l->fd, BACKLOG) != 0)
		return say_errno(rep, "listen");
	return describe(rep, l);
}

err_t listener_open(str spec, struct listener *ret, char *why, size_t why_max)
{
	struct report rep = { why, why_max, spec };
	struct listener l = { .fd = -1 };
	err_t e = open_any(&rep, &l);

	if (e.code != ERR_OK) {
		listener_close(&l);
		return e;
	}
	*ret = l;
	return OK;
}

void listener_close(struct listener *l)
{
	struct stat st;

	if (l->fd < 0)
		return;
	/* Only our own: a successor may have put its socket there already. */
	if (l->path[0] != '\0' && lstat(l->path, &st) == 0 && st.st_dev == l->dev &&
	    st.st_ino == l->ino)
		(void)unlink(l->path);
	(void)close(l->fd);
	l->fd = -1;
}
