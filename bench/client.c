/* client.c — what a call of libsallyport costs over bare libcurl: GET /auth/me, one connection each, in turns of equal
 * length in one process, so that whatever else the machine does meets both.
 *
 *   client SERVER EMAIL PASSWORD SECONDS FILE
 *
 * The library's sides are a client with its tokens in memory and one with them in the encrypted FILE. The bare side is one
 * handle with every option set once, the same headers, and the body collected into memory.
 * Prints one line: MEMORY_US FILE_US CURL_US, each the median over the turns of the median time of a request in a turn. */
#include <curl/curl.h>
#include <sallyport.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TURNS 800 /* of each side */
#define SIDES 3
#define REQUESTS_MAX 1000000

struct body {
	char bytes[65536];
	size_t n;
};

static sp_client *in_memory, *in_file;
static CURL *bare;
static struct body body;
static double times[REQUESTS_MAX];

static void die(const char *what, const char *why)
{
	(void)fprintf(stderr, "client: %s: %s\n", what, why);
	exit(1);
}

static double now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare);
	return values[n / 2];
}

/* ---- the two sides ---- */

static void ask_library(sp_client *client)
{
	sp_result *r = sp_get_profile(client);

	if (r->error != SP_OK)
		die("library", r->message);
	sp_result_free(r);
}

static void ask_memory(void)
{
	ask_library(in_memory);
}

static void ask_file(void)
{
	ask_library(in_file);
}

static size_t collect(char *data, size_t size, size_t n, void *context)
{
	struct body *b = context;

	n *= size;
	if (n > sizeof(b->bytes) - b->n)
		return 0;
	memcpy(b->bytes + b->n, data, n);
	b->n += n;
	return n;
}

static void ask_curl(void)
{
	CURLcode code;
	long status = 0;

	body.n = 0;
	code = curl_easy_perform(bare);
	(void)curl_easy_getinfo(bare, CURLINFO_RESPONSE_CODE, &status);
	if (code != CURLE_OK || status != 200 || body.n == 0)
		die("curl", curl_easy_strerror(code));
}

static sp_client *open_client(const char *server, const char *email, const char *password, const char *file)
{
	sp_options options = { .size = sizeof(options), .server = server };
	sp_client *client = NULL;
	sp_store store;
	sp_result *r;
	sp_error e = file != NULL ? sp_store_file(file, "a passphrase of nobody", &store) : sp_store_memory(&store);

	options.store = &store;
	if (e == SP_OK)
		e = sp_client_new(&options, &client);
	if (e != SP_OK)
		die("client", sp_error_name(e));
	r = sp_login(client, email, password);
	if (r->error != SP_OK)
		die("sign-in", r->message);
	sp_result_free(r);
	return client;
}

static struct curl_slist *open_curl(const char *server)
{
	char url[300], bearer[4096];
	sp_result *r = sp_access_token(in_memory, 0);
	struct curl_slist *headers;

	if (r->error != SP_OK)
		die("token", r->message);
	(void)snprintf(url, sizeof(url), "%s/auth/me", server);
	(void)snprintf(bearer, sizeof(bearer), "Authorization: Bearer %s", r->access_token);
	sp_result_free(r);
	headers = curl_slist_append(curl_slist_append(NULL, "Accept: application/json"), bearer);
	bare = curl_easy_init();
	if (bare == NULL || headers == NULL)
		die("curl", "no memory");
	(void)curl_easy_setopt(bare, CURLOPT_URL, url);
	(void)curl_easy_setopt(bare, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(bare, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(bare, CURLOPT_HTTPHEADER, headers);
	(void)curl_easy_setopt(bare, CURLOPT_USERAGENT, "libsallyport/0.1.0");
	(void)curl_easy_setopt(bare, CURLOPT_WRITEFUNCTION, collect);
	(void)curl_easy_setopt(bare, CURLOPT_WRITEDATA, &body);
	return headers;
}

/* The median time of a request, µs. */
static double turn(void (*ask)(void), double length_us)
{
	double end = now_us() + length_us;
	size_t n = 0;

	for (double begun = now_us(); begun < end && n < REQUESTS_MAX; n++) {
		double done;

		ask();
		done = now_us();
		times[n] = done - begun;
		begun = done;
	}
	return median(times, n);
}

int main(int argc, char **argv)
{
	static void (*const sides[SIDES])(void) = { ask_memory, ask_file, ask_curl };
	static double medians[SIDES][TURNS];
	struct curl_slist *headers;
	double length_us;

	if (argc != 6)
		die("usage", "client SERVER EMAIL PASSWORD SECONDS FILE");
	length_us = strtod(argv[4], NULL) * 1e6 / (SIDES * TURNS);
	in_memory = open_client(argv[1], argv[2], argv[3], NULL);
	in_file = open_client(argv[1], argv[2], argv[3], argv[5]);
	headers = open_curl(argv[1]);
	for (size_t i = 0; i < TURNS; i++)
		for (size_t side = 0; side < SIDES; side++)
			medians[side][i] = turn(sides[side], length_us);
	(void)printf("%.1f %.1f %.1f\n", median(medians[0], TURNS), median(medians[1], TURNS), median(medians[2], TURNS));
	curl_easy_cleanup(bare);
	curl_slist_free_all(headers);
	(void)sp_client_free(in_memory);
	(void)sp_client_free(in_file);
	return 0;
}
