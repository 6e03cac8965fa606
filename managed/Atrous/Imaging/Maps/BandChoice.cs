using Atrous.Imaging.Formats;
using BitMiracle.LibTiff.Classic;

namespace Atrous.Imaging.Maps;

/// <summary>Which bands of a TIFF become a network's picture.</summary>
/// <param name="Bands">The numbers of the bands, counted from 0, in the order of the picture's channels.</param>
/// <param name="Alpha">The band whose 0 means that there is no data; null where there is none.</param>
/// <param name="Note">A sentence about bands that are left out; null for nothing.</param>
internal sealed record BandChoice(int[] Bands, int? Alpha, string? Note)
{
    /// <param name="reader">The file and its bands.</param>
    /// <param name="reading">What the network takes of it.</param>
    /// <param name="isMap">Where alpha is 0 there is no data. Of other pictures alpha says how they are shown.</param>
    /// <exception cref="ImageException">The file has not the bands that the network takes.</exception>
    public static BandChoice Of(TiffReader reader, RasterReading reading, bool isMap)
    {
        int? alpha = isMap ? reader.AlphaBand : null;
        bool isPalette = reader.Colour == Photometric.PALETTE;
        if (reader.Colour is not (Photometric.MINISBLACK or Photometric.MINISWHITE or Photometric.RGB
            or Photometric.PALETTE))
            throw TiffReader.Unreadable($"its colours are {reader.Colour.ToString().ToLowerInvariant()}");
        if (isPalette && (reader.Bands > 1 || reader.Depth > 8))
            throw TiffReader.Unreadable("its palette is for more than one band of 8 bits");
        if (reading.Bands is { } chosen)
            return Chosen(reader, reading, chosen, isPalette ? null : alpha, isPalette);
        if (isPalette)
            return new([0], null, null);
        int others = reader.Bands - (alpha is null ? 0 : 1);
        // Programs call the fourth of four bands alpha, whatever it is.
        if (reader.Bands == reading.Channels && (reading.Channels != 3 || reader.Colour == Photometric.RGB))
            return new([.. Enumerable.Range(0, reader.Bands)], null, null);
        if (reading.Channels is 1 or 3 && reader.Colour == Photometric.RGB && reader.Bands >= 3)
            return new([0, 1, 2], alpha, others > 3 ? LeftOut(reader, "3 are") : null);
        if (reading.Channels is 1 or 3 && reader.Colour != Photometric.RGB && reader.Bands <= 2)
            return new([0], alpha, others > 1 ? LeftOut(reader, "is") : null);
        string unsaid = reader.Bands == 3 ? " and does not say which are red, green and blue" : "";
        bool canChoose = reader.Bands >= reading.Channels;
        throw new ImageException(
            $"the TIFF has {reader.Bands} bands{unsaid}, and the model takes {reading.Channels}; "
            + (canChoose ? "say which they are." : "send a picture of as many."))
        {
            Remedy = canChoose ? Remedy.ChooseBands : Remedy.None,
        };
    }

    private static string LeftOut(TiffReader reader, string used) =>
        $"The TIFF has {reader.Bands} bands; only the first {used} used.";

    private static BandChoice Chosen(
        TiffReader reader, RasterReading reading, IReadOnlyList<int> chosen, int? alpha, bool isPalette)
    {
        if (isPalette)
            throw new ImageException("the TIFF has a palette, and no bands to choose from; choose none.");
        if (chosen.FirstOrDefault(band => band > reader.Bands) is var missing and > 0)
            throw new ImageException($"the TIFF has {reader.Bands} bands, and no band {missing}; choose others.");
        if (chosen.Count != reading.Channels && !(chosen.Count == 1 && reading.Channels == 3))
        {
            throw new ImageException(
                $"{chosen.Count} bands are chosen, and the model takes {reading.Channels}; choose as many.");
        }
        int[] bands = [.. chosen.Select(band => band - 1)];
        return new(bands, alpha is { } band && !bands.Contains(band) ? alpha : null, null);
    }
}
