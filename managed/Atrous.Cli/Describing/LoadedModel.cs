using System.Text.Json;

namespace Atrous.Cli;

/// <summary>What a command says of the model that it runs.</summary>
internal static class LoadedModel
{
    /// <summary>"DeepLabV3 with mobilenet_v2 on cpu, fp32".</summary>
    public static string Line(Segmenter segmenter, SegmenterOptions options) =>
        $"{segmenter.Info.Architecture} with {segmenter.Info.Backbone} on {segmenter.Device}, {Name(options.Precision)}";

    /// <summary>The properties "model", "device" and "precision".</summary>
    public static void WriteModel(this Utf8JsonWriter json, Segmenter segmenter, SegmenterOptions options)
    {
        json.WriteStartObject("model");
        json.WriteString("path", segmenter.Info.Path);
        json.WriteString("dialect", segmenter.Info.Dialect);
        json.WriteString("architecture", segmenter.Info.Architecture);
        json.WriteString("backbone", segmenter.Info.Backbone);
        json.WriteNumber("outputStride", segmenter.Info.OutputStride);
        json.WriteNumber("classes", segmenter.Info.Classes);
        json.WriteEndObject();
        json.WriteString("device", segmenter.Device);
        json.WriteString("precision", Name(options.Precision));
    }

    private static string Name(Precision precision) => precision.ToString().ToLowerInvariant();
}
