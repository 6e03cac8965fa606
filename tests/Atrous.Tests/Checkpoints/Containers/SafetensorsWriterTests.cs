using Atrous.Checkpoints;
using Atrous.Checkpoints.Containers;
using Atrous.Checkpoints.Storages;
using Atrous.Tensors;

namespace Atrous.Tests.Checkpoints.Containers;

public sealed class SafetensorsWriterTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("atrous-").FullName;

    public static TheoryData<DType> Types => [.. Enum.GetValues<DType>()];

    private string Target => Path.Combine(_folder, "model.safetensors");

    [Theory]
    [MemberData(nameof(Types))]
    public void What_it_writes_is_read_again(DType type)
    {
        // Exact in every type: 0 and 1 for booleans, small integers otherwise. 19 does not fill vectors.
        float[] values = [.. Enumerable.Range(0, 19).Select(i => type == DType.Bool ? i % 2 : (float)i)];
        Write(new WeightInfo("w", type, [19]), values);
        Assert.Equal(values, Read("w"));
    }

    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.Float16)]
    [InlineData(DType.BFloat16)]
    [InlineData(DType.Float64)]
    public void Floating_point_values_round_as_the_type_does(DType type)
    {
        float[] values =
        [
            0f, -0f, 1f / 3, -65504f, 1e-7f, 6e-8f, 1e-40f, 3.4e38f, float.PositiveInfinity, float.NegativeInfinity,
                float.NaN,
            2049f, 2051f, 1.00390625f, 1.01171875f, 65520f, -1e-5f,
        ];
        Write(new WeightInfo("w", type, [values.Length]), values);
        float[] expected = Array.ConvertAll(values, value => type switch
        {
            DType.Float16 => (float)(Half)value,
            DType.BFloat16 => RoundToBFloat16(value),
            _ => value,
        });
        Assert.Equal(Array.ConvertAll(expected, BitConverter.SingleToInt32Bits),
            Array.ConvertAll(Read("w"), BitConverter.SingleToInt32Bits));
    }

    [Fact]
    public void Every_half_is_converted_exactly()
    {
        var bytes = new byte[2 * 65536];
        for (int i = 0; i < 65536; i++)
            BitConverter.TryWriteBytes(bytes.AsSpan(2 * i), (ushort)i);
        var values = new float[65536];
        FloatConversion.ToFloat(bytes, DType.Float16, bigEndian: false, values);
        for (int i = 0; i < values.Length; i++)
        {
            float expected = (float)BitConverter.UInt16BitsToHalf((ushort)i);
            Assert.True(values[i] == expected
                ? float.IsNegative(values[i]) == float.IsNegative(expected)
                : float.IsNaN(values[i]) && float.IsNaN(expected), $"0x{i:x4}");
        }
    }

    [Theory]
    [InlineData(DType.UInt8, 300f, 255f)]
    [InlineData(DType.Int8, -300f, -128f)]
    [InlineData(DType.UInt16, -1f, 0f)]
    [InlineData(DType.Int32, float.NaN, 0f)]
    [InlineData(DType.Int16, 2.5f, 2f)]
    public void Integers_round_and_saturate(DType type, float value, float expected)
    {
        Write(new WeightInfo("w", type, []), [value]);
        Assert.Equal([expected], Read("w"));
    }

    [Fact]
    public void The_header_is_deterministic_and_aligned()
    {
        WeightInfo[] infos =
            [new("b", DType.UInt8, [3]), new("\u00e9 \"q\"", DType.Float32, [2, 0]), new("a", DType.Float64, [])];
        byte[] Once(Dictionary<string, string> metadata)
        {
            using (var writer = new SafetensorsWriter(Target, infos, metadata))
            {
                writer.Write("a", [2.5f]);
                writer.Write("b", [1, 2, 3]);
                writer.Write("\u00e9 \"q\"", []);
                writer.Complete();
            }
            return File.ReadAllBytes(Target);
        }

        byte[] first = Once(new() { ["z"] = "1", ["a"] = "2" });
        Assert.Equal(first, Once(new() { ["a"] = "2", ["z"] = "1" }));
        Assert.Equal(0, BitConverter.ToInt64(first) % 8);
        using Checkpoint checkpoint = Checkpoint.Open(Target);
        Assert.Equal(infos.Select(info => info.Name), checkpoint.Weights.Keys);
        Assert.Equal("2", checkpoint.Metadata["a"]);
        Assert.Equal([1f, 2f, 3f], Read("b"));
        Assert.Equal([2.5f], Read("a"));
        Assert.Equal([Target], Directory.GetFiles(_folder));
    }

    [Fact]
    public void An_unfinished_file_leaves_nothing_behind()
    {
        File.WriteAllText(Target, "before");
        using (var writer = new SafetensorsWriter(Target, [new("a", DType.Float32, [1]), new("b", DType.Float32, [1])]))
        {
            writer.Write("a", [1]);
            Assert.Throws<ArgumentException>(() => writer.Write("a", [1]));
            Assert.Throws<ArgumentException>(() => writer.Write("b", [1, 2]));
            Assert.Throws<ArgumentException>(() => writer.Write("c", [1]));
            Assert.Throws<InvalidOperationException>(writer.Complete);
        }
        Assert.Equal([Target], Directory.GetFiles(_folder));
        Assert.Equal("before", File.ReadAllText(Target));
    }

    [Fact]
    public void Refuses_names_used_twice_and_folders_that_are_not_there()
    {
        WeightInfo info = new("a", DType.Float32, [1]);
        Assert.Throws<ArgumentException>(() => new SafetensorsWriter(Target, [info, info]));
        Assert.Throws<OutputException>(
            () => new SafetensorsWriter(Path.Combine(_folder, "none", "x.safetensors"), [info]));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static float RoundToBFloat16(float value)
    {
        if (float.IsNaN(value) || float.IsInfinity(value))
            return value;
        // The two neighbours of 16 bits; a tie goes to the even one.
        uint low = BitConverter.SingleToUInt32Bits(value) & 0xffff0000;
        double down = BitConverter.UInt32BitsToSingle(low);
        double up = low + 0x10000 >= 0x7f800000 && low < 0x80000000
            ? Math.Pow(2, 128)
            : BitConverter.UInt32BitsToSingle(low + 0x10000);
        double toDown = Math.Abs(value - down);
        double toUp = Math.Abs(up - value);
        bool takeUp = toUp < toDown || toUp == toDown && (low & 0x10000) != 0;
        return takeUp ? (float)up : (float)down;
    }

    private void Write(WeightInfo info, float[] values)
    {
        using var writer = new SafetensorsWriter(Target, [info]);
        writer.Write(info.Name, values);
        writer.Complete();
    }

    private float[] Read(string name)
    {
        using Checkpoint checkpoint = Checkpoint.Open(Target);
        var values = new float[checkpoint.Weights[name].Elements];
        checkpoint.Read(name, values);
        return values;
    }
}
