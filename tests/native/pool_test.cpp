#include "support.h"

namespace atrous::tests {
namespace {

struct pool_case {
    const char* name;
    int batch, height, width, channels, gap;
    atrous_pool_desc desc;
    int out_height, out_width;
};

const pool_case cases[] = {
    {"stem", 1, 13, 15, 64, 0, {3, 3, 2, 2, 1, 1}, 7, 8},
    {"ceil_mode", 2, 12, 14, 21, 3, {3, 3, 2, 2, 1, 1}, 7, 8},
    {"same_size", 1, 9, 8, 130, 0, {3, 3, 1, 1, 1, 1}, 9, 8},
    {"two_by_two", 1, 8, 8, 5, 1, {2, 2, 2, 2, 0, 0}, 4, 4},
    {"global", 2, 33, 31, 300, 0, {33, 31, 1, 1, 0, 0}, 1, 1},
    {"one_channel", 1, 6, 7, 1, 0, {3, 2, 1, 2, 0, 0}, 4, 3},
    {"window_larger_than_the_picture", 1, 3, 2, 17, 0, {9, 9, 1, 1, 4, 4}, 3, 2},
};

// The cells of a window that lie inside, in order.
std::vector<double> cells(const pool_case& c, const sheet& input, int n, int y, int x, int channel) {
    std::vector<double> found;
    for (int ky = 0; ky < c.desc.kernel_height; ++ky) {
        for (int kx = 0; kx < c.desc.kernel_width; ++kx) {
            const int in_y = y * c.desc.stride_height - c.desc.pad_top + ky;
            const int in_x = x * c.desc.stride_width - c.desc.pad_left + kx;
            if (in_y >= 0 && in_y < c.height && in_x >= 0 && in_x < c.width)
                found.push_back(input.at(n, in_y, in_x, channel));
        }
    }
    return found;
}

using Pool = EveryIsa;

TEST_P(Pool, MaxIsTheLargestCellInside) {
    const auto engine = make_engine(2);
    for (const pool_case& c : cases) {
        SCOPED_TRACE(c.name);
        // All below zero, so that a padding cell that counted as zero would win.
        const sheet input = sheet::random(c.batch, c.height, c.width, c.channels, c.gap, 1, -5, -1);
        sheet output(c.batch, c.out_height, c.out_width, c.channels, 2);
        ATROUS_EXPECT_OK(atrous_max_pool(engine.get(), input.view(), &c.desc, output.view()));
        output.for_each([&](int n, int y, int x, int channel) {
            const auto inside = cells(c, input, n, y, x, channel);
            ASSERT_EQ(output.at(n, y, x, channel), *std::max_element(inside.begin(), inside.end()));
        });
        output.expect_gaps_untouched();
    }
}

TEST_P(Pool, AverageIsTheMeanOfTheCellsInside) {
    const auto engine = make_engine(2);
    for (const pool_case& c : cases) {
        SCOPED_TRACE(c.name);
        const sheet input = sheet::random(c.batch, c.height, c.width, c.channels, c.gap, 1, 1, 3);
        sheet output(c.batch, c.out_height, c.out_width, c.channels, 2);
        ATROUS_EXPECT_OK(atrous_average_pool(engine.get(), input.view(), &c.desc, output.view()));
        output.for_each([&](int n, int y, int x, int channel) {
            double sum = 0;
            const auto inside = cells(c, input, n, y, x, channel);
            for (double cell : inside) sum += cell;
            ASSERT_NEAR(output.at(n, y, x, channel), sum / static_cast<double>(inside.size()), 2e-6);
        });
        output.expect_gaps_untouched();
    }
}

TEST_P(Pool, RefusesAWindowOutsideTheInput) {
    const auto engine = make_engine(1);
    const sheet input(1, 4, 4, 3), output(1, 5, 2, 3);
    const atrous_pool_desc desc{2, 2, 1, 2, 0, 0};
    EXPECT_EQ(atrous_max_pool(engine.get(), input.view(), &desc, output.view()), ATROUS_INVALID_ARGUMENT);
    EXPECT_STREQ(atrous_last_error(),
                 "an output height of 5 is too much for an input of 4 (kernel 2, stride 1, padding 0): the last window "
                 "would not touch the input");
    const atrous_pool_desc padded{2, 2, 1, 2, 2, 0};
    EXPECT_EQ(atrous_average_pool(engine.get(), input.view(), &padded, output.view()), ATROUS_INVALID_ARGUMENT);
    EXPECT_STREQ(atrous_last_error(), "the pool's padding is 2; use 0 to 1");
}

ATROUS_EVERY_ISA(Pool);

}  // namespace
}  // namespace atrous::tests
