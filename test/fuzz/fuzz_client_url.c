/* What an app is opened with, and what reaches its port on this machine: anybody can make such a URL or request. Only the
 * state of the sign-in under way gets through; what is decoded is what was encoded. Nothing is sent: the client is cancelled. */
#include <time.h>

#include "internal.h"
#include "url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STATE "s-1"

static void must(bool fine)
{
	if (!fine)
		abort();
}

static sp_client *client_once(void)
{
	static sp_client *client;
	const sp_options options = { .size = sizeof options, .server = "http://127.0.0.1:9" };

	if (client == NULL) {
		must(sp_client_new(&options, &client) == SP_OK);
		sp_client_cancel(client);
	}
	return client;
}

static void begin_flow(sp_client *c)
{
	struct text flow = { 0 };

	text_add(&flow, "{\"verifier\":\"v\",\"state\":\"" STATE "\",\"link\":false,\"begun\":");
	text_add_number(&flow, (int64_t)time(NULL));
	text_add(&flow, "}");
	must(store_save(c, c->flow_key, flow.p) == SP_OK);
	text_free(&flow);
}

static void check_challenge(const sp_challenge *c)
{
	must(c->temp_token != NULL && strlen(c->temp_token) < SIZE_MAX);
	for (size_t i = 0; i < c->n_methods; i++)
		must(strchr(c->methods[i], ',') == NULL);
}

static void check_answer(const char *url, sp_result *(*call)(sp_client *c, const char *url), bool is_continue)
{
	sp_client *c = client_once();
	char *state = query_value(query_of(url), "state");
	bool is_ours = state != NULL && strcmp(state, STATE) == 0;
	sp_result *r;

	begin_flow(c);
	r = call(c, url);
	must(r->error != SP_OK && r->message != NULL && r->code != NULL);
	if (state != NULL || is_continue)
		must(is_ours == (strcmp(r->code, "STATE_MISMATCH") != 0));
	if (r->challenge != NULL)
		check_challenge(r->challenge);
	must((r->challenge != NULL) == (r->error == SP_SECOND_FACTOR || r->error == SP_SETUP_REQUIRED));
	sp_result_free(r);
	wipe_free(state);
}

static void check_value(const char *query, const char *name)
{
	char *value = query_value(query, name), *again;
	struct text coded = { 0 };

	if (value == NULL)
		return;
	text_add(&coded, "x=");
	text_add_url(&coded, value);
	again = query_value(coded.p, "x");
	must(again != NULL && strcmp(again, value) == 0);
	text_free(&coded);
	wipe_free(again);
	wipe_free(value);
}

static void check_head(const char *text)
{
	char *head = strdup(text);
	const char *target;

	must(head != NULL);
	target = request_target(head, "/callback");
	must(target == NULL || (strncmp(target, "/callback", 9) == 0 && strchr(target, '?') != NULL));
	if (target != NULL)
		check_answer(target, sp_oauth_continue, true);
	free(head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = calloc(size + 1, 1);

	must(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	check_value(text, "a");
	check_value(query_of(text), "token");
	check_answer(text, sp_open_link, false);
	check_answer(text, sp_oauth_continue, true);
	check_head(text);
	free(text);
	return 0;
}
