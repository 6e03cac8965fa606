// atrous_pictures.h: files that are not whole or too large to be held, beside atrous.h, whose rules hold here too.
#ifndef ATROUS_PICTURES_H
#define ATROUS_PICTURES_H

#include "atrous.h"

#ifdef __cplusplus
extern "C" {
#endif

// 1 where of the file that this thread decoded last only the end mark was missing (PNG's IEND, JPEG's EOI), so that all
// pixels are there. A file that stops before its last pixel is ATROUS_BAD_IMAGE.
ATROUS_API int32_t atrous_decoded_lacks_end(void);

// ---- Pictures that are too large to be held: PNG row by row ----

typedef struct atrous_png_rows atrous_png_rows;

// Opens a PNG that is neither interlaced nor turned by EXIF. The bytes must stay until it is destroyed. Pixels are as
// atrous_image_decode has them.
ATROUS_NODISCARD ATROUS_API atrous_status atrous_png_rows_open(const uint8_t* bytes, size_t size, int64_t max_pixels,
                                                               atrous_png_rows** rows, atrous_image_info* info);
// The next rows, packed. With the last the file is read to its end; lacks_end is as atrous_decoded_lacks_end says.
ATROUS_NODISCARD ATROUS_API atrous_status atrous_png_rows_read(atrous_png_rows* rows, uint8_t* pixels, int32_t count,
                                                               int32_t* lacks_end);
ATROUS_API void atrous_png_rows_destroy(atrous_png_rows* rows);

typedef struct atrous_label_rows atrous_label_rows;

// Begins the file of atrous_png_encode_palette, or without a palette that of atrous_png_encode_grey16.
ATROUS_NODISCARD ATROUS_API atrous_status atrous_label_rows_open(int32_t height, int32_t width, const uint8_t* palette,
                                                                 int32_t colours, int32_t level,
                                                                 atrous_label_rows** rows);
// The next rows, packed; every label must have a colour.
ATROUS_NODISCARD ATROUS_API atrous_status atrous_label_rows_write(atrous_label_rows* rows, const uint16_t* labels,
                                                                  int32_t count);
// The file, once all rows are written.
ATROUS_NODISCARD ATROUS_API atrous_status atrous_label_rows_end(atrous_label_rows* rows, atrous_bytes* bytes);
ATROUS_API void atrous_label_rows_destroy(atrous_label_rows* rows);

#ifdef __cplusplus
}
#endif

#endif  // ATROUS_PICTURES_H
