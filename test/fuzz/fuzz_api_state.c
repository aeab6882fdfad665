/* The operations of test/property/test_api.c, chosen by the bytes of the input: each picks an
 * operation or an argument. The same must be true after each of them; a play that ends stops the
 * process. */
#include <stddef.h>
#include <stdint.h>

#include "play.h"

#define STEPS_MAX 300

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct play p;
	static bool ready;

	if (!ready)
		play_init(&p);
	ready = true;
	p.by_bytes = true;
	p.bytes = data;
	p.n_bytes = size;
	p.at = 0;
	p.step = p.world = 0;
	play_world(&p);
	for (size_t i = 0; i < STEPS_MAX && play_step(&p); i++)
		;
	return 0;
}
