using System.Runtime.InteropServices;
using Atrous.Graph.Ops;
using Atrous.Onnx.Format;
using Atrous.Tensors;
using Google.Protobuf;

namespace Atrous.Onnx;

/// <summary>
/// The constants of an exported graph: weights with folded norms, and small lists. Each is stored once.
/// </summary>
internal sealed class Initializers(GraphProto graph, UniqueNames names)
{
    /// <summary>ONNX's number of the type.</summary>
    public const int Float32 = 1, Byte = 2, SByte = 3, Int32 = 6, Int64 = 7, Float64 = 11;

    private readonly Dictionary<Weight, List<(float[]? Scale, string Name)>> _kernels = [];
    private readonly Dictionary<Weight, List<(sbyte[] Values, string Name)>> _bytes = [];
    private readonly Dictionary<string, string> _small = [];

    /// <summary>The kernel times the scale of each output channel, OIHW.</summary>
    public string Kernel(Conv2d conv, string layer)
    {
        if (!_kernels.TryGetValue(conv.Kernel, out List<(float[]? Scale, string Name)>? stored))
            _kernels.Add(conv.Kernel, stored = []);
        foreach ((float[]? scale, string known) in stored)
        {
            if (ReferenceEquals(scale, conv.Scale) || scale is not null && conv.Scale is not null
                && scale.AsSpan().SequenceEqual(conv.Scale))
                return known;
        }
        var bytes = GC.AllocateUninitializedArray<byte>(checked((int)(conv.Kernel.Elements * sizeof(float))));
        Span<float> values = MemoryMarshal.Cast<byte, float>(bytes.AsSpan());
        conv.Kernel.Read(values);
        if (conv.Scale is not null)
        {
            int size = values.Length / conv.OutChannels;
            for (int channel = 0; channel < conv.OutChannels; channel++)
            {
                foreach (ref float value in values.Slice(channel * size, size))
                    value *= conv.Scale[channel];
            }
        }
        string name = Store($"{layer}.weight", Float32, bytes, [.. conv.Kernel.Shape.Select(size => (long)size)]);
        stored.Add((conv.Scale, name));
        return name;
    }

    /// <summary>The kernel as bytes, OIHW.</summary>
    public string Kernel(Weight weight, QuantizedKernel kernel, string layer)
    {
        if (!_bytes.TryGetValue(weight, out List<(sbyte[] Values, string Name)>? stored))
            _bytes.Add(weight, stored = []);
        foreach ((sbyte[] values, string known) in stored)
        {
            if (values.AsSpan().SequenceEqual(kernel.Values))
                return known;
        }
        string name = Store(
            $"{layer}.weight.bytes", SByte, MemoryMarshal.AsBytes<sbyte>(kernel.Values).ToArray(),
            [.. weight.Shape.Select(size => (long)size)]);
        stored.Add((kernel.Values, name));
        return name;
    }

    /// <summary>A list of numbers, one per channel.</summary>
    public string Vector(string name, float[] values) =>
        Small(name, Float32, MemoryMarshal.AsBytes<float>(values), values.Length);

    /// <summary>A list of numbers, one per channel, that goes with a tensor N,C,H,W.</summary>
    public string Channels(string name, float[] values) =>
        Small(name, Float32, MemoryMarshal.AsBytes<float>(values), 1, values.Length, 1, 1);

    public string Scalar(string name, float value) => Small(name, Float32, MemoryMarshal.AsBytes<float>([value]));

    /// <summary>One element of 8 bits.</summary>
    public string Element(string name, int value) => Small(name, Byte, [checked((byte)value)]);

    /// <summary>A list of bytes, one per channel.</summary>
    public string Bytes(string name, byte[] values) => Small(name, Byte, values, values.Length);

    /// <summary>A list of bytes, one per channel.</summary>
    public string Bytes(string name, sbyte[] values) =>
        Small(name, SByte, MemoryMarshal.AsBytes<sbyte>(values), values.Length);

    /// <summary>A list of whole numbers, one per channel.</summary>
    public string Whole(string name, int[] values) =>
        Small(name, Int32, MemoryMarshal.AsBytes<int>(values), values.Length);

    public string Integers(string name, params long[] values) =>
        Small(name, Int64, MemoryMarshal.AsBytes<long>(values), values.Length);

    public string Doubles(string name, params double[] values) =>
        Small(name, Float64, MemoryMarshal.AsBytes<double>(values), values.Length);

    private string Small(string name, int type, ReadOnlySpan<byte> bytes, params long[] shape)
    {
        string contents = $"{type} {string.Join('x', shape)} {Convert.ToHexString(bytes)}";
        if (!_small.TryGetValue(contents, out string? stored))
            _small.Add(contents, stored = Store(name, type, bytes.ToArray(), shape));
        return stored;
    }

    private string Store(string name, int type, byte[] bytes, params long[] shape)
    {
        string unique = names.Claim(name);
        // Little-endian, as the file wants it and as x86-64 has it. The array is nobody else's.
        var tensor = new TensorProto
        {
            Name = unique,
            DataType = type,
            RawData = UnsafeByteOperations.UnsafeWrap(bytes),
        };
        tensor.Dims.AddRange(shape);
        graph.Initializer.Add(tensor);
        return unique;
    }
}
