/* email_change.h — another address for an account: asked for, confirmed from the new one, undone from the old
 * one within 72 hours. Source: ASVS 5.0 6.3.7, 7.5.1. */
#ifndef DOMAIN_EMAIL_CHANGE_H
#define DOMAIN_EMAIL_CHANGE_H

#include "domain/session.h"
#include "domain/takeover.h"

/* Mail a link to the new address. Guests need no password for it, and are none once it is used. Refusals:
 * ERR_INPUT, ERR_EMAIL_NOT_CONFIGURED, ERR_EMAIL_TAKEN (one's own, or with verification.mode other than
 * strict somebody's: with strict the owner of a taken address is told by mail, and the answer is that for a
 * free one), ERR_PASSWORD_REQUIRED. Cost: 1 transaction. */
MUST_USE err_t email_change_request(struct ctx *c, const struct caller *who, str new_email, str lang);

/* The same for a guest who registers with verification.mode = strict: inside the open transaction, on the
 * budgets of registrations. typed, key: of email_canonical. Refusals: none. */
MUST_USE err_t email_change_start(struct ctx *c, const struct caller *who, str typed, str key, str lang);

/* The new address is proven (from a known device in full, takeover.h) and becomes the account's. Ends every session but
 * the one that asked, and every one-time token; the old address, if there is one, is told, with a way back. A guest
 * becomes an account: of one that must have a second factor that session ends too. Refusals: ERR_EMAIL_CHANGE_TOKEN,
 * ERR_EMAIL_CHANGE_EXPIRED, ERR_EMAIL_TAKEN (meanwhile), ERR_LIMITED. */
MUST_USE err_t email_change_confirm(struct ctx *c, str token, const struct asker *a);

/* "That was not me", from the old address: it is the account's again, the password and the phone number are
 * gone, all sessions and tokens with them; a link to set a new password is mailed. A second factor stays, as it never
 * falls to mail; one that was set up about when the address was changed, or after, can be claimed (claim.h). Refusals:
 * ERR_EMAIL_REVERT_TOKEN, ERR_EMAIL_REVERT_EXPIRED, ERR_EMAIL_TAKEN, ERR_LIMITED. */
MUST_USE err_t email_change_revert(struct ctx *c, str token);

#endif
