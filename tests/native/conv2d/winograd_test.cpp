#include "conv2d/conv2d.h"
#include "conv2d/conv2d_fixture.h"

namespace atrous::tests {
namespace {

// Tiles have 4 outputs a side, or 3 where the picture is cut better by them.
const conv_case cases[] = {
    {"whole_tiles", 1, 12, 8, 32, 64, 3, 3, 1, 1, 1, 1, 1, 1, 1},
    {"cut_tiles", 1, 13, 11, 32, 64, 3, 3, 1, 1, 1, 1, 1, 1, 1},
    {"whole_tiles_of_three", 1, 6, 9, 256, 256, 3, 3, 1, 1, 1, 1, 1, 1, 1},
    {"cut_tiles_of_three", 1, 5, 6, 512, 130, 3, 3, 1, 1, 1, 1, 1, 1, 1},
    {"one_pixel", 3, 1, 1, 30, 40, 3, 3, 1, 1, 1, 1, 1, 1, 1},
    {"one_row", 1, 1, 19, 30, 40, 3, 3, 1, 1, 1, 1, 1, 1, 1},
    {"channel_tails", 1, 6, 5, 19, 21, 3, 3, 1, 1, 1, 1, 1, 1, 1, 5, 3},
    {"few_channels", 1, 9, 9, 3, 5, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 2},
    {"every_count_of_vectors", 1, 5, 6, 24, 176, 3, 3, 1, 1, 1, 1, 1, 1, 1},
    {"three_vectors", 1, 9, 9, 24, 40, 3, 3, 1, 1, 1, 1, 1, 1, 1},
    {"batches", 3, 5, 6, 24, 130, 3, 3, 1, 1, 1, 1, 1, 1, 1},
    {"no_padding", 2, 8, 9, 25, 17, 3, 3, 1, 1, 1, 0, 0, 0, 0},
    {"asymmetric_padding", 1, 8, 9, 25, 17, 3, 3, 1, 1, 1, 2, 0, 0, 3},
    {"wide_padding", 1, 4, 5, 25, 17, 3, 3, 1, 1, 1, 7, 6, 8, 9},
    {"many_tiles", 1, 41, 43, 24, 32, 3, 3, 1, 1, 1, 1, 1, 1, 1},
    {"rate_two", 1, 17, 16, 48, 70, 3, 3, 1, 2, 1, 2, 2, 2, 2},
    {"rate_two_of_three", 2, 6, 11, 260, 256, 3, 3, 1, 2, 1, 2, 2, 2, 2, 4, 0, ATROUS_ACTIVATION_RELU, true, true},
    {"rate_two_asymmetric", 2, 10, 9, 24, 32, 3, 3, 1, 2, 1, 1, 2, 3, 0},
    {"rate_six", 1, 33, 32, 32, 16, 3, 3, 1, 6, 1, 6, 6, 6, 6},
    {"rate_beyond_the_picture", 2, 5, 6, 32, 20, 3, 3, 1, 24, 1, 24, 24, 24, 24},
    {"all_extras", 2, 7, 9, 48, 70, 3, 3, 1, 1, 1, 1, 1, 1, 1, 2, 4, ATROUS_ACTIVATION_RELU, true, true},
    {"silu_without_bias", 1, 9, 9, 48, 20, 3, 3, 1, 1, 1, 1, 1, 1, 1, 0, 0, ATROUS_ACTIVATION_SILU, true, true, false},
};

// A pixel in the padding rounds like its tile: the terms of a window inside, products of two numbers from -1 to 1.
double magnitude_of_a_tile(const conv_case& c) {
    return 9.0 * c.in / 4;
}

using Winograd = EveryIsa;

TEST_P(Winograd, MatchesTheReference) {
    const scoped_algorithm algorithm("winograd");
    const auto engine = make_engine(2);
    for (const conv_case& c : cases) {
        SCOPED_TRACE(c.name);
        const conv_data data(c);
        const sheet output = run_case(c, data, *engine);
        expect_matches_reference(c, data, output, magnitude_of_a_tile(c));
        output.expect_gaps_untouched();
    }
}

TEST_P(Winograd, GivesTheSameBitsOnAnyNumberOfThreads) {
    const scoped_algorithm algorithm("winograd");
    const auto one = make_engine(1), three = make_engine(3), many = make_engine(9);
    for (const conv_case& c : cases) {
        SCOPED_TRACE(c.name);
        const conv_data data(c);
        const sheet expected = run_case(c, data, *one);
        EXPECT_EQ(run_case(c, data, *three).storage(), expected.storage());
        EXPECT_EQ(run_case(c, data, *many).storage(), expected.storage());
    }
}

TEST_P(Winograd, AddsAResidualInPlace) {
    const scoped_algorithm algorithm("winograd");
    const auto engine = make_engine(2);
    for (const conv_case& c : cases) {
        if (!c.residual) continue;
        SCOPED_TRACE(c.name);
        conv_data data(c);
        const sheet separate = run_case(c, data, *engine);
        expect_matches_reference(c, data, separate, magnitude_of_a_tile(c));
        run_into(c, data, *engine, data.residual);
        EXPECT_EQ(separate.storage(), data.residual.storage());
    }
}

// The data are values that bfloat16 holds; weights and products are float32, so nothing else is rounded on the way.
TEST_P(Winograd, MatchesTheReferenceInBfloat16) {
    const auto engine = make_engine(2);
    if (!GetParam()->bf16_products) GTEST_SKIP() << "no products of bfloat16";
    const scoped_algorithm algorithm("winograd");
    for (conv_case c : cases) {
        SCOPED_TRACE(c.name);
        c.scale = false;
        conv_data data(c);
        round_values(data.input);
        const sheet full(c.batch, c.out_height(), c.out_width(), c.out, c.out_gap);
        run_halves(c, data, *engine, data.residual.view(), full.view());
        full.expect_gaps_untouched();
        expect_matches_reference(c, data, full, magnitude_of_a_tile(c));
    }
}

// Which algorithm was taken shows in the last bits.
TEST_P(Winograd, IsChosenWhereItSavesMultiplyAdds) {
    const conv_case dense{"dense", 1, 33, 33, 32, 32, 3, 3, 1, 1, 1, 1, 1, 1, 1};
    const conv_case far{"far", 1, 33, 33, 32, 32, 3, 3, 1, 18, 1, 18, 18, 18, 18};
    const conv_case small{"small", 1, 2, 2, 32, 32, 3, 3, 1, 1, 1, 1, 1, 1, 1};
    const conv_case deep{"deep", 1, 9, 9, 256, 256, 3, 3, 1, 2, 1, 2, 2, 2, 2};
    const conv_case deep_and_far{"deep_and_far", 1, 9, 9, 256, 256, 3, 3, 1, 8, 1, 8, 8, 8, 8};
    const auto engine = make_engine(1);
    for (const conv_case* c : {&dense, &far, &small, &deep, &deep_and_far}) {
        SCOPED_TRACE(c->name);
        const conv_data data(*c);
        const auto forced = [&](const char* name) {
            const scoped_algorithm algorithm(name);
            return run_case(*c, data, *engine);
        };
        const sheet direct = forced("direct"), winograd = forced("winograd"), chosen = run_case(*c, data, *engine);
        const bool saves = c == &dense || c == &deep;
        EXPECT_NE(direct.storage(), winograd.storage());
        EXPECT_EQ(chosen.storage(), (saves ? winograd : direct).storage());
    }
}

TEST(WinogradChoice, FollowsTheUsualSize) {
    const auto desc_of = [](int in, int out, int rate, int side) {
        return atrous_conv2d_desc{in,   out,  3, 3, 1, 1, rate, rate, 1, ATROUS_ACTIVATION_NONE, 0, ATROUS_FLOAT32,
                                  side, side, 0};
    };
    EXPECT_EQ(winograd_tile_size(desc_of(256, 256, 1, 33)), 3);  // 11 x 11 tiles; of 4 it were 9 x 9
    EXPECT_EQ(winograd_tile_size(desc_of(304, 256, 1, 129)), 4);
    EXPECT_EQ(winograd_tile_size(desc_of(2048, 256, 6, 33)), 3);
    EXPECT_EQ(winograd_tile_size(desc_of(2048, 256, 6, 48)), 4);  // phases of 8 x 8
    EXPECT_EQ(choose_algorithm(desc_of(2048, 256, 12, 33)), conv2d_choice::either);
    EXPECT_EQ(choose_algorithm(desc_of(2048, 256, 18, 33)), conv2d_choice::product);  // mostly padding
    EXPECT_EQ(choose_algorithm(desc_of(2048, 256, 18, 129)), conv2d_choice::either);
    EXPECT_EQ(choose_algorithm(desc_of(4096, 256, 6, 33)), conv2d_choice::product);  // 105 MB of weights
    const auto half_desc_of = [&](int in, int out, int rate, int side) {
        atrous_conv2d_desc desc = desc_of(in, out, rate, side);
        desc.type = ATROUS_BFLOAT16;
        return desc;
    };
    EXPECT_EQ(choose_algorithm(half_desc_of(304, 256, 1, 129)), conv2d_choice::either);
    EXPECT_EQ(choose_algorithm(half_desc_of(256, 256, 1, 33)),
              conv2d_choice::product);  // 6 times the memory, for few pixels
    EXPECT_EQ(choose_algorithm(half_desc_of(256, 256, 12, 65)),
              conv2d_choice::product);  // half of what float32 would save
}

// Handles of many filters keep no weights for the direct algorithm until a picture asks for it.
TEST_P(Winograd, RecoversTheFiltersForPicturesTooSmall) {
    const auto engine = make_engine(3);
    conv_case c{"small_and_deep",       2,    7,   4, 260, 257, 3, 3, 1, 4, 1, 4, 4, 4, 4, 0, 3,
                ATROUS_ACTIVATION_RELU, true, true};
    c.usual_height = c.usual_width = 33;
    const conv_data data(c);
    const sheet output = run_case(c, data, *engine);
    expect_matches_reference(c, data, output);
    for (const char* forced : {"winograd", "direct"}) {  // the filters as they were round differently
        const scoped_algorithm algorithm(forced);
        EXPECT_NE(run_case(c, data, *engine).storage(), output.storage()) << forced;
    }
}

struct error {
    double most = 0, mean_square = 0;
};

// Relative to the standard deviation of the outputs, for inputs and weights from -1 to 1.
error error_of(const char* name, int size, atrous_engine& engine) {
    const scoped_algorithm algorithm(name);
    constexpr int outputs = 29;
    const conv_case c{"deep", 1,     size, size, 2304, outputs, 3, 3, 1, 1, 1, 0, 0, 0, 0, 0, 0, ATROUS_ACTIVATION_NONE,
                      false,  false, false};
    const conv_data data(c);
    const sheet output = run_case(c, data, engine);
    const double deviation = std::sqrt(9.0 * c.in) / 3;
    error found;
    output.for_each([&](int n, int y, int x, int o) {
        const double off = (output.at(n, y, x, o) - reference_at(c, data, n, y, x, o).value) / deviation;
        found.most = std::max(found.most, std::abs(off));
        found.mean_square += off * off / (c.out_height() * c.out_width() * outputs);
    });
    return found;
}

// The bounds are about twice what was measured; 1e-4 is what the whole network may be off.
TEST_P(Winograd, RoundsLittleAtGreatDepth) {
    const auto engine = make_engine(2);
    for (int size : {12, 9}) {
        SCOPED_TRACE(size == 12 ? "tiles of 4" : "tiles of 3");
        const error direct = error_of("direct", size, *engine), winograd = error_of("winograd", size, *engine);
        EXPECT_LT(winograd.most, 5e-5);
        EXPECT_LT(winograd.mean_square, 1e-5 * 1e-5);
        EXPECT_LT(winograd.mean_square, 3 * 3 * direct.mean_square);
    }
}

ATROUS_EVERY_ISA(Winograd);

TEST(WinogradHandle, RefusesAnUnknownWay) {
    const scoped_algorithm algorithm("fft");
    atrous_engine engine(1, *available_kernels().back());
    const atrous_conv2d_desc desc{1, 1, 3, 3, 1, 1, 1, 1, 1, ATROUS_ACTIVATION_NONE, 0, ATROUS_FLOAT32, 1, 1, 0};
    const float weights[9] = {};
    atrous_conv2d* conv = nullptr;
    EXPECT_EQ(atrous_conv2d_create(&engine, &desc, weights, nullptr, nullptr, &conv), ATROUS_UNSUPPORTED);
    EXPECT_STREQ(atrous_last_error(), "ATROUS_CONV=fft is not known; use direct or winograd");
    EXPECT_EQ(conv, nullptr);
}

}  // namespace
}  // namespace atrous::tests
