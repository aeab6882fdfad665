/* Answers of whoever sits at the server's address: a result of every kind for every status can be read to its last byte, has
 * what its kind promises, and is freed. */
#include "internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fine)
{
	if (!fine)
		abort();
}

/* Goes to the end of a text, for the sanitizer. */
static void read_text(const char *text)
{
	must(text == NULL || strlen(text) < SIZE_MAX);
}

static void read_texts(const char *const *texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		must(texts[i] != NULL && strlen(texts[i]) < SIZE_MAX);
}

static void read_profile(const sp_profile *p)
{
	must(p->id != NULL && p->email != NULL);
	read_text(p->id);
	read_text(p->email);
	read_text(p->name);
	read_text(p->last_login);
	must(p->is_admin == 0 || p->is_admin == 1);
}

static void read_lists(const sp_result *r)
{
	for (size_t i = 0; i < r->n_sessions; i++) {
		must(r->error != SP_OK || r->sessions[i].handle != NULL);
		read_text(r->sessions[i].handle);
		read_text(r->sessions[i].user_agent);
	}
	for (size_t i = 0; i < r->n_accounts; i++) {
		must(r->error != SP_OK || r->accounts[i].provider_account_id != NULL);
		read_text(r->accounts[i].provider);
		read_text(r->accounts[i].picture);
	}
	for (size_t i = 0; i < r->n_fields; i++) {
		must(r->fields[i].field != NULL && r->fields[i].reason != NULL);
		read_text(r->fields[i].field);
		read_text(r->fields[i].reason);
	}
	read_texts(r->recovery_codes, r->n_recovery_codes);
}

static void check(const struct answer *a, int status, enum gives gives)
{
	const sp_result *r = &a->pub;
	bool is_good = status >= 200 && status < 300;

	must(r->status == status && r->message != NULL && r->code != NULL && r->body != NULL);
	must(r->body[r->body_length] == '\0');
	must(is_good ? r->error == SP_OK || r->error == SP_SECOND_FACTOR || r->error == SP_PROTOCOL : r->error != SP_OK);
	if (r->error == SP_SECOND_FACTOR || r->error == SP_SETUP_REQUIRED) {
		must(r->challenge != NULL && r->challenge->temp_token != NULL);
		read_text(r->challenge->temp_token);
		read_texts(r->challenge->methods, r->challenge->n_methods);
	}
	if (r->error == SP_OK && gives == GIVES_PROFILE)
		read_profile(r->profile);
	if (r->error == SP_OK && gives == GIVES_TOTP)
		must(r->totp->secret != NULL && r->totp->otpauth_url != NULL && r->totp->qr_code != NULL);
	if (r->error == SP_OK && gives == GIVES_TOKENS)
		must(json_string(a->json, "accessToken") != NULL && json_string(a->json, "refreshToken") != NULL);
	read_lists(r);
	read_text(r->code);
	read_text(r->message);
	read_text(r->url);
	read_text(r->user_id);
	read_text(r->merge_token);
	read_text(r->link_token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int statuses[] = { 200, 201, 302, 400, 401, 403, 429, 500, 503 };

	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
		for (enum gives gives = GIVES_NOTHING; gives <= GIVES_BODY; gives++) {
			struct http_answer a = { .status = statuses[i] };
			struct answer *r;

			if (size > 0)
				text_add_n(&a.body, (const char *)data, size);
			r = result_read(&a, gives);
			check(r, statuses[i], gives);
			sp_result_free(&r->pub);
		}
	return 0;
}
