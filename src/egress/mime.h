/* mime.h — one mail as an RFC 5322 message: every line ends in CRLF, none is longer than SMTP
 * allows, and nothing that came from outside can begin a header or a part (EL18). Pure: the same
 * mail gives the same bytes. */
#ifndef EGRESS_MIME_H
#define EGRESS_MIME_H

#include "egress/mailer.h"

/* from_name: UTF-8, n == 0: none. Controls and malformed UTF-8 are dropped from it and from the
 * subject. Refusal: ERR_INPUT when mail->to, from or mail->message_id is not one plain ASCII
 * address. Faults: ERR_NO_MEMORY. In the arena: about four times the text. */
MUST_USE err_t mime_build(const struct mail *mail, str from, str from_name, struct arena *mem,
			  str *ret);

/* Printable ASCII with one '@' inside and nothing that means something to SMTP or to a header's
 * grammar. */
bool mime_is_address(str address);

#endif
