using System.Globalization;
using System.Text.Json;
using Atrous.Specs;

namespace Atrous.Cli.Output;

/// <summary>What a command says of the model that it runs.</summary>
internal static class DescribedModel
{
    /// <summary>
    /// "DeepLabV3 with mobilenet_v2 on cpu, fp32", what was assumed because the model does not say it, and what was
    /// chosen among the file's tensors.
    /// </summary>
    public static string Line(Segmenter segmenter, SegmenterOptions options) =>
        $"{segmenter.Info.Architecture} with {segmenter.Info.Backbone} on {segmenter.Device}, "
        + Name(segmenter.Precision)
        + (segmenter.Info.Threshold is { } threshold
            ? (segmenter.Info.IsMultiLabel ? ", several labels a pixel: of each class" : ", one class: foreground")
                + string.Create(CultureInfo.InvariantCulture, $" above {threshold} (--threshold)")
            : "")
        + Assumptions(segmenter.Info)
        + (segmenter.Info.Notes.Count > 0 ? ", see the notes of `atrous info`" : "")
        + (segmenter.Info.Selection is { Length: > 0 } selection ? $", {Terminal.OneLine(selection)}" : "")
        + (segmenter.DeviceNote is { } note ? $" ({note.TrimEnd('.')})" : "");

    /// <summary>Says what was chosen among a model's tensors, for commands that write another file of it.</summary>
    public static void SaySelection(string path, ModelInfo model)
    {
        if (model.Selection.Length > 0)
            Terminal.Message(Terminal.OneLine($"{path}, {model.Selection}"));
    }

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
        json.WriteString("precision", Name(options, info));
    }

    private static string Assumptions(ModelInfo info)
    {
        // The threshold and the choice of a network have their own places in the line.
        IEnumerable<string> switches = info.Switches
            .Where(row => row.Source == Switch.Assumed && row.Name is not ("threshold" or "weights"))
            .Select(row => $"{row.Name}={row.Value}");
        if (info.OutputStrideSource == Switch.Assumed)
            switches = switches.Prepend($"output stride {info.OutputStride}");
        if (info.PreprocessingSource == Switch.Assumed)
            switches = switches.Append($"input {info.Preprocessing.Description}");
        if (info.NamesAreAssumed)
            switches = switches.Append("class names by their number");
        string list = string.Join(", ", switches);
        return list.Length > 0 ? $" (assumed: {list})" : "";
    }

    /// <summary>The precision in force for a model, as --precision takes it.</summary>
    public static string Name(SegmenterOptions options, ModelInfo info) =>
        Name(options.PrecisionFor(info.Quantization is not null));

    /// <summary>As --precision takes it.</summary>
    public static string Name(Precision precision) => precision.ToString().ToLowerInvariant();
}
