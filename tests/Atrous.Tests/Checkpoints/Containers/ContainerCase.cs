using System.Text.Json;
using Atrous.Checkpoints;
using Atrous.Tensors;
using Atrous.Tests.Support;

namespace Atrous.Tests.Checkpoints.Containers;

/// <summary>A row of tests/goldens/containers/expected.json: a file, and what a reader must make of it.</summary>
public sealed record ContainerCase(string Name, string Expect, JsonElement Row)
{
    public static string Folder => Path.Combine(Repository.Goldens, "containers");

    public static IReadOnlyList<ContainerCase> All { get; } = ReadAll();

    public string FilePath => Path.Combine(Folder, Name);

    /// <summary>Compares names, types, shapes and the listed values of every tensor.</summary>
    internal void Check(Checkpoint checkpoint)
    {
        if (Text("container") is { } container)
            Assert.Equal(container, checkpoint.Container);
        if (Text("path") is { } path)
            Assert.Equal(path, checkpoint.WeightsPath);
        JsonProperty[] tensors = [.. Row.GetProperty("tensors").EnumerateObject()];
        string Stripped(string stored) =>
            stored.StartsWith(checkpoint.StrippedPrefix, StringComparison.Ordinal)
            ? stored[checkpoint.StrippedPrefix.Length..] : stored;
        Assert.Equal(
            tensors.Select(tensor => Stripped(tensor.Name)).Order(StringComparer.Ordinal),
            checkpoint.Weights.Keys.Order(StringComparer.Ordinal));
        foreach (JsonProperty tensor in tensors)
            CheckTensor(checkpoint, Stripped(tensor.Name), tensor.Value);
    }

    private static void CheckTensor(Checkpoint checkpoint, string name, JsonElement expected)
    {
        WeightInfo info = checkpoint.Weights[name];
        Assert.Equal(expected.GetProperty("dtype").GetString(), NameOf(info.Type));
        int[] shape = [.. expected.GetProperty("shape").EnumerateArray().Select(size => size.GetInt32())];
        // The safetensors goldens store scalars as [1], whatever expected.json says: NumPy made them so.
        Assert.Equal(shape is [] && checkpoint.Container == "safetensors" ? [1] : shape, info.Shape);
        var values = new float[info.Elements];
        checkpoint.Read(name, values);
        float[] first = Floats(expected.GetProperty("first"));
        Assert.Equal(first, values[..first.Length]);
        if (expected.TryGetProperty("last", out JsonElement last))
            Assert.Equal(Floats(last), values[^last.GetArrayLength()..]);
        if (expected.TryGetProperty("sum", out JsonElement sum) && sum.ValueKind == JsonValueKind.Number)
        {
            double scale = values.Sum(value => Math.Abs((double)value));
            Assert.Equal(sum.GetDouble(), values.Sum(value => (double)value), 1e-6 * scale + 1e-12);
        }
    }

    private static string NameOf(DType type) => type switch
    {
        DType.Float32 => "F32",
        DType.Float16 => "F16",
        DType.BFloat16 => "BF16",
        DType.Float64 => "F64",
        DType.Bool => "BOOL",
        DType.UInt8 => "U8",
        DType.Int8 => "I8",
        DType.Int16 => "I16",
        DType.Int32 => "I32",
        DType.Int64 => "I64",
        _ => type.ToString(),
    };

    private static float[] Floats(JsonElement array) => [.. array.EnumerateArray().Select(Float)];

    private static float Float(JsonElement value) => value.ValueKind == JsonValueKind.Number
        ? (float)value.GetDouble()
        : value.GetString() switch
        {
            "inf" => float.PositiveInfinity,
            "-inf" => float.NegativeInfinity,
            "nan" => float.NaN,
            var other => throw new InvalidDataException($"expected.json has the value '{other}'."),
        };

    private string? Text(string property) =>
        Row.TryGetProperty(property, out JsonElement value) ? value.GetString() : null;

    private static List<ContainerCase> ReadAll()
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, "expected.json")));
        return
        [
            .. document.RootElement.Clone().EnumerateObject().Select(
                row => new ContainerCase(row.Name, row.Value.GetProperty("expect").GetString()!, row.Value)),
        ];
    }
}
