/* smtp_reply.h — follows the dialogue with an SMTP server, command by reply, and says at the end
 * what became of the mail. Pure. What a command carries is not kept, so that no password can show;
 * what a server answers to AUTH is kept as numbers only, since some repeat what they were sent. */
#ifndef EGRESS_SMTP_REPLY_H
#define EGRESS_SMTP_REPLY_H

#include <curl/curl.h>

#include "egress/delivery.h"

enum smtp_step {
	SMTP_UNSET = 0,
	SMTP_CONNECT, /* up to the server's greeting */
	SMTP_EHLO,
	SMTP_STARTTLS,
	SMTP_AUTH,
	SMTP_MAIL,
	SMTP_RCPT,
	SMTP_DATA,
	SMTP_END_OF_DATA, /* the message is on its way, or was handed over */
};

#define SMTP_TEXT_MAX 160
struct smtp_dialogue {
	enum smtp_step step; /* the command sent last */
	int code;	     /* of the reply to it; 0: none yet, or not all of its lines */
	int open_code;	     /* of a reply with more lines to come; 0: none */
	size_t text_n;
	char text[SMTP_TEXT_MAX]; /* the reply without its code, plain, all lines as one */
	bool parting;		  /* QUIT was sent: what follows is not about the mail */
};

void smtp_dialogue_begin(struct smtp_dialogue *d);
/* One line, with or without its line end. */
void smtp_dialogue_sent(struct smtp_dialogue *d, str line);
void smtp_dialogue_heard(struct smtp_dialogue *d, str line);

/* What was answered decides; `end` and `problem`, how the transfer ended, only where nothing was.
 *
 * A 2xx to the end of the data is SENT. 5xx to RCPT, DATA or the data is REFUSED, 4xx LATER; but
 * 421 (the server is closing) and 530 (it wants us to sign in first) are about us, like every
 * refusal before RCPT: DOWN. So is silence: also behind the data, where the mail may have been
 * taken. */
void smtp_dialogue_verdict(const struct smtp_dialogue *d, CURLcode end, str problem,
			   struct delivery *ret);

#endif
