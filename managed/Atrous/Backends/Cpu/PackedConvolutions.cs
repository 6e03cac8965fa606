using Atrous.Graph.Ops;
using Atrous.Native;
using Atrous.Tensors;

namespace Atrous.Backends.Cpu;

/// <summary>
/// Packed weights by the convolution that uses them, so that graphs of different shapes share one copy. A weight is read
/// from its file, packed and forgotten: at no time is there more than one of them unpacked.
/// </summary>
internal sealed unsafe class PackedConvolutions(EngineHandle engine) : IDisposable
{
    private readonly Dictionary<Weight, List<(Conv2d Op, DType Type, Conv2dHandle Handle)>> _packed = [];
    private NativeBuffer? _unpacked;

    /// <summary>The packed form of a convolution; made at the first call.</summary>
    /// <param name="op">The convolution.</param>
    /// <param name="type">Of its input, and so of its weights: float32 or bfloat16.</param>
    /// <exception cref="ModelException">The weights cannot be read.</exception>
    public Conv2dHandle Get(Conv2d op, DType type)
    {
        lock (_packed)
        {
            if (!_packed.TryGetValue(op.Kernel, out var known))
                _packed.Add(op.Kernel, known = []);
            foreach ((Conv2d other, DType packed, Conv2dHandle handle) in known)
            {
                if (packed == type && Same(op, other))
                    return handle;
            }
            Conv2dHandle made = Pack(op, type);
            known.Add((op, type, made));
            return made;
        }
    }

    /// <summary>Gives back the memory that packing needed, when a graph is compiled.</summary>
    public void Trim()
    {
        lock (_packed)
        {
            _unpacked?.Dispose();
            _unpacked = null;
        }
    }

    public void Dispose()
    {
        Trim();
        foreach ((_, _, Conv2dHandle handle) in _packed.Values.SelectMany(list => list))
            handle.Dispose();
        _packed.Clear();
    }

    /// <summary>True where the two differ in padding alone, which is given when the convolution runs.</summary>
    private static bool Same(Conv2d a, Conv2d b) =>
        a.Stride == b.Stride && a.Dilation == b.Dilation && a.Groups == b.Groups && a.Activation == b.Activation
        && Equal(a.Scale, b.Scale) && Equal(a.Bias, b.Bias);

    private static bool Equal(float[]? a, float[]? b) =>
        ReferenceEquals(a, b) || (a is not null && b is not null && a.AsSpan().SequenceEqual(b));

    private Conv2dHandle Pack(Conv2d op, DType type)
    {
        long size = op.Kernel.Elements * sizeof(float);
        if (_unpacked is null || _unpacked.SizeInBytes < size)
        {
            _unpacked?.Dispose();
            _unpacked = null;
            _unpacked = new NativeBuffer(size);
        }
        var weights = (float*)_unpacked.Pointer;
        op.Kernel.Read(new Span<float>(weights, checked((int)op.Kernel.Elements)));
        var desc = new NativeConv2d
        {
            InChannels = op.Kernel.Shape[1] * op.Groups,
            OutChannels = op.OutChannels,
            KernelHeight = op.KernelHeight,
            KernelWidth = op.KernelWidth,
            StrideHeight = op.Stride,
            StrideWidth = op.Stride,
            DilationHeight = op.Dilation,
            DilationWidth = op.Dilation,
            Groups = op.Groups,
            Activation = (int)op.Activation.Kind,
            Slope = op.Activation.Slope,
            Type = type == DType.BFloat16 ? NativeType.BFloat16 : NativeType.Float32,
        };
        fixed (float* scale = op.Scale, bias = op.Bias)
        {
            LibAtrous.ThrowIfFailed(LibAtrous.Conv2dCreate(engine, desc, weights, scale, bias, out nint conv), op.Kernel.Name);
            return new Conv2dHandle(conv);
        }
    }
}
