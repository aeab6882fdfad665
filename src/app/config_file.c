/* config_file.c — the files that settings stand in or name: read, and who else may use them. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "app/config_internal.h"

#define GROUPS_MAX 1024

const char *config_read_file(const char *path, char *to, size_t max, size_t *ret_n, struct stat *ret_st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	const char *why = NULL;
	ssize_t got = 1;

	*ret_n = 0;
	if (fd < 0)
		return strerrordesc_np(errno);
	if (fstat(fd, ret_st) != 0 || !S_ISREG(ret_st->st_mode))
		why = "it is not a regular file";
	while (why == NULL && got > 0) {
		if (*ret_n == max) {
			why = "it is too large";
			break;
		}
		got = read(fd, to + *ret_n, max - *ret_n);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got < 0)
			why = strerrordesc_np(errno);
		else
			*ret_n += (size_t)got;
	}
	(void)close(fd);
	return why;
}

static bool is_of_our_groups(gid_t gid)
{
	gid_t groups[GROUPS_MAX];
	int n = getgroups(GROUPS_MAX, groups);

	for (int i = 0; i < n; i++) {
		if (groups[i] == gid)
			return true;
	}
	return gid == 0 || gid == getegid() || geteuid() == 0;
}

bool config_mode_is_private(const struct stat *st)
{
	if ((st->st_mode & (S_IWGRP | S_IXGRP | S_IRWXO)) != 0)
		return false;
	return (st->st_mode & S_IRGRP) == 0 || is_of_our_groups(st->st_gid);
}

void problem_not_private(struct loading *l, const struct setting *s, const char *file, const struct stat *st)
{
	problem_at(l, s, "the file %s may be used by others (mode %04o, group %u); " PRIVATE_HINT, file,
		   (unsigned)st->st_mode & 07777, (unsigned)st->st_gid);
}
