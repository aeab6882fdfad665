/* config_look.h — where values of settings came from, for doctor.h. cfg must come from config_load. */
#ifndef APP_CONFIG_LOOK_H
#define APP_CONFIG_LOOK_H

#include "base/config.h"

/* Was the setting given, by anybody? Aborts for a key that there is none of. */
bool config_is_given(const struct config *cfg, const char *key);

/* The settings file; STR_NONE: there is none. */
str config_file_of(const struct config *cfg);

#endif
