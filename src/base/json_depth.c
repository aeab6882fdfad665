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

/* What the value or member costs that a byte begins. */
static size_t cost_of(char c)
{
	switch (c) {
	case '{': return 320;
	case '[': return 160;
	case ':': return 128;
	case ',': return 64;
	default: return 0;
	}
}

bool json_holds_too_much(str text)
{
	size_t cost = 0;

	for (size_t i = 0; i < text.n && cost <= JSON_TREE_MAX; i++)
		cost += cost_of(text.p[i]);
	return cost > JSON_TREE_MAX;
}
