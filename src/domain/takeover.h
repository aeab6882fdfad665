/* takeover.h — an account whose address was never proven may have been made by somebody else, who waits for
 * the address's owner with ways in of his own. Source: ASVS 5.0 6.3; pre-hijacking (EL15). */
#ifndef DOMAIN_TAKEOVER_H
#define DOMAIN_TAKEOVER_H

#include "domain/ctx.h"
#include "store/rows.h"

/* Inside the open transaction in which a mailed secret proved who owns the address, before anything else is
 * done with the account; user: as in the store. Of an account whose address was proven before, nothing. Else ends
 * the password, sessions, known devices and places, second factors, phone number, linked accounts, and every
 * one-time token, ways back included. */
MUST_USE err_t takeover_wipe(struct ctx *c, const struct user_row *user);

#endif
