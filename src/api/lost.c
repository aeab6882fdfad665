/* lost.c — what a mailed proof cost an account. */
#include "api/routes.h"

void out_lost(struct json_out *o, unsigned lost)
{
	if (lost == 0)
		return;
	out_key(o, STR("removed"));
	out_arr(o);
	for (size_t i = 0; i < N_TAKEOVER_LOSSES; i++) {
		if ((lost & takeover_losses[i].bit) != 0)
			out_value_str(o, takeover_losses[i].name);
	}
	out_end_arr(o);
}

void reply_lost(struct http_reply *rep, unsigned lost)
{
	struct json_out o;

	rep->status = 200;
	out_begin(&o, &rep->body);
	out_obj(&o);
	out_bool(&o, STR("success"), true);
	out_lost(&o, lost);
	out_end_obj(&o);
}
