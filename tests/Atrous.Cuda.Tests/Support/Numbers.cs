namespace Atrous.Cuda.Tests.Support;

/// <summary>The storage formats of tensors, for tests: what a number becomes when it is stored.</summary>
internal enum Storage
{
    Fp32,
    Tf32,
    Fp16,
    Bf16,
}

internal static class Numbers
{
    public static int BytesOf(Storage storage) => storage is Storage.Fp32 or Storage.Tf32 ? 4 : 2;

    /// <summary>Rounds to what a format can hold; TF32 is stored as 32 bits.</summary>
    public static float Stored(float value, Storage storage) => storage switch
    {
        Storage.Fp16 => (float)(Half)value,
        Storage.Bf16 => BitConverter.UInt32BitsToSingle(Bf16Bits(value)),
        _ => value,
    };

    /// <summary>What a product sees of a stored value: TF32 drops 13 bits, to the nearest.</summary>
    public static float Multiplied(float value, Storage storage) =>
        storage == Storage.Tf32 ? BitConverter.UInt32BitsToSingle(Rounded(value, 13)) : value;

    /// <summary>
    /// How far a result may be from the exact sum: half a unit in the last place of the stored result, what rounding
    /// each product takes, and a little for the sum.
    /// </summary>
    /// <param name="exact">The exact sum.</param>
    /// <param name="storage">Of the factors and the result.</param>
    /// <param name="magnitude">The sum of the products' absolute values.</param>
    public static float Tolerance(float exact, Storage storage, double magnitude) =>
        (float)(Math.Abs(exact) * Rounding(storage) + magnitude * (storage == Storage.Tf32 ? TruncatedTf32 : Float32))
        + 1e-5f;

    /// <summary>
    /// A product of two factors of 11 bits, of which the device may cut off the rest: 2^-10 together, as the expected
    /// result rounds them to the nearest; and a product of a float32 sum.
    /// </summary>
    private const double TruncatedTf32 = 1.0 / 1024, Float32 = 1.0 / (1 << 23);

    private static double Rounding(Storage storage) => storage switch
    {
        Storage.Fp16 => 1.0 / 2048,
        Storage.Bf16 => 1.0 / 256,
        _ => 1e-6,
    };

    public static byte[] ToBytes(ReadOnlySpan<float> values, Storage storage)
    {
        byte[] bytes = new byte[values.Length * BytesOf(storage)];
        for (int i = 0; i < values.Length; i++)
        {
            switch (storage)
            {
                case Storage.Fp16: BitConverter.TryWriteBytes(bytes.AsSpan(2 * i), (Half)values[i]); break;
                case Storage.Bf16:
                    BitConverter.TryWriteBytes(
                    bytes.AsSpan(2 * i), (ushort)(Bf16Bits(values[i]) >> 16)); break;
                default: BitConverter.TryWriteBytes(bytes.AsSpan(4 * i), values[i]); break;
            }
        }
        return bytes;
    }

    public static float[] FromBytes(ReadOnlySpan<byte> bytes, Storage storage)
    {
        float[] values = new float[bytes.Length / BytesOf(storage)];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = storage switch
            {
                Storage.Fp16 => (float)BitConverter.ToHalf(bytes[(2 * i)..]),
                Storage.Bf16 => BitConverter.UInt32BitsToSingle((uint)BitConverter.ToUInt16(bytes[(2 * i)..]) << 16),
                _ => BitConverter.ToSingle(bytes[(4 * i)..]),
            };
        }
        return values;
    }

    /// <summary>Small numbers of both signs that every format holds only roughly.</summary>
    public static float[] Random(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() * 2 - 1)];
    }

    private static uint Bf16Bits(float value) => Rounded(value, 16);

    /// <summary>Drops low bits, to the nearest, ties to even.</summary>
    private static uint Rounded(float value, int dropped)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        uint half = (1u << (dropped - 1)) - 1;
        return (bits + half + ((bits >> dropped) & 1)) & ~((1u << dropped) - 1);
    }
}
