using Atrous.Imaging;

namespace Atrous.Hosting;

/// <summary>Where a request's time went.</summary>
/// <param name="Queue">Waiting, for preparation and for the device.</param>
/// <param name="Decode">From the file's bytes to pixels; zero where pixels came.</param>
/// <param name="Preprocess">Resizing and normalising.</param>
/// <param name="Network">The whole batch's run.</param>
/// <param name="Postprocess">From the network's output to the mask, of the whole batch.</param>
/// <param name="BatchSize">Pictures that ran together.</param>
public readonly record struct RequestTimings(
    TimeSpan Queue, TimeSpan Decode, TimeSpan Preprocess, TimeSpan Network, TimeSpan Postprocess, int BatchSize);

/// <summary>A picture file's mask, with the picture. Dispose it to give the picture back.</summary>
/// <param name="Photo">The decoded picture, upright.</param>
/// <param name="Mask">Of the picture's size.</param>
/// <param name="Timings">Of this request.</param>
public sealed record SegmentedPhoto(Image Photo, Segmentation Mask, RequestTimings Timings) : IDisposable
{
    public void Dispose() => Photo.Dispose();
}
