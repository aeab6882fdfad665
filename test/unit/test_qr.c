/* QR codes as pictures: read back with libpng, every module against what libqrencode says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <png.h>
#include <qrencode.h>
#include <sodium.h>

#include "crypto/qr.h"

#define START "data:image/png;base64,"

static struct arena mem;

static int set_up(void **state)
{
	(void)state;
	return arena_init(&mem, ARENA_DEFAULT_BYTES).code == ERR_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	arena_clear(&mem);
	return 0;
}

/* Gray pixels of a data URL; *ret_side their number each way. */
static uint8_t *pixels_of(str url, png_uint_32 *ret_side)
{
	png_image image = { .version = PNG_IMAGE_VERSION };
	unsigned char *png = malloc(url.n);
	str base64 = str_skip(url, sizeof(START) - 1);
	uint8_t *pixels;
	size_t n = 0;

	assert_non_null(png);
	assert_true(str_starts(url, STR(START)));
	assert_int_equal(sodium_base642bin(png, url.n, base64.p, base64.n, NULL, &n, NULL,
					   sodium_base64_VARIANT_ORIGINAL),
			 0);
	assert_int_equal(png_image_begin_read_from_memory(&image, png, n), 1);
	assert_int_equal(image.width, image.height);
	image.format = PNG_FORMAT_GRAY;
	pixels = malloc(PNG_IMAGE_SIZE(image));
	assert_non_null(pixels);
	assert_int_equal(png_image_finish_read(&image, NULL, pixels, 0, NULL), 1);
	*ret_side = image.width;
	free(png);
	return pixels;
}

static bool dark_in(const QRcode *code, int row, int col)
{
	if (row < 0 || col < 0 || row >= code->width || col >= code->width)
		return false;
	return (code->data[row * code->width + col] & 1) != 0;
}

static void assert_picture(str text)
{
	QRcode *code = QRcode_encodeData((int)text.n, (const unsigned char *)text.p, 0, QR_ECLEVEL_M);
	png_uint_32 side = 0;
	uint8_t *pixels;
	str url;

	assert_non_null(code);
	arena_reset(&mem);
	assert_int_equal(qr_png_url(&mem, text, &url).code, ERR_OK);
	assert_true(mem.peak <= 64 * 1024);
	pixels = pixels_of(url, &side);
	assert_int_equal(side, (code->width + 2 * QR_QUIET) * QR_MODULE_PX);
	for (png_uint_32 y = 0; y < side; y++) {
		for (png_uint_32 x = 0; x < side; x++) {
			bool dark = dark_in(code, (int)(y / QR_MODULE_PX) - QR_QUIET,
					    (int)(x / QR_MODULE_PX) - QR_QUIET);

			assert_int_equal(pixels[y * side + x], dark ? 0 : 255);
		}
	}
	free(pixels);
	QRcode_free(code);
}

static void every_pixel_is_as_the_code_says(void **state)
{
	(void)state;
	assert_picture(STR("x"));
	assert_picture(STR("otpauth://totp/Sallyport:ada%40example.com"
			   "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Sallyport"));
}

static void all_lengths_up_to_the_largest_fit(void **state)
{
	static char text[QR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('!' + i * 7 % 90);
	for (size_t n = 40; n < sizeof(text); n += n)
		assert_picture((str){ text, n });
	assert_picture((str){ text, sizeof(text) });
}

static void nothing_and_too_much_are_refused(void **state)
{
	static char text[QR_TEXT_MAX + 1];
	str url;

	(void)state;
	assert_int_equal(qr_png_url(&mem, STR(""), &url).code, ERR_INPUT);
	assert_int_equal(qr_png_url(&mem, (str){ text, sizeof(text) }, &url).code, ERR_INPUT);
}

static void a_small_arena_is_no_memory_and_nothing_worse(void **state)
{
	char small[4096];
	struct arena a;
	str url;

	(void)state;
	arena_init_fixed(&a, small, sizeof(small));
	assert_int_equal(qr_png_url(&a, STR("x"), &url).code, ERR_NO_MEMORY);
	for (size_t n = 1; n <= 2; n++) {
		arena_reset(&mem);
		mem.fail_at = n;
		assert_int_equal(qr_png_url(&mem, STR("x"), &url).code, ERR_NO_MEMORY);
	}
	mem.fail_at = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pixel_is_as_the_code_says),
		cmocka_unit_test(all_lengths_up_to_the_largest_fit),
		cmocka_unit_test(nothing_and_too_much_are_refused),
		cmocka_unit_test(a_small_arena_is_no_memory_and_nothing_worse),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
