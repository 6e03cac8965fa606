using System.Buffers.Binary;

namespace Atrous.Imaging.Formats;

/// <summary>What a PNG's pixels hold, by the numbers of its header.</summary>
internal enum PngColour
{
    Grey = 0,
    Rgb = 2,
    Palette = 3,
    GreyAlpha = 4,
    Rgba = 6,
}

/// <summary>A PNG's header, and what else is needed to understand its pixels.</summary>
internal sealed class PngHeader
{
    private const int Ihdr = 13;

    /// <summary>Bytes of a whole palette.</summary>
    private const int PaletteSize = 256 * 3;

    /// <summary>Of chunks about colours one byte more than any may have is looked at.</summary>
    private const int MostData = PaletteSize + 1;

    /// <summary>Bytes up to the end of the header's data.</summary>
    private const int Size = PngChunks.SignatureSize + PngChunk.Head + Ihdr;

    /// <summary>Reads the header's own chunk and checks the size that it claims against the limit.</summary>
    /// <exception cref="ImageException">The file is no PNG, or the picture is too large.</exception>
    public PngHeader(PngBytes file, long maxPixels)
    {
        if (file.Length < Size)
            throw PngReader.CutOff();
        Span<byte> start = stackalloc byte[PngChunk.Head + Ihdr];
        file.Read(PngChunks.SignatureSize, start);
        if (!start.StartsWith("\0\0\0\rIHDR"u8))
            throw PngReader.Broken("it does not begin with its header");
        ReadOnlySpan<byte> header = start[PngChunk.Head..];
        uint width = BinaryPrimitives.ReadUInt32BigEndian(header);
        uint height = BinaryPrimitives.ReadUInt32BigEndian(header[4..]);
        if (width is 0 or > int.MaxValue || height is 0 or > int.MaxValue)
            throw PngReader.Broken("its sides are impossible");
        (Height, Width) = ((int)height, (int)width);
        PictureLimits.Check(Height, Width, maxPixels);
        (Depth, Colour, IsInterlaced) = (header[8], (PngColour)header[9], header[12] == 1);
        bool known = Colour switch
        {
            PngColour.Grey => Depth is 1 or 2 or 4 or 8 or 16,
            PngColour.Palette => Depth is 1 or 2 or 4 or 8,
            PngColour.Rgb or PngColour.GreyAlpha or PngColour.Rgba => Depth is 8 or 16,
            _ => false,
        };
        if (!known || header[10] != 0 || header[11] != 0 || header[12] > 1)
            throw PngReader.Broken("its header makes no sense");
    }

    public int Height { get; }

    public int Width { get; }

    /// <summary>Bits of a sample.</summary>
    public int Depth { get; }

    public PngColour Colour { get; }

    public bool IsInterlaced { get; }

    /// <summary>256 colours of three bytes, black where the file has none; null but for a palette.</summary>
    public byte[]? Palette { get; private set; }

    /// <summary>
    /// For a palette the opacity of each of 256 colours; else the samples of the one colour that is clear, two bytes
    /// each, the high one first. Null where nothing is clear.
    /// </summary>
    public byte[]? Transparency { get; private set; }

    /// <summary>Samples of a pixel in the file.</summary>
    public int Samples => Colour switch
    {
        PngColour.Rgb => 3,
        PngColour.GreyAlpha => 2,
        PngColour.Rgba => 4,
        _ => 1,
    };

    /// <summary>Channels of a pixel as a picture has them.</summary>
    public int Channels => (Colour is PngColour.Grey or PngColour.GreyAlpha ? 1 : 3)
        + (Colour is PngColour.GreyAlpha or PngColour.Rgba || Transparency is not null ? 1 : 0);

    /// <summary>Bytes of a row of so many pixels.</summary>
    public long RowSize(int width) => ((long)width * Samples * Depth + 7) / 8;

    /// <summary>Reads and checks all chunks before the pixels.</summary>
    /// <exception cref="ImageException">The file ends before the pixels, or is damaged.</exception>
    public void ReadColours(PngChunks chunks)
    {
        long at = PngChunks.SignatureSize;
        for (; chunks.TryCheck(at, out PngChunk chunk) && !chunk.Is("IDAT"u8); at = chunk.End)
        {
            if (chunk.Is("IEND"u8))
                throw PngReader.Broken("it has no pixels");
            if (chunk.Is("PLTE"u8))
                ReadPalette(chunks.DataOf(chunk, MostData));
            else if (chunk.Is("tRNS"u8))
                ReadTransparency(chunks.DataOf(chunk, MostData));
        }
        if (chunks.FirstPixels == 0)
            throw PngReader.CutOff();
        if (Colour == PngColour.Palette && Palette is null)
            throw PngReader.Broken("its palette is missing");
    }

    private void ReadPalette(ReadOnlySpan<byte> colours)
    {
        if (Colour != PngColour.Palette)
            return; // no more than a suggestion
        if (Palette is not null || colours.Length is 0 or > PaletteSize || colours.Length % 3 != 0)
            throw PngReader.Broken("its palette makes no sense");
        Palette = new byte[PaletteSize];
        colours.CopyTo(Palette);
    }

    /// <summary>What makes no sense here is left out, as libpng and with it everybody does.</summary>
    private void ReadTransparency(ReadOnlySpan<byte> data)
    {
        const int colours = 256;
        if (Transparency is not null)
            return;
        if (Colour == PngColour.Palette && Palette is not null && data.Length is > 0 and <= colours)
        {
            Transparency = new byte[colours];
            Transparency.AsSpan().Fill(byte.MaxValue);
            data.CopyTo(Transparency);
        }
        else if (Colour is PngColour.Grey or PngColour.Rgb && data.Length == 2 * Samples)
        {
            Transparency = data.ToArray();
        }
    }
}
