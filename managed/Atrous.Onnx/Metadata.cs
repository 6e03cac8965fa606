using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Atrous.Postprocessing;
using Atrous.Specs;

namespace Atrous.Onnx;

/// <summary>What a reader of an exported file must know beside its graph, as entries of the file's metadata.</summary>
internal static partial class Metadata
{
    public static IEnumerable<(string Key, string Value)> Of(ModelInfo model)
    {
        yield return ("dialect", model.Dialect);
        yield return ("preprocessing", JsonSerializer.Serialize(model.Preprocessing, Json.Default.PreprocessingSpec));
        yield return ("class_names", JsonSerializer.Serialize(model.ClassNames, Json.Default.IReadOnlyListString));
        if (model.Classes <= Palette.MaxColours)
        {
            // Those that a mask of this model has.
            Palette palette = model.Palette ?? Palette.For(model.ClassNames);
            string[] colours = [.. Enumerable.Range(0, model.Classes).Select(label => palette[label].ToString())];
            yield return ("colours", JsonSerializer.Serialize(colours, Json.Default.IReadOnlyListString));
        }
        // A network of one class, or of several at a pixel, says yes above a probability.
        if (model.Threshold is { } threshold)
            yield return ("threshold", threshold.ToString("R", CultureInfo.InvariantCulture));
        if (model.IsMultiLabel)
            yield return ("multilabel", "true");
    }

    [JsonSourceGenerationOptions(
        PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
    [JsonSerializable(typeof(IReadOnlyList<string>))]
    [JsonSerializable(typeof(PreprocessingSpec))]
    private sealed partial class Json : JsonSerializerContext;
}
