using System.Diagnostics;
using Atrous.Cli.Formats;
using Atrous.Cli.Options;
using Atrous.Cli.Output;
using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Shapes;

namespace Atrous.Cli.Segmenting;

/// <summary>
/// Works through the pictures, as many at a time as the device is good for, and writes them one after the other. A bad
/// one is reported and the rest go on.
/// </summary>
internal sealed class SegmentRun(TemporaryFiles temporaries, Interruption interruption)
{
    private bool _retry, _bad;
    private RegionOptions _regions = new();

    public required InputFiles Files { get; init; }

    public required IReadOnlyList<SegmentJob> Jobs { get; init; }

    public required ModelChoice Model { get; init; }

    public required SegmenterOptions Options { get; init; }

    public required Palette? Palette { get; init; }

    public required double Opacity { get; init; }

    /// <summary>What a picture's header may claim, where the user says it.</summary>
    public required long? MaxPixels { get; init; }

    public required bool Quiet { get; init; }

    public required SegmentationReport Report { get; init; }

    /// <summary>What is written beside the masks.</summary>
    public required FormatChoice Formats { get; init; }

    /// <summary>The folder of -o; null where that is none, and the folder of the masks takes its place.</summary>
    public required string? Folder { get; init; }

    /// <summary>The exit code: that of the failures, with those that are worth retrying first.</summary>
    public int Run()
    {
        if (!Quiet)
        {
            foreach (string skipped in Files.Skipped)
                Terminal.Message($"{skipped} is skipped: its name is that of an output.");
            foreach (string sentence in Files.LeftOutInWords())
                Terminal.Message(sentence);
        }
        if (Jobs.Count == 0 && Files.Bad.Count == 0)
            throw CommandException.Usage("There is no picture among the inputs.");
        using Segmenter? segmenter = Jobs.Count > 0 ? Segmenter.Load(Model.Path, Options) : null;
        _regions = segmenter is null ? _regions : Formats.Regions(segmenter.Info);
        if (segmenter is not null && !Quiet)
        {
            Terminal.Message(Model.Introduce(DescribedModel.Line(segmenter, Options)));
            if (segmenter.Info.IsMultiLabel && Jobs[0].Mask != "-")
            {
                Terminal.Message(
                    "A mask has the most probable class of each pixel, and 0 for none; beside it, a mask for each "
                    + $"class has all its pixels: {Jobs[0].MaskOf(1, segmenter.Info.ClassNames[1])} and so on.");
            }
        }
        using RunFiles? files = segmenter is null ? null : new RunFiles(
            temporaries, Formats.OfRun, Folder ?? WrittenFiles.FolderOfAll(Jobs), segmenter.Info, Palette);
        RefuseClash(files);
        Report.Around(segmenter, Options, Jobs.Count + Files.Bad.Count, () =>
        {
            foreach (BadInput bad in Files.Bad)
                Failed(bad.Path, new Failure(ExitCode.BadInput, bad.Message));
            if (segmenter is not null)
                SegmentAll(segmenter, files!);
        }, interruption);
        return interruption.ExitCode ?? (_retry ? ExitCode.Failed : _bad ? ExitCode.BadInput : ExitCode.Done);
    }

    /// <summary>A picture called classes.png, and the classes of YOLO's files.</summary>
    private void RefuseClash(RunFiles? files)
    {
        HashSet<string> outputs = [.. Jobs.SelectMany(job => job.Outputs).Select(Path.GetFullPath)];
        foreach ((string format, string path) in files?.Files ?? [])
        {
            if (outputs.Contains(Path.GetFullPath(path)))
                throw CommandException.Usage(
                    $"{path} would be written for a picture and for {format} of the whole run; rename the picture.");
        }
    }

    private void SegmentAll(Segmenter segmenter, RunFiles files)
    {
        SegmentEach(segmenter, files);
        try
        {
            files.Commit();
        }
        catch (CommandException e)
        {
            Failed("files of the run", Failure.Of(e));
            return;
        }
        foreach ((string format, string path) in Quiet ? [] : files.Files)
            Terminal.Message($"{format} in {path}");
    }

    private void SegmentEach(Segmenter segmenter, RunFiles files)
    {
        foreach ((SegmentJob job, Func<MadeMask?> made) in Ahead.Of(
            Jobs, segmenter.RunsAtOnce, job => Make(segmenter, job)))
        {
            if (interruption.Token.IsCancellationRequested)
                return;
            SegmentedPicture picture;
            try
            {
                picture = Finish(segmenter, job, made, files);
            }
            catch (OperationCanceledException) when (interruption.Token.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                Failed(Shown(job.Input), Failure.Of(e));
                continue;
            }
            if (picture.Warning is { } warning && !Quiet)
                Report.Say($"{Shown(job.Input)}: {warning}");
            Report.Done(picture);
        }
    }

    /// <summary>The mask of a picture that is held whole; null for one that is read and written in bands.</summary>
    private MadeMask? Make(Segmenter segmenter, SegmentJob job)
    {
        using (PngBands? bands = Bands(job, segmenter.Info.IsMultiLabel))
        {
            if (bands is not null)
                return null;
        }
        long start = Stopwatch.GetTimestamp();
        Image photo = Load(job.Input);
        try
        {
            TimeSpan decode = Stopwatch.GetElapsedTime(start);
            return new MadeMask(photo, segmenter.Segment(photo, Formats.NeedsConfidence, interruption.Token), decode);
        }
        catch
        {
            photo.Dispose();
            throw;
        }
    }

    private SegmentedPicture Finish(Segmenter segmenter, SegmentJob job, Func<MadeMask?> making, RunFiles files)
    {
        using MadeMask? made = making();
        if (made is null)
        {
            using PngBands bands = Bands(job, segmenter.Info.IsMultiLabel)!;
            if (!Formats.IsNone)
                throw BandedSegmentation.TooLarge(job, bands, "--format");
            return new BandedSegmentation(temporaries, segmenter, Palette ?? segmenter.Info.Palette).Segment(
                job, bands, interruption.Token);
        }
        (Image photo, Segmentation mask, TimeSpan decode) = (made.Photo, made.Mask, made.Decode);
        long segmented = Stopwatch.GetTimestamp();
        if (job.Mask == "-")
        {
            using Stream output = StandardStream.OpenOutput();
            mask.SaveMask(output, Palette);
        }
        else
        {
            Save(job, photo, mask, files);
        }
        return new SegmentedPicture(
            job, MaskFacts.Of(mask), decode, Stopwatch.GetElapsedTime(segmented),
            (photo.Warning, mask.Note) switch
            {
                ({ } warning, { } note) => $"{warning} {note}",
                var (warning, note) => warning ?? note,
            });
    }

    /// <summary>
    /// A PNG that is read in bands of rows: one that is too large to be held, or need not be; null for all others.
    /// </summary>
    private PngBands? Bands(SegmentJob job, bool isMultiLabel)
    {
        // The masks of single classes are made of the whole.
        if (Options.Window is null || job.Input == "-" || isMultiLabel)
            return null;
        long pixels = PngBands.PixelsOf(job.Input), most = MaxPixels ?? BandedSegmentation.DefaultMaxPixels;
        if (pixels > MaxPixelsOption.Whole(MaxPixels))
            return new PngBands(job.Input, most);
        if (pixels < BandedSegmentation.Least || job.Overlay is not null || !Formats.IsNone)
            return null;
        try
        {
            return new PngBands(job.Input, most);
        }
        catch (ImageException)
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

    private static string Shown(string input) => input == "-" ? "standard input" : input;

    /// <summary>All outputs or none.</summary>
    private void Save(SegmentJob job, Image photo, Segmentation mask, RunFiles run)
    {
        var annotated = new AnnotatedPicture(job.Name, photo, mask, Palette ?? mask.Palette, _regions);
        var written = new List<OutputFile>();
        try
        {
            Write(job.Mask, stream => mask.SaveMask(stream, Palette));
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
                Write(job.MaskOf(label, mask.NameOf(label)), stream => only.SaveMask(stream, colours));
            }
            foreach ((PictureFormat format, string path) in job.Files)
                Write(path, stream => format.Write(stream, annotated));
            run.Add(annotated);
            written.ForEach(file => file.Commit());
        }
        finally
        {
            written.ForEach(file => file.Dispose());
        }

        void Write(string path, Action<Stream> contents)
        {
            var file = new OutputFile(temporaries, path);
            written.Add(file);
            file.Write(contents);
        }
    }

    /// <summary>A picture and its mask, of which nothing is written yet.</summary>
    private sealed record MadeMask(Image Photo, Segmentation Mask, TimeSpan Decode) : IDisposable
    {
        public void Dispose() => Photo.Dispose();
    }

    private void Failed(string input, Failure failure)
    {
        _retry |= failure.Code == ExitCode.Failed;
        _bad |= failure.Code != ExitCode.Failed;
        Report.Failed(input, failure);
    }
}
