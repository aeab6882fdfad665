/* color.h — colours of CSS, parsed to numbers: what a style sheet gets is written from the numbers, so that
 * no text of a setting ever stands in it. */
#ifndef BASE_COLOR_H
#define BASE_COLOR_H

#include "base/buf.h"
#include "base/str.h"

struct color {
	uint8_t r, g, b;
	uint8_t a; /* 255: opaque */
};

/* "#rgb", "#rrggbb" and both with alpha, "rgb(…)" with whole numbers, "hsl(…)" with degrees and percent, both
 * with commas or blanks and perhaps an alpha, and the names of CSS. False for anything else. */
bool color_parse(str text, struct color *ret);

void color_write(struct color c, struct buf *out); /* "#rrggbb", with "aa" when not opaque */
struct color color_over(struct color top, struct color ground); /* opaque, as seen on `ground` */
struct color color_mix(struct color a, struct color b, int percent_of_b);
/* WCAG 2: 1 to 21. Both opaque. */
double color_contrast(struct color a, struct color b);

#endif
