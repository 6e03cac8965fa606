using System.Text.Json;
using Atrous.Checkpoints;
using Atrous.Tensors;
using Atrous.Tests.Support;

namespace Atrous.Tests.Checkpoints.Dialects;

/// <summary>A checkpoint of names and shapes alone; every value is 0, but those that a test gives.</summary>
internal sealed class NamedWeights(IEnumerable<(string Name, int[] Shape)> keys, string? config = null) : ICheckpoint
{
    private readonly OrderedDictionary<string, WeightInfo> _weights = new(
        keys.Select(key => KeyValuePair.Create(key.Name, new WeightInfo(key.Name, DType.Float32, key.Shape))));
    private readonly Dictionary<string, float[]> _values = [];
    private readonly OrderedDictionary<string, JsonElement> _arguments = [];

    public string Path => "names.pth";

    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    public JsonElement? Config { get; } = Parse(config);

    public JsonElement? Preprocessor { get; init; }

    public JsonElement? HyperParameters { init => Say("hyper_parameters", value); }

    /// <summary>As a script keeps it beside the hyper-parameters.</summary>
    public JsonElement? Beside { init => Say("config", value); }

    public IReadOnlyDictionary<string, JsonElement> Arguments => _arguments;

    public JsonElement? Meta { get; init; }

    public string StrippedPrefix { get; init; } = "";

    public IReadOnlyDictionary<string, WeightInfo> Weights => _weights;

    /// <summary>The keys of a published model, in shared/goldens/manifests.</summary>
    public static IReadOnlyList<(string Name, int[] Shape)> Manifest(string name)
    {
        using JsonDocument document =
            JsonDocument.Parse(File.ReadAllBytes(Shared.Require($"goldens/manifests/{name}.json")));
        return
        [
            .. document.RootElement.EnumerateArray().Select(
                key => (key[0].GetString()!, key[1].EnumerateArray().Select(size => size.GetInt32()).ToArray())),
        ];
    }

    public static JsonElement? Parse(string? json) => json is null ? null : JsonDocument.Parse(json).RootElement;

    /// <summary>Adds a tensor of these values, [1, n, 1, 1].</summary>
    public void Add(string name, params float[] values)
    {
        _weights.Add(name, new WeightInfo(name, DType.Float32, [1, values.Length, 1, 1]));
        _values.Add(name, values);
    }

    /// <summary>Gives a tensor that is there its values.</summary>
    public void Fill(string name, Func<double> next) =>
        _values[name] = [.. Enumerable.Range(0, checked((int)_weights[name].Elements)).Select(_ => (float)next())];

    /// <summary>Says of a kernel what a module that was saved whole says.</summary>
    public void State(string name, int dilation) => State(name, new LayerFacts { Dilation = dilation });

    /// <summary>The same of any layer.</summary>
    public void State(string name, LayerFacts facts) => _weights[name] = _weights[name] with { Layer = facts };

    /// <summary>Gives a tensor another type.</summary>
    public void Store(string name, DType type) => _weights[name] = _weights[name] with { Type = type };

    public void Read(string name, Span<float> destination)
    {
        destination.Clear();
        if (_values.TryGetValue(name, out float[]? values))
            values.CopyTo(destination);
    }

    public void Dispose()
    {
    }

    private void Say(string place, JsonElement? arguments)
    {
        if (arguments is { } said)
            _arguments.Add(place, said);
    }
}
