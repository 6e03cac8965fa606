namespace Atrous.Tensors;

/// <summary>
/// An NHWC tensor that owns its memory: element (n, y, x, c) is at ((n*H + y)*W + x)*C + c. Activations are
/// <see cref="DType.Float32"/>, label maps <see cref="DType.UInt16"/>. Dispose it to give the memory back.
/// </summary>
public sealed unsafe class Tensor : IDisposable
{
    private readonly NativeBuffer _buffer;

    /// <summary>Allocates an uninitialised tensor.</summary>
    /// <param name="shape">The shape, whose sizes are at least 1.</param>
    /// <param name="type">The type of the elements.</param>
    /// <exception cref="OutOfMemoryException">The system has no such block to give.</exception>
    public Tensor(Shape shape, DType type = DType.Float32)
        : this(shape, type, reused: false)
    {
    }

    /// <summary>As the other; where it is reused, a large one's memory is kept for the next.</summary>
    internal Tensor(Shape shape, DType type, bool reused)
    {
        Shape = shape;
        Type = type;
        _buffer = new NativeBuffer(shape.Elements * type.SizeInBytes(), reused);
    }

    public Shape Shape { get; }

    public DType Type { get; }

    /// <summary>The first byte. Valid until the tensor is disposed.</summary>
    public byte* Pointer => _buffer.Pointer;

    /// <summary>
    /// All elements of one picture of the batch, [H, W, C]. T is float or ushort, as <see cref="Type"/> says.
    /// </summary>
    /// <param name="index">The number of the picture in the batch, counted from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// There is no such picture, or it has more than 2^31 elements.
    /// </exception>
    /// <exception cref="InvalidOperationException">T is not what the tensor holds.</exception>
    public Span<T> Image<T>(int index)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Shape.Batch);
        if (!(typeof(T) == typeof(float) && Type == DType.Float32 || typeof(T) == typeof(ushort)
            && Type == DType.UInt16))
            throw new InvalidOperationException($"The tensor holds {Type}, not {typeof(T).Name}.");
        long elements = Shape.Elements / Shape.Batch;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(elements, int.MaxValue);
        return new Span<T>((T*)Pointer + index * elements, (int)elements);
    }

    /// <summary>The float32 elements of one row of one picture, [W, C].</summary>
    /// <param name="n">The number of the picture in the batch, counted from 0.</param>
    /// <param name="y">The number of the row, counted from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row.</exception>
    /// <exception cref="InvalidOperationException">The tensor holds no float32.</exception>
    public Span<float> Row(int n, int y)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)n, (uint)Shape.Batch);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)y, (uint)Shape.Height);
        if (Type != DType.Float32)
            throw new InvalidOperationException($"The tensor holds {Type}, not Single.");
        int length = checked(Shape.Width * Shape.Channels);
        return new Span<float>((float*)Pointer + ((long)n * Shape.Height + y) * length, length);
    }

    /// <summary>The float32 element at (n, y, x, c). The indices are not checked.</summary>
    /// <param name="n">The number of the picture in the batch, counted from 0.</param>
    /// <param name="y">The number of the row, counted from 0.</param>
    /// <param name="x">The number of the column, counted from 0.</param>
    /// <param name="c">The number of the channel, counted from 0.</param>
    public ref float this[int n, int y, int x, int c] =>
        ref ((float*)Pointer)[(((long)n * Shape.Height + y) * Shape.Width + x) * Shape.Channels + c];

    public void Dispose() => _buffer.Dispose();

    /// <summary>Its memory outlives <see cref="Dispose"/> until <see cref="Release"/>.</summary>
    /// <exception cref="ObjectDisposedException">It is disposed.</exception>
    internal void Hold()
    {
        bool held = false;
        _buffer.DangerousAddRef(ref held);
    }

    /// <summary>Ends what <see cref="Hold"/> began.</summary>
    internal void Release() => _buffer.DangerousRelease();
}
