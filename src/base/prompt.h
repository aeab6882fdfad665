/* prompt.h — a line from whoever types a command. */
#ifndef BASE_PROMPT_H
#define BASE_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

/* A line of the terminal, or of stdin when that is none; the question goes to stderr. Hidden: nothing is shown of what
 * is typed, also not after Ctrl-C. False: there is no line, one that is too long, or one with a zero byte. */
bool prompt(const char *question, bool is_hidden, char *line, size_t room);
void prompt_wipe(char *line, size_t room);

#endif
