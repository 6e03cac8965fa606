// What a PNG's chunks say before libpng reads them: whether the file is whole, and how the picture is to be turned.
#ifndef ATROUS_IMAGING_PNG_CHUNKS_H
#define ATROUS_IMAGING_PNG_CHUNKS_H

#include "imaging/pixels.h"

namespace atrous::imaging {

// The end mark, whole.
extern const uint8_t png_end_chunk[12];

class png_chunks {
 public:
    // Walks over the chunks of a file that begins with PNG's signature; nothing in them is unpacked.
    explicit png_chunks(bytes_view file);

    // All chunks of pixels are whole, and the file stops before its end mark.
    bool lacks_only_end() const { return pixels_ && !broken_pixels_ && !end_; }
    // The bytes up to the end of the last whole chunk where only the end is missing; otherwise all.
    size_t whole_size() const { return lacks_only_end() ? whole_size_ : file_.size; }
    // As eXIf says, wherever it stands; 1 where there is none.
    int orientation() const { return orientation_; }

 private:
    bytes_view file_;
    size_t whole_size_ = 0;
    bool pixels_ = false, broken_pixels_ = false, end_ = false;
    int orientation_ = 1;
};

}  // namespace atrous::imaging

#endif  // ATROUS_IMAGING_PNG_CHUNKS_H
