using System.Diagnostics;
using System.Globalization;
using Atrous.Cli.Output;

namespace Atrous.Cli.Videos;

/// <summary>
/// How far a video is: a bar with frames a second and the time that is left where standard error is a terminal, else a
/// line every ten seconds.
/// </summary>
internal sealed class VideoProgress
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    private readonly string _name;
    private readonly int? _frames;
    private readonly ProgressBar? _bar;
    private readonly bool _quiet;
    private readonly long _start = Stopwatch.GetTimestamp();
    private long _said = Stopwatch.GetTimestamp();

    private VideoProgress(string name, int? frames, ProgressBar? bar, bool quiet) =>
        (_name, _frames, _bar, _quiet) = (name, frames, bar, quiet);

    /// <summary>Does the work and shows how far it is.</summary>
    /// <param name="name">What the video is called.</param>
    /// <param name="frames">How many frames there will be; null where nobody knows.</param>
    /// <param name="quiet">Whether nothing is to be said.</param>
    /// <param name="work">Calls <see cref="Reach"/> for each frame.</param>
    public static void Around(string name, int? frames, bool quiet, Action<VideoProgress> work)
    {
        if (quiet)
            work(new VideoProgress(name, frames, null, quiet));
        else
            ProgressBar.Around("segmenting", frames, bar => work(new VideoProgress(name, frames, bar, quiet)));
    }

    /// <summary>Another frame is done.</summary>
    /// <param name="done">How many frames were segmented.</param>
    /// <param name="position">How many of the video's frames lie up to here.</param>
    public void Reach(int done, int position)
    {
        double seconds = Stopwatch.GetElapsedTime(_start).TotalSeconds;
        string rate = string.Create(CultureInfo.InvariantCulture, $"{done / seconds:0.0} frames/s");
        if (_bar is not null)
        {
            string of = _frames is null ? string.Create(CultureInfo.InvariantCulture, $" frame {position}") : "";
            _bar.Reach(position, $"segmenting{of}, {rate}");
            return;
        }
        if (_quiet || Stopwatch.GetElapsedTime(_said) < Pause)
            return;
        _said = Stopwatch.GetTimestamp();
        string all = _frames is { } frames ? string.Create(CultureInfo.InvariantCulture, $" of {frames}") : "";
        string left = _frames is { } count && count > position
            ? $", {Clock(TimeSpan.FromSeconds(seconds / position * (count - position)))} left"
            : "";
        Terminal.Message(string.Create(CultureInfo.InvariantCulture, $"{_name}: frame {position}{all}, {rate}{left}"));
    }

    /// <summary>A sentence while the work goes on.</summary>
    public void Say(string sentence)
    {
        if (_quiet)
            return;
        if (_bar is null)
            Terminal.Message(sentence);
        else
            _bar.Message(sentence);
    }

    /// <summary>"1:02:03", "2:03".</summary>
    private static string Clock(TimeSpan time) =>
        time.ToString(time.TotalHours >= 1 ? @"h\:mm\:ss" : @"m\:ss", CultureInfo.InvariantCulture);
}
