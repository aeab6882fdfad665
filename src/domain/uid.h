/* uid.h — random 128-bit identifiers: users (UUID version 4 text on the wire) and sessions. */
#ifndef DOMAIN_UID_H
#define DOMAIN_UID_H

#include "base/arena.h"
#include "base/rng.h"

#define UID_BYTES 16
#define UID_TEXT  36

/* 122 random bits with the version and variant of RFC 9562 §5.4. */
MUST_USE err_t uid_make(struct rng rng, uint8_t ret[UID_BYTES]);

/* "f81d4fae-7dec-4d0b-a765-00a0c91e6bf6" into the arena. uid must be 16 bytes. */
MUST_USE err_t uid_text(struct arena *mem, str uid, str *ret);
/* Accepts exactly the 36-character lower-case form. */
bool uid_parse(str text, uint8_t ret[UID_BYTES]);

#endif
