using Atrous.Imaging;
using Atrous.Imaging.Formats;
using Atrous.Imaging.Maps;
using Atrous.Postprocessing;

namespace Atrous.Hosting.Requests;

/// <summary>A picture as it is decoded from a file's bytes, with what a map says of it.</summary>
/// <param name="Photo">The picture, the caller's.</param>
internal sealed record DecodedPicture(Image Photo)
{
    /// <summary>Of a map, what its file says of its place; null for nothing.</summary>
    public GeoTags? Tags { get; private init; }

    /// <summary>Of a map, where its pixels lie; null where that is not known.</summary>
    public GeoReference? Place { get; private init; }

    /// <summary>Whether there is no data, for each pixel; null where there is some everywhere.</summary>
    private bool[]? Missing { get; init; }

    /// <exception cref="ImageException">
    /// The bytes are no picture that is whole, or a map that is not read here.
    /// </exception>
    public static DecodedPicture Read(ReadOnlyMemory<byte> file, Segmenter segmenter, long mostPixels)
    {
        using TiffRaster? map = MapOf(file, segmenter, mostPixels);
        if (map is null)
            return new DecodedPicture(Image.Load(file.Span, mostPixels));
        Image photo = map.Window(0, 0, map.Height, map.Width);
        photo.Warning = map.Warning;
        bool[]? missing = map.MayLackPixels ? new bool[map.Height * map.Width] : null;
        if (missing is not null)
            map.FindMissing(0, missing);
        return new DecodedPicture(photo) { Tags = map.Tags, Place = map.Reference, Missing = missing };
    }

    /// <summary>The mask, with the label of no data where there is none.</summary>
    public Segmentation Marked(Segmentation mask, Segmenter segmenter) =>
        Missing is null ? mask : mask.Without(Missing, segmenter.NoDataLabel);

    /// <summary>The file as a map, or as one that lacks pixels; null where it is an ordinary picture.</summary>
    private static TiffRaster? MapOf(ReadOnlyMemory<byte> file, Segmenter segmenter, long mostPixels)
    {
        int channels = segmenter.Info.InputChannels;
        if (channels is not (1 or 3) || !TiffReader.IsTiff(file.Span))
            return null;
        if (FactsOf(file) is not { IsOrdinary: false } facts)
            return null;
        try
        {
            return new TiffRaster(file, new RasterReading
            {
                Channels = channels,
                Nothing = segmenter.Nothing,
                MaxPixels = mostPixels,
                ReadsOnce = true,
            });
        }
        // Of inks, perhaps. What has a place, or lacks pixels, is not taken for a picture that does not.
        catch (ImageException) when (facts is { IsPlaced: false, NamesMissing: false })
        {
            return null;
        }
    }

    /// <summary>Null for what is broken: whoever reads it says how.</summary>
    private static TiffFacts? FactsOf(ReadOnlyMemory<byte> file)
    {
        try
        {
            using var stream = new PinnedStream(file);
            return TiffFacts.Of(stream);
        }
        catch (ImageException)
        {
            return null;
        }
    }
}
