/* doctor_here.c — what `sallyport doctor` finds on this machine: files, disk, store, clock, keys, outbox. */
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include "app/config_look.h"
#include "app/doctor.h"
#include "domain/clock_guard.h"
#include "domain/outbox.h"

#define MIB ((uint64_t)1 << 20)
#define DISK_FAIL (64 * MIB)
#define DISK_WARN (512 * MIB)
#define INODES_WARN 1000

/* ---- files ---- */

static void look_at_mode(struct doctor *d, str name, const char *to_do)
{
	char path[1100];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%.*s", STR_ARG(name));
	if (stat(path, &st) != 0)
		doctor_say(d, FOUND_FAIL, "name it rightly, and let the server's user read it", "%s cannot be looked at", path);
	else if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		doctor_say(d, FOUND_FAIL, to_do, "%s can be changed by others than its owner (mode %03o)", path, st.st_mode & 0777U);
	else if (st.st_uid != geteuid() && geteuid() != 0 && st.st_uid != 0)
		doctor_say(d, FOUND_WARN, "run this as the server's user", "%s is neither this user's nor root's", path);
}

void doctor_files(struct doctor *d)
{
	look_at_mode(d, d->cfg->server.data_dir, "chmod go-w, it should be 0700");
	if (config_file_of(d->cfg).n > 0)
		look_at_mode(d, config_file_of(d->cfg), "chmod go-w");
	if (d->said == 0)
		doctor_say(d, FOUND_OK, NULL, "nobody else can change the data directory or the settings");
}

/* ---- disk ---- */

void doctor_disk(struct doctor *d)
{
	char path[1100];
	struct statvfs fs;
	uint64_t room;

	(void)snprintf(path, sizeof(path), "%.*s", STR_ARG(d->cfg->server.data_dir));
	if (statvfs(path, &fs) != 0) {
		doctor_say(d, FOUND_FAIL, "make it, as the server's user; `serve` makes it too", "%s is not there", path);
		return;
	}
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (room < DISK_WARN)
		doctor_say(d, room < DISK_FAIL ? FOUND_FAIL : FOUND_WARN, "free some space: without any nothing can be written, and "
			   "nobody can sign in", "%llu MiB are left for %s", (unsigned long long)(room / MIB), path);
	if (fs.f_files > 0 && fs.f_favail < INODES_WARN)
		doctor_say(d, FOUND_WARN, "delete files of that file system", "%llu files can still be made on the file system of %s",
			   (unsigned long long)fs.f_favail, path);
	if (d->said == 0)
		doctor_say(d, FOUND_OK, NULL, "%llu MiB are left for %s", (unsigned long long)(room / MIB), path);
}

/* ---- store ---- */

void doctor_store(struct doctor *d)
{
	char why[512] = "";
	err_t e;

	if (cli_open_store(d->cli, why, sizeof(why)) != EXIT_DONE) {
		doctor_say(d, FOUND_FAIL, "name the right directory (--data, server.data_dir); `serve` makes a new one", "%s", why);
		return;
	}
	e = store_check_writable(d->cli->store);
	if (e.code == ERR_OK)
		doctor_say(d, FOUND_OK, NULL, "it opens, and takes a write");
	else
		doctor_say(d, FOUND_FAIL, e.code == ERR_STORE_FULL ? "free some space" : e.code == ERR_BUSY ?
			   "another program holds the database: find it (lsof), and end it" : "`sallyport verify` reads all of it",
			   "a small write is not taken: %s", err_name(e.code));
}

/* ---- clock ---- */

void doctor_clock(struct doctor *d)
{
	struct clock_guard guard = { 0 };
	struct ctx c = d->cli->c;
	struct timex t = { 0 };

	c.clock = &guard;
	c.mono_ms = monotonic_ms();
	if (d->cli->db != NULL && (clock_load(&c).code != ERR_OK || clock_issue(&c).code != ERR_OK))
		doctor_say(d, FOUND_FAIL, "set it right, or say `sallyport clock reset` if it was far ahead before",
			   "it is behind what the store has seen: nobody can sign in");
	if (adjtimex(&t) == TIME_ERROR || (t.status & STA_UNSYNC) != 0)
		doctor_say(d, FOUND_WARN, "run a time service, such as systemd-timesyncd or chrony",
			   "nothing keeps it right: codes of apps are good for half a minute");
	if (d->said == 0)
		doctor_say(d, FOUND_OK, NULL, "it is kept right, and not behind what the store has seen");
}

/* ---- keys ---- */

void doctor_keys(struct doctor *d)
{
	char why[512] = "";

	if (d->cli->db == NULL)
		doctor_say(d, FOUND_WARN, "see above", "not looked at without a store");
	else if (cli_open_keys(d->cli, why, sizeof(why)) != EXIT_DONE)
		doctor_say(d, FOUND_FAIL, "put the copy of the directory keys back, or see `sallyport keys rotate`", "%s", why);
	else
		doctor_say(d, FOUND_OK, NULL, "%zu signing key%s can be used", d->cli->keys->n, d->cli->keys->n == 1 ? "" : "s");
}

/* ---- outbox ---- */

static void look_at_channel(struct doctor *d, enum outbox_channel channel, const char *name)
{
	struct outbox_depth n = { 0 };
	int64_t minutes;

	if (outbox_depth(&d->cli->c, channel, &n).code != ERR_OK)
		return;
	minutes = n.oldest_ms == 0 ? 0 : (d->cli->c.now_ms - n.oldest_ms) / MS_PER_MIN;
	if (n.dead > 0)
		doctor_say(d, FOUND_WARN, "`sallyport outbox list --dead` says why; then `outbox retry --dead` or `outbox drop --dead`",
			   "%lld %s given up", (long long)n.dead, name);
	if (minutes >= 5)
		doctor_say(d, FOUND_WARN, "is the server running? Does the provider answer? `sallyport outbox list`",
			   "%lld %s waiting, the oldest for %lld minutes", (long long)n.waiting, name, (long long)minutes);
}

void doctor_outbox(struct doctor *d)
{
	if (d->cli->db == NULL)
		return;
	look_at_channel(d, OUTBOX_MAIL, "mails are");
	look_at_channel(d, OUTBOX_SMS, "text messages are");
	if (d->said == 0)
		doctor_say(d, FOUND_OK, NULL, "no message waits for long, and none was given up");
}
