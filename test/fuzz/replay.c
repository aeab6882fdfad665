/* Runs a fuzz target once over every file of the directories named, and over an empty input: so
 * each input that was ever interesting is tried in every build, under every compiler. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INPUT_MAX (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void die(const char *what, const char *name)
{
	(void)fprintf(stderr, "replay: %s: %s\n", name, what);
	exit(1);
}

/* In memory of exactly its size, so that a sanitizer sees a read beyond it. */
static void run(const uint8_t *bytes, size_t n)
{
	uint8_t *copy = calloc(n > 0 ? n : 1, 1);

	if (copy == NULL)
		die("no memory", "input");
	if (n > 0)
		memcpy(copy, bytes, n);
	if (LLVMFuzzerTestOneInput(copy, n) != 0)
		die("the target did not return 0", "input");
	free(copy);
}

static void run_file(const char *path)
{
	static uint8_t bytes[INPUT_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	ssize_t got;

	if (fd < 0)
		die("cannot be opened", path);
	while ((got = read(fd, bytes + n, sizeof(bytes) - n)) > 0)
		n += (size_t)got;
	if (got < 0 || n == sizeof(bytes))
		die("cannot be read, or is too large", path);
	(void)close(fd);
	run(bytes, n);
}

static size_t run_directory(const char *name)
{
	DIR *dir = opendir(name);
	char path[PATH_MAX];
	const struct dirent *e;
	struct stat st;
	size_t n = 0;

	if (dir == NULL)
		die("no such directory", name);
	while ((e = readdir(dir)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", name, e->d_name) >= (int)sizeof(path))
			die("name too long", name);
		if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
			die("not a file", path);
		run_file(path);
		n++;
	}
	(void)closedir(dir);
	return n;
}

int main(int argc, char **argv)
{
	size_t n = 0;

	if (argc < 2)
		die("usage: replay DIRECTORY…", "replay");
	run(NULL, 0);
	for (int i = 1; i < argc; i++)
		n += run_directory(argv[i]);
	if (n == 0)
		die("no inputs", argv[1]);
	(void)printf("%zu inputs\n", n);
	return 0;
}
