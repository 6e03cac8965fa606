// 3 x 3 convolution by Winograd's minimal filtering (Lavin & Gray 2015, arXiv:1509.09308): a block of tiles is
// transformed, each cell of the transformed tiles is a matrix product over the channels, and the products are
// transformed back. At rate d a tile's pixels are d apart, so that an atrous convolution is a dense one on each of d x
// d phases.
#include "activation.h"
#include "conv2d/products.h"
#include "conv2d/winograd_transform.h"
#include "kernels.h"

namespace atrous::ATROUS_ISA_NAMESPACE {
namespace {

// Tiles whose products are summed in registers at once.
constexpr int panel_tiles = 6;

// One cell's product for some tiles: out[tile] = sum over k of from[tile][k] * weights[k].
struct panel_args {
    const float* from;
    int64_t from_stride;
    const float* weights;
    int64_t depth;
    float* out;
    int64_t out_stride;
    const float* soon;  // weights of the next cell: as many as this panel is to fetch, soon_step for each k
    int64_t soon_step;
};

template <int R, int V>
void multiply_panel(const panel_args& a) {
    vec sum[R][V];
    const float* row[R];
    for (int r = 0; r < R; ++r) {
        row[r] = a.from + r * a.from_stride;
        for (int v = 0; v < V; ++v) sum[r][v] = all(0.0f);
    }
    const float* soon = a.soon;
    multiply_depth<R, V>(a.weights, row, a.depth, sum, [&](int steps) {
        prefetch_far(soon);
        prefetch_far(soon + 16);
        soon += steps * a.soon_step;
    });
    for (int r = 0; r < R; ++r) {
        for (int v = 0; v < V; ++v) store(a.out + r * a.out_stride + v * width, sum[r][v]);
    }
}

using panel_body = void (*)(const panel_args&);

template <int V>
panel_body panel_of(int64_t tiles) {
    constexpr panel_body bodies[panel_tiles] = {multiply_panel<1, V>, multiply_panel<2, V>, multiply_panel<3, V>,
                                                multiply_panel<4, V>, multiply_panel<5, V>, multiply_panel<6, V>};
    return bodies[tiles - 1];
}

panel_body panel_of(int64_t tiles, int32_t vectors) {
    switch (vectors) {
        case 4:
            if constexpr (most_vectors >= 4) return panel_of<4>(tiles);
            [[fallthrough]];
        case 3:
            if constexpr (most_vectors >= 3) return panel_of<3>(tiles);
            [[fallthrough]];
        case 2:
            return panel_of<2>(tiles);
        default:
            return panel_of<1>(tiles);
    }
}

template <int TileSize, class In, class Out>
class winograd_walker {
 public:
    winograd_walker(const winograd_args& a, float* memory)
        : a_(a),
          depth_(a.input.channels),
          pixel_floats_(winograd_pixel_floats(depth_)),
          inputs_(memory),
          products_(memory + cells * a.block_tiles * pixel_floats_) {}

    void transform_block(int64_t tile_block) {
        first_ = tile_block * a_.block_tiles;
        count_ = a_.tiles - first_ < a_.block_tiles ? a_.tiles - first_ : a_.block_tiles;
        for (int64_t t = 0; t < count_; ++t) transform_input(t);
    }

    void compute(const conv2d_block& block) {
        multiply(block);
        for (int64_t t = 0; t < count_; ++t) transform_output(block, t);
    }

 private:
    static constexpr int side = TileSize + 2, cells = side * side;

    struct place {
        int64_t picture, y, x;  // of the tile's first output
    };

    place locate(int64_t t) const {
        const int64_t columns = a_.columns.tiles(), rows = a_.rows.tiles(), tile = first_ + t;
        return {tile / columns / rows, a_.rows.start(tile / columns % rows, TileSize),
                a_.columns.start(tile % columns, TileSize)};
    }

    void transform_input(int64_t t) {
        const place at = locate(t);
        const In* picture =
            elements<In>(a_.input) + at.picture * a_.input.height * int64_t{a_.input.width} * a_.input.pixel_stride;
        const In* const zeros = reinterpret_cast<const In*>(a_.zeros);  // in every type
        const In* pixels[cells];
        for (int64_t i = 0; i < side; ++i) {
            const int64_t y = at.y - a_.taps.pad_top + i * a_.rows.rate;
            for (int64_t j = 0; j < side; ++j) {
                const int64_t x = at.x - a_.taps.pad_left + j * a_.columns.rate;
                const bool inside = y >= 0 && y < a_.input.height && x >= 0 && x < a_.input.width;
                pixels[i * side + j] = inside ? picture + (y * a_.input.width + x) * a_.input.pixel_stride : zeros;
            }
        }
        float* out = inputs_ + t * pixel_floats_;
        int64_t c = 0;
        for (; c + width <= depth_; c += width)
            transform_cells(out + c, [&](int cell) { return load(pixels[cell] + c); });
        if (c < depth_) transform_cells(out + c, [&](int cell) { return load_part(pixels[cell] + c, depth_ - c); });
    }

    // A register of channels of every cell.
    template <class Read>
    void transform_cells(float* out, Read read) {
        const int64_t cell_floats = a_.block_tiles * pixel_floats_;
        vec half[side][side];
        for (int j = 0; j < side; ++j) {
            vec column[side], made[side];
            for (int i = 0; i < side; ++i) column[i] = read(i * side + j);
            transform<TileSize>::input(column, made);
            for (int i = 0; i < side; ++i) half[i][j] = made[i];
        }
        for (int i = 0; i < side; ++i) {
            vec made[side];
            transform<TileSize>::input(half[i], made);
            for (int j = 0; j < side; ++j) store(out + (i * side + j) * cell_floats, made[j]);
        }
    }

    void multiply(const conv2d_block& block) {
        const int64_t vector_floats = block.vectors * width, panels = (count_ + panel_tiles - 1) / panel_tiles;
        panel_args p{};
        p.from_stride = pixel_floats_;
        p.depth = depth_;
        p.out_stride = cells * vector_floats;
        p.soon_step = vector_floats / panels;
        for (int64_t cell = 0; cell < cells; ++cell) {
            p.weights = a_.weights + block.weights + cell * depth_ * vector_floats;
            p.soon = p.weights + depth_ * vector_floats;
            for (int64_t panel = 0; panel < panels; ++panel) {
                const int64_t begin = panel * count_ / panels, end = (panel + 1) * count_ / panels;
                p.from = inputs_ + (cell * a_.block_tiles + begin) * pixel_floats_;
                p.out = products_ + (begin * cells + cell) * vector_floats;
                panel_of(end - begin, block.vectors)(p);
                p.soon += depth_ * p.soon_step;
            }
        }
    }

    void transform_output(const conv2d_block& block, int64_t t) {
        const place at = locate(t);
        const int64_t vector_floats = block.vectors * width;
        for (int32_t v = 0; v < block.vectors; ++v) {
            const float* from = products_ + t * cells * vector_floats + v * width;
            vec half[TileSize][side];
            for (int j = 0; j < side; ++j) {
                vec column[side], made[TileSize];
                for (int i = 0; i < side; ++i) column[i] = load(from + (i * side + j) * vector_floats);
                transform<TileSize>::output(column, made);
                for (int i = 0; i < TileSize; ++i) half[i][j] = made[i];
            }
            const int64_t lanes = v + 1 < block.vectors ? width : block.channels - v * width;
            for (int i = 0; i < TileSize; ++i) {
                vec made[TileSize];
                transform<TileSize>::output(half[i], made);
                write_row(block, at, i, v, lanes, made);
            }
        }
    }

    void write_row(const conv2d_block& block, const place& at, int i, int32_t v, int64_t lanes,
                   const vec (&values)[TileSize]) {
        const int64_t y = at.y + i * int64_t{a_.rows.rate}, channel = block.out_channel + v * width;
        if (y >= a_.output.height) return;
        const vec bias = load(a_.bias + block.bias + v * width);
        for (int j = 0; j < TileSize; ++j) {
            const int64_t x = at.x + j * int64_t{a_.columns.rate};
            if (x >= a_.output.width) return;
            const int64_t pixel = (at.picture * a_.output.height + y) * a_.output.width + x;
            vec sum = values[j] + bias;
            if (a_.residual.data != nullptr) {
                const Out* residual = elements<Out>(a_.residual) + pixel * a_.residual.pixel_stride + channel;
                sum = sum + (lanes == width ? load(residual) : load_part(residual, lanes));
            }
            sum = activate(sum, a_.activation, a_.slope);
            Out* out = elements<Out>(a_.output) + pixel * a_.output.pixel_stride + channel;
            if (lanes == width) {
                store(out, sum);
            } else {
                store_part(out, sum, lanes);
            }
        }
    }

    const winograd_args& a_;
    const int64_t depth_, pixel_floats_;
    float* const inputs_;    // [cell][tile][pixel_floats_]
    float* const products_;  // [tile][cell][vectors * width]
    int64_t first_ = 0, count_ = 0;
};

template <int TileSize, class In, class Out>
void walk(const winograd_args& a, int64_t begin, int64_t end, float* memory) {
    winograd_walker<TileSize, In, Out> walker(a, memory);
    int64_t transformed = -1;
    for (int64_t item = begin; item < end; ++item) {
        const int64_t tile_block = item / a.groups, group = item % a.groups;
        if (tile_block != transformed) walker.transform_block(tile_block);
        transformed = tile_block;
        const int64_t last = (group + 1) * a.block_count / a.groups;
        for (int64_t block = group * a.block_count / a.groups; block < last; ++block) walker.compute(a.blocks[block]);
    }
}

template <class In, class Out>
void walk(const winograd_args& a, int64_t begin, int64_t end, float* memory) {
    a.tile_size == 3 ? walk<3, In, Out>(a, begin, end, memory) : walk<4, In, Out>(a, begin, end, memory);
}

}  // namespace

void winograd(const winograd_args& a, int64_t begin, int64_t end, float* memory) {
    const bool to_float = a.output.type == ATROUS_FLOAT32;
    if (a.input.type == ATROUS_FLOAT32) {
        to_float ? walk<float, float>(a, begin, end, memory) : walk<float, bf16>(a, begin, end, memory);
    } else {
        to_float ? walk<bf16, float>(a, begin, end, memory) : walk<bf16, bf16>(a, begin, end, memory);
    }
}

}  // namespace atrous::ATROUS_ISA_NAMESPACE
