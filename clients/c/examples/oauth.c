/* oauth.c — a desktop program signs in through a provider, in the system's browser, and stays signed in.
 *
 *	./oauth https://auth.example.com google
 *	./oauth https://auth.example.com --sign-out
 *
 * The server must have the provider, and http://127.0.0.1/callback among its native.redirect_uris. The session is kept in
 * the desktop's Secret Service, else in the kernel's keyring, else in memory. */
#include <sallyport.h>
#include <stdio.h>
#include <string.h>

/* The best there is on this machine; its name, or NULL. */
static const char *open_store(sp_store *store)
{
	if (sp_store_secret_service(store) == SP_OK)
		return "the Secret Service";
	if (sp_store_keyring(store) == SP_OK)
		return "the kernel's keyring";
	return sp_store_memory(store) == SP_OK ? "memory" : NULL;
}

/* What a program with windows would show; comes on the thread of the call that brought it about. */
static void on_state(void *context, sp_state state, const char *reason)
{
	(void)context;
	if (state == SP_STATE_SIGNED_IN)
		printf("state: signed in\n");
	else if (state == SP_STATE_SIGNED_OUT)
		printf("state: signed out because of %s\n", reason);
}

static int ended(const char *what, sp_result *result)
{
	int failed = result->error != SP_OK;

	if (failed)
		fprintf(stderr, "%s: %s %s (%s)\n", what, result->code, result->message, sp_error_name(result->error));
	sp_result_free(result);
	return failed;
}

static int who_am_i(sp_client *client)
{
	sp_result *result = sp_get_profile(client);

	if (result->error == SP_OK)
		printf("%s, through %s\n", result->profile->email,
		       result->profile->login_provider != NULL ? result->profile->login_provider : "a password");
	return ended("profile", result);
}

static int run(sp_client *client, const char *what)
{
	if (strcmp(what, "--sign-out") == 0)
		return ended("sign-out", sp_logout(client));
	/* NULL: the system's own way to open a browser. Two minutes for the user. */
	if (sp_is_signed_in(client) != 1 && ended("sign-in", sp_oauth_login(client, what, NULL, NULL, 120)))
		return 1;
	return who_am_i(client);
}

int main(int argc, char **argv)
{
	sp_store store;
	sp_options options = { .size = sizeof options, .on_state = on_state };
	sp_client *client;
	const char *where;
	int failed;

	if (argc != 3) {
		fprintf(stderr, "usage: %s SERVER PROVIDER\n       %s SERVER --sign-out\n", argv[0], argv[0]);
		return 2;
	}
	where = open_store(&store);
	if (where == NULL) {
		fprintf(stderr, "out of memory\n");
		return 2;
	}
	printf("the session is kept in %s\n", where);
	options.server = argv[1];
	options.store = &store;
	if (sp_client_new(&options, &client) != SP_OK) {
		fprintf(stderr, "%s: not the address of a server\n", argv[1]);
		return 2;
	}
	failed = run(client, argv[2]);
	sp_client_free(client);
	return failed;
}
