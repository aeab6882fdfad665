/* resolver.c — for programs of tests: stands before libc's getaddrinfo. The name server says nothing about names below
 * silent.test, and that it has failed about those below failing.test. */
#include <dlfcn.h>
#include <netdb.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define SILENCE_S 60 /* longer than any time of ours */

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **ret);

static bool is_below(const char *node, const char *zone)
{
	size_t n = node == NULL ? 0 : strlen(node), end = strlen(zone);

	return n > end && strcmp(node + n - end, zone) == 0;
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
	void *found = dlsym(RTLD_NEXT, "getaddrinfo");

	if (is_below(node, ".silent.test"))
		(void)sleep(SILENCE_S);
	if (found == NULL || is_below(node, ".silent.test") || is_below(node, ".failing.test"))
		return EAI_AGAIN;
	memcpy(&real, &found, sizeof(real));
	return real(node, service, hints, ret);
}
