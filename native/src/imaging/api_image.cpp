#include <png.h>

#include <algorithm>

#include "atrous_pictures.h"
#include "checks.h"
#include "imaging/codecs.h"
#include "status.h"

using namespace atrous;
using namespace atrous::imaging;

namespace {

// Of the picture that this thread decoded last.
thread_local bool lacks_end = false;

bytes_view checked(const uint8_t* bytes, size_t size) {
    if (size == 0) throw fail(ATROUS_BAD_IMAGE, "the file is empty; send a JPEG or PNG");
    require_not_null(bytes, "bytes");
    const bytes_view file{bytes, size};
    if (!is_jpeg(file) && !is_png(file))
        throw fail(ATROUS_BAD_IMAGE, "this is neither a JPEG nor a PNG; convert it to one");
    return file;
}

void check_sides(int32_t height, int32_t width) {
    if (height < 1 || width < 1)
        throw fail(ATROUS_INVALID_ARGUMENT, "a picture of %d x %d pixels cannot be written", width, height);
}

void check_picture(const atrous_image* image) {
    require_not_null(image, "image");
    require_not_null(image->pixels, "image.pixels");
    check_sides(image->height, image->width);
    require_rows(*image, "image");
}

void check_level(int32_t level) {
    if (level < 0 || level > 9) throw fail(ATROUS_INVALID_ARGUMENT, "the compression level is %d; use 0 to 9", level);
}

// Runs a decoder and hands over what it read.
template <class Decode>
atrous_status decode_to(atrous_image* image, Decode&& decode) {
    return guard([&] {
        require_not_null(image, "image");
        *image = {};
        lacks_end = false;
        picture decoded = decode();
        *image = {decoded.pixels.release(), decoded.height, decoded.width, decoded.channels, 0};
        lacks_end = decoded.lacks_end;
        ++handle_count;
    });
}

// Runs an encoder and hands over what it wrote.
template <class Encode>
atrous_status encode_to(atrous_bytes* bytes, Encode&& encode) {
    return guard([&] {
        require_not_null(bytes, "bytes");
        *bytes = {};
        byte_sink sink;
        encode(sink);
        *bytes = sink.release();
        ++handle_count;
    });
}

}  // namespace

atrous_status atrous_image_probe(const uint8_t* bytes, size_t size, atrous_image_info* info) {
    return guard([&] {
        require_not_null(info, "info");
        *info = {};
        const bytes_view file = checked(bytes, size);
        *info = is_jpeg(file) ? probe_jpeg(file) : probe_png(file);
    });
}

atrous_status atrous_image_decode(const uint8_t* bytes, size_t size, int64_t max_pixels, atrous_image* image) {
    return decode_to(image, [&] {
        const bytes_view file = checked(bytes, size);
        return is_jpeg(file) ? decode_jpeg(file, max_pixels) : decode_png(file, max_pixels);
    });
}

atrous_status atrous_png_decode_labels(const uint8_t* bytes, size_t size, int64_t max_pixels, atrous_image* labels) {
    return decode_to(labels, [&] {
        const bytes_view file = checked(bytes, size);
        if (is_jpeg(file))
            throw fail(ATROUS_BAD_IMAGE,
                       "a JPEG does not keep classes exactly; save the label map as palette or grey PNG");
        return decode_png_labels(file, max_pixels);
    });
}

int32_t atrous_decoded_lacks_end(void) {
    return lacks_end ? 1 : 0;
}

void atrous_image_free(atrous_image* image) {
    if (image == nullptr || image->pixels == nullptr) return;
    std::free(image->pixels);
    *image = {};
    --handle_count;
}

atrous_status atrous_jpeg_encode(const atrous_image* image, int32_t quality, atrous_bytes* bytes) {
    return encode_to(bytes, [&](byte_sink& sink) {
        check_picture(image);
        if (image->channels != 1 && image->channels != 3)
            throw fail(ATROUS_INVALID_ARGUMENT, "a JPEG has 1 or 3 channels, the picture %d; drop its alpha",
                       image->channels);
        if (quality < 1 || quality > 100)
            throw fail(ATROUS_INVALID_ARGUMENT, "the JPEG quality is %d; use 1 to 100", quality);
        encode_jpeg(*image, quality, sink);
    });
}

atrous_status atrous_png_encode(const atrous_image* image, int32_t level, atrous_bytes* bytes) {
    return encode_to(bytes, [&](byte_sink& sink) {
        check_picture(image);
        check_level(level);
        constexpr int32_t colour_types[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                                            PNG_COLOR_TYPE_RGB_ALPHA};
        if (image->channels < 1 || image->channels > 4)
            throw fail(ATROUS_INVALID_ARGUMENT, "a PNG has 1 to 4 channels, the picture %d", image->channels);
        encode_png(
            {image->pixels, row_bytes(*image), image->height, image->width, colour_types[image->channels - 1], 8},
            level, sink);
    });
}

atrous_status atrous_png_encode_palette(const uint16_t* labels, int32_t height, int32_t width, const uint8_t* palette,
                                        int32_t colours, int32_t level, atrous_bytes* bytes) {
    return encode_to(bytes, [&](byte_sink& sink) {
        require_not_null(labels, "labels");
        require_not_null(palette, "palette");
        check_sides(height, width);
        check_level(level);
        if (colours < 1 || colours > 256)
            throw fail(ATROUS_INVALID_ARGUMENT, "a palette has 1 to 256 colours, this one %d", colours);
        const int32_t highest =
            *std::max_element(labels, labels + static_cast<size_t>(height) * static_cast<size_t>(width));
        if (highest >= colours)
            throw fail(ATROUS_INVALID_ARGUMENT, "label %d has no colour: the palette has %d", highest, colours);
        const int64_t row_size = static_cast<int64_t>(width) * static_cast<int64_t>(sizeof(uint16_t));
        encode_png({labels, row_size, height, width, PNG_COLOR_TYPE_PALETTE, 8, palette, colours}, level, sink);
    });
}

atrous_status atrous_png_encode_grey16(const uint16_t* pixels, int32_t height, int32_t width, int32_t level,
                                       atrous_bytes* bytes) {
    return encode_to(bytes, [&](byte_sink& sink) {
        require_not_null(pixels, "pixels");
        check_sides(height, width);
        check_level(level);
        const int64_t row_size = static_cast<int64_t>(width) * static_cast<int64_t>(sizeof(uint16_t));
        encode_png({pixels, row_size, height, width, PNG_COLOR_TYPE_GRAY, 16}, level, sink);
    });
}

void atrous_bytes_free(atrous_bytes* bytes) {
    if (bytes == nullptr || bytes->data == nullptr) return;
    std::free(bytes->data);
    *bytes = {};
    --handle_count;
}
