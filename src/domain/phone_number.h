/* phone_number.h — one canonical form of phone numbers, and which of them are texted (MF17). Pure.
 */
#ifndef DOMAIN_PHONE_NUMBER_H
#define DOMAIN_PHONE_NUMBER_H

#include "base/arena.h"
#include "base/config.h"

#define PHONE_MAX_BYTES 16 /* '+' and 15 digits: E.164 §6.2.1 */

/* "+39 333 123-4567", "+39(333)1234567" and "0039…", with any blanks and dashes of Unicode, digits of any script and
 * invisible characters (base/typed.h), become "+393331234567": '+', then 7 to 15
 * digits, the first not 0. Refusal: ERR_INPUT for everything else: national numbers, letters,
 * and "(0)", which nobody dials from abroad. Faults: ERR_NO_MEMORY. */
MUST_USE err_t phone_canonical(struct arena *mem, str raw, str *ret);

/* Of canonical numbers from here on. */

/* May it be texted: some prefix of sms.countries (or "any" there), none of sms.blocked. */
bool phone_allowed(const struct config *cfg, str number);
/* Is it one of sms.test_numbers? Then this is its code, and nothing is sent. */
bool phone_test_code(const struct config *cfg, str number, str *ret_code);
/* The number without its last three digits: those who are paid for being texted own whole ranges.
 */
str phone_range(str number);

/* For checking settings: '+' and 1 to 14 digits, the first not 0. */
bool phone_prefix_ok(str prefix);

#endif
