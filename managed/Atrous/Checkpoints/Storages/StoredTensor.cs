using System.Buffers;
using System.Runtime.InteropServices;
using Atrous.Tensors;

namespace Atrous.Checkpoints.Storages;

/// <summary>A tensor as a checkpoint stores it: a strided view of a storage. Holds no values.</summary>
internal sealed class StoredTensor
{
    /// <summary>As many as NumPy took for long; PyTorch has no limit, and no network comes near it.</summary>
    public const int MaxDimensions = 32;

    private const int ChunkBytes = 1 << 16;

    /// <summary>
    /// An expanded view (stride 0) may repeat its storage up to this many elements: 64 MiB of floats.
    /// </summary>
    private const long MaxExpandedElements = 1 << 24;

    private readonly Storage _storage;
    private readonly long _offset;
    private readonly long[] _strides;
    private readonly bool _bigEndian;
    private readonly bool _contiguous;

    private StoredTensor(Storage storage, DType type, int[] shape, long[] strides, long offset, bool bigEndian)
    {
        _storage = storage;
        Type = type;
        Shape = shape;
        _strides = strides;
        _offset = offset;
        _bigEndian = bigEndian;
        Elements = shape.Aggregate(1L, (product, size) => product * size);
        _contiguous = IsContiguous();
    }

    public DType Type { get; }

    public int[] Shape { get; }

    public long Elements { get; }

    /// <summary>What a whole model says of the layer that it is the weight of.</summary>
    public LayerFacts? Layer { get; set; }

    /// <summary>Where its values begin; tensors that have this in common are one tensor by several names.</summary>
    public TensorPlace Place => new(_storage, _offset);

    /// <summary>A view, checked to lie within its storage.</summary>
    /// <param name="storage">May be larger than the view.</param>
    /// <param name="type">The storage's element type.</param>
    /// <param name="sizes">The shape, at most 32 dimensions.</param>
    /// <param name="strides">In elements, none negative; null means row-major without gaps.</param>
    /// <param name="offset">Elements of the storage before the first one of the view.</param>
    /// <param name="bigEndian">The storage's byte order.</param>
    /// <param name="problem">What is wrong with the view, as the end of a sentence.</param>
    /// <returns>Null when the view is impossible.</returns>
    public static StoredTensor? TryCreate(
        Storage storage,
        DType type,
        ReadOnlySpan<long> sizes,
        long[]? strides,
        long offset,
        bool bigEndian,
        out string problem)
    {
        var shape = new int[Math.Min(sizes.Length, MaxDimensions)];
        long stored = storage.Length / type.SizeInBytes();
        problem = "";
        if (strides is not null && strides.Length != sizes.Length)
            problem = "has another number of strides than of dimensions";
        else if (sizes.Length > MaxDimensions)
            problem = $"has more than {MaxDimensions} dimensions";
        else if (!TryCount(sizes, shape, out long elements))
            problem = "has a dimension below 0 or more than 2^31 elements";
        else if (offset < 0 || offset > stored)
            problem = "begins outside its storage";
        else if (!TrySpan(sizes, strides ??= RowMajor(shape), elements, out long span) || span > stored - offset)
            problem = "reaches outside its storage";
        else if (elements > stored && elements > MaxExpandedElements)
            problem = "repeats a small storage to more than 64 MiB";
        else if (span > int.MaxValue / type.SizeInBytes() && span != elements)
            problem = "is a view with gaps of more than 2 GiB";
        return problem.Length > 0 ? null : new StoredTensor(storage, type, shape, strides!, offset, bigEndian);
    }

    /// <summary>The values in row-major order as float32.</summary>
    public void Read(Span<float> destination)
    {
        if (destination.Length != Elements)
            throw new ArgumentException(
                $"The destination has {destination.Length} elements, the tensor {Elements}.", nameof(destination));
        if (Elements == 0)
            return;
        if (_contiguous)
            ReadContiguous(destination);
        else
            ReadStrided(destination);
    }

    private void ReadContiguous(Span<float> destination)
    {
        int size = Type.SizeInBytes();
        using Stream stream = _storage.OpenAt(_offset * size);
        if (Type == DType.Float32 && !_bigEndian && BitConverter.IsLittleEndian)
        {
            // In pieces, because a span of bytes ends at 2 GiB.
            while (!destination.IsEmpty)
            {
                Span<float> piece = destination[..Math.Min(destination.Length, 1 << 28)];
                stream.ReadExactly(MemoryMarshal.AsBytes(piece));
                destination = destination[piece.Length..];
            }
            return;
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        try
        {
            int perChunk = ChunkBytes / size;
            while (!destination.IsEmpty)
            {
                Span<float> piece = destination[..Math.Min(destination.Length, perChunk)];
                Span<byte> bytes = buffer.AsSpan(0, piece.Length * size);
                stream.ReadExactly(bytes);
                FloatConversion.ToFloat(bytes, Type, _bigEndian, piece);
                destination = destination[piece.Length..];
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Transposed, strided and expanded views: read the stretch that the view covers, then gather.</summary>
    private void ReadStrided(Span<float> destination)
    {
        TrySpan(Array.ConvertAll(Shape, size => (long)size), _strides, Elements, out long span);
        int size = Type.SizeInBytes();
        var bytes = GC.AllocateUninitializedArray<byte>((int)span * size);
        using (Stream stream = _storage.OpenAt(_offset * size))
            stream.ReadExactly(bytes);
        float[] values = GC.AllocateUninitializedArray<float>((int)span);
        FloatConversion.ToFloat(bytes, Type, _bigEndian, values);

        var index = new int[Shape.Length];
        long source = 0;
        for (int i = 0; i < destination.Length; i++)
        {
            destination[i] = values[source];
            for (int axis = index.Length - 1; axis >= 0; axis--)
            {
                source += _strides[axis];
                if (++index[axis] < Shape[axis])
                    break;
                source -= _strides[axis] * Shape[axis];
                index[axis] = 0;
            }
        }
    }

    private bool IsContiguous()
    {
        long expected = 1;
        for (int axis = Shape.Length - 1; axis >= 0; axis--)
        {
            if (Shape[axis] != 1 && _strides[axis] != expected)
                return false;
            expected *= Shape[axis];
        }
        return true;
    }

    private static bool TryCount(ReadOnlySpan<long> sizes, int[] shape, out long elements)
    {
        elements = 1;
        bool empty = sizes.Contains(0);
        for (int axis = 0; axis < sizes.Length; axis++)
        {
            if (sizes[axis] is < 0 or > int.MaxValue)
                return false;
            shape[axis] = (int)sizes[axis];
            elements = empty ? 0 : elements * sizes[axis];
            if (elements > int.MaxValue)
                return false;
        }
        return true;
    }

    /// <summary>
    /// Elements of the storage from the view's first to its last; false when a stride is negative or absurd.
    /// </summary>
    private static bool TrySpan(ReadOnlySpan<long> sizes, long[] strides, long elements, out long span)
    {
        long last = 0;
        span = 0;
        for (int axis = 0; axis < sizes.Length; axis++)
        {
            long steps = Math.Max(sizes[axis] - 1, 0), stride = strides[axis];
            if (stride < 0 || (steps > 0 && stride > (long.MaxValue - 1 - last) / steps))
                return false;
            last += steps * stride;
        }
        span = elements == 0 ? 0 : last + 1;
        return true;
    }

    private static long[] RowMajor(int[] shape)
    {
        var strides = new long[shape.Length];
        long stride = 1;
        for (int axis = shape.Length - 1; axis >= 0; axis--)
        {
            strides[axis] = stride;
            stride *= Math.Max(shape[axis], 1);
        }
        return strides;
    }
}

/// <summary>Where a tensor's elements are: two of one place are the same tensor.</summary>
/// <param name="Storage">What holds the elements.</param>
/// <param name="Offset">The number of elements in front of the first.</param>
internal sealed record TensorPlace(Storage Storage, long Offset);
