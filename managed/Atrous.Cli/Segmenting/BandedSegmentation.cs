using System.Diagnostics;
using System.Globalization;
using Atrous.Cli.Batches;
using Atrous.Cli.Output;
using Atrous.Formats;
using Atrous.Imaging;
using Atrous.Imaging.Maps;
using Atrous.Postprocessing;
using Atrous.Shapes;

namespace Atrous.Cli.Segmenting;

/// <summary>
/// With --tile: a PNG or TIFF that is too large to be held is read, and its mask and GeoJSON written, in bands of rows.
/// </summary>
internal sealed class BandedSegmentation(
    TemporaryFiles temporaries, Segmenter segmenter, Palette? palette, RegionOptions regions)
{
    private const string LeastVariable = "ATROUS_BANDS_FROM";

    /// <summary>
    /// Pixels from which a PNG or TIFF is read so: 64 million, 192 MiB of RGB. The environment can lower it, for tests.
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
    /// <param name="record">
    /// What the mask says that it was made of, and of the files beside it; null for nothing.
    /// </param>
    /// <param name="cancellationToken">Is looked at between two windows.</param>
    /// <exception cref="CommandException">An output is asked for that needs the whole picture.</exception>
    public SegmentedPicture Segment(
        SegmentJob job, IWindowSource picture,
        Func<MaskFacts, IReadOnlyList<(string Name, long Bytes)>, MaskRecord?> record,
        CancellationToken cancellationToken)
    {
        if (job.Overlay is not null)
            throw TooLarge(job, picture, "--overlay");
        ModelInfo info = segmenter.Info;
        var raster = picture as TiffRaster;
        int? noData = picture.MayLackPixels ? segmenter.NoDataLabel : null;
        int labels = noData + 1 ?? info.Classes;
        Palette colours = (palette ?? Palette.For(info.ClassNames)).WithoutData(noData);
        using BandedShapes? shapes = job.Files is [(_, var path)]
            ? new BandedShapes(
                temporaries, path, picture.Width, raster?.Reference, regions, RunClasses.Of(info, palette))
            : null;
        var sums = new GroundAreas(labels, picture.Width, raster?.Reference);
        TimeSpan encode = TimeSpan.Zero;
        MaskFacts facts = null!; // until all rows are done
        MaskRecord? recorded = null;
        if (OutputNames.IsTiff(job.Mask))
        {
            OutputFile.Save(temporaries, job.Mask, stream =>
            {
                using var rows = new LabelTiff(
                    stream, picture.Height, picture.Width, labels, colours, raster?.Tags, noData);
                Run(rows.Write);
                recorded = record(facts, shapes?.End() ?? []);
                rows.End(recorded?.ToText());
            });
        }
        else
        {
            using var rows = new LabelRows(picture.Height, picture.Width, labels, colours);
            Run(rows.Write);
            long segmented = Stopwatch.GetTimestamp();
            recorded = record(facts, shapes?.End() ?? []);
            OutputFile.Save(temporaries, job.Mask, stream =>
            {
                EncodedImage mask = rows.End();
                stream.Write(recorded is null ? mask.Bytes : recorded.AddTo(mask.Bytes));
            });
            encode = Stopwatch.GetElapsedTime(segmented);
        }
        return new SegmentedPicture(job, facts, TimeSpan.Zero, encode, picture.Warning) { Record = recorded };

        void Run(WriteRows write)
        {
            SegmentationTimings timings = segmenter.Segment(picture, (top, rows, _, _) =>
            {
                sums.Add(top, rows);
                shapes?.Add(rows);
                write(rows);
            }, cancellationToken);
            facts = new MaskFacts(
                picture.Height, picture.Width, sums.Shares(info.Classes), info.ClassNames, timings)
            {
                NoData = noData is { } label ? (label, sums.PixelsOf(label)) : null,
                Areas = sums.Areas(info.Classes),
            };
        }
    }

    private delegate void WriteRows(ReadOnlySpan<ushort> labels);

    /// <summary>What is said of an option that needs the whole picture.</summary>
    public static CommandException TooLarge(SegmentJob job, IWindowSource picture, string option) => new(
        ExitCode.BadInput,
        $"{job.Input}: {picture.Width} x {picture.Height} pixels are too many for {option}, which needs the whole "
        + $"picture; leave out {option}.");
}
