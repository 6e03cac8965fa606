using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Tensors;

namespace Atrous.Tests.Backends;

/// <summary>
/// The one list of operation cases, run on every backend. Small shapes with a reason each; names are seeds, and the
/// numbers that torch gives for most of them are in tests/goldens/ops.json (made by make_ops.py there).
/// </summary>
public static class OpCases
{
    // Before the list that is built from it.
    private static readonly Activation[] Activations =
    [
        Activation.Relu, Activation.Relu6, Activation.LeakyRelu(0.01f), Activation.HardSwish, Activation.HardSigmoid,
        Activation.Sigmoid, Activation.Silu, Activation.Gelu,
    ];

    public static IReadOnlyList<OpCase> All { get; } =
        [
        .. Convolutions(), .. Depthwise(), .. Pools(), .. Resizes(), .. Pointwise(), .. AttentionCases.All,
        .. Movement(), .. Labels(),
    ];

    public static OpCase Find(string name) => All.Single(test => test.Name == name);

    private static IEnumerable<OpCase> Convolutions()
    {
        yield return Conv("conv_1x1", new(1, 7, 9, 5), 7, 1, why: "a matrix product with tails everywhere");
        yield return Conv("conv_1x1_wide", new(1, 3, 5, 64), 48, 1, why: "whole vectors only");
        yield return Conv("conv_1x1_many", new(1, 13, 11, 24), 130, 1, why: "more outputs than one panel");
        yield return Conv(
            "conv_1x1_stride2", new(1, 8, 7, 16), 24, 1, stride: 2, why: "skips pixels (a ResNet shortcut)");
        yield return Conv("conv_1x1_picture", new(1, 1, 1, 320), 64, 1, bias: true, why: "one pixel (image pooling)");
        yield return Conv("conv_3x3", new(1, 9, 11, 8), 16, 3, pad: 1, why: "the plain case");
        yield return Conv("conv_3x3_stride2", new(1, 9, 12, 8), 16, 3, stride: 2, pad: 1, why: "odd and even sizes");
        yield return Conv("conv_3x3_unpadded", new(1, 6, 5, 4), 4, 3, why: "windows that stay inside");
        yield return Conv(
            "conv_3x3_tails", new(1, 5, 7, 31), 33, 3, pad: 1, why: "one less and one more than a vector");
        yield return Conv("conv_3x3_one_in", new(1, 6, 7, 1), 8, 3, pad: 1, why: "a single input channel");
        yield return Conv("conv_3x3_one_out", new(1, 6, 7, 8), 1, 3, pad: 1, why: "a single output channel");
        yield return Conv("conv_3x3_deep", new(1, 5, 5, 256), 20, 3, pad: 1, why: "long sums");
        yield return Conv("conv_3x3_batch", new(3, 5, 6, 6), 10, 3, pad: 1, why: "more than one picture");
        yield return Conv("conv_3x3_line", new(1, 1, 200, 4), 8, 3, pad: 1, why: "a picture of one row");
        yield return Conv("conv_3x3_column", new(1, 200, 1, 4), 8, 3, pad: 1, why: "a picture of one column");
        yield return Conv("conv_3x3_atrous6", new(1, 17, 13, 8), 12, 3, pad: 6, dilation: 6, why: "ASPP");
        yield return Conv(
            "conv_3x3_atrous2_stride2", new(1, 12, 13, 6), 9, 3, stride: 2, pad: 2, dilation: 2, why: "both at once");
        yield return Conv("conv_3x3_atrous_beyond", new(1, 7, 9, 16), 12, 3, pad: 18, dilation: 18,
            why: "only the centre tap sees the picture");
        yield return Conv(
            "conv_3x3_atrous_edge", new(1, 7, 9, 8), 8, 3, pad: 6, dilation: 6, why: "outer taps see only corners");
        yield return Conv(
            "conv_3x3_atrous_pixel", new(1, 1, 1, 8), 8, 3, pad: 12, dilation: 12, why: "atrous on one pixel");
        yield return Conv("conv_5x5", new(1, 9, 8, 6), 8, 5, pad: 2, why: "a larger window");
        yield return Conv("conv_7x7_stem", new(1, 21, 23, 3), 64, 7, stride: 2, pad: 3, why: "the stem of ResNet");
        yield return Conv("conv_4x4", new(1, 8, 9, 5), 6, 4, pad: 1, why: "an even window");
        yield return Conv("conv_classes", new(1, 9, 9, 32), 5, 1, bias: true, why: "a classifier with few classes");
        yield return Conv("conv_groups", new(1, 6, 7, 16), 24, 3, pad: 1, groups: 4, why: "groups (ResNeXt)");
        yield return Conv(
            "conv_groups_tails", new(1, 5, 6, 9), 15, 3, pad: 1, groups: 3, why: "groups that fill no vector");
        yield return Conv("conv_same", new(1, 8, 10, 4), 8, 3, stride: 2, padding: Padding.Same(8, 10, 3, 2, 1),
            why: "TensorFlow pads only at the end");
        yield return Conv(
            "conv_lopsided", new(1, 6, 7, 5), 6, 3, padding: new(2, 1, 0, 3), why: "four different paddings");
        yield return Conv("conv_far_padding", new(1, 3, 4, 4), 4, 3, padding: Padding.Symmetric(4),
            why: "windows that see no picture at all");
        yield return Conv("conv_bias", new(1, 4, 5, 6), 10, 3, pad: 1, bias: true, why: "bias alone");
        yield return Conv(
            "conv_folded", new(1, 4, 5, 6), 10, 3, pad: 1, bias: true, scale: true, why: "a folded batch norm");
        yield return Conv("conv_residual", new(1, 5, 6, 12), 20, 1, bias: true, scale: true, residual: true,
            activation: Activation.Relu, why: "the end of a bottleneck");
        yield return Conv("conv_residual_3x3", new(1, 5, 6, 12), 12, 3, pad: 1, residual: true,
            activation: Activation.Relu, why: "the end of a basic block");
        foreach (Activation activation in Activations)
            yield return Conv($"conv_{activation.Kind}", new(1, 4, 6, 7), 11, 1, bias: true, activation: activation,
                why: "fused activation", range: 8);
    }

    private static IEnumerable<OpCase> Depthwise()
    {
        yield return Each("depthwise_3x3", new(1, 8, 9, 16), 3, pad: 1, why: "the plain case");
        yield return Each("depthwise_tails", new(1, 6, 7, 19), 3, pad: 1, why: "channels that fill no vector");
        yield return Each("depthwise_stride2", new(1, 9, 10, 24), 3, stride: 2, pad: 1, why: "down-sampling");
        yield return Each("depthwise_5x5", new(1, 7, 8, 12), 5, pad: 2, why: "MobileNetV3");
        yield return Each("depthwise_5x5_stride2", new(1, 9, 8, 12), 5, stride: 2, pad: 2, why: "MobileNetV3");
        yield return Each(
            "depthwise_atrous", new(1, 14, 11, 16), 3, pad: 4, dilation: 4, why: "separable atrous convolution");
        yield return Each("depthwise_atrous_beyond", new(1, 6, 7, 16), 3, pad: 12, dilation: 12,
            why: "only the centre tap sees the picture");
        yield return Each(
            "depthwise_5x5_atrous", new(1, 9, 9, 8), 5, pad: 4, dilation: 2, why: "MobileNetV3 at output stride 16");
        yield return Each("depthwise_same", new(1, 8, 8, 8), 3, stride: 2, padding: Padding.Same(8, 8, 3, 2, 1),
            why: "TensorFlow's padding");
        yield return Each("depthwise_pixel", new(1, 1, 1, 40), 3, pad: 1, why: "one pixel");
        yield return Each("depthwise_batch", new(2, 5, 6, 8), 3, pad: 1, why: "more than one picture");
        yield return Each("depthwise_folded", new(1, 6, 7, 20), 3, pad: 1, bias: true, scale: true,
            activation: Activation.Relu6, why: "MobileNetV2's middle");
        yield return Each("depthwise_residual", new(1, 6, 7, 12), 3, pad: 1, residual: true,
            activation: Activation.Relu, why: "a residual fuses into any convolution");
        yield return Conv("depthwise_multiplier", new(1, 6, 7, 6), 12, 3, pad: 1, groups: 6,
            why: "two outputs for each input channel");
    }

    private static IEnumerable<OpCase> Pools()
    {
        yield return new("max_pool", new MaxPool2d(3, 2, 1), [new(1, 9, 12, 6)], "the stem's pool");
        yield return new("max_pool_negative", new MaxPool2d(3, 2, 1), [new(1, 6, 6, 5)],
            "padding is not zero: all inputs lie below it", Shift: -3);
        yield return new("max_pool_ceil", new MaxPool2d(3, 2, 1, true), [new(1, 8, 11, 5)], "DeepLabV2 rounds up");
        yield return new(
            "max_pool_ceil_unpadded", new MaxPool2d(3, 2, 0, true), [new(1, 8, 10, 5)], "the last window hangs over");
        yield return new("max_pool_ceil_dropped", new MaxPool2d(2, 2, 1, true), [new(1, 5, 6, 4)],
            "a window that would start outside is dropped");
        yield return new("max_pool_2x2", new MaxPool2d(2, 2, 0), [new(2, 7, 6, 17)], "an odd row is left over");
        yield return new("max_pool_5x5", new MaxPool2d(5, 1, 2), [new(1, 6, 7, 8)], "overlapping windows");
        yield return new("max_pool_pixel", new MaxPool2d(3, 2, 1), [new(1, 1, 1, 9)], "one pixel");
        yield return new("average_pool", new AveragePool2d(2, 2, 2), [new(1, 9, 8, 12)], "DenseNet's transition");
        yield return new(
            "average_pool_overlapping", new AveragePool2d(3, 4, 1), [new(2, 6, 7, 5)], "a window that is not square");
        yield return new(
            "average_pool_window", new AveragePool2d(6, 8, 1), [new(1, 6, 8, 9)], "detectron2's image pooling");
        yield return new("average_pool_ceil", new AveragePool2d(2, 2, 2) { CeilMode = true }, [new(1, 9, 8, 12)],
            "only what lies in the picture counts (ResNet-D)");
        yield return new("average_pool_ceil_pixel", new AveragePool2d(2, 2, 2) { CeilMode = true }, [new(2, 1, 1, 5)],
            "a window that hangs over on both sides");
        yield return new("global_pool", new GlobalAveragePool(), [new(1, 7, 9, 33)], "ASPP's image pooling");
        yield return new(
            "global_pool_batch", new GlobalAveragePool(), [new(2, 33, 41, 8)], "many pixels, two pictures");
        yield return new("global_pool_pixel", new GlobalAveragePool(), [new(1, 1, 1, 16)], "one pixel");
    }

    private static IEnumerable<OpCase> Resizes()
    {
        foreach (Sampling sampling in Enum.GetValues<Sampling>())
        {
            yield return Resize($"resize_{sampling}_up", new(1, 7, 9, 8), 25, 33, sampling, "the usual fourfold");
            yield return Resize($"resize_{sampling}_uneven", new(1, 5, 8, 5), 13, 9, sampling,
                "no whole factor, channels that fill no vector");
            yield return Resize(
                $"resize_{sampling}_down", new(1, 13, 17, 7), 5, 6, sampling, "shrinking without antialiasing");
            yield return Resize(
                $"resize_{sampling}_from_pixel", new(1, 1, 1, 24), 5, 7, sampling, "image pooling comes back");
            yield return Resize(
                $"resize_{sampling}_to_pixel", new(1, 5, 7, 6), 1, 1, sampling, "align_corners divides by zero here");
            yield return Resize($"resize_{sampling}_same", new(1, 5, 6, 4), 5, 6, sampling, "nothing to do");
            yield return Resize($"resize_{sampling}_batch", new(2, 4, 5, 21), 9, 11, sampling, "two pictures");
            yield return Resize(
                $"resize_{sampling}_one_channel", new(1, 6, 5, 1), 23, 18, sampling, "a single channel");
        }
        yield return Resize(
            "resize_scale", new(1, 7, 9, 5), 55, 71, Sampling.HalfPixel, "the scale is not the sizes' ratio", 0.125f);
        yield return Resize(
            "resize_scale_down", new(1, 15, 11, 5), 11, 8, Sampling.HalfPixel, "DeepLabV2's 0.75 pyramid", 1 / 0.75f);
    }

    private static IEnumerable<OpCase> Pointwise()
    {
        Shape shape = new(2, 5, 7, 11);
        yield return new("batch_norm", Norm("batch_norm", 11, Activation.None), [shape], "unfolded");
        yield return new("batch_norm_relu", Norm("batch_norm_relu", 64, Activation.Relu), [new(1, 5, 5, 64)],
            "in front of a convolution");
        foreach (Activation activation in Activations)
            yield return new($"activate_{activation.Kind}", new Activate(activation), [shape], "alone", 8);
        yield return new("activate_far", new Activate(Activation.Sigmoid), [shape], "exp overflows", 400);
        yield return new("activate_far_silu", new Activate(Activation.Silu), [shape], "exp overflows", 400);
        foreach (BinaryKind kind in Enum.GetValues<BinaryKind>())
        {
            yield return new($"binary_{kind}", new Binary(kind, Activation.None), [shape, shape], "two pictures");
            yield return new(
                $"binary_{kind}_relu", new Binary(kind, Activation.Relu), [shape, shape], "with an activation");
            yield return new($"binary_{kind}_broadcast", new Binary(kind, Activation.None),
                [shape, shape with { Height = 1, Width = 1 }], "one value per channel of each picture");
        }
        yield return new("binary_gate", new Binary(BinaryKind.Multiply, Activation.HardSwish),
            [new(1, 6, 5, 72), new(1, 1, 1, 72)], "squeeze and excite", 3);
    }

    private static IEnumerable<OpCase> Movement()
    {
        yield return new("concat", new Concat(), [new(2, 4, 5, 7), new(2, 4, 5, 16), new(2, 4, 5, 1)],
            "channels that fill no vector");
        yield return new("concat_one", new Concat(), [new(1, 4, 5, 6)], "nothing to join");
        yield return new("slice", new SliceChannels(5, 6), [new(2, 4, 5, 17)], "from and to the middle of a vector");
        yield return new("slice_last", new SliceChannels(16, 16), [new(1, 3, 4, 32)], "whole vectors, up to the end");
        yield return new("crop", new Crop(2, 1, 4, 3), [new(2, 7, 6, 5)], "a window inside");
        yield return new("mirror", new MirrorPad(1), [new(2, 7, 6, 5)], "a border of one, two pictures");
        yield return new("mirror_wide", new MirrorPad(3), [new(1, 4, 5, 9)], "as wide as the picture allows");
        yield return new("crop_all", new Crop(0, 0, 4, 5), [new(1, 4, 5, 9)], "a plain copy");
    }

    private static IEnumerable<OpCase> Labels()
    {
        yield return new("softmax", new Softmax(), [new(2, 4, 5, 5)], "few classes", 5);
        yield return new("softmax_many", new Softmax(), [new(1, 4, 5, 150)], "ADE20K", 5);
        yield return new(
            "softmax_far", new Softmax(), [new(1, 4, 5, 21)], "exp overflows unless the maximum is taken off", 2000);
        yield return new(
            "softmax_slices", new Softmax { Slices = 4 }, [new(2, 1, 1, 4 * 24)], "ResNeSt's shares of four splits", 5);
        yield return new(
            "softmax_slices_tails", new Softmax { Slices = 2 }, [new(2, 3, 4, 2 * 37)], "slices that fill no vector", 5);
        yield return new(
            "softmax_slices_far", new Softmax { Slices = 3 }, [new(1, 2, 3, 3 * 5)],
            "exp overflows unless the maximum is taken off", 2000);
        yield return new("argmax", new Argmax(), [new(2, 9, 11, 21)], "no ties");
        yield return new("argmax_ties", new Argmax(), [new(1, 16, 17, 19)], "the lowest index wins", 2, true);
        yield return new("argmax_one_class", new Argmax(), [new(1, 3, 4, 1)], "a single class");
        yield return new("argmax_many", new Argmax(), [new(1, 5, 5, 300)], "labels above 255");
        yield return new("confidence", new Confidence(), [new(2, 5, 6, 21)], "the winner's probability", 4);
        yield return new("confidence_ties", new Confidence(), [new(1, 7, 6, 5)], "many winners", 2, true);
        yield return new("labels_with_confidence", new LabelsWithConfidence(), [new(2, 5, 6, 21)], "two outputs", 4);
        yield return new(
            "labels_with_confidence_upsample", new LabelsWithConfidence(new(25, 33, Sampling.AlignCorners)),
            [new(1, 7, 9, 19)],
            "two outputs that never hold the full-size logits", 4);
        yield return new("confidence_far", new Confidence(), [new(1, 5, 6, 5)],
            "exp overflows unless the maximum is taken off", 2000);
        foreach (Sampling sampling in Enum.GetValues<Sampling>())
        {
            yield return new($"argmax_{sampling}", new Argmax(new(25, 33, sampling)), [new(1, 7, 9, 19)],
                "never holds the full-size logits");
            yield return new($"confidence_{sampling}", new Confidence(new(25, 33, sampling)), [new(1, 7, 9, 19)],
                "never holds the full-size logits", 4);
        }
        yield return new("argmax_upsample_ties", new Argmax(new(16, 20, Sampling.HalfPixel)), [new(2, 4, 5, 5)],
            "equal logits stay equal", 1, true);
        yield return new("argmax_upsample_same", new Argmax(new(6, 5, Sampling.AlignCorners)), [new(1, 6, 5, 7)],
            "the size is there already");
        yield return new("argmax_upsample_scale", new Argmax(new(55, 71, Sampling.HalfPixel, 0.125f)),
            [new(1, 7, 9, 5)], "the scale is not the sizes' ratio");
    }

    private static OpCase Each(
        string name, Shape shape, int kernel, string why, int stride = 1, int pad = 0, int dilation = 1,
        Padding? padding = null, bool bias = false, bool scale = false, bool residual = false,
            Activation activation = default) =>
        Conv(name, shape, shape.Channels, kernel, why, stride, pad, dilation, shape.Channels, padding, bias, scale,
            residual, activation);

    private static OpCase Conv(
        string name, Shape shape, int outputs, int kernel, string why, int stride = 1, int pad = 0, int dilation = 1,
        int groups = 1, Padding? padding = null, bool bias = false, bool scale = false, bool residual = false,
        Activation activation = default, float range = 2)
    {
        var op = new Conv2d(
            OpCase.Weight($"{name}.weight", outputs, shape.Channels / groups, kernel, kernel),
            scale ? OpCase.Numbers($"{name}.scale", outputs, 0.5, 1) : null,
            bias ? OpCase.Numbers($"{name}.bias", outputs, 1) : null,
            stride,
            dilation,
            padding ?? Padding.Symmetric(pad),
            groups,
            activation);
        return new OpCase(name, op, residual ? [shape, op.OutputShape([shape])] : [shape], why, range);
    }

    private static OpCase Resize(
        string name, Shape shape, int height, int width, Sampling sampling, string why, float scale = 0) =>
        new(name, new ResizeBilinear(height, width, sampling, scale), [shape], why);

    private static BatchNorm Norm(string name, int channels, Activation activation) =>
        new(OpCase.Numbers($"{name}.scale", channels, 0.5, 1), OpCase.Numbers($"{name}.shift", channels, 1),
        activation);
}
