using System.Diagnostics;
using System.Globalization;
using Atrous.Cli.Options;
using Atrous.Imaging;

namespace Atrous.Cli.Videos;

/// <summary>--raw: what a pipe of frames holds.</summary>
/// <param name="Format">The bytes of a pixel.</param>
/// <param name="Height">The number of rows of a frame.</param>
/// <param name="Width">The number of pixels of a row.</param>
internal sealed record RawFormat(PixelFormat Format, int Height, int Width);

/// <summary>Frames on standard input, one behind the other, without anything between.</summary>
internal sealed class RawFrames : FrameSource
{
    private readonly RawFormat _raw;
    private readonly Stream _input = StandardInput.Open();

    /// <param name="raw">What the frames are.</param>
    /// <param name="frame">How long one frame is shown.</param>
    /// <exception cref="CommandException">Nobody would send anything.</exception>
    public RawFrames(RawFormat raw, TimeBase frame) => (_raw, TimeBase) = (raw, frame);

    public override IEnumerable<VideoFrame> Pictures(CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            long asked = Stopwatch.GetTimestamp();
            var picture = new Image(_raw.Height, _raw.Width, _raw.Format);
            int all = picture.Pixels.Length;
            int read = _input.ReadAtLeast(picture.Pixels, all, throwOnEndOfStream: false);
            if (read < all)
            {
                picture.Dispose();
                Judge(read, all);
                yield break;
            }
            yield return new VideoFrame(Read, Read, picture, Stopwatch.GetElapsedTime(asked));
            Read++;
        }
    }

    public override void Dispose() => _input.Dispose();

    private void Judge(int read, int all)
    {
        if (read > 0)
        {
            Complaint = string.Create(
                CultureInfo.InvariantCulture,
                $"standard input: frame {Read} has {read} of {all} bytes; are the format and the size of --raw right?");
        }
        else if (Read == 0)
        {
            Complaint = "standard input: there is no frame.";
        }
    }
}
