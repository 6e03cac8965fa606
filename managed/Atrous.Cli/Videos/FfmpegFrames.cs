using System.Diagnostics;
using System.Globalization;
using Atrous.Cli.Options;
using Atrous.Cli.Output;
using Atrous.Files;
using Atrous.Imaging;

namespace Atrous.Cli.Videos;

/// <summary>The frames of whatever ffmpeg opens, turned upright by it.</summary>
internal sealed class FfmpegFrames : FrameSource
{
    private const string Foreign =
        "this ffmpeg tells of its frames in words that are not known here; install another version, such as 5.1.";

    private readonly string _input;
    private readonly bool _isFile, _mayBeList;
    private readonly long _maxPixels;
    private readonly Process _process;
    private readonly FrameLog _log;
    private bool _lacksPixels;

    /// <param name="input">A file, a camera, the address of a stream, or "-" for standard input.</param>
    /// <param name="format">What ffmpeg's -f calls the input; null where ffmpeg finds it out.</param>
    /// <param name="maxPixels">The most pixels of a frame.</param>
    /// <exception cref="CommandException">ffmpeg is not installed.</exception>
    public FfmpegFrames(string input, string? format, long maxPixels)
    {
        (_input, _maxPixels) = (input, maxPixels);
        _isFile = VideoNames.IsFile(input);
        string[] source = input == "-" ? ["-i", "pipe:0"]
            : _isFile ? Ffmpeg.InputFile(input)
            : ["-i", input];
        // A list of other files is read where the user says that it is one, or gives an address.
        _mayBeList = format is not null || VideoNames.IsStream(input);
        // What is read of a pipe is gone.
        VideoFacts? facts = _isFile && !RegularFile.IsSpecial(input) ? VideoFacts.Of(input, format) : null;
        (Frames, HasSound) = (facts?.Frames, facts?.HasSound ?? false);
        if (input == "-")
            StandardInput.Open().Dispose(); // ffmpeg reads it itself; a terminal is refused
        _process = Ffmpeg.Start("ffmpeg",
        [
            .. Ffmpeg.Quietly, "-loglevel", "level+info", .. format is null ? (string[])[] : ["-f", format], .. source,
            "-map", "0:V:0", "-vf", "showinfo=checksum=0", .. Ffmpeg.KeepTimes,
            // Raw video counts frames of a constant rate unless told otherwise.
            "-enc_time_base", "1/1000000", "-pix_fmt", "rgb24", "-f", "rawvideo", "pipe:1",
        ], output: true);
        _log = new FrameLog(_process);
    }

    public override IEnumerable<VideoFrame> Pictures(CancellationToken cancellationToken)
    {
        using CancellationTokenRegistration stopping = cancellationToken.Register(Stop);
        Stream pixels = _process.StandardOutput.BaseStream;
        LoggedFrame? first = null;
        long last = long.MinValue;
        long asked = Stopwatch.GetTimestamp();
        while (_log.Next(cancellationToken) is { } logged)
        {
            if (first is null)
            {
                first = logged;
                if (Unreadable() is { } complaint)
                {
                    Complaint = complaint;
                    Stop();
                    yield break;
                }
                (TimeBase, PixelAspect) = (_log.TimeBase, logged.Aspect);
                if ((long)logged.Height * logged.Width > _maxPixels)
                {
                    Complaint = $"{_input}: a frame has {logged.Width} x {logged.Height} pixels, and the limit is "
                        + $"{_maxPixels}; raise it with --max-pixels.";
                    Stop();
                    yield break;
                }
            }
            if ((logged.Height, logged.Width) != (first.Height, first.Width))
            {
                Complaint = string.Create(
                    CultureInfo.InvariantCulture,
                    $"{_input}: from frame {Read} on the pictures have {logged.Width} x {logged.Height} pixels instead "
                    + $"of {first.Width} x {first.Height}; the outputs end before it.");
                Stop();
                yield break;
            }
            var picture = new Image(logged.Height, logged.Width, PixelFormat.Rgb);
            int read = pixels.ReadAtLeast(picture.Pixels, picture.Pixels.Length, throwOnEndOfStream: false);
            if (read < picture.Pixels.Length)
            {
                picture.Dispose();
                _lacksPixels = true;
                break;
            }
            // Times that are missing or go back would be refused by the output's container.
            long step = _log.Rate > 0 ? Math.Max(1, (long)(1 / _log.Rate / TimeBase.Seconds(1))) : 1;
            long time = logged.Time ?? (last == long.MinValue ? 0 : last + step);
            last = last == long.MinValue ? time : Math.Max(time, last + 1);
            yield return new VideoFrame(Read, last, picture, Stopwatch.GetElapsedTime(asked));
            Read++;
            asked = Stopwatch.GetTimestamp();
        }
        cancellationToken.ThrowIfCancellationRequested();
        if (_log.OutOfStep is { } other)
        {
            Complaint = string.Create(
                CultureInfo.InvariantCulture,
                $"{_input}: ffmpeg told of frame {other}; the outputs end with the {Read} frames before it.");
            Stop();
            yield break;
        }
        // It tells of its output also where the input has no frame at all.
        if (_log.IsForeign && pixels.ReadByte() >= 0)
        {
            Complaint = $"{_input}: {Foreign}";
            Stop();
            yield break;
        }
        cancellationToken.ThrowIfCancellationRequested();
        _process.WaitForExit();
        _log.End();
        // Ctrl-C reaches ffmpeg too, and can be sooner there.
        if (_process.ExitCode is Ffmpeg.Signalled or Ffmpeg.HungUp)
            cancellationToken.WaitHandle.WaitOne(TimeSpan.FromSeconds(1));
        cancellationToken.ThrowIfCancellationRequested();
        Judge();
    }

    public override void Dispose()
    {
        Stop();
        _process.WaitForExit();
        _log.End();
        _process.Dispose();
        _log.Dispose();
    }

    /// <summary>Why none of its frames can be taken, known with the first; null for nothing.</summary>
    private string? Unreadable()
    {
        if (!_mayBeList && _log.Playlist is { } kind)
            return $"{_input}: this is no video but a list of other files ({kind}); name those, or give --video {kind} "
                + "to read them.";
        return _log.TimeBase == default ? $"{_input}: {Foreign}" : null;
    }

    /// <summary>
    /// A file with errors is broken; a stream that is joined in the midst of a film often begins with some.
    /// </summary>
    private void Judge()
    {
        string reason = _log.ErrorText.Length > 0 ? _log.ErrorText : $"exit code {_process.ExitCode}";
        if (Read == 0)
        {
            Complaint = $"{_input}: ffmpeg finds no picture in it ({reason}).";
        }
        else if (_process.ExitCode != 0 || _lacksPixels || (_isFile && _log.Errors > 0))
        {
            string of = Frames > Read ? string.Create(CultureInfo.InvariantCulture, $" of {Frames}") : "";
            Complaint = string.Create(
                CultureInfo.InvariantCulture,
                $"{_input}: the video is cut off or broken ({reason}); the outputs end with the {Read}{of} frames that "
                + $"ffmpeg could read.");
        }
        else if (_log.Errors > 0)
        {
            Note = string.Create(
                CultureInfo.InvariantCulture, $"{_input}: ffmpeg told of {_log.Errors} errors ({reason}).");
        }
    }

    private void Stop()
    {
        try
        {
            if (!_process.HasExited)
                _process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It ended meanwhile.
        }
    }
}
