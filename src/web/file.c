#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64url.h"
#include "crypto/mac.h"
#include "web/ui_internal.h"

static void fd_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static err_t read_all(int fd, char *to, size_t n)
{
	size_t at = 0;

	while (at < n) {
		ssize_t got = read(fd, to + at, n - at);

		if (got < 0 && errno == EINTR)
			continue;
		REQUIRE(got > 0, ERR_IO); /* 0: it became shorter meanwhile */
		at += (size_t)got;
	}
	return OK;
}

err_t file_read(struct arena *mem, int dir_fd, str name, bool nofollow, size_t max, str *ret)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (nofollow ? O_NOFOLLOW : 0);
	__attribute__((cleanup(fd_close))) int fd = -1;
	struct stat st;
	char *path, *bytes;

	TRY(str_to_cstr(mem, name, &path));
	fd = openat(dir_fd, path, flags);
	REQUIRE(fd >= 0 || errno != ENOENT, ERR_NOT_FOUND);
	REQUIRE(fd >= 0 && fstat(fd, &st) == 0, ERR_IO);
	REQUIRE(S_ISREG(st.st_mode) && st.st_size > 0 && (size_t)st.st_size <= max, ERR_INPUT);
	NEW(bytes, mem, char, (size_t)st.st_size);
	TRY(read_all(fd, bytes, (size_t)st.st_size));
	*ret = (str){ bytes, (size_t)st.st_size };
	return OK;
}

/* SVG is not among them: it can hold scripts and links, and is opened as a document by whoever has its
 * address. A PNG or WebP of twice the size looks the same. */
const char *picture_type(str bytes)
{
	if (str_starts(bytes, STR("\x89PNG\r\n\x1a\n")))
		return "image/png";
	if (str_starts(bytes, STR("\xff\xd8\xff")))
		return "image/jpeg";
	if (str_starts(bytes, STR("RIFF")) && str_starts(str_skip(bytes, 8), STR("WEBP")))
		return "image/webp";
	return NULL;
}

err_t file_make(struct ui *ui, str name, const char *type, str bytes, struct ui_file *ret)
{
	uint8_t sum[SHA256_BYTES];
	struct buf hash = { .cap = 16 };

	NEW(hash.p, &ui->mem, char, hash.cap);
	sha256(bytes, sum);
	hex_encode(&hash, str_of_bytes(sum, hash.cap / 2));
	*ret = (struct ui_file){ name, type, buf_view(&hash), bytes, true };
	return OK;
}

err_t file_add(struct ui *ui, str name, const char *type, str bytes, str *ret_hash)
{
	REQUIRE(ui->n_files < UI_FILES_MAX, ERR_BUG);
	TRY(file_make(ui, name, type, bytes, &ui->files[ui->n_files]));
	*ret_hash = ui->files[ui->n_files++].hash;
	return OK;
}
