using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Atrous.Cli.Videos;

/// <summary>What ffmpeg says of a frame before it gives the frame's pixels.</summary>
/// <param name="Time">In units of the time base; null where the video has no time for it.</param>
/// <param name="Height">The number of rows of the upright picture.</param>
/// <param name="Width">The number of pixels of a row.</param>
/// <param name="Aspect">The shape of a pixel as "4/3"; null for a square.</param>
internal sealed record LoggedFrame(long? Time, int Height, int Width, string? Aspect);

/// <summary>
/// Reads ffmpeg's standard error: the lines of its filter showinfo, one a frame, and errors. The pipe of pixels has no
/// place for times.
/// </summary>
internal sealed partial class FrameLog : IDisposable
{
    private const int MostErrors = 3, LongestError = 300;

    private readonly BlockingCollection<LoggedFrame> _frames = [];
    private readonly List<string> _errors = [];
    private readonly Task _reading;
    private int _next;
    private bool _hasFrames;

    public FrameLog(Process process) =>
        _reading = Task.Factory.StartNew(() => ReadAll(process.StandardError), TaskCreationOptions.LongRunning);

    /// <summary>Written before the first frame; nothing where the log does not tell.</summary>
    public TimeBase TimeBase { get; private set; }

    /// <summary>Frames a second as the video says; 0 where it does not.</summary>
    public double Rate { get; private set; }

    /// <summary>
    /// It begins to give pixels and has told of no frame: a version with other words, which would wait for a reader for
    /// ever.
    /// </summary>
    public bool IsForeign { get; private set; }

    /// <summary>
    /// The frame that it told of instead of the next one, as "7 where 5 was next"; null for none. There is no knowing
    /// then which pixels belong to which time, and the frames end.
    /// </summary>
    public string? OutOfStep { get; private set; }

    /// <summary>The kind of list of other files that the input is, as "hls"; null where it is none.</summary>
    public string? Playlist { get; private set; }

    /// <summary>How many errors there were.</summary>
    public int Errors { get; private set; }

    /// <summary>The first errors, as "moov atom not found; Invalid data found"; empty for none.</summary>
    public string ErrorText => string.Join("; ", _errors.Distinct());

    /// <summary>The next frame; null after the last.</summary>
    public LoggedFrame? Next(CancellationToken cancellationToken) =>
        _frames.TryTake(out LoggedFrame? frame, Timeout.Infinite, cancellationToken) ? frame : null;

    /// <summary>Waits until the log has ended, which it does with the process.</summary>
    public void End() => _reading.Wait();

    public void Dispose() => _frames.Dispose();

    private void ReadAll(StreamReader log)
    {
        try
        {
            while (log.ReadLine() is { } line)
                Read(line);
        }
        finally
        {
            _frames.CompleteAdding();
        }
    }

    private void Read(string line)
    {
        Match frame = Frame().Match(line);
        // Another thread's error can stand behind a frame, in the same line.
        if (Ffmpeg.ErrorOf(frame.Success ? FromBracket(line[frame.Length..]) : line) is { } error)
            Add(error);
        if (_frames.IsAddingCompleted)
            return;
        if (frame.Success)
        {
            if (Number(frame, "number") != _next)
            {
                OutOfStep = $"{frame.Groups["number"].Value} where {_next} was next";
                _frames.CompleteAdding();
                return;
            }
            _next++;
            _hasFrames = true;
            string aspect = $"{frame.Groups["across"].Value}/{frame.Groups["down"].Value}";
            bool isSquare = Number(frame, "across") == Number(frame, "down") || Number(frame, "across") == 0;
            long? time = long.TryParse(
                frame.Groups["time"].Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long units)
                ? units
                : null;
            _frames.Add(new LoggedFrame(
                time, (int)Number(frame, "height"), (int)Number(frame, "width"), isSquare ? null : aspect));
        }
        else if (Configuration().Match(line) is { Success: true } times)
        {
            _next = 0; // the filter is a new one, as it is where the size changes
            long numerator = Number(times, "num"), denominator = Number(times, "den");
            if (TimeBase == default && Math.Max(numerator, denominator) <= int.MaxValue)
            {
                TimeBase = new TimeBase((int)numerator, (int)denominator);
                Rate = Number(times, "perden") is > 0 and var per ? (double)Number(times, "per") / per : 0;
            }
        }
        else if (!_hasFrames && line.StartsWith("[info] Output #0, rawvideo", StringComparison.Ordinal))
        {
            IsForeign = true;
            _frames.CompleteAdding();
        }
        else if (List().Match(line) is { Success: true } list)
        {
            Playlist ??= list.Groups["kind"].Value;
        }
    }

    private static string FromBracket(string rest) => rest[Math.Max(0, rest.IndexOf('['))..];

    private void Add(string error)
    {
        Errors++;
        if (_errors.Count < MostErrors)
            _errors.Add(error[..Math.Min(error.Length, LongestError)].TrimEnd('.'));
    }

    private static long Number(Match match, string group) =>
        long.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(
        // From the line's beginning, where no words of the video's title stand.
        @"^\[Parsed_showinfo_0 @ \w+\] \[info\] n:\s*(?<number>\d{1,10})\s+pts:\s*(?<time>\S{1,20})\s+pts_time:.*\s"
        + @"sar:(?<across>\d{1,9})/(?<down>\d{1,9})\s+s:(?<width>\d{1,9})x(?<height>\d{1,9})\s")]
    private static partial Regex Frame();

    [GeneratedRegex(
        @"^\[Parsed_showinfo_0 @ \w+\] \[info\] config in time_base:\s*(?<num>[1-9]\d{0,9})/"
        + @"(?<den>[1-9]\d{0,9}),\s*frame_rate:\s*(?<per>\d{1,10})/(?<perden>\d{1,10})")]
    private static partial Regex Configuration();

    [GeneratedRegex(@"^\[info\] Input #0, (?<kind>hls|concat|dash|imf)\b")]
    private static partial Regex List();
}
