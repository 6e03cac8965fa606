using Atrous.Graph.Ops;
using Atrous.Tensors;

namespace Atrous.Tests.Backends;

/// <summary>The part of <see cref="OpCases"/> that transformers' operations are.</summary>
public static class AttentionCases
{
    public static IReadOnlyList<OpCase> All { get; } =
    [
        Norm("layer_norm", new(2, 5, 6, 64), false, "two pictures"),
        Norm("layer_norm_tails", new(1, 4, 5, 37), false, "channels that fill no vector"),
        Norm("layer_norm_narrow", new(1, 3, 4, 2), false, "fewer channels than a vector"),
        Norm("layer_norm_shifted", new(1, 4, 5, 144), false, "a mean far from 0: a sum of squares alone cancels", 30),
        Norm("picture_norm", new(2, 6, 7, 24), true, "MobileViTV2's group norm, two pictures"),
        Norm("picture_norm_wide", new(1, 33, 35, 5), true, "more pixels than a block's threads"),
        Norm("picture_norm_pixel", new(1, 1, 1, 19), true, "one pixel"),
        Response("global_response", new(2, 5, 7, 40), "ConvNeXtV2, two pictures"),
        Response("global_response_tails", new(1, 33, 17, 37), "channels that fill no vector, more pixels than a run"),
        Response("global_response_pixel", new(1, 1, 1, 3), "one pixel"),
        Response("global_response_large", new(1, 9, 8, 300), "squares that 16 bits do not hold", 90),
        new("attention", new Attention(1, 0.25f), [new(1, 3, 5, 16), new(1, 3, 5, 16), new(1, 3, 5, 16)],
            "one head, one sequence"),
        new("attention_patches", new Attention(4, 1f / 3, 2), [new(1, 4, 6, 36), new(1, 4, 6, 36), new(1, 4, 6, 36)],
            "MobileViT: four sequences, heads that fill no vector"),
        new("attention_reduced", new Attention(2, 1 / MathF.Sqrt(32)), [new(2, 6, 5, 64), new(2, 3, 2, 128)],
            "MiT: keys and values of fewer pixels, in one value"),
        new("attention_fused", new Attention(4, 1 / MathF.Sqrt(12), 2), [new(1, 6, 8, 144)],
            "queries, keys and values in one value"),
        new("attention_many", new Attention(1, 0.3f), [new(1, 13, 11, 40), new(1, 13, 11, 40), new(1, 13, 11, 40)],
            "more queries than a block, a head wider than a thread's part"),
        new("attention_parts", new Attention(2, 0.4f), [new(1, 4, 5, 12), new(1, 33, 34, 24)],
            "more keys than are in memory at once", 4),
        new("attention_pixel", new Attention(2, 1), [new(1, 1, 1, 6), new(1, 1, 1, 6), new(1, 1, 1, 6)], "one pixel"),
        new("attention_far", new Attention(1, 1), [new(1, 3, 4, 8), new(1, 3, 4, 8), new(1, 3, 4, 8)],
            "exp overflows unless the maximum is taken off", 60),
        new("linear_attention", new LinearAttention(2), [new(2, 4, 6, 129)], "MobileViTV2: four sequences", 4),
        new("linear_attention_whole", new LinearAttention(1), [new(1, 5, 3, 25)], "one sequence", 4),
        new("linear_attention_far", new LinearAttention(2), [new(1, 20, 16, 7)],
            "more pixels than a block, and exp overflows unless the maximum is taken off", 200),
    ];

    private static OpCase Response(string name, Shape shape, string why, float shift = 0) => new(
        name, new GlobalResponse(OpCase.Numbers($"{name}.scale", shape.Channels, 1), 1e-6), [shape], why, Shift: shift);

    private static OpCase Norm(string name, Shape shape, bool wholePicture, string why, float shift = 0) => new(
        name,
        new LayerNorm(
            OpCase.Numbers($"{name}.scale", shape.Channels, 0.5, 1), OpCase.Numbers($"{name}.shift", shape.Channels, 1),
            1e-5, wholePicture),
        [shape], why, Shift: shift);
}
