#include "api/query.h"

err_t query_value(str query, str name, str *ret)
{
	str part, rest = query, key, value;
	bool found = false;

	*ret = STR("");
	while (rest.n > 0) {
		(void)str_cut(rest, '&', &part, &rest);
		(void)str_cut(part, '=', &key, &value);
		if (!str_eq(key, name))
			continue;
		REQUIRE(!found, ERR_BAD_REQUEST);
		found = true;
		*ret = value.p == NULL ? STR("") : value;
	}
	return OK;
}
