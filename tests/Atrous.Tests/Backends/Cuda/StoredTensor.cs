using Atrous.Backends.Cuda;
using Atrous.Tensors;

namespace Atrous.Tests.Backends.Cuda;

/// <summary>How a tensor lies in memory: the slice of a wider one, or not.</summary>
public enum Placing
{
    /// <summary>Packed.</summary>
    Packed,

    /// <summary>A slice whose start and pitch are multiples of 16 bytes.</summary>
    AlignedSlice,

    /// <summary>A slice whose start and pitch are multiples of nothing.</summary>
    OddSlice,
}

/// <summary>
/// A tensor of a storage in memory that a kernel may see, as a slice with other things on both sides, which must be as
/// they were afterwards.
/// </summary>
internal sealed unsafe class StoredTensor : IDisposable
{
    /// <summary>What lies around the slice: the bits of a NaN, so that a kernel that reads it shows.</summary>
    private const ushort Foreign = 0x7fff;

    private readonly NativeBuffer _buffer;
    private readonly DType _storage;
    private readonly Shape _shape;
    private readonly long _pitch;
    private readonly int _offset;

    public StoredTensor(DType storage, Shape shape, Placing placing, ReadOnlySpan<float> values = default)
    {
        (_storage, _shape) = (storage, shape);
        int lanes = 16 / storage.SizeInBytes();
        (_offset, _pitch) = placing switch
        {
            Placing.Packed => (0, shape.Channels),
            Placing.AlignedSlice => (lanes, (shape.Channels + 3 * lanes - 1) / lanes * lanes),
            _ => (1, shape.Channels + 3L),
        };
        _buffer = new NativeBuffer(shape.Pixels * _pitch * storage.SizeInBytes());
        new Span<ushort>(_buffer.Pointer, checked((int)(_buffer.SizeInBytes / 2))).Fill(Foreign);
        for (int i = 0; i < values.Length; i++)
            Write(i, values[i]);
    }

    public DeviceTensor View => new((nint)_buffer.Pointer + _offset * _storage.SizeInBytes(), _pitch, _shape);

    /// <summary>All elements as float32.</summary>
    public float[] Values() => [.. Enumerable.Range(0, (int)_shape.Elements).Select(i => Read(Index(i)))];

    /// <summary>Fails where anything but the slice's own elements was written.</summary>
    public void AssertSurroundingsUntouched(string what)
    {
        ushort* words = (ushort*)_buffer.Pointer;
        int wordsOfElement = _storage.SizeInBytes() / 2;
        for (long i = 0; i < _shape.Pixels * _pitch; i++)
        {
            long channel = i % _pitch - _offset;
            if (channel >= 0 && channel < _shape.Channels)
                continue;
            for (int word = 0; word < wordsOfElement; word++)
                Assert.True(words[i * wordsOfElement + word] == Foreign,
                    $"{what} wrote beside its slice, at pixel {i / _pitch}, channel {channel}.");
        }
    }

    /// <summary>A number rounded as the storage rounds it, ties to even.</summary>
    public static float Round(DType storage, float value) => storage switch
    {
        DType.Float32 => value,
        DType.Float16 => (float)(Half)value,
        _ => BitConverter.UInt32BitsToSingle((uint)BFloat16Bits(value) << 16),
    };

    /// <summary>Half the distance to the next number, relative: 2^-p for p bits of precision.</summary>
    public static double UnitRoundoff(DType storage) => storage switch
    {
        DType.Float32 => 1.0 / (1 << 24),
        DType.Float16 => 1.0 / (1 << 11),
        _ => 1.0 / (1 << 8),
    };

    public void Dispose() => _buffer.Dispose();

    private long Index(long element) => element / _shape.Channels * _pitch + _offset + element % _shape.Channels;

    private float Read(long index) => _storage switch
    {
        DType.Float32 => ((float*)_buffer.Pointer)[index],
        DType.Float16 => (float)((Half*)_buffer.Pointer)[index],
        _ => BitConverter.UInt32BitsToSingle((uint)((ushort*)_buffer.Pointer)[index] << 16),
    };

    private void Write(long element, float value)
    {
        long index = Index(element);
        if (_storage == DType.Float32)
            ((float*)_buffer.Pointer)[index] = value;
        else if (_storage == DType.Float16)
            ((Half*)_buffer.Pointer)[index] = (Half)value;
        else
            ((ushort*)_buffer.Pointer)[index] = BFloat16Bits(value);
    }

    private static ushort BFloat16Bits(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? Foreign : (ushort)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
    }
}
