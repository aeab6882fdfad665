/* two_factor.c — a sign-in with a second factor, asked for at the prompt, or set up where the account must have one. The
 * session is kept in a file that a passphrase encrypts, so the next start is signed in already.
 *
 *	./two_factor https://auth.example.com ada@example.com tokens.sallyport
 *
 * Asks on standard output, reads answers from standard input, one a line. A real program would switch the echo off. */
#include <sallyport.h>
#include <stdio.h>
#include <string.h>

struct answer {
	char text[300];
};

/* 0: there is one. */
static int ask(const char *what, struct answer *answer)
{
	printf("%s: ", what);
	fflush(stdout);
	if (fgets(answer->text, sizeof answer->text, stdin) == NULL)
		return -1;
	answer->text[strcspn(answer->text, "\n")] = '\0';
	return 0;
}

static sp_result *verify(sp_client *client, const char *temp_token, const char *method, const char *code)
{
	if (strcmp(method, "sms") == 0)
		return sp_verify_sms_2fa(client, temp_token, code);
	if (strcmp(method, "magic-link") == 0)
		return sp_verify_email_code_2fa(client, temp_token, code);
	if (strcmp(method, "recovery") == 0)
		return sp_verify_recovery_code(client, temp_token, code);
	return sp_verify_totp(client, temp_token, code);
}

/* Codes of SMS and mail must be sent first; NULL: nothing to send. */
static sp_result *send_code(sp_client *client, const char *temp_token, const char *method)
{
	if (strcmp(method, "sms") == 0)
		return sp_send_sms_2fa(client, temp_token);
	if (strcmp(method, "magic-link") == 0)
		return sp_send_magic_link_2fa(client, temp_token, "code");
	return NULL;
}

/* Three tries; the handle is good for five. Takes over nothing; the result is the caller's, NULL: standard input ended. */
static sp_result *second_factor(sp_client *client, const sp_challenge *challenge)
{
	struct answer method, code;
	sp_result *result = NULL;
	size_t i;
	int tries;

	printf("Second factor, one of:");
	for (i = 0; i < challenge->n_methods; i++)
		printf(" %s", challenge->methods[i]);
	printf(" recovery\n");
	if (ask("Method", &method) != 0)
		return NULL;
	result = send_code(client, challenge->temp_token, method.text);
	if (result != NULL && result->error != SP_OK)
		return result;
	for (tries = 0; tries < 3; tries++) {
		sp_result_free(result);
		result = NULL;
		if (ask("Code", &code) != 0)
			return NULL;
		result = verify(client, challenge->temp_token, method.text, code.text);
		if (result->error != SP_REFUSED)
			return result;
		printf("%s\n", result->message);
	}
	return result;
}

static void print_recovery_codes(const sp_result *result)
{
	size_t i;

	for (i = 0; i < result->n_recovery_codes; i++)
		printf("Recovery code: %s\n", result->recovery_codes[i]);
}

/* The account must get a second factor before it gets in. The same about the result. */
static sp_result *set_up(sp_client *client, const char *temp_token)
{
	struct answer code;
	sp_result *result = sp_setup_2fa(client, temp_token, NULL, NULL);

	if (result->error != SP_OK)
		return result;
	printf("Add this to your authenticator app: %s\n", result->totp->otpauth_url);
	sp_result_free(result);
	if (ask("Code", &code) != 0)
		return NULL;
	result = sp_verify_setup_2fa(client, temp_token, code.text);
	print_recovery_codes(result); /* the only time they are shown */
	return result;
}

static sp_result *sign_in(sp_client *client, const char *email)
{
	struct answer password;
	sp_result *first, *second;

	if (ask("Password", &password) != 0)
		return NULL;
	first = sp_login(client, email, password.text);
	if (first->error == SP_SECOND_FACTOR)
		second = second_factor(client, first->challenge);
	else if (first->error == SP_SETUP_REQUIRED)
		second = set_up(client, first->challenge->temp_token);
	else
		return first;
	sp_result_free(first);
	return second;
}

/* 0: signed in. */
static int sign_in_if_needed(sp_client *client, const char *email)
{
	sp_result *result;
	int failed;

	if (sp_is_signed_in(client) == 1)
		return 0;
	result = sign_in(client, email);
	failed = result == NULL || result->error != SP_OK;
	if (failed)
		fprintf(stderr, "sign-in: %s\n", result == NULL ? "no more input" : result->message);
	sp_result_free(result);
	return failed;
}

static int who_am_i(sp_client *client)
{
	sp_result *result = sp_get_profile(client);
	int failed = result->error != SP_OK;

	if (failed)
		fprintf(stderr, "profile: %s\n", result->message);
	else
		printf("Signed in as %s\n", result->profile->email);
	sp_result_free(result);
	return failed;
}

int main(int argc, char **argv)
{
	struct answer passphrase;
	sp_store store;
	sp_options options = { .size = sizeof options };
	sp_client *client;
	sp_error error;
	int failed;

	if (argc != 4) {
		fprintf(stderr, "usage: %s SERVER EMAIL FILE\n", argv[0]);
		return 2;
	}
	if (ask("Passphrase of the file", &passphrase) != 0)
		return 2;
	error = sp_store_file(argv[3], passphrase.text, &store);
	if (error != SP_OK) {
		fprintf(stderr, "%s: %s\n", argv[3], error == SP_REFUSED ? "wrong passphrase" : sp_error_name(error));
		return 2;
	}
	options.server = argv[1];
	options.account = argv[2];
	options.store = &store; /* the client's from here on, whatever comes of it */
	if (sp_client_new(&options, &client) != SP_OK) {
		fprintf(stderr, "%s: not the address of a server\n", argv[1]);
		return 2;
	}
	failed = sign_in_if_needed(client, argv[2]) || who_am_i(client);
	sp_client_free(client);
	return failed;
}
