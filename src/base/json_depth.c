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

bool json_holds_too_much(str text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n && n <= JSON_VALUES_MAX; i++) {
		char c = text.p[i];

		n += c == ',' || c == ':' || c == '{' || c == '[';
	}
	return n > JSON_VALUES_MAX;
}
