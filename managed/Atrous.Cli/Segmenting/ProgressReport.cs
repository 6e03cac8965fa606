using System.Diagnostics;
using System.Globalization;
using Spectre.Console;

namespace Atrous.Cli;

/// <summary>For many pictures: a progress bar where stderr is a terminal, and one line at the end.</summary>
internal sealed class ProgressReport : SegmentReport
{
    private IAnsiConsole? _console;
    private ProgressTask? _task;

    public override void Around(
        Segmenter? segmenter, SegmenterOptions options, int pictures, Action work, Interruption interruption)
    {
        long start = Stopwatch.GetTimestamp();
        if (Console.IsErrorRedirected)
            work();
        else
            WithBar(pictures, work);
        string seconds = Stopwatch.GetElapsedTime(start).TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);
        string failures = Failures > 0 ? $", {Failures} failed" : "";
        string rest = pictures - Finished - Failures is var left and > 0 ? $", {left} left undone" : "";
        Terminal.Message($"{Finished} of {pictures} pictures segmented in {seconds} s{failures}{rest}");
    }

    public override void Done(SegmentedPicture picture)
    {
        base.Done(picture);
        _task?.Increment(1);
    }

    protected override void OnFailed(string input, Failure failure)
    {
        // Through the console that draws the bar, which makes room for the line.
        if (_console is null)
            base.OnFailed(input, failure);
        else
            _console.WriteLine($"atrous: {Terminal.OneLine(failure.About(input))}");
        _task?.Increment(1);
    }

    private void WithBar(int pictures, Action work)
    {
        _console = Terminal.Rich(Console.Error, isRedirected: false);
        _console.Progress()
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                _task = context.AddTask("segmenting", maxValue: pictures);
                work();
                _task.StopTask();
            });
        (_console, _task) = (null, null);
    }
}
