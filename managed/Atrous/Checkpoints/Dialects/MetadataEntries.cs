using System.Globalization;
using System.Text.Json;
using Atrous.Checkpoints.Storages;
using Atrous.Files;
using Atrous.Graph;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// Typed access to the metadata of a self-describing file, which is all strings; lists are JSON. Every error names the
/// file and the entry.
/// </summary>
internal sealed class MetadataEntries(ICheckpoint checkpoint)
{
    public string Text(string key) =>
        checkpoint.Metadata.TryGetValue(key, out string? value) ? value : throw Wrong(key, "is missing");

    public bool Starts(string key, string prefix) => Text(key).StartsWith(prefix, StringComparison.Ordinal);

    public string OneOf(string key, params string[] values)
    {
        string value = Text(key);
        return values.Contains(value)
            ? value
            : throw Wrong(key, $"is {Printable.Quote(value)}; Atrous knows {string.Join(", ", values)}");
    }

    /// <param name="key">The name of the entry.</param>
    /// <param name="standard">Its value where it is missing; null makes it obligatory.</param>
    public bool Flag(string key, bool? standard = null)
    {
        if (standard is { } value && !checkpoint.Metadata.ContainsKey(key))
            return value;
        return OneOf(key, "true", "false") == "true";
    }

    public int Number(string key) =>
        int.TryParse(Text(key), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : throw Wrong(key, $"is {Printable.Quote(Text(key))}, not a number");

    /// <summary>Of the network, such as rates.</summary>
    public int[] Numbers(string key) =>
        Json(key, text => DescriptionJson.ReadNetwork(text, root => JsonFields.List(root, JsonFields.Integer)));

    public IReadOnlyList<string> Names(string key) => Json(key, DescriptionJson.ReadNames);

    public Activation Activation(string key) =>
        OneOf(key, "relu", "relu6") == "relu6" ? Graph.Activation.Relu6 : Graph.Activation.Relu;

    /// <summary>The blocks of the backbone, one object each.</summary>
    public InvertedResidual[] Blocks() =>
        Json("blocks", text => DescriptionJson.ReadNetwork(text, root => JsonFields.List(root, Block)));

    /// <summary>Mean and standard deviation on 0..1 RGB, and the input's longer side.</summary>
    public PreprocessingSpec Preprocessing()
    {
        int[] size = Numbers("input_size");
        float[] mean = Floats("mean"), std = Floats("std");
        if (size.Length != 2 || size[0] < 1 || size[1] < 1)
            throw Wrong("input_size", "is not a height and a width");
        if (mean.Length != std.Length || mean.Length == 0)
            throw Wrong("std", "does not fit the mean");
        PreprocessingSpec spec = PreprocessingSpec.ImageNet with
        {
            Mean = mean,
            Std = std,
            Resize = new ResizePolicy.LongSide(size.Max(), OnlyShrink: false),
        };
        return PreprocessingCheck.ComplaintOf(spec) is { } complaint
            ? throw Wrong("std", $"cannot be used: the {complaint}")
            : spec;
    }

    private static InvertedResidual Block(JsonElement json)
    {
        var row = new JsonFields(json);
        return new(
            row.Integer("stride"), row.Integer("dilation"), row.Integer("expand_kernel"), row.Integer("dw_kernel"),
            row.RequiredFlag("residual"));
    }

    private float[] Floats(string key) =>
        Json(key, text => DescriptionJson.Read(text, root => JsonFields.List(root, JsonFields.Single)));

    private T Json<T>(string key, Func<string, T> read)
    {
        string text = Text(key);
        try
        {
            return read(text);
        }
        // Half a surrogate pair is reported by InvalidOperationException.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Wrong(key, $"is not the JSON that was expected ({ForeignText.OfJson(e)})");
        }
    }

    public ModelException Wrong(string key, string problem) =>
        new($"'{checkpoint.Path}': the metadata entry '{key}' {problem}.");
}
