/* provider_log.h — the one line that tells an operator why an identity provider was of no use to a request. */
#ifndef DOMAIN_PROVIDER_LOG_H
#define DOMAIN_PROVIDER_LOG_H

#include "domain/ctx.h"
#include "oauth/finding.h"

/* "provider_failed"; nothing when nothing was found (there was no answer at all: whoever sent the request says that). */
void provider_log(const struct ctx *c, str provider, enum err_code refused, const struct finding *f);

#endif
