using System.Diagnostics;
using System.Globalization;
using Atrous.Cli.Output;

namespace Atrous.Cli.Segmenting;

/// <summary>For many pictures: a progress bar where stderr is a terminal, and one line at the end.</summary>
internal sealed class ProgressReport : SegmentationReport
{
    private ProgressBar? _bar;

    public override void Around(
        Segmenter? segmenter, SegmenterOptions options, int pictures, Action work, Interruption interruption)
    {
        long start = Stopwatch.GetTimestamp();
        ProgressBar.Around("segmenting", pictures, bar =>
        {
            _bar = bar;
            work();
        });
        _bar = null;
        string seconds = Stopwatch.GetElapsedTime(start).TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);
        string failures = Failures > 0 ? $", {Failures} failed" : "";
        string rest = pictures - Finished - Failures is var left and > 0 ? $", {left} left undone" : "";
        Terminal.Message($"{Finished} of {pictures} pictures segmented in {seconds} s{failures}{rest}");
    }

    public override void Done(SegmentedPicture picture)
    {
        base.Done(picture);
        _bar?.Step();
    }

    protected override void OnFailed(string input, Failure failure)
    {
        if (_bar is null)
            base.OnFailed(input, failure);
        else
            _bar.Message(failure.About(input));
        _bar?.Step();
    }
}
