// The EXIF orientation of a photo, 1 to 8 (EXIF 2.32, tag 0x0112).
#ifndef ATROUS_IMAGING_ORIENTATION_H
#define ATROUS_IMAGING_ORIENTATION_H

#include "imaging/pixels.h"

namespace atrous::imaging {

// The TIFF structure of an EXIF block: what follows "Exif\0\0", with which a JPEG's begins and a PNG's should not.
bytes_view exif_tiff(bytes_view exif);

// The orientation that a TIFF structure states; 1 (upright) when it is none, truncated or nonsense, because a broken
// annotation is no reason to refuse a sound picture.
int tiff_orientation(bytes_view tiff);

// True for the four orientations that lay the picture on its side.
inline bool swaps_sides(int orientation) {
    return orientation >= 5;
}

// The picture as it is meant to be seen.
picture upright(picture stored, int orientation);

}  // namespace atrous::imaging

#endif  // ATROUS_IMAGING_ORIENTATION_H
