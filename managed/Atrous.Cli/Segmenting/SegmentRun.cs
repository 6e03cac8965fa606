using System.Diagnostics;
using Atrous.Cli.Batches;
using Atrous.Cli.Formats;
using Atrous.Cli.Options;
using Atrous.Cli.Output;
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
    private Journal? _journal;

    public required InputFiles Files { get; init; }

    /// <summary>The pictures of this run, of all that were named.</summary>
    public required IReadOnlyList<SegmentJob> Jobs { get; init; }

    public required ModelChoice Model { get; init; }

    public required SegmenterOptions Options { get; init; }

    public required Palette? Palette { get; init; }

    public required double Opacity { get; init; }

    /// <summary>What a picture's header may claim, where the user says it.</summary>
    public required long? MaxPixels { get; init; }

    public required bool Quiet { get; init; }

    public required SegmentationReport Report { get; init; }

    /// <summary>What TIFFs show to the network.</summary>
    public required RasterChoice Rasters { get; init; }

    /// <summary>What is written beside the masks.</summary>
    public required FormatChoice Formats { get; init; }

    /// <summary>The folder of the files about all pictures: that of -o, or that of the masks of all parts.</summary>
    public required string Folder { get; init; }

    /// <summary>Which of the pictures, and what is kept of those that are done.</summary>
    public required BatchChoice Batch { get; init; }

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
        IReadOnlyList<BadInput> bad = [.. Files.Bad.Where(input => input.Relative is null || IsOurs(input.Relative))];
        if (Jobs.Count == 0 && bad.Count == 0)
        {
            if (Batch.Shard is null || Files.Pictures.Count + Files.Bad.Count == 0)
                throw CommandException.Usage("There is no picture among the inputs.");
            if (!Quiet)
                Terminal.Message($"no picture belongs to the part {Batch.Shard}");
        }
        int pictures = Files.Pictures.Count + Files.Bad.Count;
        using Journal? journal = _journal = Batch.Lines is { } lines
            ? Journal.Open(lines, Batch.Shard, pictures)
            : null;
        // A part without pictures has its files about all of them, so that none is missing.
        bool isPart = Batch.Shard is not null && Formats.OfRun.Any(format => format.IsJoined);
        using Segmenter? segmenter = Jobs.Count > 0 || isPart ? Segmenter.Load(Model.Path, Options) : null;
        _regions = segmenter is null ? _regions : Formats.Regions(segmenter.Info);
        if (segmenter is not null && !Quiet)
        {
            Terminal.Message(Model.Introduce(DescribedModel.Line(segmenter, Options)));
            if (segmenter.Info.IsMultiLabel && Jobs is [{ Mask: not "-" }, ..])
            {
                Terminal.Message(
                    "A mask has the most probable class of each pixel, and 0 for none; beside it, a mask for each "
                    + $"class has all its pixels: {Jobs[0].MaskOf(1, segmenter.Info.ClassNames[1])} and so on.");
            }
        }
        using RunFiles? files = segmenter is null ? null : new RunFiles(
            temporaries, Formats.OfRun, Folder, segmenter.Info, Palette,
            Batch.Shard is { } shard ? (shard.ToString(), pictures) : null);
        RefuseClash(files);
        Report.Around(segmenter, Options, Jobs.Count + bad.Count, () =>
        {
            foreach (BadInput input in bad)
            {
                Failed(input.Path, input.Failure);
                // A line of a folder that cannot be read now would stay when its pictures have theirs.
                if (input.Relative is not null || !input.MayPass)
                    _journal?.Add(InputFiles.NameOf(input.Relative ?? input.Path), input.Path, input.Failure, 1);
            }
            if (segmenter is not null)
                SegmentAll(segmenter, files!);
        }, interruption);
        return interruption.ExitCode ?? (_retry ? ExitCode.Failed : _bad ? ExitCode.BadInput : ExitCode.Done);
    }

    private bool IsOurs(string relative) => Batch.Shard?.Has(InputFiles.NameOf(relative)) ?? true;

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
        if (Jobs.Count > 0)
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
        using var maker = new PictureMaker(temporaries, segmenter, interruption.Token)
        {
            Window = Options.Window?.Size,
            MaxPixels = MaxPixels,
            Rasters = Rasters,
            // Of one picture there is time to look, and a table to say it under.
            TellsDoubt = Report is TableReport && Options.Crf is null,
            Formats = Formats,
            Regions = _regions,
            Palette = Palette,
            Opacity = Opacity,
            Stamp = Batch.Records ? StampOf(segmenter) : null,
            SkipsExisting = Batch.SkipExisting,
        };
        int inFlight = Math.Min(Jobs.Count, Batch.InFlight ?? segmenter.RunsAtOnce + 2);
        foreach ((SegmentJob job, Func<UnnamedOutputs> made) in Ahead.Of(Jobs, inFlight, maker.Make))
        {
            if (interruption.Token.IsCancellationRequested || !Finish(segmenter, maker, job, made, files))
                return;
        }
    }

    private string StampOf(Segmenter segmenter) => RunStamp.Of(
        Model.Path, segmenter.Info, Options,
        Palette ?? segmenter.Info.Palette ?? Postprocessing.Palette.For(segmenter.Info.ClassNames),
        Jobs[0].Overlay is null && Formats.IsNone ? null : Opacity, Formats, Rasters);

    /// <summary>Gives a picture's outputs their names, after as many attempts as there may be.</summary>
    /// <returns>False where the run is interrupted.</returns>
    private bool Finish(
        Segmenter segmenter, PictureMaker maker, SegmentJob job, Func<UnnamedOutputs> making, RunFiles files)
    {
        for (int attempt = 1; ; attempt++)
        {
            SegmentedPicture picture;
            try
            {
                picture = Commit(segmenter, maker, job, attempt == 1 ? making : () => maker.Make(job), files);
            }
            catch (OperationCanceledException) when (interruption.Token.IsCancellationRequested)
            {
                return false;
            }
            catch (Exception e)
            {
                var failure = Failure.Of(e);
                if (failure.Code != ExitCode.Failed || attempt > Batch.Retries)
                {
                    Failed(Shown(job.Input), failure);
                    _journal?.Add(job.Name, job.Input, failure, attempt);
                    return true;
                }
                if (interruption.Token.WaitHandle.WaitOne(BatchChoice.Pause(attempt)))
                    return false;
                continue;
            }
            string?[] notes = [picture.Warning, picture.Mask.NoDataNote, picture.Mask.DoubtNote];
            foreach (string note in Quiet ? [] : notes.OfType<string>())
                Report.Say($"{Shown(job.Input)}: {note}");
            _journal?.Add(picture, attempt);
            if (picture.IsFromBefore)
                Report.Skipped(picture);
            else
                Report.Done(picture);
            return true;
        }
    }

    private SegmentedPicture Commit(
        Segmenter segmenter, PictureMaker maker, SegmentJob job, Func<UnnamedOutputs> making, RunFiles files)
    {
        using UnnamedOutputs made = making();
        if (made.FromBefore is { } record)
        {
            var facts = new MaskFacts(
                record.Height, record.Width, record.Shares, segmenter.Info.ClassNames, default)
            {
                IsMultiLabel = segmenter.Info.IsMultiLabel,
                NoData = record.NoData,
            };
            return new SegmentedPicture(job, facts, default, default, null) { Record = record, IsFromBefore = true };
        }
        if (made.Mask is not { } mask)
            return maker.MakeInBands(job, made);
        long start = Stopwatch.GetTimestamp();
        if (job.Mask == "-")
        {
            using Stream output = StandardStream.OpenOutput();
            mask.SaveMask(output, Palette);
        }
        else
        {
            // What cannot be named is tried again, and stands in the run's files once.
            made.Files.ForEach(file => file.Commit());
            files.Add(made.Annotated!);
        }
        return new SegmentedPicture(
            job, made.Facts!, made.Decode, made.Encode + Stopwatch.GetElapsedTime(start),
            (made.Warning, mask.Note) switch
            {
                ({ } warning, { } note) => $"{warning} {note}",
                var (warning, note) => warning ?? note,
            })
        {
            Record = made.Record,
        };
    }

    private static string Shown(string input) => input == "-" ? "standard input" : input;

    private void Failed(string input, Failure failure)
    {
        _retry |= failure.Code == ExitCode.Failed;
        _bad |= failure.Code != ExitCode.Failed;
        Report.Failed(input, failure);
    }
}
