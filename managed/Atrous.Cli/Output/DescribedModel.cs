using System.Globalization;
using System.Text.Json;

namespace Atrous.Cli.Output;

/// <summary>What a command says of the model that it runs.</summary>
internal static class DescribedModel
{
    private const int Shown = 3;

    /// <summary>"DeepLabV3 with mobilenet_v2 on cpu, fp32", and which of the file's tensors are not used.</summary>
    public static string Line(Segmenter segmenter, SegmenterOptions options) =>
        $"{segmenter.Info.Architecture} with {segmenter.Info.Backbone} on {segmenter.Device}, {Name(options.Precision)}"
        + (segmenter.Info.Threshold is { } threshold
            ? string.Create(CultureInfo.InvariantCulture, $", one class: foreground above {threshold} (--threshold)")
            : "")
        + (segmenter.Info.Switches.FirstOrDefault(row => row.Name == "weights") is { } weights
            ? $", weights={weights.Value}, one of several networks (atrous info)"
            : "")
        + NotUsed(segmenter.Info)
        + (segmenter.DeviceNote is { } note ? $" ({note.TrimEnd('.')})" : "");

    /// <summary>The properties "model", "device" and "precision".</summary>
    public static void WriteModel(this Utf8JsonWriter json, Segmenter segmenter, SegmenterOptions options) =>
        json.WriteModel(segmenter.Info, segmenter.Device, options);

    /// <inheritdoc cref="WriteModel(Utf8JsonWriter, Segmenter, SegmenterOptions)"/>
    public static void WriteModel(this Utf8JsonWriter json, ModelInfo info, string device, SegmenterOptions options)
    {
        json.WriteStartObject("model");
        json.WriteString("path", info.Path);
        json.WriteString("dialect", info.Dialect);
        json.WriteString("architecture", info.Architecture);
        json.WriteString("backbone", info.Backbone);
        json.WriteNumber("outputStride", info.OutputStride);
        json.WriteNumber("classes", info.Classes);
        json.WriteEndObject();
        json.WriteString("device", device);
        json.WriteString("precision", Name(options.Precision));
    }

    /// <summary>
    /// Tensors of the network's own dictionary: they may be loss weights, or layers that this network should have.
    /// </summary>
    private static string NotUsed(ModelInfo info)
    {
        string path = info.WeightsPath.Length > 0 ? info.WeightsPath + "." : "";
        string[] names =
        [
            .. info.Unexpected,
            .. info.Beside.Keys.Where(name => name.StartsWith(path, StringComparison.Ordinal))
                .Select(name => name[path.Length..]),
        ];
        string more = names.Length > Shown ? $" and {names.Length - Shown} more" : "";
        return names.Length == 0 ? "" : $", not used: {Terminal.OneLine(string.Join(", ", names.Take(Shown)) + more)}";
    }

    /// <summary>As --precision takes it.</summary>
    public static string Name(Precision precision) => precision.ToString().ToLowerInvariant();
}
