using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using Atrous.Cli.Output;
using Atrous.Imaging;

namespace Atrous.Cli.Videos;

/// <summary>Where the pictures with the classes' colours go.</summary>
internal abstract class OverlaySink : IDisposable
{
    /// <param name="time">When it is shown, in units of the video's time base.</param>
    /// <param name="picture">RGB; all of one size.</param>
    /// <exception cref="CommandException">It cannot be written.</exception>
    public abstract void Write(long time, Image picture);

    /// <summary>Ends the output and gives it its name.</summary>
    /// <exception cref="CommandException">It cannot be written to the end.</exception>
    public abstract void Complete();

    public abstract void Dispose();
}

/// <summary>RGB frames on standard output, one behind the other.</summary>
internal sealed class RawOverlay : OverlaySink
{
    private readonly Stream _output = StandardStream.OpenOutput();

    public override void Write(long time, Image picture) => _output.Write(picture.Pixels);

    public override void Complete()
    {
    }

    public override void Dispose() => _output.Dispose();
}

/// <summary>
/// A video that ffmpeg encodes. Frames go to it through a pipe as an IVF file, the plainest container in which each
/// frame has a time: a header, then of each frame its length, its time and its pixels.
/// </summary>
internal sealed class OverlayVideo : OverlaySink
{
    private const int HeaderBytes = 32, FrameBytes = 12;

    private readonly string _path;
    private readonly OutputFile _file;
    private readonly Process _process;
    private readonly Stream _pipe;
    private readonly Task<string> _log;
    private readonly CancellationToken _cancellationToken;
    private readonly byte[] _header = new byte[FrameBytes];
    private bool _closed;

    /// <param name="temporaries">Deletes what is not complete where the process has to go at once.</param>
    /// <param name="path">The video's name, which decides the container.</param>
    /// <param name="first">The first frame, of the size of all.</param>
    /// <param name="source">What the frames are of.</param>
    /// <param name="cancellationToken">Cancelled where the run ends early, as ffmpeg may by the same signal.</param>
    /// <exception cref="CommandException">ffmpeg is not installed, or the file cannot be made.</exception>
    public OverlayVideo(
        TemporaryFiles temporaries, string path, Image first, FrameSource source, CancellationToken cancellationToken)
    {
        (_path, _cancellationToken) = (path, cancellationToken);
        _file = new OutputFile(temporaries, path);
        try
        {
            _file.Open().Dispose(); // a folder that cannot be written into is told of as for every other output
            _process = Ffmpeg.Start("ffmpeg", Arguments(path, _file.TemporaryPath, first, source), input: true);
        }
        catch
        {
            _file.Dispose();
            throw;
        }
        _log = _process.StandardError.ReadToEndAsync(CancellationToken.None);
        _pipe = _process.StandardInput.BaseStream;
        try
        {
            Begin(first, source.TimeBase);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public override void Write(long time, Image picture)
    {
        BinaryPrimitives.WriteInt32LittleEndian(_header, picture.Pixels.Length);
        BinaryPrimitives.WriteInt64LittleEndian(_header.AsSpan(4), time);
        Send(_header);
        Send(picture.Pixels);
    }

    public override void Complete()
    {
        Close();
        _process.WaitForExit();
        // Ended by the signal that ended the run, it has written the video up to there as well, and says so by its
        // exit code: SIGHUP, of which it knows nothing, leaves a file without an end. Where the disk is full at the
        // end of the file, its exit code is 0 all the same.
        bool ended = _process.ExitCode == 0
            || (_process.ExitCode == Ffmpeg.Signalled && _cancellationToken.IsCancellationRequested);
        if (Error is not null || !ended)
            throw Failed();
        _file.Commit();
    }

    public override void Dispose()
    {
        Close();
        if (!_process.HasExited)
            _process.Kill();
        _process.WaitForExit();
        _log.Wait();
        _process.Dispose();
        _file.Dispose();
    }

    private void Begin(Image first, TimeBase time)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        "DKIF"u8.CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header[6..], HeaderBytes);
        "RGB\x18"u8.CopyTo(header[8..]); // 24 bits a pixel
        BinaryPrimitives.WriteUInt16LittleEndian(header[12..], (ushort)first.Width);
        BinaryPrimitives.WriteUInt16LittleEndian(header[14..], (ushort)first.Height);
        BinaryPrimitives.WriteInt32LittleEndian(header[16..], time.Denominator);
        BinaryPrimitives.WriteInt32LittleEndian(header[20..], time.Numerator);
        Send(header);
    }

    private static IEnumerable<string> Arguments(string path, string target, Image first, FrameSource source)
    {
        string container = VideoNames.ContainerOf(path)!;
        TimeBase time = source.TimeBase;
        string unit = string.Create(CultureInfo.InvariantCulture, $"{time.Numerator}/{time.Denominator}");
        // Players take a quarter of the colours' pixels, which odd sides do not have.
        string pixels = int.IsEvenInteger(first.Width) && int.IsEvenInteger(first.Height) ? "yuv420p" : "yuv444p";
        string aspect = source.PixelAspect is { } shape ? $",setsar={shape}" : "";
        return
        [
            .. Ffmpeg.Quietly, "-loglevel", "level+error", "-copyts", "-f", "ivf", "-c:v", "rawvideo", "-i", "pipe:0",
            "-vf", $"scale=out_color_matrix=bt709:out_range=tv{aspect},format={pixels}",
            .. container == "webm"
                ? (string[])["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "6", "-row-mt", "1",
                    "-crf", "30", "-b:v", "0"]
                : ["-c:v", "libx264", "-preset", "veryfast", "-crf", "20"],
            .. Ffmpeg.KeepTimes, "-enc_time_base", unit,
            .. container is "mp4" or "mov"
                ? (string[])["-video_track_timescale", $"{time.Denominator}"]
                : [],
            "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv",
            "-f", container, "-y", $"file:{target}",
        ];
    }

    private void Send(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _pipe.Write(bytes);
        }
        catch (IOException)
        {
            _process.WaitForExit();
            // Ctrl-C reaches ffmpeg too, and can be sooner there.
            if (_cancellationToken.WaitHandle.WaitOne(TimeSpan.FromSeconds(1)))
                throw new OperationCanceledException(_cancellationToken);
            throw Failed();
        }
    }

    private void Close()
    {
        if (_closed)
            return;
        _closed = true;
        try
        {
            _pipe.Dispose();
        }
        catch (IOException)
        {
            // It has gone; its exit code tells why.
        }
    }

    /// <summary>The first error that it told of, once it has ended; null for none.</summary>
    private string? Error => _log.Result.Split('\n').Select(Ffmpeg.ErrorOf).FirstOrDefault(error => error is not null);

    private CommandException Failed()
    {
        string reason = Error ?? string.Create(CultureInfo.InvariantCulture, $"exit code {_process.ExitCode}");
        reason = reason.Replace($"file:{_file.TemporaryPath}", Path.GetFileName(_path), StringComparison.Ordinal);
        return new CommandException(
            ExitCode.Failed, $"{_path}: ffmpeg cannot write the video ({reason.TrimEnd('.')}).");
    }
}
