using System.Text.Json;
using Atrous.Checkpoints;
using Atrous.Checkpoints.Dialects;
using Atrous.Checkpoints.Storages;
using Atrous.Models;
using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Fuzz;

/// <summary>A published network's names and shapes, with what documents beside or inside the file say of it.</summary>
/// <param name="weights">The names and shapes.</param>
/// <param name="documents">An object with the entries config, preprocessor, hyper_parameters and meta, or some of them.</param>
internal sealed class DescribedWeights(IReadOnlyDictionary<string, WeightInfo> weights, JsonElement documents)
    : ICheckpoint
{
    private const int MaxBytes = 4 << 20;

    private static readonly Dictionary<string, IReadOnlyDictionary<string, WeightInfo>> Manifests = new()
    {
        ["hf"] = Manifest("hf_mobilenetv2_deeplabv3_voc"),
        ["smp"] = Manifest("smp_deeplabv3plus_r50_1class"),
        ["mmseg"] = Manifest("mmseg_deeplabv3plus_r50-d8_cityscapes"),
    };

    public string Path => "a.pth";

    public IReadOnlyDictionary<string, string> Metadata => new Dictionary<string, string>();

    public IReadOnlyDictionary<string, WeightInfo> Weights => weights;

    public JsonElement? Config => Document("config");

    public JsonElement? Preprocessor => Document("preprocessor");

    public IReadOnlyDictionary<string, JsonElement> Arguments =>
        Document("hyper_parameters") is { } arguments
            ? new Dictionary<string, JsonElement> { ["hyper_parameters"] = arguments }
            : [];

    public JsonElement? Meta => Document("meta");

    /// <summary>Describes the network that the entry "network" names, as the other entries say.</summary>
    public static void Read(byte[] json)
    {
        using var file = new CheckpointFile("config.json", json);
        JsonElement documents = SoundJson.Parse(file, "a configuration", MaxBytes);
        bool named = documents.ValueKind == JsonValueKind.Object
            && documents.TryGetProperty("network", out JsonElement network) && network.ValueKind == JsonValueKind.String
            && Manifests.ContainsKey(network.GetString()!);
        string name = named ? documents.GetProperty("network").GetString()! : "hf";
        using var checkpoint = new DescribedWeights(Manifests[name], documents);
        ModelDescription description = Dialect.Describe(checkpoint, null, new DialectChoice());
        _ = Model.Compare(description, checkpoint);
    }

    public void Read(string name, Span<float> destination) => destination.Clear();

    public void Dispose()
    {
    }

    private JsonElement? Document(string name) =>
        documents.ValueKind == JsonValueKind.Object && documents.TryGetProperty(name, out JsonElement value)
        && value.ValueKind != JsonValueKind.Null ? value : null;

    private static OrderedDictionary<string, WeightInfo> Manifest(string name)
    {
        var weights = new OrderedDictionary<string, WeightInfo>(StringComparer.Ordinal);
        using JsonDocument document =
            JsonDocument.Parse(File.ReadAllBytes($"tests/goldens/manifests/{name}.json"));
        foreach (JsonElement key in document.RootElement.EnumerateArray())
        {
            string tensor = key[0].GetString()!;
            int[] shape = [.. key[1].EnumerateArray().Select(size => size.GetInt32())];
            weights.Add(tensor, new WeightInfo(tensor, DType.Float32, shape));
        }
        return weights;
    }
}
