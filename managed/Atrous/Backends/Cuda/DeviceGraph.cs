using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Graph.Passes;
using Atrous.Tensors;

namespace Atrous.Backends.Cuda;

/// <summary>
/// A network as the device runs it: every value has a format, and a <see cref="Crop"/> of everything stands wherever
/// one format becomes another.
/// </summary>
internal sealed class DeviceGraph
{
    private readonly DType _storage;
    private readonly Dictionary<Value, Format> _formats = [];
    private readonly Dictionary<Value, Value> _stored = [];
    private readonly List<Node> _nodes = [];

    private DeviceGraph(NetworkGraph network, DType storage)
    {
        _storage = storage;
        Network = network;
    }

    public NetworkGraph Network { get; private set; }

    /// <summary>How a value lies in memory.</summary>
    public Format FormatOf(Value value) => _formats[value];

    /// <summary>Gives every value a format.</summary>
    /// <param name="graph">Slices that it has are forgotten.</param>
    /// <param name="storage">The type that weights and activations are stored in.</param>
    /// <param name="storedInput">The first input comes in the format of convolutions, not in the caller's.</param>
    public static DeviceGraph Of(NetworkGraph graph, DType storage, bool storedInput)
    {
        // Concatenations are elided later, when the formats are known.
        NetworkGraph fused = GraphPasses.Apply(
            graph with { Slices = new Dictionary<Value, Slice>() }, GraphPasses.Fusions);
        var lowered = new DeviceGraph(fused, storage);
        for (int i = 0; i < fused.Inputs.Count; i++)
        {
            Value input = fused.Inputs[i];
            lowered._formats.Add(input, i == 0 && storedInput
                ? Format.Stored(storage, input.Shape.Channels)
                : Format.Plain(input.Shape));
        }
        var outputs = new HashSet<Value>(fused.Outputs);
        foreach (Node node in fused.Nodes)
            lowered.Add(node, outputs.Contains(node.Output));
        lowered.Network = fused with { Nodes = [.. lowered._nodes] };
        return lowered;
    }

    /// <summary>Lets makers write into their slices of a concatenation.</summary>
    /// <param name="refused">The values whose makers do not write slices, or whose readers do not read them.</param>
    public void Elide(IReadOnlySet<Value> refused) => Network = ElideConcat.Apply(
        Network with { Slices = new Dictionary<Value, Slice>() }, (part, place) => !refused.Contains(part)
        && FitsInto(part, place));

    /// <summary>
    /// A slice is as good as a tensor of its own: its pixels start at a chunk, and what pads it pads the whole too.
    /// </summary>
    private bool FitsInto(Value part, Slice place)
    {
        Format mine = _formats[part], whole = _formats[place.Parent];
        int lanes = Format.Lanes(mine.Type);
        bool isLast = place.Channel + part.Shape.Channels == place.Parent.Shape.Channels;
        return mine.Type == whole.Type && whole.Channels % lanes == 0 && place.Channel % lanes == 0
            && (part.Shape.Channels % lanes == 0 || isLast) && place.Channel + mine.Channels <= whole.Channels;
    }

    private void Add(Node node, bool isOutput)
    {
        DeviceFormats formats = DeviceFormats.Of(node.Op);
        Value[] inputs = [.. node.Inputs.Select(input => formats.ReadsAny ? Latest(input) : Stored(input))];
        Format made = formats.Made switch
        {
            MadeFormat.Plain => Format.Plain(node.Output.Shape),
            MadeFormat.Labels => Format.Labels(node.Inputs[0].Shape.Channels),
            MadeFormat.OfInput => _formats[inputs[0]],
            _ => Format.Stored(_storage, node.Output.Shape.Channels),
        };
        if (!isOutput || formats.Made == MadeFormat.Labels)
        {
            Append(node with { Inputs = inputs }, made);
            return;
        }
        Format asked = Format.Plain(node.Output.Shape);
        if (made == asked || formats.WritesAny)
        {
            Append(node with { Inputs = inputs }, asked);
            return;
        }
        var inner = new Value(node.Output.Name, node.Output.Shape);
        Append(new Node(node.Op, inputs, inner), made);
        Append(Convert(inner, node.Output), asked);
        _stored.Add(node.Output, inner);
    }

    /// <summary>Where a value is an output as well, what is inside the network.</summary>
    private Value Latest(Value value) => _stored.GetValueOrDefault(value, value);

    /// <summary>The value in the format of convolutions.</summary>
    private Value Stored(Value value)
    {
        if (_stored.TryGetValue(value, out Value? stored))
            return stored;
        Format wanted = Format.Stored(_storage, value.Shape.Channels);
        if (_formats[value] == wanted)
            return value;
        stored = new Value(value.Name, value.Shape);
        Append(Convert(value, stored), wanted);
        _stored.Add(value, stored);
        return stored;
    }

    private void Append(Node node, Format format)
    {
        _nodes.Add(node);
        _formats.Add(node.Output, format);
        if (node.SecondOutput is { } second)
            _formats.Add(second, Format.Plain(second.Shape));
    }

    private static Node Convert(Value from, Value to) =>
        new(new Crop(0, 0, from.Shape.Height, from.Shape.Width), [from], to);
}
