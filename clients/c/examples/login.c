/* login.c — signs in, says who it is, signs out.
 *
 *	./login https://auth.example.com ada@example.com <password.txt
 *
 * The tokens are in memory and go with the program. */
#include <sallyport.h>
#include <stdio.h>
#include <string.h>

/* 0: it went well. The result is freed. */
static int ended(const char *what, sp_result *result)
{
	int failed = result->error != SP_OK;

	if (failed)
		fprintf(stderr, "%s: %s (%s)\n", what, result->message, sp_error_name(result->error));
	sp_result_free(result);
	return failed;
}

static int who_am_i(sp_client *client)
{
	sp_result *result = sp_get_profile(client);

	if (result->error == SP_OK)
		printf("signed in as %s\n", result->profile->email);
	return ended("profile", result);
}

int main(int argc, char **argv)
{
	char password[300] = "";
	sp_options options = { .size = sizeof options, .server = argv[1] };
	sp_client *client;
	int failed;

	if (argc != 3 || fgets(password, sizeof password, stdin) == NULL)
		return 2;
	password[strcspn(password, "\n")] = '\0';
	if (sp_client_new(&options, &client) != SP_OK)
		return 2; /* not the address of a server */
	failed = ended("sign-in", sp_login(client, argv[2], password)) || who_am_i(client) ||
		 ended("sign-out", sp_logout(client));
	sp_client_free(client);
	return failed;
}
