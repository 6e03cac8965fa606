using System.Diagnostics;
using System.Globalization;
using Atrous.Cli.Batches;
using Atrous.Cli.Output;
using Atrous.Imaging;
using Atrous.Postprocessing;

namespace Atrous.Cli.Segmenting;

/// <summary>With --tile: a PNG that is too large to be held is read, and its mask written, in bands of rows.</summary>
internal sealed class BandedSegmentation(TemporaryFiles temporaries, Segmenter segmenter, Palette? palette)
{
    private const string LeastVariable = "ATROUS_BANDS_FROM";

    /// <summary>
    /// Pixels from which a PNG is read so: 64 million, 192 MiB of RGB. The environment can lower it, for tests.
    /// </summary>
    public static long Least { get; } =
        long.TryParse(
            Environment.GetEnvironmentVariable(LeastVariable), NumberStyles.None, CultureInfo.InvariantCulture,
            out long pixels)
            ? pixels
            : 1 << 26;

    /// <summary>What a header may claim unless the user says otherwise: 65536 x 65536.</summary>
    public const long DefaultMaxPixels = 1L << 32;

    /// <param name="job">Where the picture is and where its mask goes.</param>
    /// <param name="picture">The rows of the picture.</param>
    /// <param name="record">What the mask says that it was made of; null for nothing.</param>
    /// <param name="cancellationToken">Looked at between two windows.</param>
    /// <exception cref="CommandException">An output is asked for that needs the whole picture.</exception>
    public SegmentedPicture Segment(
        SegmentJob job, PngBands picture, Func<MaskFacts, MaskRecord?> record, CancellationToken cancellationToken)
    {
        if (job.Overlay is not null)
            throw TooLarge(job, picture, "--overlay");
        ModelInfo info = segmenter.Info;
        var counts = new long[info.Classes];
        using var rows = new LabelRows(
            picture.Height, picture.Width, info.Classes, palette ?? Palette.For(info.ClassNames));
        SegmentationTimings timings = segmenter.Segment(picture, Take, cancellationToken);
        long segmented = Stopwatch.GetTimestamp();
        var facts = new MaskFacts(
            picture.Height, picture.Width, ClassShare.OfCounts(counts), info.ClassNames, timings);
        MaskRecord? recorded = record(facts);
        Write(job.Mask, rows, recorded);
        return new SegmentedPicture(
            job, facts, TimeSpan.Zero, Stopwatch.GetElapsedTime(segmented), picture.Warning) { Record = recorded };

        void Take(
            int top, ReadOnlySpan<ushort> labels, ReadOnlySpan<float> confidence, ReadOnlySpan<ulong> members)
        {
            foreach (ushort label in labels)
                counts[label]++;
            rows.Write(labels);
        }
    }

    /// <summary>What is said of an option that needs the whole picture.</summary>
    public static CommandException TooLarge(SegmentJob job, PngBands picture, string option) => new(
        ExitCode.BadInput,
        $"{job.Input}: {picture.Width} x {picture.Height} pixels are too many for {option}, which needs the whole "
        + $"picture; leave out {option}.");

    private void Write(string path, LabelRows rows, MaskRecord? record)
    {
        if (path == "-")
        {
            using Stream output = StandardStream.OpenOutput();
            Save(output);
            return;
        }
        using var file = new OutputFile(temporaries, path);
        file.Write(Save);
        file.Commit();

        void Save(Stream stream)
        {
            EncodedImage mask = rows.End();
            stream.Write(record is null ? mask.Bytes : record.AddTo(mask.Bytes));
        }
    }
}
