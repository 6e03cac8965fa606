using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using Atrous.Tensors;

namespace Atrous.Tests.Support;

/// <summary>A stored tensor of a golden: NCHW where it has four dimensions.</summary>
public sealed record GoldenTensor(int[] Shape, float[] Values, bool IsHalf)
{
    /// <summary>The shape as Atrous has it.</summary>
    public Shape Nhwc => new(Shape[0], Shape[2], Shape[3], Shape[1]);

    /// <summary>The values as Atrous has them.</summary>
    public float[] ToNhwc() => Layout.ToNhwc(Values, Nhwc);
}

/// <summary>One line of the goldens' index: enough to choose cases by.</summary>
public sealed record GoldenEntry(string Name, string Dialect, JsonElement Options)
{
    /// <summary>True for the cases that came later, of more encoders and dialects.</summary>
    public bool IsOfSecondSet { get; init; }

    /// <summary>True for the networks that run in a moment on any machine.</summary>
    public bool IsSmall => Name.Contains("mobile", StringComparison.Ordinal);
}

/// <summary>
/// What a third-party network gave for generated weights and a generated input: options, the checkpoint's keys, the
/// output and some intermediates. shared/goldens/README.md says how they were made; tests/goldens holds copies of a
/// few.
/// </summary>
public sealed class Golden
{
    private readonly JsonElement _case;
    private readonly string _tensors;

    private Golden(JsonElement description, string tensors)
    {
        _case = description;
        _tensors = tensors;
    }

    /// <summary>Every case there is, whether its files are here or not.</summary>
    public static IReadOnlyList<GoldenEntry> All { get; } =
    [
        .. Index("cases"),
        .. Index("cases-2").Select(entry => entry with { IsOfSecondSet = true }),
    ];

    public string Name => _case.GetProperty("name").GetString()!;

    public string Dialect => _case.GetProperty("dialect").GetString()!;

    /// <summary>The original's options: backbone, output_stride, num_classes and whatever else it knows.</summary>
    public JsonElement Options => _case.GetProperty("options");

    /// <summary>The whole description, for facts that have no member here.</summary>
    public JsonElement Description => _case;

    /// <summary>The checkpoint's entries in its order.</summary>
    public IReadOnlyList<(string Name, int[] Shape)> Keys =>
        [.. _case.GetProperty("keys").EnumerateArray().Select(key => (key[0].GetString()!, Ints(key[1])))];

    /// <summary>The input's shape, NHWC.</summary>
    public Shape InputShape
    {
        get
        {
            int[] shape = Ints(_case.GetProperty("input").GetProperty("shape"));
            return new(shape[0], shape[2], shape[3], shape[1]);
        }
    }

    /// <summary>The standard deviation of the output, the unit of tolerances.</summary>
    public double OutputStd => _case.GetProperty("output").GetProperty("std").GetDouble();

    /// <summary>max|float32 - float64| / std of the original itself.</summary>
    public double Noise => _case.GetProperty("noise_f32_vs_f64").GetProperty("max_rel_to_std").GetDouble();

    /// <summary>Names of the stored intermediates.</summary>
    public IReadOnlyList<string> Intermediates =>
        [.. _case.GetProperty("intermediates").EnumerateObject().Select(property => property.Name)];

    /// <summary>Theory rows: the names of the cases of some dialects; of all where none is named.</summary>
    public static TheoryData<string> Of(params string[] dialects) =>
        Where(entry => dialects.Length == 0 || dialects.Contains(entry.Dialect));

    /// <summary>Theory rows: the names of the cases that fit.</summary>
    public static TheoryData<string> Where(Func<GoldenEntry, bool> predicate) =>
        [.. All.Where(predicate).Select(entry => entry.Name)];

    /// <summary>
    /// A case by its name, from tests/goldens or shared/goldens; skips the test where it is in neither.
    /// </summary>
    public static Golden Load(string name)
    {
        string path = Shared.Find($"goldens/cases/{name}.json") ?? Shared.Require($"goldens/cases-2/{name}.json");
        return new Golden(Json(path), Path.ChangeExtension(path, ".safetensors"));
    }

    /// <summary>The weights that the output was computed with.</summary>
    internal GeneratedWeights Weights() => new(
        Keys, _case.GetProperty("aliases").EnumerateArray()
        .Select(pair => (pair[0].GetString()!, pair[1].GetString()!)));

    /// <summary>The input, already normalised. The caller disposes it.</summary>
    public Tensor Input() =>
        GeneratedWeights.Input(InputShape, _case.GetProperty("input").GetProperty("scale").GetSingle());

    /// <summary>The logits: the original's float64 run, rounded once.</summary>
    public GoldenTensor Output() => ReadTensor("output");

    /// <summary>An intermediate; channel i of it is channel i * step of the network's tensor.</summary>
    public GoldenTensor Intermediate(string name, out int channelStep)
    {
        channelStep = _case.GetProperty("intermediates").GetProperty(name).GetProperty("channel_step").GetInt32();
        return ReadTensor(name);
    }

    /// <summary>
    /// The shape of the network's tensor that an intermediate is of; null for the scores of a whole picture, which are
    /// those of a head for training.
    /// </summary>
    public Shape? ShapeOfIntermediate(string name) =>
        Ints(_case.GetProperty("intermediates").GetProperty(name).GetProperty("full_shape"))
            is [var n, var c, var h, var w]
            ? new Shape(n, h, w, c)
            : null;

    /// <summary>The standard deviation of the network's tensor that an intermediate is of.</summary>
    public double StdOfIntermediate(string name) =>
        _case.GetProperty("intermediates").GetProperty(name).GetProperty("std").GetDouble();

    public override string ToString() => Name;

    private static IEnumerable<GoldenEntry> Index(string set) =>
        Json(Path.Combine(Repository.Goldens, set, "index.json")).EnumerateArray().Select(entry => new GoldenEntry(
            entry.GetProperty("name").GetString()!, entry.GetProperty("dialect").GetString()!,
            entry.GetProperty("options")));

    private static JsonElement Json(string path)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
        return document.RootElement.Clone();
    }

    private static int[] Ints(JsonElement array) => [.. array.EnumerateArray().Select(item => item.GetInt32())];

    // Not the library's own reader: the goldens judge that one.
    private GoldenTensor ReadTensor(string name)
    {
        byte[] file = File.ReadAllBytes(_tensors);
        int header = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(file));
        using JsonDocument document = JsonDocument.Parse(file.AsMemory(8, header));
        JsonElement entry = document.RootElement.GetProperty(name);
        int[] offsets = Ints(entry.GetProperty("data_offsets"));
        ReadOnlySpan<byte> bytes = file.AsSpan(8 + header)[offsets[0]..offsets[1]];
        float[] values = entry.GetProperty("dtype").GetString() switch
        {
            "F32" => MemoryMarshal.Cast<byte, float>(bytes).ToArray(),
            "F16" => [.. MemoryMarshal.Cast<byte, Half>(bytes).ToArray().Select(half => (float)half)],
            string other => throw new InvalidDataException($"{_tensors}: {name} is {other}."),
            null => throw new InvalidDataException($"{_tensors}: {name} has no dtype."),
        };
        return new(Ints(entry.GetProperty("shape")), values, entry.GetProperty("dtype").GetString() == "F16");
    }
}
