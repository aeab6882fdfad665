/* device.h — known-device tokens: proof that somebody once signed in to this account from this device.
 *
 * Signed, bound to the account, good for `limits.device_ttl`, forgotten all at once by raising the
 * user's device_epoch (password set, operator). It opens nothing: it only gives the device a budget
 * of wrong passwords of its own, so that failures elsewhere never lock its owner out. */
#ifndef DOMAIN_DEVICE_H
#define DOMAIN_DEVICE_H

#include "domain/ctx.h"
#include "domain/uid.h"
#include "store/rows.h"

/* Stored in tokens: do not renumber. */
enum device_kind {
	DEVICE_UNSET = 0,
	DEVICE_KNOWN = 1,   /* somebody signed in from it */
	DEVICE_TRUSTED = 2, /* and is spared the second factor there (twofactor.remember) */
};

/* A token for `device_id` (16 bytes), or for a new device when that is STR_NONE. */
MUST_USE err_t device_mint(struct ctx *c, enum device_kind kind, str uid, int64_t epoch, str device_id, str *ret);

/* The device id if `text` is a genuine, current token of this kind and account; else STR_NONE: an unknown
 * device is no error. Faults only. */
MUST_USE err_t device_read(struct ctx *c, enum device_kind kind, str uid, int64_t epoch, str text,
			   str *ret_device_id);

#endif
