/* args_completion.h — completion for shells, made from the tables of the command line: a script that knows all
 * commands, their options, and what stands behind them. It needs nothing of the program when it runs. */
#ifndef BASE_ARGS_COMPLETION_H
#define BASE_ARGS_COMPLETION_H

#include "base/args.h"

/* shell: bash (with or without the package bash-completion), zsh or fish. False: no script is known for it. */
bool args_completion(const struct args_program *p, str shell, FILE *out);

#endif
