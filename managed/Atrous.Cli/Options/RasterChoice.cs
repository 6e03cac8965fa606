using Atrous.Imaging;
using Atrous.Imaging.Maps;

namespace Atrous.Cli.Options;

/// <summary>What the user says of TIFFs.</summary>
/// <param name="Bands">The bands in the network's order, from 1; null for the file's.</param>
/// <param name="White">The sample that stands for white; null for the largest of so many bits.</param>
internal sealed record RasterChoice(IReadOnlyList<int>? Bands, double? White)
{
    /// <summary>
    /// A picture that is a map, or has other bands than colours; null where <see cref="Image.Load(string, long)"/> is
    /// the one to read it.
    /// </summary>
    /// <param name="path">The picture; "-" is standard input, which is read once and so never one.</param>
    /// <param name="segmenter">The network that will see it.</param>
    /// <param name="maxPixels">What its header may claim.</param>
    /// <param name="leastInWindows">From so many pixels a TIFF is read in windows whatever it is.</param>
    /// <exception cref="ImageException">
    /// It cannot be read, has not the bands of the network, or is no TIFF though there are options for one.
    /// </exception>
    public TiffRaster? Open(string path, Segmenter segmenter, long maxPixels, long leastInWindows)
    {
        bool isAsked = Bands is not null || White is not null;
        if ((path == "-" ? null : TiffFacts.Of(path)) is not { } facts)
        {
            return !isAsked ? null : throw new ImageException(
                $"{(path == "-" ? "standard input" : path)}: --bands and --white are of TIFFs, and this is none that "
                + "can be read more than once; leave them out.");
        }
        int channels = segmenter.Info.InputChannels;
        if (!isAsked && facts.IsOrdinary && channels is 1 or 3 && facts.Pixels < leastInWindows)
            return null;
        return new TiffRaster(path, new RasterReading
        {
            Channels = channels,
            Nothing = segmenter.Nothing,
            Bands = Bands,
            White = White,
            MaxPixels = maxPixels,
        });
    }
}
