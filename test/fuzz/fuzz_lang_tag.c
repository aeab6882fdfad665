/* Any bytes as a list of languages: tags of letters and hyphens, as many and as long as there is room for, heaviest first. */
#include <stdint.h>
#include <stdlib.h>

#include "base/lang_tag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lang_tag tags[LANG_TAGS_MAX];
	size_t n = lang_tags((str){ (const char *)data, size }, tags);

	if (n > LANG_TAGS_MAX)
		abort();
	for (size_t i = 0; i < n; i++) {
		if (tags[i].n < 2 || tags[i].n > LANG_TAG_MAX || tags[i].weight < 1 || tags[i].weight > 1000)
			abort();
		if (i > 0 && tags[i].weight > tags[i - 1].weight)
			abort();
		for (size_t k = 0; k < tags[i].n; k++) {
			char lower = (char)(tags[i].text[k] | 0x20);

			if (tags[i].text[k] != '-' && (lower < 'a' || lower > 'z'))
				abort();
		}
		if (tags[i].text[0] == '-' || tags[i].text[tags[i].n - 1] == '-')
			abort();
	}
	return 0;
}
