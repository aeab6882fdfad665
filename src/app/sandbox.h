/* sandbox.h — what the running server asks of the kernel, and nothing else (HT23).
 *
 * The process gives up what it never needs: privileges through exec (PR_SET_NO_NEW_PRIVS), and the system
 * calls that are not in the table of sandbox.c (seccomp). What only an intruder calls (another program, a
 * child, another process's memory, mounts, modules) ends the process with SIGSYS; any other call that is not
 * listed does not exist (ENOSYS), as on an older kernel, so that libraries fall back.
 * docs/decisions/0019-what-the-server-may-ask-of-the-kernel.md */
#ifndef APP_SANDBOX_H
#define APP_SANDBOX_H

#include "base/err.h"

/* No new privileges, for this process and all it starts. Cannot fail on Linux 3.5 and newer. */
void sandbox_drop(void);

/* For this thread and all it will start, for good: called before there is another.
 * Fault: ERR_IO, when this kernel has no seccomp filters or we have none for its processor. */
MUST_USE err_t sandbox_enter(void);

#endif
