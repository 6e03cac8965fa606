using System.Diagnostics;
using System.Globalization;
using Atrous.Cli.Output;

namespace Atrous.Cli.Segmenting;

/// <summary>
/// For many pictures: a line for each on standard output, a progress bar where standard error is a terminal, and one
/// line at the end.
/// </summary>
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
        string skipped = FromBefore > 0 ? $", {FromBefore} were there" : "";
        int left = pictures - Written.Count - FromBefore - Failures;
        string rest = left > 0 ? $", {left} left undone" : "";
        string where = Written.Count > 0 ? $"; {WrittenFiles.Where(Written)}" : "";
        Terminal.Message(
            $"{Written.Count} of {pictures} pictures segmented in {seconds} s{skipped}{failures}{rest}{where}");
    }

    public override void Done(SegmentedPicture picture)
    {
        base.Done(picture);
        string line = WrittenFiles.Line(picture);
        if (_bar is null || Console.IsOutputRedirected)
            Console.Out.WriteLine(Terminal.OneLine(line));
        else
            _bar.Line(line);
        _bar?.Step();
    }

    public override void Skipped(SegmentedPicture picture)
    {
        base.Skipped(picture);
        _bar?.Step();
    }

    public override void Say(string sentence)
    {
        if (_bar is null)
            base.Say(sentence);
        else
            _bar.Message(sentence);
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
