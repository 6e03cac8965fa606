using System.Globalization;
using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Checkpoints.Dialects.Encoders;

/// <summary>A file whose encoder is looked for, and what is known of it by then.</summary>
/// <param name="File">The open file, whose encoder is looked for.</param>
/// <param name="Choice">What the user overrides.</param>
/// <param name="OutputStride">8 or 16: what the network was built with.</param>
/// <param name="HeadInputs">Channels of the features that the head reads.</param>
/// <param name="Said">
/// What config.json or the hyper-parameters say of the arguments; no entries where nothing does.
/// </param>
/// <param name="IsOld">
/// Whether a version up to 0.4 wrote it, where the head's names tell; null where they do not.
/// </param>
internal sealed record EncoderSearch(
    ICheckpoint File, DialectChoice Choice, int OutputStride, int HeadInputs, JsonFacts Said, bool? IsOld)
{
    /// <summary>What stands before the names of an encoder that timm builds, from version 0.5 on.</summary>
    public const string Timm = "encoder.model.";

    private const string Own = "encoder.";
    private const string OldVersion = "0.4", NewVersion = "0.5";

    public bool Has(params string[] keys) => File.Has(keys);

    /// <summary>
    /// Where an encoder lies that timm builds from version 0.5 on, by a kernel of it, and how it is dilated: by timm's
    /// rule then, by the original's own before; null where the file has none.
    /// </summary>
    public (string Prefix, DilationRule Rule)? FindTimm(string key) =>
        Has(Timm + key) ? (Timm, DilationRule.FirstBlockPrevious)
        : Has(Own + key) ? (Own, DilationRule.Full)
        : null;

    /// <summary>Output channels of a convolution.</summary>
    public int Outputs(string kernel) => File.Outputs(kernel);

    /// <summary>Output channels of a convolution; 0 where the file lacks it, as a stage that no head reads.</summary>
    public int OutputsOrNone(string kernel) => Has(kernel) ? Outputs(kernel) : 0;

    /// <summary>How many tensors in a row the file has, by the names that their numbers make, from 0 on.</summary>
    public int Count(Func<int, string> key)
    {
        int count = 0;
        while (Has(key(count)))
            count++;
        return count;
    }

    /// <summary>Where the stages lie that come after some of the first four.</summary>
    public static IReadOnlyList<string> After(int stages, Func<int, string> path) =>
        [.. Enumerable.Range(stages + 1, 4 - stages).Select(path)];

    /// <summary>
    /// The encoder's depth: the feature of so many halvings goes to the head (and feature 2 to a decoder). It is told
    /// by its channels, then by config.json, then by a switch.
    /// </summary>
    /// <param name="channels">
    /// The channels of features 3, 4 and 5, or of as many as there are; 0 where the file lacks one.
    /// </param>
    /// <exception cref="ModelException">The head reads none of them.</exception>
    public int Depth(params int[] channels)
    {
        string[] fits =
        [
            .. Enumerable.Range(0, channels.Length).Where(i => channels[i] == HeadInputs)
                .Select(i => (i + 3).ToString(CultureInfo.InvariantCulture)),
        ];
        if (fits.Length == 0)
        {
            throw new ModelException(
                $"'{File.Path}': the head reads {HeadInputs} channels, and the encoder's features have " +
                $"{string.Join(", ", channels.Where(count => count > 0))}.");
        }
        Standard<string> standard = Said.Or(
            Said.Number("encoder_depth")?.ToString(CultureInfo.InvariantCulture), fits[^1]);
        if (!fits.Contains(standard.Value))
            throw Said.Wrong("encoder_depth", $"contradicts the weights, whose head reads feature {fits[^1]}");
        string depth = fits.Length == 1
            ? standard.Value
            : Choice.OneOf(
                "encoder_depth", standard, fits, "the encoder's feature that the head reads, counted by halvings");
        return int.Parse(depth, CultureInfo.InvariantCulture);
    }

    /// <summary>
    /// How an encoder is dilated that timm builds now and that the original dilated by its own rule up to version 0.4:
    /// by what the head's names tell, else by a switch.
    /// </summary>
    public DilationRule RuleOfVersion()
    {
        string version = IsOld switch
        {
            true => OldVersion,
            false => NewVersion,
            null => Choice.OneOf(
                "smp", NewVersion, [OldVersion, NewVersion],
                "the version of segmentation_models.pytorch that trained it, up to 0.4 or from 0.5 on: the first " +
                "block of a dilated stage differs"),
        };
        return version == OldVersion ? DilationRule.Full : DilationRule.FirstBlockPrevious;
    }
}
