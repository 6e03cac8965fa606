#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>

// clang-format off
#include <jpeglib.h>  // after <cstdio>, which it needs and does not include; and before jerror.h
#include <jerror.h>
// clang-format on

#include "imaging/codecs.h"
#include "imaging/orientation.h"
#include "status.h"

namespace atrous::imaging {
namespace {

// A hostile progressive JPEG can ask for millions of passes over the picture; real ones have some ten.
constexpr int most_scans = 100;
constexpr int app1_marker = JPEG_APP0 + 1;

struct decompress_info : jpeg_decompress_struct {
    decompress_info() : jpeg_decompress_struct{} {}
    ~decompress_info() { jpeg_destroy_decompress(this); }  // does nothing to one that was never created
};

// libjpeg reports through callbacks that must not return, and knows no exceptions: its errors jump back to call(),
// which throws once libjpeg's frames are gone.
class jpeg_reader {
 public:
    explicit jpeg_reader(bytes_view file) {
        info_.err = jpeg_std_error(&errors_);
        errors_.error_exit = [](j_common_ptr info) { owner(info).stop(); };
        errors_.emit_message = [](j_common_ptr info, int level) {
            if (level < 0) owner(info).warn();
        };
        errors_.output_message = [](j_common_ptr) {};
        progress_.progress_monitor = [](j_common_ptr info) {
            jpeg_reader& self = owner(info);
            if (self.info_.input_scan_number > most_scans) self.stop("the JPEG has too many scans to be a photo");
        };
        info_.client_data = this;
        call([&] {
            jpeg_create_decompress(&info_);
            info_.progress = &progress_;
            jpeg_mem_src(&info_, file.data, file.size);
            jpeg_save_markers(&info_, app1_marker, 0xFFFF);
            jpeg_read_header(&info_, TRUE);
        });
    }
    jpeg_reader(const jpeg_reader&) = delete;
    jpeg_reader& operator=(const jpeg_reader&) = delete;

    int32_t height() const { return static_cast<int32_t>(info_.image_height); }
    int32_t width() const { return static_cast<int32_t>(info_.image_width); }
    int32_t channels() const { return info_.jpeg_color_space == JCS_GRAYSCALE ? 1 : 3; }

    int orientation() const {
        for (auto* marker = info_.marker_list; marker != nullptr; marker = marker->next) {
            // XMP shares the marker with EXIF, and says so in its first bytes.
            if (marker->marker == app1_marker && marker->data_length >= 6 &&
                std::memcmp(marker->data, "Exif\0", 5) == 0)
                return tiff_orientation(exif_tiff({marker->data, marker->data_length}));
        }
        return 1;
    }

    picture decode() {
        const bool inks = info_.jpeg_color_space == JCS_CMYK || info_.jpeg_color_space == JCS_YCCK;
        info_.out_color_space = channels() == 1 ? JCS_GRAYSCALE : inks ? JCS_CMYK : JCS_RGB;
        picture result(height(), width(), channels());
        picture ink_row(1, inks ? width() : 0, 4);
        in_pixels_ = true;
        call([&] {
            jpeg_start_decompress(&info_);
            while (info_.output_scanline < info_.output_height) {
                uint8_t* out = result.row(info_.output_scanline);
                uint8_t* row = inks ? ink_row.row(0) : out;
                jpeg_read_scanlines(&info_, &row, 1);
                if (inks) inks_to_rgb(row, out);
            }
            // jpeg_finish_decompress would only look for the end marker; a picture whose last byte is there is whole.
            if (ended_early_ && !all_scans_came()) stop(cut_off);
        });
        result.lacks_end = ended_early_ || !end_lies_ahead();
        return result;
    }

 private:
    static constexpr const char* cut_off = "the JPEG ends early; send the whole file";

    static jpeg_reader& owner(j_common_ptr info) { return *static_cast<jpeg_reader*>(info->client_data); }

    // Runs body, in which nothing may need a destructor: an error of libjpeg jumps out of it.
    template <class Body>
    void call(Body&& body) {
        if (setjmp(jump_) != 0) throw fail(ATROUS_BAD_IMAGE, "%s", message_);
        body();
    }

    [[noreturn]] void stop(const char* message) {
        std::snprintf(message_, sizeof(message_), "%s", message);
        std::longjmp(jump_, 1);
    }

    [[noreturn]] void stop() {
        if (errors_.msg_code == JERR_OUT_OF_MEMORY) stop("the JPEG needs more memory than there is");
        char reason[JMSG_LENGTH_MAX];
        errors_.format_message(reinterpret_cast<j_common_ptr>(&info_), reason);
        std::snprintf(message_, sizeof(message_),
                      "the JPEG cannot be read (%s); use a sound file with 8 bits per sample", reason);
        std::longjmp(jump_, 1);
    }

    // libjpeg goes on after damage and paints grey; a mask of grey is worse than an error. Oddities that lose no pixel
    // (bytes between segments, unusual markers) stay allowed.
    void warn() {
        switch (errors_.msg_code) {
            case JWRN_JPEG_EOF:
                // libjpeg asks for bytes before it needs them, and puts an end marker where there are none. Arithmetic
                // coding takes zeros from there on without a word.
                if (!in_pixels_ || info_.arith_code) stop(cut_off);
                ended_early_ = true;
                break;
            case JWRN_HIT_MARKER:
            case JWRN_HUFF_BAD_CODE:
            case JWRN_ARITH_BAD_CODE:
            case JWRN_MUST_RESYNC:
                if (ended_early_) stop(cut_off);
                stop();
            default:
                break;
        }
    }

    // Whether libjpeg, which is done with the pixels, has met the end mark or would.
    bool end_lies_ahead() {
        if (jpeg_input_complete(&info_) || info_.unread_marker == JPEG_EOI) return true;
        constexpr uint8_t end_mark[] = {0xFF, JPEG_EOI};
        const uint8_t* next = info_.src->next_input_byte;
        const uint8_t* end = next + info_.src->bytes_in_buffer;
        return std::search(next, end, end_mark, end_mark + sizeof(end_mark)) != end;
    }

    // Whether a file without its end may be whole: a scan that broke off has been told, one that never began has not.
    bool all_scans_came() const {
        for (int c = 0; c < info_.num_components; ++c) {
            if (info_.comp_info[c].quant_table == nullptr) return false;
            // The bit down to which each coefficient is known, -1 for none of it.
            for (int i = 0; info_.coef_bits != nullptr && i < DCTSIZE2; ++i)
                if (info_.coef_bits[c][i] != 0) return false;
        }
        return true;
    }

    // Pillow's conversion, with which it is bit-exact. Inks are stored inverted, as Adobe's programs write them and
    // everybody after them.
    void inks_to_rgb(const uint8_t* inks, uint8_t* rgb) const {
        for (JDIMENSION x = 0; x < info_.output_width; ++x, inks += 4, rgb += 3) {
            const int light = inks[3];
            for (int c = 0; c < 3; ++c) {
                const int product = (255 - inks[c]) * light + 128;
                const int value = light - (((product >> 8) + product) >> 8);
                rgb[c] = static_cast<uint8_t>(value < 0 ? 0 : value);
            }
        }
    }

    decompress_info info_;
    jpeg_error_mgr errors_{};
    jpeg_progress_mgr progress_{};
    bool in_pixels_ = false, ended_early_ = false;
    std::jmp_buf jump_;
    char message_[JMSG_LENGTH_MAX + 80] = "";
};

}  // namespace

bool is_jpeg(bytes_view file) {
    return file.size >= 3 && file.data[0] == 0xFF && file.data[1] == 0xD8 && file.data[2] == 0xFF;
}

atrous_image_info probe_jpeg(bytes_view file) {
    const jpeg_reader reader(file);
    const bool turned = swaps_sides(reader.orientation());
    return {turned ? reader.width() : reader.height(), turned ? reader.height() : reader.width(), reader.channels(),
            format_jpeg};
}

picture decode_jpeg(bytes_view file, int64_t max_pixels) {
    jpeg_reader reader(file);
    check_pixel_count(reader.height(), reader.width(), max_pixels);
    return upright(reader.decode(), reader.orientation());
}

}  // namespace atrous::imaging
