/* password_gate.h — the permits behind password.h, seen by crypto/ only. */
#ifndef CRYPTO_PASSWORD_GATE_H
#define CRYPTO_PASSWORD_GATE_H

#include "crypto/password.h"

/* Wait for a permit, first come first served, until deadline_us. Refusal: ERR_OVERLOAD. */
MUST_USE err_t gate_enter(struct password_gate *g, int64_t deadline_us);
/* Give it back; took_us is the time of the hash it was used for. */
void gate_leave(struct password_gate *g, int64_t took_us);

#endif
