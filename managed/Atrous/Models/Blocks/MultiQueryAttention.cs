using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Models.Blocks;

/// <summary>
/// MobileNetV4's attention, Qin et al. 2024 (arXiv:2404.10518), section 4: every head has queries of its own, and all
/// have the same keys and values. Layers: .norm, .query, .key.down, .key, .value.down, .value, .project.
/// </summary>
internal static class MultiQueryAttention
{
    private const int SideStride = 2;

    public static Value Build(MultiQuery spec, Layers layers, Value x, string name, int dilation)
    {
        x = layers.Norm(x, $"{name}.norm", Activation.None);
        Value queries = Linear(x, "query", null);
        int channels = queries.Shape.Channels / spec.Heads;
        Value keys = Side("key"), values = Side("value");
        var attention = new Attention(1, (float)(1 / Math.Sqrt(channels)));
        Value[] heads =
        [
            .. Enumerable.Range(0, spec.Heads).Select(head => layers.Graph.Add(
                $"{name}.attention{head}", attention,
                layers.Slice(queries, $"{name}.queries{head}", head * channels, channels), keys, values)),
        ];
        return Linear(layers.Concat($"{name}.heads", heads), "project", null);

        Value Side(string part)
        {
            Value y = spec.Kernel == 0
                ? x
                : layers.Depthwise(x, $"{name}.{part}.down", spec.Kernel, Activation.None, SideStride, dilation);
            return Linear(y, part, channels);
        }

        Value Linear(Value y, string part, int? outputs) =>
            layers.Convolution(y, $"{name}.{part}", 1, Activation.None, norm: false, outputs: outputs);
    }
}
