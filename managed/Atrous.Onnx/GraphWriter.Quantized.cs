using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Tensors;

namespace Atrous.Onnx;

/// <content>
/// Values and convolutions of 8 bits. A value of bytes is written as QuantizeLinear and DequantizeLinear, whose output
/// has the value's name; runtimes turn an operation between two such pairs into one of bytes.
/// </content>
internal sealed partial class GraphWriter
{
    private readonly Dictionary<Value, string> _elements = [];

    /// <summary>The values that are read by operations of bytes.</summary>
    private HashSet<Value> ReadInBytes =>
        field ??= [.. _network.Graph.Nodes.Where(node => !IsConversion(node)).SelectMany(node => node.Inputs)];

    private static bool IsInBytes(Value value) => value.Type == DType.UInt8;

    private static bool IsConversion(Node node) =>
        node.Op is Activate { Activation.Kind: ActivationKind.None } && node.Inputs[0].Type != node.Output.Type;

    /// <summary>A value in the other type: the same numbers, rounded where it becomes bytes.</summary>
    private void Convert(Node node)
    {
        Value x = node.Inputs[0];
        if (IsInBytes(node.Output))
        {
            Round(node.Output, NameOf(x), Activation.None);
            return;
        }
        // A step for each channel, although all are alike: behind a single one onnxruntime rounds the weights of
        // float32 convolutions to 8 bits, with one step for all of them.
        var steps = new float[x.Shape.Channels];
        var zeros = new byte[x.Shape.Channels];
        Array.Fill(steps, x.Quantization.Step);
        Array.Fill(zeros, (byte)x.Quantization.Zero);
        Add("DequantizeLinear", NameOf(node.Output),
            [_elements[x], _constants.Vector("steps", steps), _constants.Bytes("zeros", zeros)],
            Nodes.Integer("axis", 1));
    }

    /// <summary>What a node writes: the value itself, or what it is rounded from.</summary>
    private string Unrounded(Value value) =>
        IsInBytes(value) ? _names.Claim($"{NameOf(value)}.unrounded") : NameOf(value);

    /// <summary>Ends a value of bytes; others are ready already.</summary>
    private void End(Value value, string unrounded, Activation limit)
    {
        if (IsInBytes(value))
            Round(value, unrounded, limit);
    }

    private void Round(Value value, string unrounded, Activation limit)
    {
        (float step, int zero) = value.Quantization;
        string name = NameOf(value), stepName = _constants.Scalar("step", step),
            zeroName = _constants.Element("zero", zero);
        string bytes = Step(name, "bytes", "QuantizeLinear", [unrounded, stepName, zeroName]);
        // A limit at the end of the elements costs nothing; another one is a limit of the elements.
        int least = limit.Kind == ActivationKind.None ? 0 : zero;
        int most = limit.Kind == ActivationKind.Relu6
            ? (int)MathF.Min(Quantization.Largest, MathF.Round(6 / step + zero)) : Quantization.Largest;
        if (least > 0 || most < Quantization.Largest)
        {
            bytes = Step(name, "held", "Clip",
                [bytes, _constants.Element("least", least), _constants.Element("most", most)]);
        }
        _elements.Add(value, bytes);
        if (ReadInBytes.Contains(value))
            Add("DequantizeLinear", name, [bytes, stepName, zeroName]);
    }

    /// <summary>A convolution's weights, and its bias where it has one, for an input of float32 or of bytes.</summary>
    private string[] Parameters(Conv2d conv, Value input, string layer)
    {
        if (!IsInBytes(input))
        {
            string kernel = _constants.Kernel(conv, layer);
            return conv.Bias is null ? [kernel] : [kernel, _constants.Vector($"{layer}.bias", conv.Bias)];
        }
        QuantizedKernel kernelOfBytes = QuantizedKernel.Of(conv.Kernel.ToArray(), conv.OutChannels, conv.Scale);
        if (conv.Bias is null)
            return [Weight(conv, kernelOfBytes, layer)];
        WholeBias bias = WholeBias.Of(kernelOfBytes, conv.Bias, input.Quantization.Step);
        string whole = Step(layer, "bias", "DequantizeLinear",
            [_constants.Whole($"{layer}.bias.whole", bias.Values), _constants.Vector($"{layer}.bias.step", bias.Steps)],
            Nodes.Integer("axis", 0));
        return [Weight(conv, bias.Kernel, layer), whole];
    }

    private string Weight(Conv2d conv, QuantizedKernel kernel, string layer) => Step(
        layer, "weight", "DequantizeLinear",
        [
            _constants.Kernel(conv.Kernel, kernel, layer), _constants.Vector($"{layer}.weight.step", kernel.Steps),
            _constants.Bytes("middle", new sbyte[conv.OutChannels]),
        ],
        Nodes.Integer("axis", 0));
}
