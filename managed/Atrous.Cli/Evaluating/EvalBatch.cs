using System.Security.Cryptography;
using System.Text;
using Atrous.Cli.Batches;
using Atrous.Cli.Formats;
using Atrous.Cli.Options;
using Atrous.Evaluation;
using Atrous.Postprocessing;

namespace Atrous.Cli.Evaluating;

/// <summary>What the options of evaluations over more pictures than one process is to work through ask for.</summary>
/// <param name="Shard">The part of the pictures that is scored; null for all.</param>
/// <param name="SkipsExisting">Pictures that have a line are not scored again.</param>
/// <param name="Lines">The file that gets a line for each picture; null for none.</param>
/// <param name="Retries">How often a picture is tried again.</param>
internal sealed record EvalBatch(Shard? Shard, bool SkipsExisting, string? Lines, int Retries)
{
    /// <exception cref="CommandException">What is asked for does not go together.</exception>
    public void Refuse(bool boundaries, bool against)
    {
        if (SkipsExisting && Lines is null)
            throw CommandException.Usage("--skip-existing looks for lines in --jsonl; give that as well.");
        if (Lines is { Length: 0 })
            throw CommandException.Usage("--jsonl is empty; name a file.");
        if (Lines is not null && (boundaries || against))
        {
            throw CommandException.Usage(
                $"The lines of --jsonl have no place for {(boundaries ? "--boundaries" : "--against")}; leave one of "
                + "them out.");
        }
    }

    /// <summary>A number for all that decides a picture's line: model, options, and what labels mean.</summary>
    /// <exception cref="IOException">A file of the model cannot be read any more.</exception>
    public static string StampOf(
        string model, ModelInfo info, SegmenterOptions options, RasterChoice rasters, LabelRules? rules, int ignore,
        bool asked, bool isForeground)
    {
        string run = RunStamp.Of(
            model, info, options, Palette.Default, null, new FormatChoice([], [], null, 1, 0), rasters);
        string labels = rules is null ? "" : string.Join(
            ' ', rules.Labels.OrderBy(rule => rule.Key).Select(rule => $"{rule.Key}:{rule.Value}")
                .Concat(rules.Colours.Select(rule => $"{rule.Key}:{rule.Value}").Order(StringComparer.Ordinal))
                .Append($"{rules.Shift} {rules.Rest}"));
        return Convert.ToHexStringLower(
            SHA256.HashData(Encoding.UTF8.GetBytes($"eval 1 {run} {ignore} {asked} {isForeground} {labels}")));
    }

    /// <summary>A number for a picture and its label map.</summary>
    /// <exception cref="ImageException">One of them is not there, or cannot be read.</exception>
    public static string HashOf(LabelledPicture picture) => Convert.ToHexStringLower(SHA256.HashData(
        Encoding.ASCII.GetBytes(MaskRecord.HashOf(picture.Picture) + MaskRecord.HashOf(picture.Labels))));
}
