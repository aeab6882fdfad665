/* email.h — one canonical form of e-mail addresses, and the grammar of those we take.
 *
 * Canonical: domain as IDNA A-labels (UTS 46, non-transitional) in lower case, local part with ASCII
 * letters in lower case and nothing else folded. Look-ups and uniqueness use it; the address as
 * typed is kept beside it and is where mail goes. */
#ifndef DOMAIN_EMAIL_H
#define DOMAIN_EMAIL_H

#include "domain/ctx.h"

#define EMAIL_MAX_BYTES 254 /* RFC 5321 §4.5.3.1.3, without the angle brackets */

/* typed: the address without blanks around it, line ends and what nobody sees (base/typed.h). Refusal: ERR_INPUT unless it is one plain
 * addr-spec: exactly one '@', local part an ASCII dot-atom of at most 64 bytes without '%' and '!',
 * domain with at least two labels, the last one no number; no quotes, comments, routes, literals, encoded words, controls.
 * Checked after normalisation too. Faults: ERR_NO_MEMORY. */
MUST_USE err_t email_canonical(struct arena *mem, str raw, str *ret_typed, str *ret_key);

/* The key to look up or count by, of whatever was sent as an address: what cannot be one stands for itself, so
 * that it costs the same and is never found. Faults only. */
MUST_USE err_t email_subject(struct arena *mem, str raw, str *ret_key);

/* email_canonical for a member of a body: a bad address is noted as a field error. Faults only. */
MUST_USE err_t email_field(struct ctx *c, const char *field, str raw, str *ret_typed, str *ret_key);

/* Where mail to an accepted address goes: as typed, the domain in A-labels (RFC 5890), so that any mail
 * server takes it. */
MUST_USE err_t email_envelope(struct arena *mem, str typed, str *ret);

#endif
