/* Bodies of the real shapes: never a crash, never a value outside its bounds, and refused exactly when
 * something is wrong with it. The first byte chooses the shape. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "api/body.h"
#include "api/routes.h"
#include "base/utf8.h"

static const struct body_shape *const shapes[] = { &user_register_shape, &user_profile_shape,
						   &session_login_shape, &session_refresh_shape,
						   &password_reset_shape, &email_change_request_shape,
						   &phone_change_shape,   &account_delete_shape,
						   &link_verify_shape };
#define N_SHAPES (sizeof(shapes) / sizeof(shapes[0]))

static void check_field(const struct body_field *f, const char *out)
{
	if (f->kind == BODY_REFUSED)
		return;
	if (f->kind == BODY_BOOL) {
		if ((unsigned char)out[f->offset] > 1)
			abort();
		return;
	}
	if (f->kind == BODY_TEXT) {
		str v;

		memcpy(&v, out + f->offset, sizeof(v));
		if (v.p != NULL && (v.n > f->max || !utf8_is_plain_text(v)))
			abort();
	} else {
		struct secret v;

		memcpy(&v, out + f->offset, sizeof(v));
		if (v.n > f->max)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char memory[128 * 1024];
	static bool ready;
	struct arena mem;
	struct ctx c = { .mem = &mem };
	const struct body_shape *shape;
	void *out;
	err_t e;

	if (!ready)
		body_init();
	ready = true;
	if (size == 0)
		return 0;
	arena_init_fixed(&mem, memory, sizeof(memory));
	body_use_arena(&mem);
	shape = shapes[data[0] % N_SHAPES];
	e = body_read(&c, shape, STR("application/json; charset=utf-8"),
		      (str){ (const char *)data + 1, size - 1 }, &out);
	if (e.code == ERR_OK) {
		for (size_t i = 0; i < shape->n_fields; i++)
			check_field(&shape->fields[i], out);
	} else if (e.code != ERR_JSON && e.code != ERR_INPUT && e.code != ERR_NO_MEMORY) {
		abort();
	}
	if ((e.code == ERR_INPUT) != (c.n_fields > 0))
		abort();
	body_use_arena(NULL);
	arena_reset(&mem);
	return 0;
}
