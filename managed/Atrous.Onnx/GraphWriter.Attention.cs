using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Onnx.Format;

namespace Atrous.Onnx;

/// <content>
/// Norms and attention, which operator set 17 has in parts: tokens are the last axis, [N, heads, channels, pixels].
/// </content>
internal sealed partial class GraphWriter
{
    private void WriteNorm(LayerNorm norm, string x, string y)
    {
        if (norm.WholePicture)
        {
            // As one channel that holds the picture; then each channel's own factors.
            string flat = Step(y, "flat", "Reshape", [x, _constants.Integers("whole", 0, 1, -1)]);
            string alike = Step(y, "alike", "InstanceNormalization",
                [flat, _constants.Vector("one", [1]), _constants.Vector("none", [0])],
                Nodes.Number("epsilon", (float)norm.Epsilon));
            string picture = Step(y, "picture", "Reshape", [alike, Step(y, "shape", "Shape", [x])]);
            Norm(new BatchNorm(norm.Scale, norm.Shift, Activation.None), picture, y);
            return;
        }
        string last = Step(y, "last", "Transpose", [x], Nodes.Integers("perm", 0, 2, 3, 1));
        string normed = Step(y, "normed", "LayerNormalization",
            [last, _constants.Vector($"{y}.scale", norm.Scale), _constants.Vector($"{y}.shift", norm.Shift)],
            Nodes.Integer("axis", -1), Nodes.Number("epsilon", (float)norm.Epsilon));
        Add("Transpose", y, [normed], Nodes.Integers("perm", 0, 3, 1, 2));
    }

    private void WriteResponse(GlobalResponse response, string x, string y)
    {
        string norms = Reduced(y, "norms", "ReduceL2", x, 2, 3), mean = Reduced(y, "mean", "ReduceMean", norms, 1);
        string divisor = Step(y, "divisor", "Add", [mean, _constants.Scalar("epsilon", (float)response.Epsilon)]);
        string shares = Step(y, "shares", "Div", [norms, divisor]);
        Norm(new BatchNorm(response.Scale, Ones(response.Scale.Length), Activation.None), shares, y);
    }

    /// <summary>From operator set 18 on the axes are an input.</summary>
    private string Reduced(string layer, string part, string type, string x, params long[] axes) => _operators < 18
        ? Step(layer, part, type, [x], Nodes.Integers("axes", axes), Nodes.Integer("keepdims", 1))
        : Step(layer, part, type, [x, _constants.Integers("axes", axes)], Nodes.Integer("keepdims", 1));

    private static float[] Ones(int count)
    {
        var ones = new float[count];
        Array.Fill(ones, 1);
        return ones;
    }

    private void WriteAttention(Attention attention, IReadOnlyList<Value> inputs, string[] names, string y)
    {
        int channels = attention.OutputShape([.. inputs.Select(input => input.Shape)]).Channels;
        int depth = channels / attention.Heads, places = attention.Patch * attention.Patch;
        string[] parts = names.Length switch
        {
            1 => Split(names[0], y, axis: 1, [channels, channels, channels]),
            2 => [names[0], .. Split(names[1], y, axis: 1, [channels, channels])],
            _ => names,
        };
        // The places of a patch become heads of their own.
        string[] patches = [.. parts.Select((part, i) => Patches(part, attention.Patch, $"{y}.{"qkv"[i]}"))];
        string heads = _constants.Integers("heads", 0, places * attention.Heads, depth, -1);
        string[] tokens = [.. patches.Select((part, i) => Step(y, $"{"qkv"[i]}.heads", "Reshape", [part, heads]))];
        string queries = Step(y, "queries", "Transpose", [tokens[0]], Nodes.Integers("perm", 0, 1, 3, 2));
        string scaled = Step(y, "scaled", "Mul", [queries, _constants.Vector("scale", [attention.Scale])]);
        string scores = Step(y, "scores", "MatMul", [scaled, tokens[1]]);
        string weights = Step(y, "weights", "Softmax", [scores], Nodes.Integer("axis", -1));
        string values = Step(y, "values", "Transpose", [tokens[2]], Nodes.Integers("perm", 0, 1, 3, 2));
        string mixed = Step(y, "mixed", "MatMul", [weights, values]);
        string turned = Step(y, "turned", "Transpose", [mixed], Nodes.Integers("perm", 0, 1, 3, 2));
        string shape = Step(y, "shape", "Shape", [patches[0]]);
        if (attention.Patch == 1)
        {
            Add("Reshape", y, [turned, shape]);
            return;
        }
        Pictures(Step(y, "patches", "Reshape", [turned, shape]), attention.Patch, y);
    }

    private void WriteSoftmax(Softmax softmax, string x, string y)
    {
        if (softmax.Slices == 1)
        {
            Add("Softmax", y, [x], Nodes.Integer("axis", 1));
            return;
        }
        // [N, C, H, W] as [N, slices, C / slices * H * W]: in a slice everything is by itself.
        string slices = Step(y, "slices", "Reshape", [x, _constants.Integers("among", 0, softmax.Slices, -1)]);
        string shares = Step(y, "shares", "Softmax", [slices], Nodes.Integer("axis", 1));
        Add("Reshape", y, [shares, Step(y, "shape", "Shape", [x])]);
    }

    private void WriteAttention(LinearAttention attention, int channels, string x, string y)
    {
        int places = attention.Patch * attention.Patch;
        string patches = Patches(x, attention.Patch, y);
        string tokens = Step(y, "tokens", "Reshape",
            [patches, _constants.Integers("sequences", 0, places, 1 + 2 * channels, -1)]);
        string[] parts = Split(tokens, y, axis: 2, [1, channels, channels]);
        string weights = Step(y, "weights", "Softmax", [parts[0]], Nodes.Integer("axis", -1));
        string weighted = Step(y, "weighted", "Mul", [weights, parts[1]]);
        string context = Step(y, "context", "ReduceSum",
            [weighted, _constants.Integers("tokens", -1)], Nodes.Integer("keepdims", 1));
        string values = Step(y, "values", "Relu", [parts[2]]);
        string mixed = Step(y, "mixed", "Mul", [values, context]);
        string extent = Step(y, "extent", "Shape", [patches], Nodes.Integer("start", 2));
        string shape = Step(y, "shape", "Concat",
            [_constants.Integers("depth", 0, places * channels), extent], Nodes.Integer("axis", 0));
        string picture = Step(y, "picture", "Reshape", [mixed, shape]);
        if (attention.Patch == 1)
            Add("Identity", y, [picture]);
        else
            Pictures(picture, attention.Patch, y);
    }

    /// <summary>The places of a patch as channels: [N, places * C, H / patch, W / patch].</summary>
    private string Patches(string x, int patch, string layer) =>
        patch == 1 ? x : Step(layer, "places", "SpaceToDepth", [x], Nodes.Integer("blocksize", patch));

    private void Pictures(string patches, int patch, string y) =>
        Add("DepthToSpace", y, [patches], Nodes.Integer("blocksize", patch), Nodes.Text("mode", "DCR"));

    private string[] Split(string x, string layer, int axis, int[] sizes)
    {
        string[] parts = [.. sizes.Select((_, i) => _names.Claim($"{layer}.part{i}"))];
        NodeProto node = Nodes.Of(
            "Split", parts[0], [x, _constants.Integers("parts", [.. sizes.Select(size => (long)size)])],
            Nodes.Integer("axis", axis));
        node.Output.AddRange(parts.Skip(1));
        _graph.Node.Add(node);
        return parts;
    }

    /// <summary>A node inside a layer; returns its output.</summary>
    private string Step(
        string layer, string part, string type, IEnumerable<string> inputs, params AttributeProto[] attributes)
    {
        string name = _names.Claim($"{layer}.{part}");
        Add(type, name, inputs, attributes);
        return name;
    }
}
