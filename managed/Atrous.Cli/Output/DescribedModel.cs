using System.Globalization;
using System.Text.Json;

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
        + NotesAndSelection(segmenter.Info)
        + (segmenter.DeviceNote is { } note ? $" ({note.TrimEnd('.')})" : "");

    /// <summary>
    /// Says what was assumed of a model and chosen among its tensors, for commands that write another file of it, which
    /// is then as right as that. Nothing where the model says it all.
    /// </summary>
    public static void SayAssumptions(string path, ModelInfo model)
    {
        string said = Assumptions(model) + NotesAndSelection(model);
        if (said.Length > 0)
            Terminal.Message(Terminal.OneLine($"{path}: {model.Architecture} with {model.Backbone}{said}"));
    }

    private static string NotesAndSelection(ModelInfo model) =>
        (model.Notes.Count > 0 ? ", see the notes of `atrous info`" : "")
        + (model.Selection is { Length: > 0 } selection ? $", {Terminal.OneLine(selection)}" : "");

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

    /// <summary>" (assumed: ...)", what the model does not say itself; empty where it says it all.</summary>
    public static string Assumptions(ModelInfo info) =>
        info.Assumptions.Count > 0 ? $" (assumed: {string.Join(", ", info.Assumptions)})" : "";

    /// <summary>The precision in force for a model, as --precision takes it.</summary>
    public static string Name(SegmenterOptions options, ModelInfo info) =>
        Name(options.PrecisionFor(info.Quantization is not null));

    /// <summary>As --precision takes it.</summary>
    public static string Name(Precision precision) => precision.ToString().ToLowerInvariant();
}
