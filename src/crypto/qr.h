/* qr.h — a text as a QR code that clients can show as it stands. */
#ifndef CRYPTO_QR_H
#define CRYPTO_QR_H

#include "base/arena.h"

#define QR_MODULE_PX    4
#define QR_QUIET        4 /* modules around it (ISO/IEC 18004 §5.3.8) */
#define QR_TEXT_MAX     2300

/* "data:image/png;base64,…": one bit a pixel, QR_MODULE_PX a module, error correction level M, into the arena
 * (at most 40 KiB). Refusal: ERR_INPUT for a text that is empty or longer than QR_TEXT_MAX bytes.
 * Faults: ERR_NO_MEMORY. */
MUST_USE err_t qr_png_url(struct arena *mem, str text, str *ret);

#endif
