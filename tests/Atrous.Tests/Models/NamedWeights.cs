using System.Text.Json;
using Atrous.Checkpoints;
using Atrous.Tensors;
using Atrous.Tests.Support;

namespace Atrous.Tests.Models;

/// <summary>A checkpoint of names and shapes alone; every value is 0.</summary>
internal sealed class NamedWeights(IEnumerable<(string Name, int[] Shape)> keys, string? config = null) : ICheckpoint
{
    private readonly OrderedDictionary<string, WeightInfo> _weights = new(
        keys.Select(key => KeyValuePair.Create(key.Name, new WeightInfo(key.Name, DType.Float32, key.Shape))));

    public string Path => "names.pth";

    public IReadOnlyDictionary<string, string> Metadata => new Dictionary<string, string>();

    public JsonElement? Config { get; } = config is null ? null : JsonDocument.Parse(config).RootElement;

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

    public void Read(string name, Span<float> destination) => destination.Clear();

    public void Dispose()
    {
    }
}
