// Pictures row by row: the C ABI of png_row_reader and png_label_writer.
#include <memory>

#include "atrous_pictures.h"
#include "checks.h"
#include "imaging/codecs.h"
#include "status.h"

using namespace atrous;
using namespace atrous::imaging;

struct atrous_png_rows : png_row_reader {
    using png_row_reader::png_row_reader;
};

struct atrous_label_rows : png_label_writer {
    using png_label_writer::png_label_writer;
};

atrous_status atrous_png_rows_open(const uint8_t* bytes, size_t size, int64_t max_pixels, atrous_png_rows** rows,
                                   atrous_image_info* info) {
    return guard([&] {
        require_not_null(bytes, "bytes");
        require_not_null(rows, "rows");
        require_not_null(info, "info");
        *rows = nullptr;
        const bytes_view file{bytes, size};
        if (!is_png(file)) throw fail(ATROUS_BAD_IMAGE, "this is no PNG, which alone is read row by row");
        auto opened = std::make_unique<atrous_png_rows>(file, max_pixels);
        *info = opened->info();
        *rows = opened.release();
        ++handle_count;
    });
}

atrous_status atrous_png_rows_read(atrous_png_rows* rows, uint8_t* pixels, int32_t count, int32_t* lacks_end) {
    return guard([&] {
        require_not_null(rows, "rows");
        require_not_null(pixels, "pixels");
        require_not_null(lacks_end, "lacks_end");
        rows->read_rows(pixels, count);
        *lacks_end = rows->lacks_end() ? 1 : 0;
    });
}

void atrous_png_rows_destroy(atrous_png_rows* rows) {
    if (rows == nullptr) return;
    delete rows;
    --handle_count;
}

atrous_status atrous_label_rows_open(int32_t height, int32_t width, const uint8_t* palette, int32_t colours,
                                     int32_t level, atrous_label_rows** rows) {
    return guard([&] {
        require_not_null(rows, "rows");
        *rows = nullptr;
        if (height < 1 || width < 1 || level < 0 || level > 9 || (palette != nullptr && (colours < 1 || colours > 256)))
            throw fail(ATROUS_INVALID_ARGUMENT, "a label map of %d x %d pixels and %d colours cannot be written", width,
                       height, colours);
        *rows = new atrous_label_rows(height, width, palette, colours, level);
        ++handle_count;
    });
}

atrous_status atrous_label_rows_write(atrous_label_rows* rows, const uint16_t* labels, int32_t count) {
    return guard([&] {
        require_not_null(rows, "rows");
        require_not_null(labels, "labels");
        rows->write_rows(labels, count);
    });
}

atrous_status atrous_label_rows_end(atrous_label_rows* rows, atrous_bytes* bytes) {
    return guard([&] {
        require_not_null(rows, "rows");
        require_not_null(bytes, "bytes");
        *bytes = rows->end();
        ++handle_count;
    });
}

void atrous_label_rows_destroy(atrous_label_rows* rows) {
    if (rows == nullptr) return;
    delete rows;
    --handle_count;
}
