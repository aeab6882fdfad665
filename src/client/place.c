/* place.c — which server, and where its tokens are: options, else the environment, else what the last login said. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/internal.h"

#define DEFAULT_ACCOUNT "default"

/* What is remembered for an account. */
struct place {
	char server[PATH_ROOM], store[PATH_ROOM];
};

static const char *account_of(const struct options *o)
{
	return o->account != NULL ? o->account : DEFAULT_ACCOUNT;
}

/* It becomes a part of file names. */
static bool is_account(const char *name)
{
	return name[0] != '\0' && name[0] != '.' && strlen(name) <= 64 &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@-")] == '\0';
}

/* A folder of the user's, made if it is not there: $VARIABLE/sallyport or ~/fallback/sallyport. */
static bool folder(const char *variable, const char *fallback, char path[PATH_ROOM])
{
	const char *base = getenv(variable), *home = getenv("HOME");
	int n;

	if (base != NULL && base[0] == '/')
		n = snprintf(path, PATH_ROOM, "%s/sallyport", base);
	else if (home != NULL && home[0] == '/')
		n = snprintf(path, PATH_ROOM, "%s/%s/sallyport", home, fallback);
	else
		return false;
	if (n <= 0 || n >= PATH_ROOM)
		return false;
	for (char *at = path + 1; (at = strchr(at, '/')) != NULL; at++) {
		*at = '\0';
		if (mkdir(path, 0700) != 0 && errno != EEXIST)
			return false;
		*at = '/';
	}
	return mkdir(path, 0700) == 0 || errno == EEXIST;
}

static bool file_in(const char *variable, const char *fallback, const char *account, const char *ending,
		    char path[PATH_ROOM])
{
	char where[PATH_ROOM];
	int n;

	if (!folder(variable, fallback, where))
		return false;
	n = snprintf(path, PATH_ROOM, "%s/%s%s", where, account, ending);
	return n > 0 && n < PATH_ROOM;
}

static bool place_path(const char *account, char path[PATH_ROOM])
{
	return file_in("XDG_CONFIG_HOME", ".config", account, ".client", path);
}

/* Lines "server URL" and "store KIND"; what is not there stays empty. */
static void place_load(const char *account, struct place *p)
{
	char path[PATH_ROOM], line[PATH_ROOM];
	FILE *f;

	if (!place_path(account, path))
		return;
	f = fopen(path, "re");
	if (f == NULL)
		return;
	while (fgets(line, sizeof line, f) != NULL) {
		line[strcspn(line, "\r\n")] = '\0';
		if (strncmp(line, "server ", 7) == 0)
			(void)snprintf(p->server, sizeof p->server, "%s", line + 7);
		else if (strncmp(line, "store ", 6) == 0)
			(void)snprintf(p->store, sizeof p->store, "%s", line + 6);
	}
	(void)fclose(f);
}

static void choose(const char *given, const char *variable, char chosen[PATH_ROOM])
{
	const char *value = given != NULL ? given : getenv(variable);

	if (value != NULL && value[0] != '\0')
		(void)snprintf(chosen, PATH_ROOM, "%s", value);
}

static bool place_of(const struct options *o, struct place *p)
{
	*p = (struct place){ 0 };
	if (!is_account(account_of(o))) {
		(void)fprintf(stderr, "sallyport: an account's name has letters, digits, . _ @ - only\n");
		return false;
	}
	place_load(account_of(o), p);
	choose(o->server, "SALLYPORT_CLIENT_SERVER", p->server);
	choose(o->store, "SALLYPORT_CLIENT_STORE", p->store);
	if (p->server[0] == '\0')
		(void)fprintf(stderr, "sallyport: which server? `sallyport login https://auth.example.com`\n");
	return p->server[0] != '\0';
}

enum client_exit place_remember(const struct options *o)
{
	char path[PATH_ROOM], fresh[PATH_ROOM + 8];
	struct place p;
	FILE *f;
	bool is_written;

	if (!place_of(o, &p) || !place_path(account_of(o), path))
		return CLIENT_STORE;
	(void)snprintf(fresh, sizeof fresh, "%s.new", path);
	f = fopen(fresh, "we");
	if (f == NULL) {
		(void)fprintf(stderr, "sallyport: %s: %s\n", fresh, strerror(errno));
		return CLIENT_STORE;
	}
	is_written = fprintf(f, "server %s\nstore %s\n", p.server, o->opened) > 0;
	is_written = fclose(f) == 0 && is_written;
	if (!is_written || rename(fresh, path) != 0) {
		(void)fprintf(stderr, "sallyport: %s: %s\n", path, strerror(errno));
		(void)unlink(fresh);
		return CLIENT_STORE;
	}
	return CLIENT_DONE;
}

/* ---- the store ---- */

static bool read_passphrase(const struct options *o, char *passphrase)
{
	const char *given = getenv("SALLYPORT_CLIENT_PASSPHRASE");
	FILE *f;
	bool is_read;

	if (o->args->value[OPT_PASSPHRASE_FILE] != NULL) {
		f = fopen(o->args->value[OPT_PASSPHRASE_FILE], "re");
		is_read = f != NULL && fgets(passphrase, SECRET_MAX, f) != NULL;
		if (f != NULL)
			(void)fclose(f);
		passphrase[is_read ? strcspn(passphrase, "\r\n") : 0] = '\0';
		return is_read && passphrase[0] != '\0';
	}
	if (given != NULL) {
		(void)snprintf(passphrase, SECRET_MAX, "%s", given);
		return passphrase[0] != '\0' && strlen(given) < SECRET_MAX;
	}
	return prompt("Passphrase of the file with the tokens: ", true, passphrase, SECRET_MAX) && passphrase[0] != '\0';
}

static sp_error open_file(const struct options *o, const char *kind, sp_store *store)
{
	char path[PATH_ROOM], passphrase[SECRET_MAX];
	sp_error e;

	if (kind[4] == ':')
		(void)snprintf(path, sizeof path, "%s", kind + 5);
	else if (!file_in("XDG_DATA_HOME", ".local/share", account_of(o), ".tokens", path))
		return SP_STORE;
	if (!read_passphrase(o, passphrase)) {
		(void)fprintf(stderr, "sallyport: no passphrase: SALLYPORT_CLIENT_PASSPHRASE, --passphrase-file, or type it\n");
		return SP_STORE;
	}
	e = sp_store_file(path, passphrase, store);
	prompt_wipe(passphrase, sizeof passphrase);
	if (e == SP_REFUSED)
		(void)fprintf(stderr, "sallyport: %s: not its passphrase, or the file is damaged\n", path);
	return e;
}

/* Without a wish: what the desktop offers, else the kernel. */
static sp_error open_any(struct options *o, sp_store *store)
{
	sp_error e = sp_store_secret_service(store);
	const char *kind = "secret-service";

	if (e == SP_UNAVAILABLE) {
		e = sp_store_keyring(store);
		kind = "keyring";
	}
	(void)snprintf(o->opened, sizeof o->opened, "%s", kind);
	return e;
}

static sp_error open_store(const struct options *o, const char *kind, sp_store *store)
{
	if (strcmp(kind, "secret-service") == 0)
		return sp_store_secret_service(store);
	if (strcmp(kind, "keyring") == 0)
		return sp_store_keyring(store);
	if (strcmp(kind, "file") == 0 || strncmp(kind, "file:", 5) == 0)
		return open_file(o, kind, store);
	return SP_INVALID;
}

enum client_exit place_open(struct options *o, sp_client **client)
{
	struct place p;
	sp_store store = { 0 };
	sp_options options = { .size = sizeof options };
	sp_error e;

	if (!place_of(o, &p))
		return CLIENT_USAGE;
	memcpy(o->opened, p.store, sizeof p.store);
	e = p.store[0] == '\0' ? open_any(o, &store) : open_store(o, p.store, &store);
	if (e == SP_INVALID)
		(void)fprintf(stderr, "sallyport: there is no store of kind %s\n", p.store);
	else if (e == SP_UNAVAILABLE)
		(void)fprintf(stderr, "sallyport: tokens cannot be kept in %s here; try --store file\n",
			      p.store[0] != '\0' ? p.store : "the Secret Service or the kernel's keyring");
	else if (e != SP_OK)
		(void)fprintf(stderr, "sallyport: the tokens cannot be read (%s)\n", sp_error_name(e));
	if (e != SP_OK)
		return e == SP_INVALID ? CLIENT_USAGE : CLIENT_STORE;
	options.server = p.server;
	options.account = account_of(o);
	options.store = &store;
	options.user_agent = "sallyport-cli";
	e = sp_client_new(&options, client);
	if (e == SP_INVALID)
		(void)fprintf(stderr, "sallyport: %s: a server is https://HOST, or http:// on this machine\n", p.server);
	return e == SP_OK ? CLIENT_DONE : e == SP_INVALID ? CLIENT_USAGE : CLIENT_STORE;
}
