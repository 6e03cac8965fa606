using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Tensors;
using Atrous.Tests.Backends;

namespace Atrous.Tests.Graph;

/// <summary>
/// Small networks with everything that passes and memory plans trip over: fan-out, residuals, nested and repeated
/// concatenations, values that are outputs too. The same seed gives the same graph and weights.
/// </summary>
public sealed class RandomGraphs
{
    private readonly GraphBuilder _builder = new();
    private readonly List<Value> _values = [];
    private readonly Random _random;
    private readonly int _seed;

    private RandomGraphs(int seed)
    {
        _seed = seed;
        _random = new Random(seed);
    }

    /// <summary>
    /// A graph of about this many layers with one input, some feature maps as outputs, and labels last.
    /// </summary>
    public static NetworkGraph Make(int seed, int layers = 25) => new RandomGraphs(seed).Make(layers);

    /// <summary>An input for a graph.</summary>
    public static float[] Input(NetworkGraph graph, int seed) =>
        OpCase.Numbers($"random{seed}", (int)graph.Inputs[0].Shape.Elements, 1);

    private NetworkGraph Make(int layers)
    {
        _values.Add(_builder.Input("x", new(1 + _random.Next(2), 6, 7, 5)));
        for (int i = 0; i < layers; i++)
            _values.Add(Layer());
        Value logits = Conv(_values[^1], 5, 1);
        Value upsampled = Add(new ResizeBilinear(13, 15, Sampling.HalfPixel), logits);
        var outputs = new List<Value> { logits, Any(), Any() };
        outputs.RemoveAll(_ => _random.Next(3) == 0);
        return _builder.Build([.. outputs, Add(new Confidence(), upsampled), Add(new Argmax(), upsampled)]);
    }

    private Value Layer() => _random.Next(13) switch
    {
        0 => Conv(Any(), Channels(), 1),
        1 => Conv(Any(), Channels(), 3),
        2 or 3 => ConvNormActivate(Any()),
        4 => Residual(),
        5 => Add(new Concat(), Any(), Conv(_values[^1], Channels(), 1)) is var joined
            ? ConvNormActivate(joined)
            : joined,
        6 or 7 => Concat(),
        8 => Add(new Activate(Activation.HardSwish), Any()),
        9 => Gate(),
        10 => Norm(Any()),
        11 => Separable(),
        _ => Add(new ResizeBilinear(6, 7, Sampling.AlignCorners), Add(new MaxPool2d(2, 2, 0), Any())),
    };

    // All values have one size in space; only channels differ.
    private Value Any() => _values[_random.Next(Math.Max(0, _values.Count - 6), _values.Count)];

    private int Channels() => _random.Next(3, 13);

    private Value Residual()
    {
        Value x = Any();
        Value sum = _random.Next(2) == 0
            ? Add(new Binary(BinaryKind.Add, Activation.None), Conv(x, x.Shape.Channels, 3), x)
            : Add(new Binary(BinaryKind.Add, Activation.None), Norm(Conv(x, 8, 1)), Norm(Conv(x, 8, 3)));
        return Add(new Activate(Activation.Relu), sum);
    }

    /// <summary>Sometimes a concatenation in a concatenation, or the same value twice.</summary>
    private Value Concat()
    {
        Value inner = Add(new Concat(), ConvNormActivate(Any()), Conv(Any(), Channels(), 1));
        return _random.Next(4) switch
        {
            0 => Add(new Concat(), inner, inner),
            1 => inner,
            2 => Add(new Concat(), Any(), inner, Any()),
            _ => Add(new Concat(), Add(new Concat(), inner, ConvNormActivate(inner)), Conv(inner, 4, 1)),
        };
    }

    private Value Gate()
    {
        Value x = Any();
        Value pooled = Add(new GlobalAveragePool(), x);
        return Add(new Binary(BinaryKind.Multiply, Activation.None), x,
            Add(new Activate(Activation.Sigmoid), Conv(pooled, x.Shape.Channels, 1)));
    }

    /// <summary>Sometimes with a residual, or with what lies between read by others too.</summary>
    private Value Separable()
    {
        Value x = Any();
        int channels = x.Shape.Channels, dilation = x.Shape.Height == 1 ? 1 : _random.Next(1, 4);
        Weight weight = OpCase.Weight($"graph{_seed}.{_values.Count}.depthwise", channels, 1, 3, 3);
        var depthwise =
            new Conv2d(weight, null, null, 1, dilation, Padding.Symmetric(dilation), channels, Activation.None);
        Value between = Add(new Activate(Activation.Relu6), Norm(Add(depthwise, x))),
            y = Norm(Conv(between, channels, 1));
        return _random.Next(3) switch
        {
            0 => Add(new Binary(BinaryKind.Add, Activation.None), y, x),
            1 => Add(new Concat(), y, between),
            _ => y,
        };
    }

    private Value ConvNormActivate(Value x) =>
        Add(new Activate(Activation.LeakyRelu(0.1f)), Norm(Conv(x, Channels(), _random.Next(2) * 2 + 1)));

    private Value Conv(Value x, int outputs, int kernel)
    {
        Weight weight =
            OpCase.Weight($"graph{_seed}.{_values.Count}.weight", outputs, x.Shape.Channels, kernel, kernel);
        float[]? bias = _random.Next(2) == 0
            ? OpCase.Numbers($"graph{_seed}.{_values.Count}.bias", outputs, 0.2)
            : null;
        int dilation = x.Shape.Height == 1 ? 1 : _random.Next(1, 4);
        return Add(
            new Conv2d(weight, null, bias, 1, dilation, Padding.Symmetric(kernel / 2 * dilation), 1, Activation.None),
            x);
    }

    private Value Norm(Value x)
    {
        string name = $"graph{_seed}.{_values.Count}.norm";
        return Add(
            new BatchNorm(OpCase.Numbers(name, x.Shape.Channels, 0.3, 0.7), OpCase.Numbers(name, x.Shape.Channels, 0.2),
            Activation.None), x);
    }

    private Value Add(Op op, params Value[] inputs) => _builder.Add($"{op.Name}{_random.Next(1000)}", op, inputs);
}
