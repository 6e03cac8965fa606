using System.Diagnostics;
using Atrous.Cli.Output;
using Atrous.Imaging;
using Atrous.Postprocessing;

namespace Atrous.Cli.Segmenting;

/// <summary>With --tile: a PNG that is too large to be held is read, and its mask written, in bands of rows.</summary>
internal sealed class BandedSegmentation(TemporaryFiles temporaries, Segmenter segmenter, Palette? palette)
{
    /// <summary>Pixels from which a PNG is read so: 64 million, 192 MiB of RGB.</summary>
    public const long Least = 1 << 26;

    /// <summary>What a header may claim unless the user says otherwise: 65536 x 65536.</summary>
    public const long DefaultMaxPixels = 1L << 32;

    /// <exception cref="CommandException">An output is asked for that needs the whole picture.</exception>
    public SegmentedPicture Segment(SegmentJob job, long maxPixels, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        using var picture = new PngBands(job.Input, maxPixels);
        if (job.Overlay is not null)
        {
            throw new CommandException(
                ExitCode.BadInput,
                $"{job.Input}: {picture.Width} x {picture.Height} pixels are too many for an overlay, which needs the "
                + "whole picture; leave out --overlay.");
        }
        TimeSpan decode = Stopwatch.GetElapsedTime(start);
        ModelInfo info = segmenter.Info;
        var counts = new long[info.Classes];
        using var rows = new LabelRows(
            picture.Height, picture.Width, info.Classes, palette ?? Palette.For(info.ClassNames));
        SegmentationTimings timings = segmenter.Segment(picture, Take, cancellationToken);
        long segmented = Stopwatch.GetTimestamp();
        using EncodedImage mask = rows.End();
        Write(job.Mask, mask);
        var facts = new MaskFacts(
            picture.Height, picture.Width, ClassShare.OfCounts(counts), info.ClassNames, timings);
        return new SegmentedPicture(
            job, facts, decode, Stopwatch.GetElapsedTime(segmented), picture.Warning);

        void Take(int top, ReadOnlySpan<ushort> labels, ReadOnlySpan<float> confidence)
        {
            foreach (ushort label in labels)
                counts[label]++;
            rows.Write(labels);
        }
    }

    private void Write(string path, EncodedImage mask)
    {
        if (path == "-")
        {
            using Stream output = StandardStream.OpenOutput();
            mask.Save(output);
            return;
        }
        using var file = new OutputFile(temporaries, path);
        byte[] bytes = mask.Bytes.ToArray();
        file.Write(stream => stream.Write(bytes));
        file.Commit();
    }
}
