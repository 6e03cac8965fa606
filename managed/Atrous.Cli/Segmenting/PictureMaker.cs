using System.Diagnostics;
using Atrous.Cli.Batches;
using Atrous.Cli.Formats;
using Atrous.Cli.Options;
using Atrous.Cli.Output;
using Atrous.Files;
using Atrous.Formats;
using Atrous.Imaging;
using Atrous.Imaging.Maps;
using Atrous.Postprocessing;
using Atrous.Shapes;
using Atrous.Tensors;

namespace Atrous.Cli.Segmenting;

/// <summary>
/// Reads, segments and encodes a picture, up to outputs that only lack their names. Safe to use from many threads: as
/// many pictures are with the network as the device is good for, and others are read or written meanwhile.
/// </summary>
internal sealed class PictureMaker(TemporaryFiles temporaries, Segmenter segmenter, CancellationToken cancellationToken)
    : IDisposable
{
    private readonly SemaphoreSlim _network = new(segmenter.RunsAtOnce);

    /// <summary>The size of a sliding window; null for none.</summary>
    public required int? Window { get; init; }

    /// <summary>The most pixels that a picture's header may claim; null for the usual limits.</summary>
    public required long? MaxPixels { get; init; }

    /// <summary>What TIFFs show to the network.</summary>
    public required RasterChoice Rasters { get; init; }

    /// <summary>Whether masks have the confidence of every pixel though no format needs it.</summary>
    public required bool TellsDoubt { get; init; }

    public required FormatChoice Formats { get; init; }

    public required RegionOptions Regions { get; init; }

    /// <summary>The user's colours; null for the model's.</summary>
    public required Palette? Palette { get; init; }

    public required double Opacity { get; init; }

    /// <summary>The stamp of model and options that masks record; null for masks without a record.</summary>
    public required string? Stamp { get; init; }

    /// <summary>Masks that are there stay.</summary>
    public required bool SkipsExisting { get; init; }

    /// <summary>Does all of it for a picture that is held whole.</summary>
    public UnnamedOutputs Make(SegmentJob job)
    {
        string? hash = Stamp is null ? null : MaskRecord.HashOf(job.Input);
        if (SkipsExisting && MaskRecord.Of(job) is { } there && there.Input == hash && there.Run == Stamp)
            return new UnnamedOutputs { Hash = hash, FromBefore = there };
        var made = new UnnamedOutputs { Hash = hash };
        try
        {
            made.Bands = Bands(job);
            if (made.Bands is null)
                Make(job, made);
            return made;
        }
        catch
        {
            made.Dispose();
            throw;
        }
    }

    /// <summary>The outputs of a picture that is segmented already; it stays the caller's.</summary>
    public UnnamedOutputs Make(SegmentJob job, Image photo, Segmentation mask)
    {
        var made = new UnnamedOutputs { Mask = mask, Facts = MaskFacts.Of(mask) };
        try
        {
            using Tensor? probabilities = Formats.NeedsProbabilities
                ? WithNetwork(() => segmenter.Probabilities(photo, cancellationToken))
                : null;
            Write(job, made, photo, mask, probabilities);
            return made;
        }
        catch
        {
            made.Dispose();
            throw;
        }
    }

    /// <summary>All of it, to the end, for a picture that is read and written in bands.</summary>
    public SegmentedPicture MakeInBands(SegmentJob job, UnnamedOutputs made)
    {
        IWindowSource bands = made.Bands!;
        if (Formats.NeedsWhole is { } option)
            throw BandedSegmentation.TooLarge(job, bands, option);
        if (segmenter.Info.IsMultiLabel)
            throw BandedSegmentation.TooLarge(job, bands, "a mask of each class");
        return WithNetwork(() =>
            new BandedSegmentation(temporaries, segmenter, Palette ?? segmenter.Info.Palette, Regions).Segment(
                job, bands, (facts, files) => RecordOf(made.Hash, facts, files), cancellationToken));
    }

    public void Dispose() => _network.Dispose();

    private void Make(SegmentJob job, UnnamedOutputs made)
    {
        long start = Stopwatch.GetTimestamp();
        using TiffRaster? raster =
            Rasters.Open(job.Input, segmenter, MaxPixelsOption.Whole(MaxPixels), long.MaxValue);
        Image photo = made.Photo = raster?.Window(0, 0, raster.Height, raster.Width) ?? Load(job.Input);
        (made.Warning, made.Tags, made.Place) = (raster?.Warning ?? photo.Warning, raster?.Tags, raster?.Reference);
        made.Decode = Stopwatch.GetElapsedTime(start);
        bool confidence = Formats.NeedsConfidence || TellsDoubt;
        made.Mask = WithNetwork(() => raster is null
            ? segmenter.Segment(photo, confidence, cancellationToken)
            : segmenter.Segment(raster, photo, confidence, cancellationToken));
        made.Facts = MaskFacts.Of(made.Mask) with
        {
            Areas = GroundAreas.Of(made.Mask, made.Place),
            Palette = Palette ?? made.Mask.Palette,
        };
        if (job.Mask == "-")
            return;
        using Tensor? probabilities = Formats.NeedsProbabilities
            ? WithNetwork(() => segmenter.Probabilities(photo, cancellationToken))
            : null;
        start = Stopwatch.GetTimestamp();
        Write(job, made, photo, made.Mask, probabilities);
        made.Encode = Stopwatch.GetElapsedTime(start);
    }

    private void Write(
        SegmentJob job, UnnamedOutputs made, Image photo, Segmentation mask, Tensor? probabilities)
    {
        var names = new List<(string Name, long Bytes)>();
        AnnotatedPicture annotated = made.Annotated = new(job.Name, photo, mask, Palette ?? mask.Palette, Regions)
        {
            Place = made.Place,
            Opacity = Opacity,
            Tags = made.Tags,
            Probabilities = probabilities,
        };
        if (job.Overlay is not null)
        {
            using Image overlay = mask.Overlay(photo, Opacity, Palette);
            Write(job.Overlay, stream => overlay.SavePng(stream));
        }
        // Of all but the background, so that none stays behind of an earlier run.
        for (int label = 1; mask.IsMultiLabel && label < mask.Classes; label++)
        {
            Segmentation only = mask.Only(label);
            Palette? colours = Palette is { } palette ? new Palette([default, palette[label]]) : null;
            string path = job.MaskOf(label, mask.NameOf(label));
            Write(path, stream => MaskFile.Write(stream, path, only, colours, made.Tags, record: null));
        }
        foreach ((PictureFormat format, string path) in job.Files)
            Write(path, stream => format.Write(stream, annotated));
        made.Record = RecordOf(made.Hash, made.Facts!, names);
        Write(job.Mask, stream => MaskFile.Write(stream, job.Mask, mask, Palette, made.Tags, made.Record));

        void Write(string path, Action<Stream> contents)
        {
            var file = new OutputFile(temporaries, path);
            made.Files.Add(file);
            file.Write(contents);
            if (Stamp is not null && !file.IsDirect)
                names.Add((Path.GetFileName(path), new FileInfo(file.TemporaryPath).Length));
        }
    }

    private MaskRecord? RecordOf(string? hash, MaskFacts mask, IReadOnlyList<(string, long)> files) =>
        Stamp is null ? null : new MaskRecord(
            hash!, Stamp, mask.Height, mask.Width, [.. mask.Shares.Select(share => (share.Label, share.Pixels))],
            [.. files])
        {
            NoData = mask.NoData,
        };

    private T WithNetwork<T>(Func<T> work)
    {
        _network.Wait(cancellationToken);
        try
        {
            return work();
        }
        finally
        {
            _network.Release();
        }
    }

    /// <summary>
    /// A PNG or TIFF that is read in bands of rows: one that is too large to be held, or so large that it need not be;
    /// null for all others. Such a picture has the device for itself, while of others several are worked on.
    /// </summary>
    private IWindowSource? Bands(SegmentJob job)
    {
        if (Window is null || job.Input == "-")
            return null;
        // The masks of single classes are made of the whole.
        bool isMultiLabel = segmenter.Info.IsMultiLabel;
        long most = MaxPixels ?? BandedSegmentation.DefaultMaxPixels;
        TiffRaster? raster;
        try
        {
            raster = Rasters.Open(job.Input, segmenter, most, BandedSegmentation.Least);
        }
        catch (ImageException e) when (!PassingError.IsIn(e) && TiffFacts.Of(job.Input) is { IsOrdinary: true } facts
            && facts.Pixels <= MaxPixelsOption.Whole(MaxPixels))
        {
            return null; // turned or too wide, which can be held; what is broken is told when it is read
        }
        if (raster is not null)
        {
            long size = (long)raster.Height * raster.Width;
            if (size > MaxPixelsOption.Whole(MaxPixels)
                || size >= BandedSegmentation.Least && !isMultiLabel && job.Overlay is null
                && Formats.NeedsWhole is null)
                return raster;
            raster.Dispose();
            return null;
        }
        if (isMultiLabel)
            return null;
        long pixels = PngBands.PixelsOf(job.Input);
        if (pixels > MaxPixelsOption.Whole(MaxPixels))
            return new PngBands(job.Input, most);
        if (pixels < BandedSegmentation.Least || job.Overlay is not null || Formats.NeedsWhole is not null)
            return null;
        try
        {
            return new PngBands(job.Input, most);
        }
        catch (ImageException e) when (!PassingError.IsIn(e))
        {
            return null; // interlaced or turned by EXIF, which no bands can be; what is broken is told when it is read
        }
    }

    private Image Load(string input)
    {
        if (input != "-")
            return Image.Load(input, MaxPixelsOption.Whole(MaxPixels));
        using Stream stream = StandardInput.Open();
        return Image.Load(stream, MaxPixelsOption.Whole(MaxPixels));
    }
}
