/* Redirect addresses: an allowed one is byte-equal to a registered one, or to the loopback one but for its port. */
#include "base/str.h"
#include "oauth/redirect.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const str items[] = { STR_INIT("https://app.example.com/auth"), STR_INIT("com.example.app:/x"), STR_INIT("http://127.0.0.1/cb"),
			     STR_INIT("http://[::1]/cb"), STR_INIT("exp://192.168.1.20:8081/--/auth") };
static const struct str_list registered = { items, 5 };

/* "http://127.0.0.1" [":" digits] "/cb" */
static bool is_loopback(str uri, str host)
{
	str rest = str_skip(uri, host.n);

	if (!str_starts(uri, host) || !str_ends(uri, STR("/cb")))
		return false;
	rest.n -= 3;
	if (rest.n == 0)
		return true;
	if (rest.p[0] != ':' || rest.n < 2 || rest.n > 6)
		return false;
	for (size_t i = 1; i < rest.n; i++) {
		if (rest.p[i] < '0' || rest.p[i] > '9')
			return false;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str uri = str_of_bytes(data, size);
	bool known = false;

	for (size_t i = 0; i < registered.n; i++)
		known = known || str_eq(uri, items[i]);
	if (redirect_is_registered(&registered, uri) && !known && !is_loopback(uri, STR("http://127.0.0.1")) &&
	    !is_loopback(uri, STR("http://[::1]")))
		abort();
	if (known && !redirect_is_registered(&registered, uri))
		abort();
	if (redirect_may_register(uri)) {
		for (size_t i = 0; i < uri.n; i++) {
			if (uri.p[i] <= ' ' || uri.p[i] > '~' || strchr("?#%\\@\"<>", uri.p[i]) != NULL)
				abort();
		}
	}
	return 0;
}
