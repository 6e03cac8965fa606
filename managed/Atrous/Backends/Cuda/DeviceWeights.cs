using System.Runtime.InteropServices;
using Atrous.Graph.Ops;
using Atrous.Tensors;

namespace Atrous.Backends.Cuda;

/// <summary>Where the numbers of a convolution lie in device memory; 0 for what it has not.</summary>
/// <param name="Kernel">
/// In the storage: KRSC for a dense one; float32 [R, S, C] for a depthwise one. Times the op's scale.
/// </param>
/// <param name="Bias">In the storage, a value per stored channel.</param>
/// <param name="WideBias">The same in float32, for our kernels.</param>
internal readonly record struct ConvolutionWeights(nint Kernel, nint Bias, nint WideBias);

/// <summary>
/// Weights in device memory, sent once and shared by all shapes. At no time is there more than one weight unpacked on
/// the host.
/// </summary>
internal sealed unsafe class DeviceWeights(CudaDevice device, DType storage) : IDisposable
{
    private readonly Dictionary<Weight, List<(Conv2d Op, Shape Stored, ConvolutionWeights Weights)>> _convolutions = [];
    private readonly Dictionary<VectorKey, nint> _vectors = [];
    private readonly Dictionary<string, nint> _constants = [];
    private readonly List<DeviceBlock> _memory = [];
    private NativeBuffer? _packed;

    /// <summary>Bytes of device memory in use.</summary>
    public long SizeInBytes { get; private set; }

    /// <summary>The weights of a convolution; sent at the first call.</summary>
    /// <param name="op">The convolution whose kernel, scale and bias are wanted.</param>
    /// <param name="groups">As it is computed: 1 for a grouped one whose groups stand in a dense kernel.</param>
    /// <param name="inputs">Stored channels of the input.</param>
    /// <param name="outputs">Stored channels of the output.</param>
    /// <exception cref="ModelException">The weights cannot be read.</exception>
    public ConvolutionWeights Get(Conv2d op, int groups, int inputs, int outputs)
    {
        lock (_convolutions)
        {
            if (!_convolutions.TryGetValue(op.Kernel, out var known))
                _convolutions.Add(op.Kernel, known = []);
            var stored = new Shape(groups, 0, inputs, outputs);
            foreach ((Conv2d other, Shape form, ConvolutionWeights weights) in known)
            {
                if (form == stored && Equal(op.Scale, other.Scale) && Equal(op.Bias, other.Bias))
                    return weights;
            }
            bool depthwise = IsDepthwise(op, groups);
            nint kernel = depthwise ? Depthwise(op, outputs) : Dense(op, groups, inputs, outputs);
            nint bias = op.Bias is null ? 0 : Vector(op.Bias, outputs, storage);
            var made =
                new ConvolutionWeights(kernel, bias, op.Bias is null ? 0 : Vector(op.Bias, outputs, DType.Float32));
            known.Add((op, stored, made));
            return made;
        }
    }

    /// <summary>One output channel for each input channel, which our own kernel computes.</summary>
    public static bool IsDepthwise(Conv2d op, int groups) =>
        groups > 1 && op.Kernel.Shape[1] == 1 && op.OutChannels == groups;

    /// <summary>Float32 numbers, one per stored channel; 0 in those that pad.</summary>
    public nint Vector(float[] values, int channels)
    {
        lock (_convolutions)
            return Vector(values, channels, DType.Float32);
    }

    /// <summary>Any bytes that stay the same; sent once.</summary>
    public nint Constants(ReadOnlySpan<byte> bytes)
    {
        string key = Convert.ToHexString(bytes);
        lock (_convolutions)
        {
            if (!_constants.TryGetValue(key, out nint known))
                _constants.Add(key, known = Send(bytes));
            return known;
        }
    }

    /// <summary>Gives back the memory that packing needed, when a network is compiled.</summary>
    public void Trim()
    {
        lock (_convolutions)
        {
            _packed?.Dispose();
            _packed = null;
        }
    }

    public void Dispose()
    {
        Trim();
        _memory.ForEach(memory => memory.Dispose());
        _memory.Clear();
        _convolutions.Clear();
        _vectors.Clear();
        _constants.Clear();
    }

    private nint Vector(float[] values, int channels, DType type)
    {
        var key = new VectorKey(values, channels, type);
        if (_vectors.TryGetValue(key, out nint known))
            return known;
        Span<byte> packed = Packed((long)channels * type.SizeInBytes());
        packed.Clear();
        Store(values, packed, type);
        nint sent = Send(packed);
        _vectors.Add(key, sent);
        return sent;
    }

    private nint Depthwise(Conv2d op, int outputs)
    {
        float[] values = KernelLaunches.DepthwiseWeights(op);
        int taps = op.KernelHeight * op.KernelWidth, channels = op.OutChannels;
        Span<float> packed = MemoryMarshal.Cast<byte, float>(Packed((long)taps * outputs * sizeof(float)));
        packed.Clear();
        for (int tap = 0; tap < taps; tap++)
            values.AsSpan(tap * channels, channels).CopyTo(packed[(tap * outputs)..]);
        return Send(MemoryMarshal.AsBytes(packed));
    }

    /// <summary>KRSC from OIHW, with zeros in the channels that pad and, in a dense kernel, between groups.</summary>
    private nint Dense(Conv2d op, int groups, int inputs, int outputs)
    {
        float[] values = op.Kernel.ToArray();
        int depth = op.Kernel.Shape[1], taps = op.KernelHeight * op.KernelWidth, room = inputs / groups;
        int outputsOfGroup = op.OutChannels / op.Groups;
        float[] row = new float[taps * room];
        int rowBytes = row.Length * storage.SizeInBytes();
        Span<byte> packed = Packed((long)outputs * rowBytes);
        packed[(op.OutChannels * rowBytes)..].Clear();
        for (int k = 0; k < op.OutChannels; k++)
        {
            float scale = op.Scale?[k] ?? 1;
            int first = groups == 1 ? k / outputsOfGroup * depth : 0;
            Array.Clear(row);
            for (int c = 0; c < depth; c++)
            {
                ReadOnlySpan<float> window = values.AsSpan((k * depth + c) * taps, taps);
                for (int tap = 0; tap < window.Length; tap++)
                    row[tap * room + first + c] = window[tap] * scale;
            }
            Store(row, packed.Slice(k * rowBytes, rowBytes), storage);
        }
        return Send(packed);
    }

    private Span<byte> Packed(long bytes)
    {
        if (_packed is null || _packed.SizeInBytes < bytes)
        {
            _packed?.Dispose();
            _packed = null;
            _packed = new NativeBuffer(bytes);
        }
        return new Span<byte>(_packed.Pointer, checked((int)bytes));
    }

    private nint Send(ReadOnlySpan<byte> bytes)
    {
        DeviceBlock block = device.Allocate(bytes.Length, "the weights");
        _memory.Add(block);
        block.Memory.CopyToDevice(bytes);
        SizeInBytes += bytes.Length;
        return (nint)block.Memory.DevicePointer.Pointer;
    }

    private static void Store(ReadOnlySpan<float> values, Span<byte> to, DType type)
    {
        switch (type)
        {
            case DType.Float16:
                Span<Half> halves = MemoryMarshal.Cast<byte, Half>(to);
                for (int i = 0; i < values.Length; i++)
                    halves[i] = (Half)values[i];
                break;
            case DType.BFloat16:
                Span<ushort> bits = MemoryMarshal.Cast<byte, ushort>(to);
                for (int i = 0; i < values.Length; i++)
                    bits[i] = BFloat16(values[i]);
                break;
            default:
                values.CopyTo(MemoryMarshal.Cast<byte, float>(to));
                break;
        }
    }

    /// <summary>To the nearest, ties to even.</summary>
    private static ushort BFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value)
            ? (ushort)((bits >> 16) | 0x40)
            : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    private static bool Equal(float[]? a, float[]? b) =>
        ReferenceEquals(a, b) || (a is not null && b is not null && a.AsSpan().SequenceEqual(b));

    /// <summary>
    /// A vector compared by value: a network that is built anew for another shape has new arrays of the same.
    /// </summary>
    private readonly struct VectorKey(float[] values, int channels, DType type) : IEquatable<VectorKey>
    {
        private readonly float[] _values = values;
        private readonly (int, DType) _form = (channels, type);

        public bool Equals(VectorKey other) => _form == other._form && _values.AsSpan().SequenceEqual(other._values);

        public override bool Equals(object? other) => other is VectorKey key && Equals(key);

        public override int GetHashCode()
        {
            var hash = new HashCode();
            hash.Add(_form);
            hash.AddBytes(MemoryMarshal.AsBytes(_values.AsSpan()));
            return hash.ToHashCode();
        }
    }
}
