/* banned.h — force-included by the build: these calls have better ones, so they do not compile.
 * System headers come first, as their declarations would be poisoned too. */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
/* Some are also macros of those headers (fortified builds, clang), and a macro cannot be poisoned. */
#undef alloca
#undef sprintf
#undef vsprintf
#pragma GCC poison strcpy strcat sprintf vsprintf strncpy strncat strtok gets atoi atol atof
#pragma GCC poison gmtime localtime asctime ctime rand srand system popen alloca
#endif
