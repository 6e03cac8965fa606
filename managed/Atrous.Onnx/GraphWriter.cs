using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Onnx.Format;
using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Onnx;

/// <summary>
/// Writes a network's nodes as ONNX operators (operator set 17, or 18): NHWC becomes NCHW, every value keeps its
/// layer's name.
/// </summary>
internal sealed partial class GraphWriter
{
    /// <summary>Names of the graph's input, normalised or as pixels, and of its outputs.</summary>
    public const string Input = "input", Pixels = "pixels", Logits = "logits", Output = "output";

    private readonly TracedNetwork _network;
    private readonly object _batch;
    private readonly int _operators;
    private readonly GraphProto _graph = new() { Name = "network" };
    private readonly UniqueNames _names = new();
    private readonly Initializers _constants;
    private readonly Dictionary<Value, string> _values = [];

    private GraphWriter(TracedNetwork network, int? batch, int operators)
    {
        (_network, _operators) = (network, operators);
        _batch = batch is { } fixedBatch ? fixedBatch : "batch";
        _constants = new Initializers(_graph, _names);
    }

    /// <summary>The whole graph, weights included.</summary>
    /// <param name="network">At one size or at any.</param>
    /// <param name="batch">Pictures per run; null for any number.</param>
    /// <param name="operators">The number of the operator set.</param>
    /// <param name="pixels">How bytes are normalised, where the input is to be bytes; null otherwise.</param>
    /// <exception cref="ModelException">The file ends early, or was changed since it was opened.</exception>
    public static GraphProto Write(TracedNetwork network, int? batch, int operators, PreprocessingSpec? pixels = null)
    {
        var writer = new GraphWriter(network, batch, operators);
        writer.WriteAll(pixels);
        return writer._graph;
    }

    /// <summary>The same for pictures of any size, which the file resizes by the model's rule.</summary>
    /// <param name="network">At one size or at any; its one output are the scores that are resized.</param>
    /// <param name="batch">Pictures per run; null for any number.</param>
    /// <param name="operators">The number of the operator set, 18 or more.</param>
    /// <param name="model">How pictures become the network's input, and scores those of the picture.</param>
    /// <exception cref="ModelException">The file ends early, or was changed since it was opened.</exception>
    public static GraphProto WritePictures(
        TracedNetwork network, int? batch, int operators, ModelDescription model)
    {
        var writer = new GraphWriter(network, batch, operators);
        Value image = network.Graph.Inputs[0], scores = network.Graph.Outputs[0];
        writer._values.Add(image, writer._names.Claim(Input));
        writer._names.Claim(Output);
        writer._graph.Input.Add(Nodes.Tensor(
            Initializers.Byte, Pixels, writer._batch, PictureHeight, PictureWidth, image.Shape.Channels));
        writer.Prepare(model.Preprocessing, resizes: true);
        writer.WriteNodes();
        writer.Finish(writer.NameOf(scores), model.Network, scores.Shape.Channels);
        return writer._graph;
    }

    private void WriteAll(PreprocessingSpec? pixels)
    {
        Value image = _network.Graph.Inputs[0];
        _values.Add(image, _names.Claim(Input));
        Value output = Computed(_network.Graph.Outputs[^1]), logits = Computed(_network.Graph.Outputs[0]);
        _values.Add(output, _names.Claim(Output));
        if (logits != output)
            _values.Add(logits, _names.Claim(Logits));
        bool isFixed = _network.IsFixed;
        object height = isFixed ? image.Shape.Height : "height", width = isFixed ? image.Shape.Width : "width";
        if (pixels is null)
        {
            _graph.Input.Add(Nodes.Tensor(Initializers.Float32, Input, _batch, image.Shape.Channels, height, width));
        }
        else
        {
            _graph.Input.Add(Nodes.Tensor(Initializers.Byte, Pixels, _batch, height, width, image.Shape.Channels));
            Prepare(pixels, resizes: false);
        }
        WriteNodes();
        if (logits != output)
        {
            _graph.Output.Add(Nodes.Tensor(
                Initializers.Float32, Logits, _batch, logits.Shape.Channels,
                isFixed ? logits.Shape.Height : "logits_height", isFixed ? logits.Shape.Width : "logits_width"));
        }
        _graph.Output.Add(Nodes.Tensor(
            Initializers.Float32, Output, _batch, output.Shape.Channels, isFixed ? output.Shape.Height : "height",
            isFixed ? output.Shape.Width : "width"));
    }

    private void WriteNodes()
    {
        for (int i = 0; i < _network.Graph.Nodes.Count; i++)
            Write(_network.Graph.Nodes[i], i);
    }

    /// <summary>The value itself, or the one that it is a resize to the same size of.</summary>
    private Value Computed(Value value)
    {
        for (int i = _network.Graph.Nodes.Count - 1; i >= 0; i--)
        {
            if (_network.Graph.Nodes[i] is { Op: ResizeBilinear } node && node.Output == value
                && _network.PlanResize(i) is ResizePlan.Nothing)
                value = node.Inputs[0];
        }
        return value;
    }

    private void Write(Node node, int index)
    {
        if (node.Op is ResizeBilinear resize)
        {
            Resize(node, resize, _network.PlanResize(index)!);
            return;
        }
        if (IsConversion(node))
        {
            Convert(node);
            return;
        }
        string name = Unrounded(node.Output);
        Activation activation = node.Op is IActivated activated ? activated.Activation : Activation.None;
        Activation limit = Activation.None;
        if (IsInBytes(node.Output) && activation.IsLimit && node.Op is not Activate)
            (activation, limit) = (limit, activation);
        string linear = node.Op is not Activate && activation.Kind != ActivationKind.None
            ? _names.Claim($"{name}.linear") : name;
        string[] inputs = [.. node.Inputs.Select(NameOf)];
        switch (node.Op)
        {
            case Conv2d conv when inputs.Length == 1:
                Convolution(conv, node, inputs[0], linear, _network.IsPaddedSame(index));
                break;
            case BatchNorm norm:
                Norm(norm, inputs[0], linear);
                break;
            case Activate:
                linear = inputs[0];
                break;
            case Binary binary:
                Add(binary.Kind switch { BinaryKind.Add => "Add", BinaryKind.Multiply => "Mul", _ => "Max" }, linear,
                    inputs);
                break;
            case Concat:
                Add("Concat", linear, inputs, Nodes.Integer("axis", 1));
                break;
            case MaxPool2d pool:
                Add("MaxPool", linear, inputs, Nodes.Integers("kernel_shape", pool.Kernel, pool.Kernel),
                    Nodes.Integers("strides", pool.Stride, pool.Stride),
                    Nodes.Integers("pads", pool.Padding, pool.Padding, pool.Padding, pool.Padding),
                    Nodes.Integer("ceil_mode", pool.CeilMode ? 1 : 0));
                break;
            case AveragePool2d pool:
                Add("AveragePool", linear, inputs, Nodes.Integers("kernel_shape", pool.KernelHeight, pool.KernelWidth),
                    Nodes.Integers("strides", pool.Stride, pool.Stride),
                    Nodes.Integer("ceil_mode", pool.CeilMode ? 1 : 0));
                break;
            case SliceChannels slice:
                Add("Slice", linear,
                    [inputs[0], _constants.Integers("first", slice.First),
                        _constants.Integers("end", slice.First + slice.Channels), _constants.Integers("channels", 1)]);
                break;
            case GlobalAveragePool:
                Add("GlobalAveragePool", linear, inputs);
                break;
            case GlobalResponse response:
                WriteResponse(response, inputs[0], linear);
                break;
            case LayerNorm layer:
                WriteNorm(layer, inputs[0], linear);
                break;
            case Attention attention:
                WriteAttention(attention, node.Inputs, inputs, linear);
                break;
            case LinearAttention attention:
                WriteAttention(attention, node.Output.Shape.Channels, inputs[0], linear);
                break;
            case Crop crop:
                Add("Slice", linear,
                    [inputs[0], _constants.Integers("from", crop.Top, crop.Left),
                        _constants.Integers("to", crop.Top + crop.Height, crop.Left + crop.Width),
                        _constants.Integers("plane", 2, 3)]);
                break;
            case MirrorPad pad:
                int[] end = [0, 0, pad.Border, pad.Border];
                Add("Pad", linear, [inputs[0], _constants.Integers("border", [.. end, .. end])],
                    Nodes.Text("mode", "reflect"));
                break;
            case Softmax softmax:
                WriteSoftmax(softmax, inputs[0], linear);
                break;
            default:
                throw new UnavailableException(
                    $"The layer '{node.Output.Name}' ({node.Op.Name}) cannot be written as ONNX.");
        }
        WriteActivation(activation, linear, name);
        End(node.Output, name, limit);
    }

    private void Convolution(Conv2d conv, Node node, string input, string output, bool isPaddedSame)
    {
        string[] parameters = Parameters(conv, node.Inputs[0], node.Output.Name);
        (int top, int left, int bottom, int right) = conv.Padding;
        Add("Conv", output, [input, .. parameters], Nodes.Integers("kernel_shape", conv.KernelHeight, conv.KernelWidth),
            Nodes.Integers("strides", conv.Stride, conv.Stride),
            Nodes.Integers("dilations", conv.Dilation, conv.Dilation),
            Nodes.Integer("group", conv.Groups),
            isPaddedSame ? Nodes.Text("auto_pad", "SAME_UPPER") : Nodes.Integers("pads", top, left, bottom, right));
    }

    /// <summary>
    /// A norm that no convolution precedes: with mean 0, variance 1 and epsilon 0 it is scale * x + shift.
    /// </summary>
    private void Norm(BatchNorm norm, string input, string output)
    {
        var zeros = new float[norm.Scale.Length];
        float[] ones = Ones(norm.Scale.Length);
        Add("BatchNormalization", output,
            [input, _constants.Vector($"{output}.scale", norm.Scale), _constants.Vector($"{output}.shift", norm.Shift),
                _constants.Vector($"{output}.mean", zeros), _constants.Vector($"{output}.variance", ones)],
            Nodes.Number("epsilon", 0));
    }

    private void WriteActivation(Activation activation, string x, string y)
    {
        switch (activation.Kind)
        {
            case ActivationKind.None:
                break;
            case ActivationKind.Relu:
                Add("Relu", y, [x]);
                break;
            case ActivationKind.Relu6:
                Add("Clip", y, [x, _constants.Scalar("zero", 0), _constants.Scalar("six", 6)]);
                break;
            case ActivationKind.LeakyRelu:
                Add("LeakyRelu", y, [x], Nodes.Number("alpha", activation.Slope));
                break;
            case ActivationKind.HardSwish:
                Add("HardSwish", y, [x]);
                break;
            case ActivationKind.HardSigmoid:
                Add("HardSigmoid", y, [x], Nodes.Number("alpha", 1f / 6f), Nodes.Number("beta", 0.5f));
                break;
            case ActivationKind.Sigmoid:
                Add("Sigmoid", y, [x]);
                break;
            case ActivationKind.Silu:
                string gate = _names.Claim($"{y}.sigmoid");
                Add("Sigmoid", gate, [x]);
                Add("Mul", y, [x, gate]);
                break;
            case ActivationKind.Gelu:
                string scaled = _names.Claim($"{y}.scaled"), erf = _names.Claim($"{y}.erf");
                string more = _names.Claim($"{y}.more"), twice = _names.Claim($"{y}.twice");
                Add("Mul", scaled, [x, _constants.Vector("root", [MathF.Sqrt(0.5f)])]);
                Add("Erf", erf, [scaled]);
                Add("Add", more, [erf, _constants.Vector("one", [1])]);
                Add("Mul", twice, [x, more]);
                Add("Mul", y, [twice, _constants.Vector("half", [0.5f])]);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(activation), activation, null);
        }
    }

    private void Resize(Node node, ResizeBilinear resize, ResizePlan plan)
    {
        string x = NameOf(node.Inputs[0]);
        AttributeProto[] grid = Grid(resize.Sampling);
        switch (plan)
        {
            case ResizePlan.Nothing:
                // The outputs have their names already; everybody else reads the input.
                _values.TryAdd(node.Output, x);
                if (_elements.TryGetValue(node.Inputs[0], out string? elements))
                    _elements.Add(node.Output, elements);
                break;
            case ResizePlan.ToSize size:
                string resized = Unrounded(node.Output);
                Add("Resize", resized, [x, "", "", Sizes(size, node.Inputs[0])], grid);
                End(node.Output, resized, Activation.None);
                break;
            case ResizePlan.ByFactor by:
                string y = Unrounded(node.Output), whole = by.Cut is null ? y : _names.Claim($"{y}.whole");
                string scales = _constants.Vector($"{y}.scales", [1, 1, by.Factor, by.Factor]);
                Add("Resize", whole, [x, "", scales], grid);
                if (by.Cut is { } cut)
                {
                    Add("Slice", y,
                        [whole, _constants.Integers("origin", 0, 0), Extent(cut), _constants.Integers("plane", 2, 3)]);
                }
                End(node.Output, y, Activation.None);
                break;
        }
    }

    private static AttributeProto[] Grid(Sampling sampling) =>
    [
        Nodes.Text("mode", "linear"),
        Nodes.Text("coordinate_transformation_mode", sampling switch
        {
            Sampling.AlignCorners => "align_corners",
            Sampling.Asymmetric => "asymmetric",
            _ => "half_pixel",
        }),
    ];

    /// <summary>
    /// The four numbers that a resize takes: batch and channels of its input, height and width of the target.
    /// </summary>
    private string Sizes(ResizePlan.ToSize size, Value input)
    {
        if (size.Like is null && _batch is int batch)
            return _constants.Integers("sizes", batch, input.Shape.Channels, size.Height, size.Width);
        return Once($"{NameOf(input)}.to.{Extent(size)}", name =>
            Add("Concat", name, [Shape(input, "end"), Extent(size)], Nodes.Integer("axis", 0)));
    }

    private string Extent(ResizePlan.ToSize size) =>
        size.Like is { } like ? Shape(like, "start") : _constants.Integers("size", size.Height, size.Width);

    /// <summary>Batch and channels ("end" at 2), or height and width ("start" at 2).</summary>
    private string Shape(Value value, string from) =>
        Once($"{NameOf(value)}.{(from == "start" ? "extent" : "depth")}", name =>
        Add("Shape", name, [NameOf(value)], Nodes.Integer(from, 2)));

    private readonly Dictionary<string, string> _once = [];

    private string Once(string name, Action<string> write)
    {
        if (_once.TryGetValue(name, out string? written))
            return written;
        _once.Add(name, written = _names.Claim(name));
        write(written);
        return written;
    }

    private void Add(string type, string output, IEnumerable<string> inputs, params AttributeProto[] attributes) =>
        _graph.Node.Add(Nodes.Of(type, output, inputs, attributes));

    private string NameOf(Value value)
    {
        if (!_values.TryGetValue(value, out string? name))
            _values.Add(value, name = _names.Claim(value.Name));
        return name;
    }
}
