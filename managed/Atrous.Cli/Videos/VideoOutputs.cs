using System.Diagnostics;
using Atrous.Cli.Segmenting;
using Atrous.Imaging;
using Atrous.Postprocessing;

namespace Atrous.Cli.Videos;

/// <summary>All that is written of one video, frame by frame.</summary>
/// <param name="job">The video, and where it goes.</param>
/// <param name="source">Where the frames come from.</param>
/// <param name="files">The outputs of single frames.</param>
/// <param name="lines">The lines of --jsonl; null for none.</param>
internal sealed class VideoOutputs(VideoJob job, FrameSource source, FrameFiles files, FrameLines? lines) : IDisposable
{
    private readonly Dictionary<int, long> _pixels = [];
    private OverlaySink? _overlay;
    private double _all;
    private bool _ended;

    /// <summary>The user's colours; null for the model's.</summary>
    public required Palette? Palette { get; init; }

    public required double Opacity { get; init; }

    /// <summary>Begins the video of overlays with the first of them.</summary>
    public required Func<Image, OverlaySink> Open { get; init; }

    public VideoProgress? Progress { get; set; }

    /// <summary>How many frames are written.</summary>
    public int Done { get; private set; }

    /// <summary>Writes what is wanted of a frame.</summary>
    /// <exception cref="CommandException">An output cannot be written.</exception>
    public void Add(VideoFrame frame, Segmentation mask)
    {
        if (_ended)
            return;
        long start = Stopwatch.GetTimestamp();
        if (job.Overlay is not null)
        {
            using Image overlay = mask.Overlay(frame.Picture, Opacity, Palette);
            try
            {
                _overlay ??= job.Overlay == "-" ? new RawOverlay() : Open(overlay);
                _overlay.Write(frame.Time, overlay);
            }
            catch (OperationCanceledException)
            {
                _ended = true; // the signal that ends the run has ended the video
                return;
            }
            catch
            {
                _overlay?.Dispose(); // half a frame may be in it
                _overlay = null;
                throw;
            }
        }
        (SegmentJob written, MaskFacts facts) = files.Add(frame, mask);
        var picture = new SegmentedPicture(
            written, facts, frame.Decode, Stopwatch.GetElapsedTime(start), mask.Note);
        lines?.Add(frame, source.TimeBase.Seconds(frame.Time), picture);
        foreach (ClassShare share in facts.Shares)
            _pixels[share.Label] = _pixels.GetValueOrDefault(share.Label) + share.Pixels;
        _all += (double)facts.Height * facts.Width;
        Done++;
        Progress?.Reach(Done, frame.Number + 1);
    }

    /// <summary>The classes of all frames together, the most frequent first.</summary>
    public IEnumerable<ClassShare> Shares() => _pixels
        .Select(row => new ClassShare(row.Key, row.Value, row.Value / _all)).OrderByDescending(share => share.Pixels);

    /// <summary>Ends the video of overlays and gives it its name.</summary>
    /// <returns>Whether there is such a file now.</returns>
    /// <exception cref="CommandException">It cannot be written to the end.</exception>
    public bool Complete()
    {
        _overlay?.Complete();
        return _overlay is OverlayVideo;
    }

    public void Dispose() => _overlay?.Dispose();
}
