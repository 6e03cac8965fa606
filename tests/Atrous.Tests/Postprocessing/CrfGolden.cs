using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Tests.Support;

namespace Atrous.Tests.Postprocessing;

/// <summary>
/// What pydensecrf gave for a picture, unaries and parameters, and where it is known what exact filtering (without a
/// lattice) would have given. shared/goldens/README.md, section 5; tests/goldens/crf holds copies of a few.
/// </summary>
public sealed class CrfGolden
{
    private static readonly Dictionary<string, JsonElement> Cases = ReadCases();
    private readonly JsonElement _case;
    private readonly TensorFile _input;
    private readonly TensorFile _output;

    private CrfGolden(JsonElement description)
    {
        _case = description;
        _input = TensorFile.Of(description.GetProperty("input").GetString()!);
        _output = TensorFile.Of(description.GetProperty("name").GetString()!);
    }

    public static TheoryData<string> Names => [.. Cases.Keys];

    /// <summary>Those for which exact filtering was computed.</summary>
    public static TheoryData<string> NamesWithExact =>
        [.. Cases.Where(entry => entry.Value.TryGetProperty("lattice_vs_exact", out _)).Select(entry => entry.Key)];

    public int Height => _case.GetProperty("height").GetInt32();

    public int Width => _case.GetProperty("width").GetInt32();

    public int Labels => _case.GetProperty("labels").GetInt32();

    public int Iterations => _case.GetProperty("iterations").GetInt32();

    public CrfNormalization Normalization =>
        Enum.Parse<CrfNormalization>(_case.GetProperty("normalization").GetString()!, ignoreCase: true);

    /// <summary>After 0, 1, 2, ... iterations.</summary>
    public double[] KlDivergence =>
        [.. _case.GetProperty("kl_divergence").EnumerateArray().Select(item => item.GetDouble())];

    /// <summary>The published implementation's own mean distance from exact filtering.</summary>
    public double MeanDistanceOfTheOriginal =>
        _case.GetProperty("lattice_vs_exact").GetProperty("mean_abs").GetDouble();

    public float[] Unary => _input.Read<float>("unary");

    /// <summary>[labels, height * width].</summary>
    public float[] Beliefs => _output.Read<float>("Q");

    public float[]? BeliefsAfterOneIteration => _output.Has("Q_after_1") ? _output.Read<float>("Q_after_1") : null;

    public float[] ExactBeliefs => _output.Read<float>("Q_exact");

    public static CrfGolden Load(string name) => new(Cases[name]);

    /// <summary>A CRF with the case's unaries and kernels. The caller disposes it.</summary>
    public DenseCrf Build(int threads = 2)
    {
        var crf = new DenseCrf(Height, Width, Labels, threads);
        crf.SetUnary(Unary);
        if (Kernel("gaussian") is { } gaussian)
        {
            float[] sigma = Floats(gaussian.GetProperty("sxy"));
            crf.AddGaussian(sigma[0], sigma[1], Compatibility(gaussian), Normalization);
        }
        if (Kernel("bilateral") is { } bilateral)
        {
            float[] sigma = Floats(bilateral.GetProperty("sxy"));
            using Image image = Image.FromPixels(_input.Read<byte>("image"), Height, Width);
            crf.AddBilateral(
                sigma[0], sigma[1], Floats(bilateral.GetProperty("srgb")), image, Compatibility(bilateral),
                Normalization);
        }
        if (Kernel("features") is { } features)
        {
            float[] values = _output.Read<float>(features.GetProperty("tensor").GetString()!);
            crf.AddFeatures(values, values.Length / (Width * Height), Compatibility(features), Normalization);
        }
        return crf;
    }

    private static Dictionary<string, JsonElement> ReadCases()
    {
        using JsonDocument document =
            JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Repository.Goldens, "crf", "cases.json")));
        return document.RootElement.Clone().GetProperty("cases").EnumerateArray()
            .ToDictionary(entry => entry.GetProperty("name").GetString()!);
    }

    private static CrfCompatibility Compatibility(JsonElement kernel)
    {
        JsonElement compat = kernel.GetProperty("compat");
        return compat.ValueKind == JsonValueKind.Number
            ? compat.GetSingle()
            : CrfCompatibility.Diagonal(Floats(compat));
    }

    private static float[] Floats(JsonElement array) => [.. array.EnumerateArray().Select(item => item.GetSingle())];

    private JsonElement? Kernel(string name) =>
        _case.TryGetProperty(name, out JsonElement kernel) && kernel.ValueKind == JsonValueKind.Object ? kernel : null;
}

/// <summary>A safetensors file of the CRF's goldens; skips the running test where it is not there.</summary>
public sealed class TensorFile
{
    private readonly byte[] _bytes;
    private readonly JsonElement _header;

    private TensorFile(string path)
    {
        _bytes = File.ReadAllBytes(path);
        using JsonDocument document = JsonDocument.Parse(_bytes.AsMemory(8, HeaderSize));
        _header = document.RootElement.Clone();
    }

    private int HeaderSize => checked((int)BinaryPrimitives.ReadUInt64LittleEndian(_bytes));

    public static TensorFile Of(string name) => new(Shared.Require($"goldens/crf/{name}.safetensors"));

    public bool Has(string name) => _header.TryGetProperty(name, out _);

    public T[] Read<T>(string name)
        where T : unmanaged
    {
        JsonElement entry = _header.GetProperty(name);
        string wanted = typeof(T) == typeof(float) ? "F32" : typeof(T) == typeof(int) ? "I32" : "U8";
        Assert.Equal(wanted, entry.GetProperty("dtype").GetString());
        JsonElement offsets = entry.GetProperty("data_offsets");
        ReadOnlySpan<byte> data = _bytes.AsSpan(8 + HeaderSize)[offsets[0].GetInt32()..offsets[1].GetInt32()];
        return MemoryMarshal.Cast<byte, T>(data).ToArray();
    }
}
