/* typed.h — what people type and paste: blanks and line ends around it, characters that nobody sees, dashes between
 * groups, digits of other scripts and of full width. Unicode 15, as libunistring has it (categories,
 * default ignorables, decimal values). */
#ifndef BASE_TYPED_H
#define BASE_TYPED_H

#include "base/arena.h"

enum typed_as {
	TYPED_NAME,   /* without directional marks (U+200E, U+200F, U+061C) anywhere */
	TYPED_WORD,   /* an address: inside all stays, for its reader to refuse */
	TYPED_NUMBER, /* a telephone number: nothing invisible anywhere; digits and plus sign ASCII, blanks ' ', dashes '-' */
};

/* Without blanks, line ends and invisible characters at its ends; inside, what the kind says. What is no plain text after that is its reader's to refuse. raw: any bytes; what is not UTF-8 stays as
 * it is. *ret: a part of raw, or in `mem`. Faults only: ERR_NO_MEMORY. */
MUST_USE err_t typed_text(struct arena *mem, enum typed_as as, str raw, str *ret);

/* A code: no blanks, line ends, dashes or invisible characters anywhere; digits and letters of full width, and digits of
 * any script, in ASCII; everything else as it is. */
MUST_USE err_t typed_code(struct arena *mem, str raw, str *ret);

#endif
