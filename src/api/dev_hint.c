#include "api/dev_hint.h"

#include "base/log.h"
#include "domain/dev_hint.h"
#include "domain/site.h"

/* A page of this server, under whatever name it was reached. */
static bool is_own_host(const struct req *r)
{
	return str_eq_nocase(str_skip(r->c.origin, STR("http://").n), http_header(r->http, "host")) ||
	       str_eq_nocase(str_skip(r->c.origin, STR("https://").n), http_header(r->http, "host"));
}

void dev_hint_origin(struct req *r)
{
	/* somebody who is sent here, like by a provider that posts its answer, is no page that calls */
	if (!r->c.cfg->dev || r->c.origin.n == 0 || site_is_ours(&r->c, r->c.origin) || is_own_host(r) ||
	    str_eq(http_header(r->http, "sec-fetch-mode"), STR("navigate")))
		return;
	DEV_HINT(&r->c, "pages of the origin %s may not call: cors.origins would allow it, site.urls too that mails and "
			"sign-ins lead there",
		 dev_value(r->c.origin));
}

void dev_hint_log(const struct req *r)
{
	if (r->c.hint.n > 0)
		log_event(LOG_WARN, "dev_hint", LOG_STR("request_id", r->c.request_id), LOG_STR("hint", r->c.hint));
}
