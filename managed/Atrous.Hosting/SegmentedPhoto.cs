using Atrous.Hosting.Requests;
using Atrous.Imaging;
using Atrous.Imaging.Maps;

namespace Atrous.Hosting;

/// <summary>Where a request's time went.</summary>
/// <param name="Queue">The time that the request waited, for preparation and for the device.</param>
/// <param name="Decode">The time from the file's bytes to pixels; zero where the caller gave pixels.</param>
/// <param name="Preprocess">The time to resize and normalise all pictures of the batch.</param>
/// <param name="Network">The time of the network's run for the whole batch.</param>
/// <param name="Postprocess">The time from the network's output to the masks of the whole batch.</param>
/// <param name="BatchSize">The number of pictures that ran together.</param>
public readonly record struct RequestTimings(
    TimeSpan Queue, TimeSpan Decode, TimeSpan Preprocess, TimeSpan Network, TimeSpan Postprocess, int BatchSize);

/// <summary>A picture file's mask, with the picture. Dispose it to give the picture back.</summary>
/// <param name="Photo">The decoded picture, upright.</param>
/// <param name="Mask">The class of every pixel, at the picture's own height and width.</param>
/// <param name="Timings">Where this request's time went.</param>
public sealed record SegmentedPhoto(Image Photo, Segmentation Mask, RequestTimings Timings) : IDisposable
{
    private PictureLease? _lease;

    /// <summary>Of a map, what its file says of its place; null for nothing.</summary>
    internal GeoTags? Tags { get; init; }

    /// <summary>Of a map, where its pixels lie; null where that is not known.</summary>
    internal GeoReference? Place { get; init; }

    /// <summary>The picture's part of the memory that pictures may take together.</summary>
    internal PictureLease? Lease
    {
        init => _lease = value;
    }

    /// <summary>
    /// Gives the picture back, and all of its memory but what an answer made of it takes, which is the caller's then.
    /// </summary>
    internal IDisposable? Keep(long bytes)
    {
        Photo.Dispose();
        PictureLease? lease = Interlocked.Exchange(ref _lease, null);
        lease?.Keep(bytes);
        return lease;
    }

    public void Dispose()
    {
        Photo.Dispose();
        Interlocked.Exchange(ref _lease, null)?.Dispose();
    }
}
