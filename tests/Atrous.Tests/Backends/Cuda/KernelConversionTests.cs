using Atrous.Backends.Cuda;
using Atrous.Tensors;

namespace Atrous.Tests.Backends.Cuda;

/// <summary>Storages into each other, bit for bit as .NET rounds them, and the channels that pad.</summary>
public sealed unsafe class KernelConversionTests
{
    [Theory]
    [InlineData(DType.Float16)]
    [InlineData(DType.BFloat16)]
    public void Every_number_of_16_bits_comes_back(DType storage)
    {
        ushort[] bits = [.. Enumerable.Range(0, 65536).Select(i => (ushort)i)];
        var wide = new float[bits.Length];
        var back = new ushort[bits.Length];
        fixed (ushort* from = bits, to = back)
        fixed (float* between = wide)
        {
            HostKernels.Run(
                KernelLaunches.Copy(storage, DType.Float32, Row(from, bits.Length), 0, 0, Row(between, bits.Length)));
            HostKernels.Run(
                KernelLaunches.Copy(DType.Float32, storage, Row(between, bits.Length), 0, 0, Row(to, bits.Length)));
        }
        for (int i = 0; i < bits.Length; i++)
        {
            float expected = storage == DType.Float16
                ? (float)BitConverter.UInt16BitsToHalf(bits[i])
                : BitConverter.UInt32BitsToSingle((uint)bits[i] << 16);
            Assert.Equal(BitConverter.SingleToUInt32Bits(expected) & ~0x400000u,
                BitConverter.SingleToUInt32Bits(wide[i]) & ~0x400000u);
            // What is not a number becomes the one that the hardware writes.
            Assert.Equal(float.IsNaN(expected) ? (ushort)0x7fff : bits[i], back[i]);
        }
    }

    [Theory]
    [InlineData(DType.Float16)]
    [InlineData(DType.BFloat16)]
    public void Numbers_round_to_the_nearest_and_ties_to_even(DType storage)
    {
        // Every exponent, and fractions around the ties of both storages.
        float[] values =
        [
            .. from exponent in Enumerable.Range(0, 256)
               from fraction in new uint[] { 0u, 1, 0xfff, 0x1000, 0x1001, 0x2fff, 0x3000, 0x3001, 0x7fff, 0x8000,
               0x8001, 0x17fff, 0x18000, 0x18001, 0x7fffff, 0x555555 }
               from sign in new uint[] { 0u, 1 }
               select BitConverter.UInt32BitsToSingle(sign << 31 | (uint)exponent << 23 | fraction),
        ];
        float[] numbers = [.. values.Where(value => !float.IsNaN(value))];
        var rounded = new ushort[numbers.Length];
        fixed (float* from = numbers)
        fixed (ushort* to = rounded)
            HostKernels.Run(
                KernelLaunches.Copy(DType.Float32, storage, Row(from, numbers.Length), 0, 0, Row(to, numbers.Length)));
        for (int i = 0; i < numbers.Length; i++)
        {
            ushort expected = storage == DType.Float16
                ? BitConverter.HalfToUInt16Bits((Half)numbers[i])
                : (ushort)(BitConverter.SingleToUInt32Bits(StoredTensor.Round(storage, numbers[i])) >> 16);
            Assert.True(expected == rounded[i],
                $"{numbers[i]:R} became {rounded[i]:x4} instead of {expected:x4} in {storage}.");
        }
    }

    [Theory]
    [InlineData(3, 8)]
    [InlineData(3, 4)]
    [InlineData(8, 16)]
    [InlineData(21, 32)]
    public void Channels_that_pad_are_zero(int channels, int padded)
    {
        Shape shape = new(2, 3, 5, channels);
        float[] values = OpCase.Numbers("padding", (int)shape.Elements, 2);
        foreach (DType storage in new[] { DType.Float32, DType.Float16, DType.BFloat16 })
        {
            using var from = new StoredTensor(DType.Float32, shape, Placing.Packed, values);
            using var to = new StoredTensor(storage, shape with { Channels = padded }, Placing.AlignedSlice);
            HostKernels.Run(KernelLaunches.Copy(DType.Float32, storage, from.View, 0, 0, to.View));
            float[] expected = [.. Enumerable.Range(0, (int)shape.Pixels * padded).Select(i =>
                i % padded < channels ? StoredTensor.Round(storage, values[i / padded * channels + i % padded]) : 0)];
            Assert.Equal(expected, to.Values());
            to.AssertSurroundingsUntouched($"{channels} padded to {padded} in {storage}");
        }
    }

    [Fact]
    public void A_pooled_branch_is_broadcast_beside_the_others()
    {
        float[] branch = OpCase.Numbers("branch", 2 * 3 * 4 * 16, 1), pooled = OpCase.Numbers("pooled", 2 * 8, 1);
        using var first = new StoredTensor(DType.Float32, new(2, 3, 4, 16), Placing.Packed, branch);
        using var second = new StoredTensor(DType.Float32, new(2, 1, 1, 8), Placing.Packed, pooled);
        using var joined = new StoredTensor(DType.Float32, new(2, 3, 4, 24), Placing.AlignedSlice);
        HostKernels.Run(KernelLaunches.Concat(DType.Float32, [first.View, second.View], joined.View));
        float[] expected =
            [.. Enumerable.Range(0, 2 * 3 * 4 * 24)
            .Select(i => i % 24 < 16 ? branch[i / 24 * 16 + i % 24] : pooled[i / 24 / 12 * 8 + i % 24 - 16])];
        Assert.Equal(expected, joined.Values());
        joined.AssertSurroundingsUntouched("concat");
    }

    private static DeviceTensor Row(void* data, int elements) => new((nint)data, 1, 1, 1, elements, 1);
}
