// The transform of 3 x 3 filters for Winograd's minimal filtering: the outer product of winograd_filter_matrix with
// itself, in double precision, so that the weights are rounded once.
#include "conv2d/winograd_points.h"
#include "kernels.h"
#include "simd.h"

namespace atrous::ATROUS_ISA_NAMESPACE {
namespace {

// Filters side by side, those of a conv2d_block at most.
constexpr int64_t most_channels = 64;
static_assert(most_channels >= 4 * width);
// Input channels whose taps are laid side by side at once: what lies in a cache line is used while it is near.
constexpr int64_t depth_step = 4;

using tap_row = double[most_channels];

template <int Taps>
void add_taps(const double (&factor)[9], const tap_row* const (&row)[9], int64_t count, float* to) {
    for (int64_t o = 0; o < count; ++o) {
        double sum = 0;
        for (int tap = 0; tap < Taps; ++tap) sum += factor[tap] * (*row[tap])[o];
        to[o] = static_cast<float>(sum);
    }
}

// The first and the last row of the matrix have one number beside zeros, so a cell has one tap, three or all.
template <int TileSize>
void transform(const tap_row (&taps)[9], int64_t count, float* to, int64_t cell_stride) {
    constexpr int side = TileSize + 2;
    static constexpr auto matrix = winograd_filter_matrix<TileSize>();
    for (int i = 0; i < side; ++i) {
        for (int j = 0; j < side; ++j) {
            double factor[9];
            const tap_row* row[9];
            int used = 0;
            for (int tap = 0; tap < 9; ++tap) {
                const double f = matrix[i][tap / 3] * matrix[j][tap % 3];
                if (f == 0) continue;
                factor[used] = f;
                row[used++] = &taps[tap];
            }
            const auto add = used == 1 ? add_taps<1> : used == 3 ? add_taps<3> : add_taps<9>;
            add(factor, row, count, to + (i * side + j) * cell_stride);
        }
    }
}

}  // namespace

void winograd_filters(const winograd_filters_args& a, int64_t begin, int64_t end, float*) {
    tap_row taps[depth_step][9];
    for (int64_t first = begin; first < end; first += depth_step) {
        const int64_t steps = std::min(depth_step, end - first);
        for (int64_t o = 0; o < a.channels; ++o) {
            const int64_t channel = a.out_channel + o;
            const float scale = a.scale == nullptr ? 1.0f : a.scale[channel];
            const float* filter = a.filters + (channel * a.depth + first) * 9;
            for (int64_t k = 0; k < steps; ++k) {
                for (int64_t tap = 0; tap < 9; ++tap) taps[k][tap][o] = double{filter[k * 9 + tap]} * scale;
            }
        }
        for (int64_t k = 0; k < steps; ++k) {
            const auto body = a.tile_size == 3 ? transform<3> : transform<4>;
            body(taps[k], a.channels, a.to + (first + k) * a.columns, a.depth * a.columns);
        }
    }
}

}  // namespace atrous::ATROUS_ISA_NAMESPACE
