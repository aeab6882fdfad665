/* dev_hint.h — in --dev a refusal says which value was refused and which setting would allow it. Otherwise never: what
 * is set here is nobody's business. */
#ifndef DOMAIN_DEV_HINT_H
#define DOMAIN_DEV_HINT_H

#include "domain/ctx.h"

/* What was sent, made plain and cut, for a hint. Static per thread: the next call writes over it. */
const char *dev_value(str sent);

/* A sentence into c->hint, like printf: for the answer and the log (api/dispatch.c). */
#define DEV_HINT(c, ...)                                                                   \
	do {                                                                               \
		if ((c)->cfg->dev && arena_printf((c)->mem, &(c)->hint, __VA_ARGS__).code != ERR_OK) \
			(c)->hint = STR_NONE;                                              \
	} while (0)

#endif
