// Pictures through the C ABI: round trips, limits, and damaged files of every kind (under the sanitizers, above all).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "atrous.h"
#include "atrous_pictures.h"
#include "imaging/orientation.h"

namespace {

using bytes = std::vector<uint8_t>;

constexpr int64_t max_pixels = 1 << 20;

// Build folders lie inside the checkout, so the checkout is above this program.
std::filesystem::path repository() {
    auto folder = std::filesystem::read_symlink("/proc/self/exe").parent_path();
    while (folder != folder.root_path() && !exists(folder / "Atrous.sln")) folder = folder.parent_path();
    return folder;
}

std::vector<std::filesystem::path> fixture_files() {
    const auto folder = repository() / "tests/Atrous.Tests/Imaging/fixtures";
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        const auto extension = entry.path().extension();
        if (extension == ".jpg" || extension == ".png") files.push_back(entry.path());
    }
    return files;
}

bytes read(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// Copied to a block of its own, so that AddressSanitizer sees a read beyond the end.
atrous_status try_decode(const bytes& file, size_t size) {
    const bytes exact(file.begin(), file.begin() + static_cast<ptrdiff_t>(size));
    atrous_image_info info;
    (void)atrous_image_probe(exact.data(), exact.size(), &info);
    atrous_image labels;
    (void)atrous_png_decode_labels(exact.data(), exact.size(), max_pixels, &labels);
    atrous_image_free(&labels);
    atrous_image image;
    const atrous_status status = atrous_image_decode(exact.data(), exact.size(), max_pixels, &image);
    EXPECT_EQ(status == ATROUS_OK, image.pixels != nullptr);
    EXPECT_TRUE(status == ATROUS_OK || *atrous_last_error() != 0);
    atrous_image_free(&image);
    return status;
}

// Where the last byte of pixels ends; what follows is the end mark, or in a PNG notes before it.
size_t end_of_pixels(const std::filesystem::path& path, const bytes& file) {
    // Arithmetic coding goes on with zeros where bytes are missing, so that only the end mark shows that none is.
    if (path.stem() == "arithmetic") return file.size();
    if (path.extension() == ".jpg") return file.size() - 2;
    size_t end = 0;
    for (size_t at = 8; at + 8 <= file.size();) {
        const size_t size = static_cast<size_t>(file[at] << 24 | file[at + 1] << 16 | file[at + 2] << 8 | file[at + 3]);
        const bool pixels = std::memcmp(&file[at + 4], "IDAT", 4) == 0;
        at += size + 12;
        if (pixels) end = at;
    }
    return end;
}

class Imaging : public testing::Test {
 protected:
    void SetUp() override { ASSERT_EQ(atrous_engine_create(3, &engine_), ATROUS_OK); }
    void TearDown() override {
        atrous_engine_destroy(engine_);
        EXPECT_EQ(atrous_live_handles(), before_);
    }

    int64_t before_ = atrous_live_handles();
    atrous_engine* engine_ = nullptr;
};

TEST_F(Imaging, DecodesAllFixturesAndNoTruncationOfThem) {
    const auto files = fixture_files();
    ASSERT_GE(files.size(), 40u);
    for (const auto& path : files) {
        const bytes file = read(path);
        EXPECT_EQ(try_decode(file, file.size()), ATROUS_OK) << path << ": " << atrous_last_error();
        const size_t needed = end_of_pixels(path, file);
        for (size_t size = needed; size < file.size(); ++size)
            EXPECT_EQ(try_decode(file, size), ATROUS_OK) << path << " cut to " << size << ": " << atrous_last_error();
        for (size_t size = 0; size < needed; ++size)
            EXPECT_EQ(try_decode(file, size), ATROUS_BAD_IMAGE) << path << " cut to " << size;
    }
}

TEST_F(Imaging, SurvivesDamage) {
    std::mt19937 random(30);
    for (const auto& path : fixture_files()) {
        const bytes sound = read(path);
        for (int round = 0; round < 200; ++round) {
            bytes file = sound;
            for (auto flips = 1 + random() % 3; flips > 0; --flips)
                file[random() % file.size()] ^= static_cast<uint8_t>(1 << random() % 8);
            const atrous_status status = try_decode(file, file.size());
            EXPECT_TRUE(status == ATROUS_OK || status == ATROUS_BAD_IMAGE || status == ATROUS_TOO_LARGE)
                << path << ": " << status << " " << atrous_last_error();
        }
    }
}

int exif_orientation(bytes segment) {
    return atrous::imaging::tiff_orientation(atrous::imaging::exif_tiff({segment.data(), segment.size()}));
}

TEST_F(Imaging, ExifSegmentsOfAnySizeAreHarmless) {
    const bytes segment{'E', 'x', 'i',  'f', 0, 0, 'I', 'I', '*', 0, 8, 0, 0, 0,
                        1,   0,   0x12, 1,   3, 0, 1,   0,   0,   0, 6, 0, 0, 0};
    EXPECT_EQ(exif_orientation(segment), 6);
    EXPECT_EQ(exif_orientation(bytes(segment.begin() + 6, segment.end())), 6);  // as a PNG has it
    for (size_t size = 0; size < segment.size(); ++size)
        EXPECT_EQ(exif_orientation(bytes(segment.begin(), segment.begin() + static_cast<ptrdiff_t>(size))), 1) << size;
    std::mt19937 random(31);
    for (int round = 0; round < 20000; ++round) {
        bytes damaged = segment;
        for (int i = 0; i < 3; ++i) damaged[6 + random() % (damaged.size() - 6)] = static_cast<uint8_t>(random());
        const int orientation = exif_orientation(damaged);
        EXPECT_TRUE(orientation >= 1 && orientation <= 8);
    }
}

TEST_F(Imaging, ExifOrientationMayBeOfAnyWholeType) {
    for (const uint8_t type : {3, 4, 8, 9}) {
        const bool is_long = type == 4 || type == 9;
        EXPECT_EQ(exif_orientation({'I', 'I', '*', 0, 8, 0, 0, 0, 1, 0, 0x12, 1, type, 0, 1, 0, 0, 0, 8, 0, 0, 0}), 8);
        EXPECT_EQ(exif_orientation({'M', 'M',
                                    0,   '*',
                                    0,   0,
                                    0,   8,
                                    0,   1,
                                    1,   0x12,
                                    0,   type,
                                    0,   0,
                                    0,   1,
                                    0,   static_cast<uint8_t>(is_long ? 0 : 5),
                                    0,   static_cast<uint8_t>(is_long ? 5 : 0)}),
                  5);
        // Two values, or one that is no orientation, turn nothing.
        EXPECT_EQ(exif_orientation({'I', 'I', '*', 0, 8, 0, 0, 0, 1, 0, 0x12, 1, type, 0, 2, 0, 0, 0, 8, 0, 0, 0}), 1);
        EXPECT_EQ(exif_orientation({'I', 'I', '*', 0, 8, 0, 0, 0, 1, 0, 0x12, 1, type, 0, 1, 0, 0, 0, 9, 0, 0, 0}), 1);
    }
    EXPECT_EQ(exif_orientation({'I', 'I', '*', 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 5, 0, 1, 0, 0, 0, 8, 0, 0, 0}), 1);
}

TEST_F(Imaging, AFileWithoutItsEndSaysSo) {
    for (const auto& path : fixture_files()) {
        const bytes file = read(path);
        for (size_t size = end_of_pixels(path, file); size <= file.size(); ++size) {
            atrous_image image;
            ASSERT_EQ(atrous_image_decode(file.data(), size, max_pixels, &image), ATROUS_OK) << path;
            EXPECT_EQ(atrous_decoded_lacks_end(), size < file.size() ? 1 : 0) << path << " cut to " << size;
            atrous_image_free(&image);
        }
    }
}

TEST_F(Imaging, RowsAreThoseOfTheWholePicture) {
    for (const auto& path : fixture_files()) {
        if (path.extension() != ".png") continue;
        const bytes file = read(path);
        atrous_image whole;
        ASSERT_EQ(atrous_image_decode(file.data(), file.size(), max_pixels, &whole), ATROUS_OK);
        atrous_png_rows* rows;
        atrous_image_info info;
        const atrous_status opened = atrous_png_rows_open(file.data(), file.size(), max_pixels, &rows, &info);
        if (path.stem().string().find("interlaced") != std::string::npos) {
            EXPECT_EQ(opened, ATROUS_BAD_IMAGE) << path;
        } else {
            ASSERT_EQ(opened, ATROUS_OK) << path;
            ASSERT_EQ(info.channels, whole.channels);
            const auto row_size = static_cast<size_t>(info.width * info.channels);
            bytes pixels(row_size * static_cast<size_t>(info.height));
            for (int32_t y = 0; y < info.height; y += 5) {
                int32_t lacks_end = -1;
                const int32_t count = std::min(5, info.height - y);
                uint8_t* to = pixels.data() + row_size * static_cast<size_t>(y);
                ASSERT_EQ(atrous_png_rows_read(rows, to, count, &lacks_end), ATROUS_OK);
                EXPECT_EQ(lacks_end, 0);
                if (y + 5 >= info.height) {
                    EXPECT_EQ(atrous_png_rows_read(rows, to, 1, &lacks_end), ATROUS_INVALID_ARGUMENT);
                }
            }
            EXPECT_EQ(std::memcmp(pixels.data(), whole.pixels, pixels.size()), 0) << path;
            atrous_png_rows_destroy(rows);
        }
        atrous_image_free(&whole);
    }
}

TEST_F(Imaging, LabelRowsMakeTheSameFile) {
    constexpr int32_t height = 13, width = 17;
    std::vector<uint16_t> labels(height * width);
    for (size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<uint16_t>(i % 5);
    const uint8_t palette[15] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    for (const bool grey : {false, true}) {
        atrous_bytes whole, piecewise;
        ASSERT_EQ(grey ? atrous_png_encode_grey16(labels.data(), height, width, 6, &whole)
                       : atrous_png_encode_palette(labels.data(), height, width, palette, 5, 6, &whole),
                  ATROUS_OK);
        atrous_label_rows* rows;
        ASSERT_EQ(atrous_label_rows_open(height, width, grey ? nullptr : palette, grey ? 0 : 5, 6, &rows), ATROUS_OK);
        ASSERT_EQ(atrous_label_rows_write(rows, labels.data(), 4), ATROUS_OK);
        EXPECT_EQ(atrous_label_rows_end(rows, &piecewise), ATROUS_INVALID_ARGUMENT);
        ASSERT_EQ(atrous_label_rows_write(rows, labels.data() + 4 * width, height - 4), ATROUS_OK);
        EXPECT_EQ(atrous_label_rows_write(rows, labels.data(), 1), ATROUS_INVALID_ARGUMENT);
        ASSERT_EQ(atrous_label_rows_end(rows, &piecewise), ATROUS_OK);
        EXPECT_EQ(bytes(whole.data, whole.data + whole.size), bytes(piecewise.data, piecewise.data + piecewise.size));
        atrous_label_rows_destroy(rows);
        atrous_bytes_free(&whole);
        atrous_bytes_free(&piecewise);
    }
}

TEST_F(Imaging, PngKeepsEveryByte) {
    for (int32_t channels = 1; channels <= 4; ++channels) {
        bytes pixels(static_cast<size_t>(31 * 17 * channels));
        std::mt19937 random(static_cast<unsigned>(channels));
        for (uint8_t& value : pixels) value = static_cast<uint8_t>(random());
        const atrous_image image{pixels.data(), 17, 31, channels, 0};
        atrous_bytes file;
        ASSERT_EQ(atrous_png_encode(&image, channels, &file), ATROUS_OK);
        atrous_image decoded;
        ASSERT_EQ(atrous_image_decode(file.data, file.size, max_pixels, &decoded), ATROUS_OK);
        EXPECT_EQ(decoded.channels, channels);
        EXPECT_EQ(std::memcmp(decoded.pixels, pixels.data(), pixels.size()), 0);
        atrous_image_free(&decoded);
        atrous_bytes_free(&file);
    }
}

TEST_F(Imaging, JpegOfAFlatPictureIsFlat) {
    bytes pixels(200 * 300 * 3, 77);
    const atrous_image image{pixels.data(), 200, 300, 3, 0};
    atrous_bytes file;
    ASSERT_EQ(atrous_jpeg_encode(&image, 90, &file), ATROUS_OK);
    atrous_image decoded;
    ASSERT_EQ(atrous_image_decode(file.data, file.size, max_pixels, &decoded), ATROUS_OK);
    ASSERT_EQ(decoded.height, 200);
    for (size_t i = 0; i < pixels.size(); ++i) ASSERT_NEAR(decoded.pixels[i], 77, 1);
    atrous_image_free(&decoded);
    atrous_bytes_free(&file);
}

TEST_F(Imaging, EncodersRefuseNonsense) {
    uint8_t pixels[16] = {5};
    atrous_bytes file;
    const atrous_image two_channels{pixels, 2, 2, 2, 0}, no_rows{pixels, 0, 2, 3, 0}, fine{pixels, 2, 2, 3, 0},
        overlapping{pixels, 2, 2, 3, 5};
    EXPECT_EQ(atrous_png_encode(&overlapping, 1, &file), ATROUS_INVALID_ARGUMENT);
    EXPECT_STREQ(atrous_last_error(), "a row of image has 6 bytes, but the next begins 5 after it");
    EXPECT_EQ(atrous_jpeg_encode(&two_channels, 90, &file), ATROUS_INVALID_ARGUMENT);
    EXPECT_EQ(atrous_jpeg_encode(&fine, 0, &file), ATROUS_INVALID_ARGUMENT);
    EXPECT_EQ(atrous_jpeg_encode(nullptr, 90, &file), ATROUS_INVALID_ARGUMENT);
    EXPECT_EQ(atrous_png_encode(&no_rows, 1, &file), ATROUS_INVALID_ARGUMENT);
    EXPECT_EQ(atrous_png_encode(&fine, 10, &file), ATROUS_INVALID_ARGUMENT);
    const uint16_t labels[4] = {5};
    EXPECT_EQ(atrous_png_encode_palette(labels, 2, 2, pixels, 5, 1, &file), ATROUS_INVALID_ARGUMENT);
    EXPECT_STREQ(atrous_last_error(), "label 5 has no colour: the palette has 5");
    EXPECT_EQ(file.data, nullptr);
}

TEST_F(Imaging, RowsMayHaveGaps) {
    constexpr int32_t height = 5, width = 7, channels = 3, packed = width * channels, stride = packed + 6;
    bytes tight(height * packed), loose(height * stride, 255);
    for (size_t i = 0; i < tight.size(); ++i) tight[i] = static_cast<uint8_t>(i * 7);
    for (int32_t y = 0; y < height; ++y) std::copy_n(&tight[y * packed], packed, &loose[y * stride]);
    const atrous_image a{tight.data(), height, width, channels, 0}, b{loose.data(), height, width, channels, stride};

    for (int32_t filter = ATROUS_FILTER_BILINEAR; filter <= ATROUS_FILTER_BILINEAR_PLAIN; ++filter) {
        for (const auto& [rows, columns] : std::vector<std::pair<int32_t, int32_t>>{{5, 7}, {3, 7}, {5, 9}, {4, 11}}) {
            bytes of_a(static_cast<size_t>(rows * columns * channels)), of_b(of_a.size());
            const atrous_image to_a{of_a.data(), rows, columns, channels, 0},
                to_b{of_b.data(), rows, columns, channels, 0};
            ASSERT_EQ(atrous_image_resize(engine_, &a, filter, &to_a), ATROUS_OK);
            ASSERT_EQ(atrous_image_resize(engine_, &b, filter, &to_b), ATROUS_OK);
            EXPECT_EQ(of_a, of_b) << filter << " " << rows << "x" << columns;
        }
    }
    for (const bool jpeg : {false, true}) {
        atrous_bytes of_a, of_b;
        ASSERT_EQ(jpeg ? atrous_jpeg_encode(&a, 90, &of_a) : atrous_png_encode(&a, 1, &of_a), ATROUS_OK);
        ASSERT_EQ(jpeg ? atrous_jpeg_encode(&b, 90, &of_b) : atrous_png_encode(&b, 1, &of_b), ATROUS_OK);
        EXPECT_EQ(bytes(of_a.data, of_a.data + of_a.size), bytes(of_b.data, of_b.data + of_b.size));
        atrous_bytes_free(&of_a);
        atrous_bytes_free(&of_b);
    }
}

TEST_F(Imaging, ResizeOfAFlatPictureIsFlat) {
    for (int32_t filter = ATROUS_FILTER_BILINEAR; filter <= ATROUS_FILTER_BILINEAR_PLAIN; ++filter) {
        for (const auto& [height, width] :
             std::vector<std::pair<int32_t, int32_t>>{{1, 1}, {3, 50}, {61, 40}, {7, 9}}) {
            bytes from(7 * 9 * 3, 201), to(static_cast<size_t>(height * width * 3));
            const atrous_image input{from.data(), 7, 9, 3, 0}, output{to.data(), height, width, 3, 0};
            ASSERT_EQ(atrous_image_resize(engine_, &input, filter, &output), ATROUS_OK);
            EXPECT_EQ(to, bytes(to.size(), 201)) << filter << " " << height << "x" << width;
        }
    }
}

TEST_F(Imaging, NormalizeWritesTheWindowTheFillAndNothingElse) {
    const uint8_t pixels[] = {10, 20, 30, 40, 50, 60};
    const atrous_image image{const_cast<uint8_t*>(pixels), 1, 2, 3, 0};
    const float mean[] = {1, 2}, std[] = {2, 4}, fill[] = {128, 64};
    const int32_t order[] = {2, 0};
    const atrous_normalize_desc desc{1.0f, 1, 1, mean, std, fill, order};
    std::vector<float> data(3 * 4 * 5, -1.0f);  // two channels in pixels of five
    const atrous_tensor output{data.data(), 5, 1, 3, 4, 2, ATROUS_FLOAT32};
    ASSERT_EQ(atrous_normalize(engine_, &image, &desc, &output), ATROUS_OK);
    for (int y = 0; y < 3; ++y) {
        for (int x = 0; x < 4; ++x) {
            const float* pixel = data.data() + (y * 4 + x) * 5;
            const bool inside = y == 1 && (x == 1 || x == 2);
            EXPECT_EQ(pixel[0], ((inside ? pixels[(x - 1) * 3 + 2] : 128.0f) - 1) / 2);
            EXPECT_EQ(pixel[1], ((inside ? pixels[(x - 1) * 3] : 64.0f) - 2) / 4);
            for (int c = 2; c < 5; ++c) EXPECT_EQ(pixel[c], -1.0f);
        }
    }
}

TEST_F(Imaging, NormalizeRefusesWhatDoesNotFit) {
    uint8_t pixels[12] = {};
    const atrous_image image{pixels, 2, 2, 3, 0};
    const float ones[] = {1}, zero[] = {0};
    const int32_t order[] = {0}, beyond[] = {3};
    float data[4];
    const atrous_tensor output{data, 1, 1, 2, 2, 1, ATROUS_FLOAT32};
    const atrous_normalize_desc shifted{1.0f, 1, 0, zero, ones, zero, order};
    const atrous_normalize_desc channel{1.0f, 0, 0, zero, ones, zero, beyond};
    const atrous_normalize_desc flat{1.0f, 0, 0, zero, zero, zero, order};
    for (const auto* desc : {&shifted, &channel, &flat})
        EXPECT_EQ(atrous_normalize(engine_, &image, desc, &output), ATROUS_INVALID_ARGUMENT);
}

}  // namespace
