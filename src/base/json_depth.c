#include "base/json_depth.h"

bool json_nests_too_deep(str text)
{
	size_t depth = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '{' || text.p[i] == '[')
			depth++;
		else if ((text.p[i] == '}' || text.p[i] == ']') && depth > 0)
			depth--;
		if (depth > JSON_DEPTH_MAX)
			return true;
	}
	return false;
}
