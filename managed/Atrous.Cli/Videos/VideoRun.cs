using System.Diagnostics;
using System.Globalization;
using System.Runtime.ExceptionServices;
using Atrous.Cli.Formats;
using Atrous.Cli.Options;
using Atrous.Cli.Output;
using Atrous.Cli.Segmenting;
using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Shapes;

namespace Atrous.Cli.Videos;

/// <summary>Segments videos one after the other. A broken one is reported, and the rest go on.</summary>
internal sealed class VideoRun(TemporaryFiles temporaries, Interruption interruption)
{
    /// <summary>ffmpeg has frames that it has not encoded yet when it is told that no more come.</summary>
    private static readonly TimeSpan EndOfVideo = TimeSpan.FromSeconds(60);

    public required IReadOnlyList<VideoJob> Jobs { get; init; }

    public required VideoChoice Choice { get; init; }

    public required ModelChoice Model { get; init; }

    public required SegmenterOptions Options { get; init; }

    public required Palette? Palette { get; init; }

    public required double Opacity { get; init; }

    /// <summary>The most pixels of a frame, where the user says it.</summary>
    public required long? MaxPixels { get; init; }

    public required bool Quiet { get; init; }

    /// <summary>What is written of each frame beside its mask.</summary>
    public required FormatChoice Formats { get; init; }

    /// <summary>The file that gets a line for each frame; null for none.</summary>
    public required string? Lines { get; init; }

    /// <summary>The exit code: that of the failures, with those that are worth retrying first.</summary>
    public int Run()
    {
        if (Choice.Raw is null || Jobs[0].Overlay is not (null or "-"))
            _ = Ffmpeg.KeepTimes; // starts it: where it is missing, that is said before the model is loaded
        interruption.Grace = EndOfVideo;
        using Segmenter segmenter = Segmenter.Load(Model.Path, Options);
        if (!Quiet)
            Terminal.Message(Model.Introduce(DescribedModel.Line(segmenter, Options)));
        RegionOptions regions = Formats.Regions(segmenter.Info);
        using FrameLines? lines = Lines is null ? null : new FrameLines(Lines);
        bool retry = false, bad = false;
        foreach (VideoJob job in Jobs)
        {
            if (interruption.Token.IsCancellationRequested)
                break;
            try
            {
                if (Segment(job, segmenter, regions, lines) is { } complaint)
                    throw new CommandException(ExitCode.BadInput, complaint);
            }
            catch (OperationCanceledException) when (interruption.Token.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e)
            {
                var failure = Failure.Of(e);
                Terminal.Message(failure.About(job.Name));
                retry |= failure.Code == ExitCode.Failed;
                bad |= failure.Code != ExitCode.Failed;
            }
        }
        return interruption.ExitCode ?? (retry ? ExitCode.Failed : bad ? ExitCode.BadInput : ExitCode.Done);
    }

    /// <returns>What was wrong with the video; null for nothing.</returns>
    private string? Segment(VideoJob job, Segmenter segmenter, RegionOptions regions, FrameLines? lines)
    {
        if (Choice.Raw is null && job.Input != "-" && !VideoNames.IsStream(job.Input) && Choice.Format is null
            && !File.Exists(job.Input))
        {
            return $"{job.Input}: there is no such file; check the path.";
        }
        using FrameSource source = Choice.Raw is { } raw
            ? new RawFrames(raw, Choice.RawTime)
            : new FfmpegFrames(job.Input, Choice.Format, MaxPixelsOption.Whole(MaxPixels));
        Func<int, double, bool> takes = Choice.Frames.Begin();
        using var maker = new PictureMaker(temporaries, segmenter, CancellationToken.None)
        {
            Window = null,
            MaxPixels = MaxPixels,
            Rasters = new RasterChoice(null, null),
            TellsDoubt = false,
            Formats = Formats,
            Regions = regions,
            Palette = Palette,
            Opacity = Opacity,
            Stamp = null,
            SkipsExisting = false,
        };
        using var files = new RunFiles(
            temporaries, job.Folder is null ? [] : Formats.OfRun, job.Folder ?? "", segmenter.Info, Palette,
            part: null);
        using var outputs = new VideoOutputs(job, source, new FrameFiles(job, Formats, maker, files), lines)
        {
            Palette = Palette,
            Opacity = Opacity,
            Open = first => new OverlayVideo(temporaries, job.Overlay!, first, source, interruption.Token),
        };
        bool interrupted = false;
        Exception? failure = null;
        long start = Stopwatch.GetTimestamp();
        VideoProgress.Around(job.Name, source.Frames, Quiet, progress =>
        {
            outputs.Progress = progress;
            try
            {
                FramePipeline.RunAsync(
                    segmenter, source, frame => takes(frame.Number, source.TimeBase.Seconds(frame.Time)),
                    new SegmentRequest { Confidence = Formats.NeedsConfidence }, outputs.Add, interruption.Token)
                    .GetAwaiter().GetResult();
            }
            catch (OperationCanceledException) when (interruption.Token.IsCancellationRequested)
            {
                interrupted = true;
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        End(job, outputs, files, failure);
        Report(job, source, outputs, segmenter, interrupted, Stopwatch.GetElapsedTime(start));
        return interrupted ? null : source.Complaint;
    }

    /// <summary>Ends what is written; one output that cannot be does not take the others with it.</summary>
    /// <param name="job">The video and its outputs.</param>
    /// <param name="outputs">Those that have every frame so far.</param>
    /// <param name="files">Those about all frames.</param>
    /// <param name="failure">What ended the run early; null for nothing. It is thrown.</param>
    private static void End(VideoJob job, VideoOutputs outputs, RunFiles files, Exception? failure)
    {
        bool failed = failure is not null, kept = false;
        // An earlier video is not replaced by one in which nothing is done.
        if (!failed || outputs.Done > 0)
            Try(() => kept = outputs.Complete());
        if (outputs.Done > 0)
            Try(files.Commit);
        if (failure is null)
            return;
        if (!kept)
            ExceptionDispatchInfo.Throw(failure);
        var told = Failure.Of(failure);
        string rest = failed ? $"{job.Overlay} has the frames up to there" : $"{job.Overlay} is written";
        throw new CommandException(
            told.Code, $"{told.About(job.Name).TrimEnd('.')}; {rest}.", failure);

        void Try(Action end)
        {
            try
            {
                end();
            }
            catch (Exception e)
            {
                failure ??= e;
            }
        }
    }

    private void Report(
        VideoJob job, FrameSource source, VideoOutputs outputs, Segmenter segmenter, bool interrupted, TimeSpan time)
    {
        if (Quiet || (outputs.Done == 0 && !interrupted))
            return;
        if (source.Note is { } note)
            Terminal.Message(note);
        if (outputs.Done > 0 && outputs.Shares() is { } shares)
        {
            string classes = string.Join(", ", shares.Where(share => share.Share >= 0.005).Take(3).Select(share =>
                $"{NameOf(segmenter.Info, share.Label)} {Numbers.WholePercent(share.Share)}"));
            bool taken = job.Overlay == "-" || Lines == "-";
            (taken ? Console.Error : Console.Out).WriteLine(
                Terminal.OneLine($"{job.Name}  {job.Overlay ?? job.Folder ?? Lines}  {classes}"));
        }
        string of = source.Read > outputs.Done && !interrupted // which has read ahead
            ? string.Create(CultureInfo.InvariantCulture, $" of {source.Read}")
            : "";
        string where = outputs.Done == 0 ? "" : $"; {job.Where(Formats.OfPicture.Select(format => format.Name)
            .Concat(Formats.OfRun.Select(format => format.Name)), Lines)}";
        string ended = interrupted ? "interrupted after " : "";
        Terminal.Message(string.Create(
            CultureInfo.InvariantCulture,
            $"{job.Name}: {ended}{outputs.Done}{of} frames in {time.TotalSeconds:0.0} s "
            + $"({outputs.Done / time.TotalSeconds:0.0} frames/s){where}"));
        if (job.Overlay is not (null or "-") && source.HasSound)
            Terminal.Message($"{job.Name}: its sound is not copied to {job.Overlay}.");
    }

    private static string NameOf(ModelInfo model, int label) =>
        label < model.ClassNames.Count ? model.ClassNames[label] : $"class {label}";
}
