using Atrous.Files;
using Atrous.Imaging.Formats;
using BitMiracle.LibTiff.Classic;

namespace Atrous.Imaging.Maps;

/// <summary>What the header of a TIFF says of the way to read it.</summary>
/// <param name="Pixels">How many pixels there are.</param>
/// <param name="IsPlaced">It is a GeoTIFF.</param>
/// <param name="IsOrdinary">
/// <see cref="Image.Load(string, long)"/> reads all that there is: grey or colours of whole numbers, everywhere.
/// </param>
/// <param name="NamesMissing">It says where there is no data: by a number, or by a mask.</param>
internal sealed record TiffFacts(long Pixels, bool IsPlaced, bool IsOrdinary, bool NamesMissing)
{
    /// <summary>The facts of a file; null where it is no TIFF, is broken, or can be read only once.</summary>
    /// <exception cref="ImageException">It cannot be read now, so that nobody knows what it is.</exception>
    public static TiffFacts? Of(string path)
    {
        try
        {
            using FileStream file = RegularFile.OpenRead(path);
            Span<byte> start = stackalloc byte[4];
            if (!file.CanSeek || file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) < start.Length
                || !TiffReader.IsTiff(start))
                return null;
            file.Position = 0;
            return Of(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ImageException)
        {
            if (PassingError.IsIn(e))
                throw new ImageException($"{path}: the file cannot be read ({e.Message.TrimEnd('.')}).", e);
            return null; // whoever reads it says why it cannot be read
        }
    }

    /// <summary>The facts of a TIFF.</summary>
    /// <exception cref="ImageException">It is broken, or cannot be read.</exception>
    public static TiffFacts Of(Stream file)
    {
        using var reader = new TiffReader(new TiffOnStream(file), long.MaxValue, allowsAnyNumber: true);
        GeoTags tags = GeoTags.Of(reader);
        bool isSeen = reader.Colour switch
        {
            Photometric.MINISBLACK or Photometric.MINISWHITE => reader.Bands <= 2,
            Photometric.RGB => reader is { Bands: >= 3, Depth: >= 8 },
            _ => reader.Colour == Photometric.PALETTE,
        };
        bool namesMissing = tags.NoDataValue is not null || TiffDirectory.MaskOf(new TiffOnStream(file)) is not null;
        return new(
            (long)reader.Height * reader.Width, tags.IsPlaced,
            isSeen && !tags.IsPlaced && !namesMissing && !reader.IsFloat && !reader.IsSigned, namesMissing);
    }
}
