using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Atrous.Tensors;

namespace Atrous.Checkpoints.Storages;

/// <summary>Stored elements to float32 and back. Rounds to nearest even where the target is narrower.</summary>
internal static class FloatConversion
{
    /// <summary>
    /// Converts as many elements as the destination has. Reverses <paramref name="source"/> in place if it is
    /// big-endian.
    /// </summary>
    public static void ToFloat(Span<byte> source, DType type, bool bigEndian, Span<float> destination)
    {
        if (bigEndian == BitConverter.IsLittleEndian)
            ReverseEndianness(source, type.SizeInBytes());
        switch (type)
        {
            case DType.Float32: MemoryMarshal.Cast<byte, float>(source).CopyTo(destination); break;
            case DType.Float16: FromHalf(MemoryMarshal.Cast<byte, ushort>(source), destination); break;
            case DType.BFloat16: FromBFloat16(MemoryMarshal.Cast<byte, ushort>(source), destination); break;
            case DType.Float64: FromDouble(MemoryMarshal.Cast<byte, double>(source), destination); break;
            case DType.Bool: FromBool(source, destination); break;
            case DType.UInt8: FromInteger<byte>(source, destination); break;
            case DType.Int8: FromBytes(MemoryMarshal.Cast<byte, sbyte>(source), destination); break;
            case DType.Int16: FromInteger<short>(source, destination); break;
            case DType.UInt16: FromInteger<ushort>(source, destination); break;
            case DType.Int32: FromInteger<int>(source, destination); break;
            case DType.UInt32: FromInteger<uint>(source, destination); break;
            case DType.Int64: FromInteger<long>(source, destination); break;
            case DType.UInt64: FromInteger<ulong>(source, destination); break;
            default: throw new ArgumentOutOfRangeException(nameof(type), type, null);
        }
    }

    /// <summary>Writes little-endian elements. Integers are rounded and saturate; NaN becomes 0.</summary>
    public static void FromFloat(ReadOnlySpan<float> source, DType type, Span<byte> destination)
    {
        switch (type)
        {
            case DType.Float32: Store(source, destination, static value => value); break;
            case DType.Float16: Store(source, destination, static value => (Half)value); break;
            case DType.BFloat16: Store(source, destination, ToBFloat16); break;
            case DType.Float64: Store(source, destination, static value => (double)value); break;
            case DType.Bool: Store(source, destination, static value => value != 0 ? (byte)1 : (byte)0); break;
            case DType.UInt8: Store(source, destination, ToInteger<byte>); break;
            case DType.Int8: Store(source, destination, ToInteger<sbyte>); break;
            case DType.Int16: Store(source, destination, ToInteger<short>); break;
            case DType.UInt16: Store(source, destination, ToInteger<ushort>); break;
            case DType.Int32: Store(source, destination, ToInteger<int>); break;
            case DType.UInt32: Store(source, destination, ToInteger<uint>); break;
            case DType.Int64: Store(source, destination, ToInteger<long>); break;
            case DType.UInt64: Store(source, destination, ToInteger<ulong>); break;
            default: throw new ArgumentOutOfRangeException(nameof(type), type, null);
        }
        if (!BitConverter.IsLittleEndian)
            ReverseEndianness(destination, type.SizeInBytes());
    }

    private static void FromHalf(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        // The exponent is re-biased by a multiplication, which also normalises subnormals; infinities and NaN by hand.
        Vector256<float> rebias = Vector256.Create(BitConverter.UInt32BitsToSingle(0x77800000));
        int i = 0;
        for (; i <= source.Length - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            Vector256<uint> bits = Widen(source, i);
            Vector256<uint> magnitude = (bits & Vector256.Create(0x7fffu)) << 13;
            Vector256<uint> special = Vector256.GreaterThanOrEqual(magnitude, Vector256.Create(0x0f800000u));
            Vector256<uint> result = (magnitude.AsSingle() * rebias)
                .AsUInt32() | (special & Vector256.Create(0x7f800000u));
            (result | (bits & Vector256.Create(0x8000u)) << 16).AsSingle().StoreUnsafe(ref destination[i]);
        }
        for (; i < source.Length; i++)
            destination[i] = (float)BitConverter.UInt16BitsToHalf(source[i]);
    }

    private static void FromBFloat16(ReadOnlySpan<ushort> source, Span<float> destination)
    {
        int i = 0;
        for (; i <= source.Length - Vector256<float>.Count; i += Vector256<float>.Count)
            (Widen(source, i) << 16).AsSingle().StoreUnsafe(ref destination[i]);
        for (; i < source.Length; i++)
            destination[i] = BitConverter.UInt32BitsToSingle((uint)source[i] << 16);
    }

    private static void FromDouble(ReadOnlySpan<double> source, Span<float> destination)
    {
        int i = 0;
        for (; i <= source.Length - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            ref double first = ref Unsafe.AsRef(in source[i]);
            Vector256<double> low = Vector256.LoadUnsafe(ref first);
            Vector256<double> high = Vector256.LoadUnsafe(ref first, (nuint)Vector256<double>.Count);
            Vector256.Narrow(low, high).StoreUnsafe(ref destination[i]);
        }
        for (; i < source.Length; i++)
            destination[i] = (float)source[i];
    }

    private static void FromBytes(ReadOnlySpan<sbyte> source, Span<float> destination)
    {
        int i = 0;
        for (; i <= destination.Length - Vector128<sbyte>.Count; i += Vector128<sbyte>.Count)
        {
            Vector128<sbyte> bytes = Vector128.LoadUnsafe(ref Unsafe.AsRef(in source[i]));
            Vector256<short> halves = Vector256.Create(Vector128.WidenLower(bytes), Vector128.WidenUpper(bytes));
            ref float to = ref destination[i];
            Vector256.ConvertToSingle(Vector256.WidenLower(halves)).StoreUnsafe(ref to);
            Vector256.ConvertToSingle(Vector256.WidenUpper(halves)).StoreUnsafe(ref to, (nuint)Vector256<float>.Count);
        }
        for (; i < destination.Length; i++)
            destination[i] = source[i];
    }

    private static void FromBool(ReadOnlySpan<byte> source, Span<float> destination)
    {
        for (int i = 0; i < destination.Length; i++)
            destination[i] = source[i] != 0 ? 1 : 0;
    }

    private static void FromInteger<T>(ReadOnlySpan<byte> source, Span<float> destination)
        where T : unmanaged, INumberBase<T>
    {
        ReadOnlySpan<T> values = MemoryMarshal.Cast<byte, T>(source);
        for (int i = 0; i < destination.Length; i++)
            destination[i] = float.CreateTruncating(values[i]);
    }

    private static Vector256<uint> Widen(ReadOnlySpan<ushort> source, int index)
    {
        Vector128<ushort> eight = Vector128.LoadUnsafe(ref Unsafe.AsRef(in source[index]));
        return Vector256.Create(Vector128.WidenLower(eight), Vector128.WidenUpper(eight));
    }

    private static ushort ToBFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value)
            ? (ushort)(bits >> 16 | 0x40)
            : (ushort)(bits + 0x7fff + (bits >> 16 & 1) >> 16);
    }

    private static T ToInteger<T>(float value)
        where T : unmanaged, INumberBase<T> =>
        T.CreateSaturating(float.IsNaN(value) ? 0 : MathF.Round(value));

    private static void Store<T>(ReadOnlySpan<float> source, Span<byte> destination, Func<float, T> convert)
        where T : unmanaged
    {
        Span<T> target = MemoryMarshal.Cast<byte, T>(destination);
        for (int i = 0; i < source.Length; i++)
            target[i] = convert(source[i]);
    }

    private static void ReverseEndianness(Span<byte> bytes, int size)
    {
        switch (size)
        {
            case 1:
                break;
            case 2:
                Span<ushort> words = MemoryMarshal.Cast<byte, ushort>(bytes);
                BinaryPrimitives.ReverseEndianness(words, words);
                break;
            case 4:
                Span<uint> doubleWords = MemoryMarshal.Cast<byte, uint>(bytes);
                BinaryPrimitives.ReverseEndianness(doubleWords, doubleWords);
                break;
            default:
                Span<ulong> quadWords = MemoryMarshal.Cast<byte, ulong>(bytes);
                BinaryPrimitives.ReverseEndianness(quadWords, quadWords);
                break;
        }
    }
}
