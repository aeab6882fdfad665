/* A settings file: it is refused with at least one problem, or taken, printed and read back alike. */
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/config.h"
#include "app/config_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static err_t load_bytes(const void *bytes, size_t n, struct config **ret, struct config_report *report)
{
	int fd = memfd_create("settings", MFD_CLOEXEC);
	struct config_source source = { .dev = n % 2 == 1 };
	char path[64];
	err_t e;

	must(fd >= 0 && fchmod(fd, 0600) == 0);
	must(write(fd, bytes, n) == (ssize_t)n);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	source.file = path;
	config_report_clear(report);
	e = config_load(&source, ret, report);
	(void)close(fd);
	return e;
}

static void check_lines(const struct config_lines *lines)
{
	must(lines->used < sizeof(lines->text) && lines->text[lines->used] == '\0');
	must(lines->used == 0 || lines->text[lines->used - 1] == '\n');
	must(lines->used == 0 || lines->n > 0);
}

/* The printed form again, unless it hides a secret. The parity of its length, and with it --dev, may
 * differ: every value is in the file then, so only loopback decides, which a blank line evens out. */
static void check_round_trip(const struct config *cfg)
{
	static struct config_report report;
	struct config *again = NULL;
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	must(f != NULL);
	config_print(cfg, true, f);
	must(fflush(f) == 0);
	if ((n % 2 == 1) != cfg->dev)
		(void)fputc('\n', f);
	must(fclose(f) == 0);
	if (cfg->password.pepper.n == 0) {
		must(load_bytes(text, n, &again, &report).code == ERR_OK);
		for (size_t i = 0; i < n_settings; i++)
			must(setting_equal(&settings[i], cfg, again));
	}
	config_free(again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config_report report;
	struct config *cfg = NULL;
	err_t e;

	if (size > 16384)
		return 0;
	e = load_bytes(data, size, &cfg, &report);
	check_lines(&report.problems);
	check_lines(&report.warnings);
	must((e.code == ERR_OK) == (cfg != NULL) && (cfg != NULL) == (report.problems.n == 0));
	if (cfg != NULL)
		check_round_trip(cfg);
	config_free(cfg);
	return 0;
}
