#include "app/config_look.h"

#include "app/config_internal.h"

static const struct loaded_config *loaded(const struct config *cfg)
{
	return (const struct loaded_config *)(const void *)cfg; /* its first member */
}

bool config_is_given(const struct config *cfg, const char *key)
{
	const struct setting *s = setting_get(key);
	int from = (int)loaded(cfg)->origin[s - settings].from;

	return from != ORIGIN_DEFAULT && from != ORIGIN_DEV && from != ORIGIN_UNSET;
}

str config_file_of(const struct config *cfg)
{
	return loaded(cfg)->file;
}
