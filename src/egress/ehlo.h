/* ehlo.h — what we call ourselves at EHLO: a full name, or an address as a literal (RFC 5321 §4.1.1.1, §4.1.3). Servers that
 * look refuse a bare address and names like "localhost" or "auth". */
#ifndef EGRESS_EHLO_H
#define EGRESS_EHLO_H

#include "base/arena.h"
#include "base/config.h"

/* mail.ehlo_name; else the host of server.public_url if it is a full name or an address; else the domain of mail.from. As a
 * path of a URL spells it (%5B, %5D), which is how libcurl is told. Fault: ERR_NO_MEMORY. */
MUST_USE err_t ehlo_name(const struct config *cfg, struct arena *mem, str *ret);

#endif
