#include "crypto/qr.h"

#include <openssl/evp.h>
#include <png.h>
#include <qrencode.h>

#include "base/buf.h"

#define URL_START   "data:image/png;base64,"
#define PNG_MAX     ((size_t)16 * 1024) /* the largest code, 177 modules, gives 12 KiB */
#define SIDE_PX_MAX ((177 + 2 * QR_QUIET) * QR_MODULE_PX)

/* ---- the picture ---- */

static void write_bytes(png_structp png, png_bytep data, size_t n)
{
	buf_str(png_get_io_ptr(png), str_of_bytes(data, n));
}

static void flush_nothing(png_structp png)
{
	(void)png;
}

static void say_nothing(png_structp png, png_const_charp why)
{
	(void)png;
	(void)why;
}

static bool is_dark(const QRcode *code, int row, int col)
{
	if (row < 0 || col < 0 || row >= code->width || col >= code->width)
		return false;
	return (code->data[row * code->width + col] & 1) != 0;
}

/* One row of pixels: 1 is white. A module is 4 pixels wide, so a byte holds two. */
static void draw(const QRcode *code, int row, uint8_t *ret)
{
	int modules = code->width + 2 * QR_QUIET;

	for (int col = 0; col < modules; col += 2) {
		bool left = is_dark(code, row - QR_QUIET, col - QR_QUIET);
		bool right = is_dark(code, row - QR_QUIET, col + 1 - QR_QUIET);

		ret[col / 2] = (uint8_t)((left ? 0 : 0xf0) | (right ? 0 : 0x0f));
	}
}

static void write_png(png_structp png, png_infop info, const QRcode *code)
{
	int modules = code->width + 2 * QR_QUIET;
	png_uint_32 side = (png_uint_32)modules * QR_MODULE_PX;
	uint8_t row[SIDE_PX_MAX / 8 + 1];

	png_set_IHDR(png, info, side, side, 1, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
		     PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_write_info(png, info);
	for (int i = 0; i < modules; i++) {
		draw(code, i, row);
		for (int k = 0; k < QR_MODULE_PX; k++)
			png_write_row(png, row);
	}
	png_write_end(png, NULL);
}

/* libpng reports errors by a jump to here; nothing that lives across it is changed in between. */
static bool encode(const QRcode *code, struct buf *out)
{
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, say_nothing, say_nothing);
	png_infop info = png == NULL ? NULL : png_create_info_struct(png);

	if (info != NULL && setjmp(png_jmpbuf(png)) == 0) {
		png_set_write_fn(png, out, write_bytes, flush_nothing);
		write_png(png, info, code);
		png_destroy_write_struct(&png, &info);
		return !out->overflow;
	}
	png_destroy_write_struct(&png, &info);
	return false;
}

/* ---- the address ---- */

static err_t url_of(struct arena *mem, str png, str *ret)
{
	size_t start = sizeof(URL_START) - 1;
	struct buf b = { .cap = start + (png.n + 2) / 3 * 4 + 1 };

	NEW(b.p, mem, char, b.cap);
	buf_lit(&b, URL_START);
	b.n += (size_t)EVP_EncodeBlock((unsigned char *)b.p + b.n, (const unsigned char *)png.p, (int)png.n);
	*ret = buf_view(&b);
	return OK;
}

err_t qr_png_url(struct arena *mem, str text, str *ret)
{
	struct buf png = { .cap = PNG_MAX };
	QRcode *code;
	bool ok;

	REQUIRE(text.n > 0 && text.n <= QR_TEXT_MAX, ERR_INPUT);
	NEW(png.p, mem, char, png.cap);
	code = QRcode_encodeData((int)text.n, (const unsigned char *)text.p, 0, QR_ECLEVEL_M);
	REQUIRE(code != NULL, ERR_NO_MEMORY); /* the length was in bounds */
	ok = encode(code, &png);
	QRcode_free(code);
	REQUIRE(ok, ERR_NO_MEMORY);
	return url_of(mem, buf_view(&png), ret);
}
