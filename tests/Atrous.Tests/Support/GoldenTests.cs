using System.Globalization;
using System.Text.Json;
using Atrous.Tensors;

namespace Atrous.Tests.Support;

/// <summary>
/// The generator against the vectors that the goldens came with: if this fails, no golden means anything.
/// </summary>
public sealed class GoldenTests
{
    private static readonly JsonElement Vectors =
        JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Repository.Goldens, "vectors.json"))).RootElement;

    [Fact]
    public void The_hash_is_fnv1a()
    {
        foreach (JsonProperty vector in Vectors.GetProperty("fnv1a64").EnumerateObject())
            Assert.Equal(Convert.ToUInt64(vector.Value.GetString()!, 16), GeneratedWeights.Hash(vector.Name));
    }

    [Fact]
    public void The_uniform_numbers_are_those_of_the_goldens()
    {
        foreach (JsonProperty vector in Vectors.GetProperty("u_times_2p24").EnumerateObject())
        {
            ulong hash = GeneratedWeights.Hash(vector.Name);
            Assert.Equal(
                vector.Value.EnumerateArray().Select(u => u.GetDouble()),
                Enumerable.Range(0, vector.Value.GetArrayLength())
                    .Select(i => GeneratedWeights.Uniform(hash, i) * 16777216));
        }
    }

    [Fact]
    public void Every_kind_of_weight_is_bit_exact()
    {
        foreach (JsonElement vector in Vectors.GetProperty("tensors").EnumerateArray())
        {
            string name = vector.GetProperty("key").GetString()!;
            int[] shape = [.. vector.GetProperty("shape").EnumerateArray().Select(size => size.GetInt32())];
            using var weights = new GeneratedWeights([(name, shape)]);
            var values = new float[weights.Weights[name].Elements];
            weights.Read(name, values);
            uint[] first = Bits(vector.GetProperty("first_bits")), last = Bits(vector.GetProperty("last_bits"));
            Assert.Equal(first, values.Take(first.Length).Select(BitConverter.SingleToUInt32Bits));
            Assert.Equal(last, values.TakeLast(last.Length).Select(BitConverter.SingleToUInt32Bits));
        }
    }

    [Fact]
    public void A_case_has_its_description_and_its_tensors()
    {
        Golden golden = Golden.Load("arronhzg_resnet50_os16_97x129");
        Assert.Equal("ArronHZG", golden.Dialect);
        Assert.Equal(16, golden.Options.GetProperty("output_stride").GetInt32());
        Assert.Equal(new(1, 97, 129, 3), golden.InputShape);
        GoldenTensor output = golden.Output();
        Assert.Equal(new(1, 97, 129, 5), output.Nhwc);
        Assert.Equal(
            golden.Description.GetProperty("output").GetProperty("max").GetDouble(), output.Values.Max(), 1e-4);
        foreach (string name in golden.Intermediates)
            Assert.NotEmpty(golden.Intermediate(name, out _).Values);
        using Tensor input = golden.Input();
        Assert.Equal((float)(2 * GeneratedWeights.Uniform(GeneratedWeights.Hash("input"), 1) - 1), input[0, 0, 1, 0]);
    }

    private static uint[] Bits(JsonElement list) =>
        [.. list.EnumerateArray()
        .Select(bits => uint.Parse(bits.GetString()!.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture))];
}
