/* dev_hint.h — hints of --dev (domain/dev_hint.h) about what every request has, and where they are told. */
#ifndef API_DEV_HINT_H
#define API_DEV_HINT_H

#include "api/api.h"
#include "api/routes.h"

/* Does a page call that browsers will not let read the answer, or whose cookies count for nothing? */
void dev_hint_origin(struct req *r);

/* One line "dev_hint", if there is one. */
void dev_hint_log(const struct req *r);

#endif
