/* email.h — one canonical form of e-mail addresses, and the grammar of those we take.
 *
 * Canonical: domain as IDNA A-labels (UTS 46, non-transitional) in lower case, local part with ASCII
 * letters in lower case and nothing else folded. Look-ups and uniqueness use it; the address as
 * typed is kept beside it and is where mail goes. */
#ifndef DOMAIN_EMAIL_H
#define DOMAIN_EMAIL_H

#include "base/arena.h"

#define EMAIL_MAX_BYTES 254 /* RFC 5321 §4.5.3.1.3, without the angle brackets */

/* typed: the address with blanks around it removed. Refusal: ERR_INPUT unless it is one plain
 * addr-spec: exactly one '@', local part an ASCII dot-atom of at most 64 bytes without '%' and '!',
 * domain with at least two labels; no quotes, comments, routes, literals, encoded words, controls.
 * Checked after normalisation too. Faults: ERR_NO_MEMORY. */
MUST_USE err_t email_canonical(struct arena *mem, str raw, str *ret_typed, str *ret_key);

#endif
