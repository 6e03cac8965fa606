using System.Globalization;
using System.Text.Json;
using Atrous.Checkpoints.Storages;
using Atrous.Files;
using Atrous.Graph;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// Version 2 of Atrous's own form: the metadata has the network and the pre-processing as data, and the tensors have
/// the canonical layer names ("backbone.stage1.0.conv2.weight", ".bias", ".bn.running_var"). Any network can be written
/// so.
/// </summary>
internal static class SelfDescribingFile
{
    /// <summary>The metadata's entries; <see cref="Origin"/> is the dialect that the model had before.</summary>
    public const string VersionKey = "atrous.version", Network = "network", Preprocessing = "preprocessing",
        Names = "class_names", Colours = "palette", Origin = "dialect", Bytes = QuantizedTensors.Entry;

    public const string Version = "2";

    /// <summary>What a file has to say of a model.</summary>
    public static IReadOnlyDictionary<string, string> Metadata(ModelDescription description)
    {
        var metadata = new Dictionary<string, string>
        {
            [VersionKey] = Version,
            [Network] = DescriptionJson.Write(description.Network),
            [Preprocessing] = DescriptionJson.Write(description.Preprocessing),
            [Names] = DescriptionJson.Write(description.ClassNames),
            [Origin] = description.Dialect,
        };
        if (description.Palette.Count > 0)
        {
            metadata.Add(
                Colours, DescriptionJson.Write(description.Palette.Select(colour => colour.ToString()).ToArray()));
        }
        if (description.Threshold is { } threshold)
            metadata.Add(DialectChoice.Threshold, threshold.ToString(CultureInfo.InvariantCulture));
        if (description.MultiLabel)
            metadata.Add(DialectChoice.MultiLabel, "true");
        if (description is { Quantization: { } table, QuantizationFacts: { } facts })
            metadata.Add(Bytes, DescriptionJson.Write(SpecOf(table, facts)));
        return metadata;
    }

    private static QuantizationSpec SpecOf(QuantizationTable table, QuantizationFacts facts) => new()
    {
        Steps = table.Values.ToDictionary(row => row.Key, row => row.Value.Step),
        Zeros = table.Values.Where(row => row.Value.Zero != 0).ToDictionary(row => row.Key, row => row.Value.Zero),
        Facts = facts,
    };

    private static QuantizationTable TableOf(QuantizationSpec spec, ICheckpoint checkpoint) => new(
        spec.Steps.ToDictionary(
            row => row.Key, row => new Quantization(row.Value, spec.Zeros.GetValueOrDefault(row.Key))),
        checkpoint.InBytes);

    /// <summary>Whether a file says that a pixel can be of several classes.</summary>
    public static bool IsMultiLabel(ICheckpoint checkpoint) =>
        checkpoint.Metadata.TryGetValue(DialectChoice.MultiLabel, out string? text) && text == "true";

    /// <summary>The threshold that a file says; null where it says none.</summary>
    /// <exception cref="ModelException">What it says is no probability.</exception>
    public static double? ThresholdOf(ICheckpoint checkpoint)
    {
        const string entry = DialectChoice.Threshold;
        if (!checkpoint.Metadata.TryGetValue(entry, out string? text))
            return null;
        return DialectChoice.ReadProbability(text)
            ?? throw new MetadataEntries(checkpoint).Wrong(
                entry, $"is {Printable.Quote(text)}, no number between 0 and 1");
    }

    /// <summary>The model that such a file says it has.</summary>
    /// <exception cref="ModelException">An entry is missing or cannot be understood.</exception>
    public static ModelDescription Describe(ICheckpoint checkpoint, DialectChoice choice)
    {
        var metadata = new MetadataEntries(checkpoint);
        if (metadata.Text(VersionKey) is not Version and { } version)
        {
            throw new ModelException(
                $"'{checkpoint.Path}' is of version {Printable.Quote(version)} of the self-describing form; this " +
                $"Atrous reads up to " +
                $"{Version}. Use a newer one.");
        }
        NetworkSpec network = Read(Network, DescriptionJson.ReadNetwork);
        PreprocessingSpec preprocessing =
            Read(Preprocessing, json => DescriptionJson.ReadPreprocessing(json, network.InputChannels));
        IReadOnlyList<string> names = Read(Names, DescriptionJson.ReadNames);
        // A background may be named too where there is one.
        bool isForeground = (network.Classes == 1 || IsMultiLabel(checkpoint)) && names.Count == network.Classes + 1;
        if (names.Count != 0 && names.Count != network.Classes && !isForeground)
            throw metadata.Wrong(Names, $"has {names.Count} names for {network.Classes} classes");
        QuantizationSpec? quantization = checkpoint.Metadata.ContainsKey(Bytes)
            ? Read(Bytes, DescriptionJson.ReadQuantization)
            : null;
        return new ModelDescription
        {
            Quantization = quantization is null ? null : TableOf(quantization, checkpoint),
            QuantizationFacts = quantization?.Facts,
            // The stages are stored with the strides and dilations of one output stride.
            Network = network with { OutputStride = choice.OutputStride(network.OutputStride, network.OutputStride) },
            Names = new NameMap(),
            Preprocessing = preprocessing,
            PreprocessingSource = Switch.File,
            ClassNames = names,
            Palette = checkpoint.Metadata.ContainsKey(Colours)
                ? [.. Read(Colours, DescriptionJson.ReadNames).Select(text =>
                    PaletteColour.Parse(text) ?? throw metadata.Wrong(Colours, "has something else than #rrggbb"))]
                : [],
        };

        T Read<T>(string key, Func<string, T> read)
        {
            string text = metadata.Text(key);
            try
            {
                return read(text);
            }
            // Half a surrogate pair is reported by InvalidOperationException.
            catch (Exception e) when (e is JsonException or InvalidOperationException)
            {
                throw metadata.Wrong(key, $"cannot be understood: {ForeignText.OfJson(e)}");
            }
        }
    }
}
