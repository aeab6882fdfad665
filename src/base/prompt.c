/* prompt.c — see prompt.h. */
#include "base/prompt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define INTERRUPT 3 /* Ctrl-C, where it comes as a character */

void prompt_wipe(char *line, size_t room)
{
	explicit_bzero(line, room);
}

/* Byte by byte, so that the next line stays for the next question (or program), and no buffer keeps a password. */
static bool read_line(char *line, size_t room, bool is_hidden)
{
	size_t n = 0;

	for (;;) {
		char c = '\n';
		ssize_t got = read(STDIN_FILENO, &c, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if ((got <= 0 && n == 0) || (is_hidden && c == INTERRUPT))
			return false;
		if (c == '\n')
			break;
		if (n == room - 1 || c == '\0')
			return false;
		line[n++] = c;
	}
	if (n > 0 && line[n - 1] == '\r')
		n--;
	line[n] = '\0';
	return true;
}

bool prompt(const char *question, bool is_hidden, char *line, size_t room)
{
	struct termios old, quiet;
	bool is_terminal = isatty(STDIN_FILENO) != 0, is_read;

	line[0] = '\0';
	if (!is_terminal || !is_hidden || tcgetattr(STDIN_FILENO, &old) != 0) {
		if (is_terminal)
			(void)fputs(question, stderr);
		return read_line(line, room, false);
	}
	/* Ctrl-C ends the line instead of the process, so that the terminal shows again what is typed. */
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	quiet.c_lflag |= ECHONL;
	quiet.c_cc[VEOL] = INTERRUPT;
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	(void)fputs(question, stderr); /* only now: who types at once is not shown either */
	is_read = read_line(line, room, true);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
	if (!is_read)
		(void)fputc('\n', stderr);
	return is_read;
}
