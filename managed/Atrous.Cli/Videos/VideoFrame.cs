using Atrous.Imaging;

namespace Atrous.Cli.Videos;

/// <summary>One picture of a video.</summary>
/// <param name="Number">Its place among all frames of the video, counted from 0.</param>
/// <param name="Time">When it is shown, in units of the video's time base.</param>
/// <param name="Picture">Its pixels, upright; whoever has the frame disposes it.</param>
/// <param name="Decode">How long it took until the picture was there, waiting included.</param>
internal sealed record VideoFrame(int Number, long Time, Image Picture, TimeSpan Decode);

/// <summary>Where frames come from.</summary>
internal abstract class FrameSource : IDisposable
{
    /// <summary>What the times of frames count; known when the first frame is there.</summary>
    public TimeBase TimeBase { get; protected set; }

    /// <summary>The shape of a pixel, width to height, as ffmpeg's setsar takes it; null for a square.</summary>
    public string? PixelAspect { get; protected set; }

    /// <summary>How many frames there will be, as the file says; null where nobody knows.</summary>
    public int? Frames { get; protected init; }

    /// <summary>There is sound beside the frames, as the file says.</summary>
    public bool HasSound { get; protected init; }

    /// <summary>How many frames were read.</summary>
    public int Read { get; protected set; }

    /// <summary>After the last frame: what was wrong with the video, a sentence; null for nothing.</summary>
    public string? Complaint { get; protected set; }

    /// <summary>After the last frame: what is worth a note and no failure; null for nothing.</summary>
    public string? Note { get; protected set; }

    /// <summary>The frames in their order, once. What is wrong in their midst ends them.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public abstract IEnumerable<VideoFrame> Pictures(CancellationToken cancellationToken);

    public abstract void Dispose();
}
