#include "domain/provider_log.h"

#include "base/log.h"

#define FIELDS_MAX 9

void provider_log(const struct ctx *c, str provider, enum err_code refused, const struct finding *f)
{
	const struct log_field all[] = {
		LOG_STR("request_id", c->request_id),
		LOG_STR("provider", provider),
		LOG_CSTR("refused", err_name(refused)),
		LOG_CSTR("check", f->check),
		LOG_CSTR("alg", f->alg),
		LOG_STR("url", f->url),
		LOG_INT("status", f->status),
		LOG_CSTR("error", f->error),
		LOG_CSTR("error_description", f->description),
	};
	struct log_field said[FIELDS_MAX];
	size_t n = 0;

	_Static_assert(sizeof(all) / sizeof(all[0]) == FIELDS_MAX, "raise FIELDS_MAX");
	if (f->check == NULL && f->status == 0 && f->error[0] == '\0')
		return;
	for (size_t i = 0; i < FIELDS_MAX; i++) {
		if (all[i].kind == LOG_KIND_INT ? all[i].i != 0 : all[i].s.n > 0)
			said[n++] = all[i];
	}
	log_fields(refused == ERR_OAUTH_DENIED ? LOG_INFO : LOG_WARN, "provider_failed", said, n);
}
