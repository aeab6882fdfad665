/* client.c — making and freeing a client. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define VERSION TEXT(SP_VERSION_MAJOR) "." TEXT(SP_VERSION_MINOR) "." TEXT(SP_VERSION_PATCH)

#define TIMEOUT_MS 30000
#define CONNECT_TIMEOUT_MS 10000

const char *sp_version(void)
{
	return VERSION;
}

/* curl wants this once, before any thread; it cannot be told apart from what the program itself does with curl. */
static void start_curl(void)
{
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool is_loopback(const char *host, size_t n)
{
	static const char *const names[] = { "localhost", "127.0.0.1", "[::1]" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strlen(names[i]) == n && strncasecmp(names[i], host, n) == 0)
			return true;
	return false;
}

/* scheme://host[:port], nothing behind it but one slash, nobody's name in it; over TLS unless it stays on this machine. */
static bool is_server(const char *url, size_t *length)
{
	bool is_tls = strncasecmp(url, "https://", 8) == 0;
	const char *host = url + (is_tls ? 8 : 7), *end;
	size_t n;

	if (!is_tls && strncasecmp(url, "http://", 7) != 0)
		return false;
	n = host[0] == '[' ? strcspn(host, "]") + (strchr(host, ']') != NULL) : strcspn(host, ":/");
	if (n == 0 || strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-[]:_") < n)
		return false;
	end = host + n;
	if (*end == ':') {
		unsigned long port = strtoul(end + 1, NULL, 10);
		size_t digits = strspn(end + 1, "0123456789");

		if (digits == 0 || port == 0 || port > 65535)
			return false;
		end += 1 + digits;
	}
	*length = (size_t)(end - url);
	return (*end == '\0' || (end[0] == '/' && end[1] == '\0')) && (is_tls || is_loopback(host, n));
}

static bool is_path(const char *path)
{
	return path[0] == '/' && strlen(path) < 200 &&
	       path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._~-")] == '\0';
}

/* "sallyport|https://auth.example.com/auth|default" */
static bool make_key(char key[KEY_MAX], const char *base, const char *account, const char *what)
{
	int n = snprintf(key, KEY_MAX, "sallyport|%s|%s%s", base, account, what);

	return n > 0 && n < KEY_MAX;
}

static sp_error read_options(sp_client *c, const sp_options *o)
{
	const char *prefix = o->prefix != NULL ? o->prefix : "/auth", *account = o->account != NULL ? o->account : "default";
	const char *loopback = o->loopback_path != NULL ? o->loopback_path : "/callback";
	struct text base = { 0 };
	size_t n;

	if (o->server == NULL || !is_server(o->server, &n) || (prefix[0] != '\0' && !is_path(prefix)) ||
	    !is_path(loopback) || (o->user_agent != NULL && !is_header_text(o->user_agent)) || account[0] == '\0' ||
	    strlen(account) > 128 || o->timeout_ms < 0 || o->connect_timeout_ms < 0)
		return SP_INVALID;
	text_add_n(&base, o->server, n);
	text_add(&base, prefix);
	c->base = base.p;
	if (base.failed)
		return SP_MEMORY;
	if (!make_key(c->key, base.p, account, "") || !make_key(c->device_key, base.p, account, "|device") ||
	    !make_key(c->flow_key, base.p, account, "|oauth"))
		return SP_INVALID;
	c->timeout_ms = o->timeout_ms > 0 ? o->timeout_ms : TIMEOUT_MS;
	c->connect_timeout_ms = o->connect_timeout_ms > 0 ? o->connect_timeout_ms : CONNECT_TIMEOUT_MS;
	c->on_state = o->on_state;
	c->context = o->context;
	if (!copy_text(o->language, &c->language) || !copy_text(o->ca_file, &c->ca_file) ||
	    !copy_text(loopback, &c->loopback_path) ||
	    !copy_text(o->user_agent != NULL ? o->user_agent : "libsallyport/" VERSION, &c->user_agent))
		return SP_MEMORY;
	return SP_OK;
}

/* A copy of what a caller has filled in, the members it does not know being zero. */
static bool read_struct(void *to, size_t size, const void *from, size_t from_size)
{
	if (from_size < sizeof(size_t))
		return false;
	memcpy(to, from, from_size < size ? from_size : size);
	return true;
}

static void client_close(sp_client *c)
{
	http_free(c);
	if (c->store.close != NULL)
		c->store.close(c->store.context);
	free(c->base);
	free(c->language);
	free(c->ca_file);
	free(c->loopback_path);
	free(c->user_agent);
	(void)pthread_cond_destroy(&c->work_ready);
	(void)pthread_mutex_destroy(&c->work_mutex);
	(void)pthread_mutex_destroy(&c->idle_mutex);
	(void)pthread_mutex_destroy(&c->session_mutex);
	(void)pthread_mutex_destroy(&c->store_mutex);
	wipe(c, sizeof *c);
	free(c);
}

/* The store is the client's from here on, whatever comes of it. */
static sp_error take_store(sp_client *c, const sp_store *given)
{
	if (given == NULL)
		return sp_store_memory(&c->store);
	if (!read_struct(&c->store, sizeof c->store, given, given->size))
		return SP_INVALID;
	if (c->store.load == NULL || c->store.save == NULL || c->store.erase == NULL ||
	    (c->store.lock == NULL) != (c->store.unlock == NULL))
		return SP_INVALID;
	return SP_OK;
}

sp_error sp_client_new(const sp_options *options, sp_client **client)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	sp_options o = { 0 };
	sp_client *c;
	sp_error e;

	if (client == NULL)
		return SP_INVALID;
	*client = NULL;
	if (options == NULL || !read_struct(&o, sizeof o, options, options->size))
		return SP_INVALID;
	(void)pthread_once(&once, start_curl);
	c = calloc(1, sizeof *c);
	if (c == NULL) {
		if (o.store != NULL && o.store->close != NULL)
			o.store->close(o.store->context);
		return SP_MEMORY;
	}
	(void)pthread_mutex_init(&c->store_mutex, NULL);
	(void)pthread_mutex_init(&c->session_mutex, NULL);
	(void)pthread_mutex_init(&c->idle_mutex, NULL);
	(void)pthread_mutex_init(&c->work_mutex, NULL);
	(void)pthread_cond_init(&c->work_ready, NULL);
	e = take_store(c, o.store);
	if (e == SP_OK)
		e = read_options(c, &o);
	if (e != SP_OK) {
		client_close(c);
		return e;
	}
	*client = c;
	return SP_OK;
}

void sp_client_cancel(sp_client *c)
{
	if (c != NULL)
		atomic_store(&c->cancelled, true);
}

void sp_client_resume(sp_client *c)
{
	if (c != NULL)
		atomic_store(&c->cancelled, false);
}

sp_error sp_client_free(sp_client *c)
{
	if (c == NULL)
		return SP_OK;
	if (start_is_inside(c))
		return SP_INVALID;
	sp_client_cancel(c);
	start_close(c);
	client_close(c);
	return SP_OK;
}
