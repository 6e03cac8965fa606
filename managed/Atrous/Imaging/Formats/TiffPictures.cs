using BitMiracle.LibTiff.Classic;

namespace Atrous.Imaging.Formats;

/// <summary>Pictures and label maps in TIFF files.</summary>
internal static class TiffPictures
{
    /// <summary>What the header says.</summary>
    public static ImageInfo Probe(FileBytes file)
    {
        using var reader = new TiffReader(file, long.MaxValue);
        return InfoOf(reader);
    }

    /// <summary>The picture as it is meant to be seen, and a note on what was left out.</summary>
    /// <exception cref="ImageException">It is too large, broken, or has neither colours nor grey.</exception>
    public static (Image Picture, string? Note) Decode(FileBytes file, long maxPixels)
    {
        using var reader = new TiffReader(file, maxPixels);
        int channels = ChannelsOf(reader);
        var stored = new Image(reader.Height, reader.Width, channels);
        try
        {
            ushort[][]? palette = reader.Colour == Photometric.PALETTE ? PaletteOf(reader) : null;
            if (HasLower(reader))
                stored.Lower = new Image(reader.Height, reader.Width, channels);
            ReadRows(reader, (y, samples) => Convert(
                reader, palette, samples, stored.Row(y), stored.Lower is { } lower ? lower.Row(y) : []));
            int used = palette is null ? channels : 1;
            string? note = reader.Bands > used
                ? $"The TIFF has {reader.Bands} bands; only the first {(used == 1 ? "is" : used + " are")} used."
                : null;
            return (Turning.Apply(stored, reader.Orientation), note);
        }
        catch
        {
            stored.Dispose();
            throw;
        }
    }

    /// <summary>The numbers of a file of one band.</summary>
    /// <exception cref="ImageException">It has more bands, or is too large, cut off or damaged.</exception>
    public static (ushort[] Labels, ImageInfo Info) DecodeLabels(FileBytes file, long maxPixels)
    {
        using var reader = new TiffReader(file, maxPixels);
        if (reader.Bands > 1 || reader.Colour is not (Photometric.MINISBLACK or Photometric.PALETTE))
        {
            throw new ImageException(
                "the TIFF holds colours, a label map one class per pixel; save it as palette or grey TIFF or PNG.");
        }
        int width = reader.Width;
        var labels = GC.AllocateUninitializedArray<ushort>(checked(reader.Height * width));
        ReadRows(reader, (y, samples) => samples.CopyTo(labels.AsSpan(y * width)));
        ImageInfo info = InfoOf(reader);
        if (reader.Orientation == Turning.Upright)
            return (labels, info);
        var seen = GC.AllocateUninitializedArray<ushort>(labels.Length);
        Turning.Turn<ushort>(labels, reader.Height, width, 1, reader.Orientation, seen);
        return (seen, info);
    }

    /// <summary>The bytes of a palette: 16 bits by the standard, but some programs write 8.</summary>
    public static ushort[][] PaletteOf(TiffReader reader)
    {
        ushort[][] palette = reader.Palette ?? throw TiffReader.Unreadable("its palette is missing");
        int shift = palette.All(one => one.All(value => value <= byte.MaxValue)) ? 0 : 8;
        return [.. palette.Select(one => one.Select(value => (ushort)(value >> shift)).ToArray())];
    }

    private delegate void TakeRow(int y, ReadOnlySpan<ushort> samples);

    private static bool HasLower(TiffReader reader) => reader.Depth == 16 && reader.Colour != Photometric.PALETTE;

    private static ImageInfo InfoOf(TiffReader reader)
    {
        (int height, int width) = Turning.SwapsSides(reader.Orientation)
            ? (reader.Width, reader.Height)
            : (reader.Height, reader.Width);
        return new ImageInfo(height, width, ChannelsOf(reader), ImageFormat.Tiff);
    }

    private static int ChannelsOf(TiffReader reader) => reader.Colour switch
    {
        Photometric.MINISBLACK or Photometric.MINISWHITE when reader.Bands <= 2 => 1,
        Photometric.PALETTE when reader.Depth <= 8 => 3,
        Photometric.RGB when reader.Bands >= 3 && reader.Depth >= 8 => 3,
        Photometric.MINISBLACK or Photometric.MINISWHITE => throw new ImageException(
            $"the TIFF has {reader.Bands} bands and does not say which are red, green and blue; write the three that "
            + "the model takes to an RGB picture."),
        _ => throw TiffReader.Unreadable($"its colours are {reader.Colour.ToString().ToLowerInvariant()}"),
    };

    private static void ReadRows(TiffReader reader, TakeRow take)
    {
        const int mostSamples = 1 << 25;
        int row = reader.Width * reader.Bands, most = Math.Clamp(mostSamples / row, 1, reader.RowsAtOnce);
        var samples = GC.AllocateUninitializedArray<ushort>(Math.Min(most, reader.Height) * row);
        for (int top = 0; top < reader.Height; top += most)
        {
            int count = Math.Min(most, reader.Height - top);
            reader.ReadWindow(top, 0, count, reader.Width, samples);
            for (int y = 0; y < count; y++)
                take(top + y, samples.AsSpan(y * row, row));
        }
    }

    private static void Convert(
        TiffReader reader, ushort[][]? palette, ReadOnlySpan<ushort> samples, Span<byte> row, Span<byte> lower)
    {
        int bands = reader.Bands, depth = reader.Depth, most = (1 << depth) - 1;
        int channels = row.Length / reader.Width;
        int flip = reader.Colour == Photometric.MINISWHITE ? most : 0;
        for (int from = 0, to = 0; to < row.Length; from += bands, to += channels)
        {
            for (int c = 0; c < channels; c++)
            {
                int sample = palette is null ? samples[from + c] ^ flip : palette[c][samples[from]];
                row[to + c] = (byte)(palette is not null || depth == 8 ? sample
                    : depth == 16 ? sample >> 8
                    : sample * byte.MaxValue / most);
                if (!lower.IsEmpty)
                    lower[to + c] = (byte)sample;
            }
        }
    }
}
