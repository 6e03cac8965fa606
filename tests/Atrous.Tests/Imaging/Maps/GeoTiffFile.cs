using System.Buffers.Binary;
using System.Runtime.InteropServices;
using BitMiracle.LibTiff.Classic;

namespace Atrous.Tests.Imaging.Maps;

/// <summary>How a GeoTIFF of a test is laid out, and what it says.</summary>
internal sealed record GeoTiffFile
{
    /// <summary>UTM zone 33 north, in metres.</summary>
    public static readonly ushort[] Utm =
        [1, 1, 0, 4, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32633, 3076, 0, 1, 9001];

    public required int Height { get; init; }

    public required int Width { get; init; }

    public required int Bands { get; init; }

    /// <summary>byte, ushort, short or float.</summary>
    public Type Sample { get; init; } = typeof(byte);

    public bool IsTiled { get; init; }

    public bool IsSeparate { get; init; }

    public bool IsRgb { get; init; }

    public bool HasAlpha { get; init; }

    public double[] PixelScale { get; init; } = [0.5, 0.5, 0];

    public double[] TiePoints { get; init; } = [0, 0, 0, 400_000, 5_800_000, 0];

    public double[] Transformation { get; init; } = [];

    public ushort[] Keys { get; init; } = Utm;

    public string? NoData { get; init; }

    /// <summary>Strips or tiles that are left out, as GDAL leaves out those without data.</summary>
    public IReadOnlyCollection<int> LeftOut { get; init; } = [];

    /// <summary>
    /// The pixels that there are, for a mask of its own behind two smaller copies, one of which is a mask too.
    /// </summary>
    public Func<int, int, bool>? Mask { get; init; }

    /// <summary>Writes samples, pixel by pixel.</summary>
    public void Write(string path, float[] samples)
    {
        using Tiff tiff = Tiff.Open(path, "w");
        int size = Marshal.SizeOf(Sample), tile = IsTiled ? 16 : 7;
        tiff.SetField(TiffTag.IMAGELENGTH, Height);
        tiff.SetField(TiffTag.IMAGEWIDTH, Width);
        tiff.SetField(TiffTag.BITSPERSAMPLE, 8 * size);
        tiff.SetField(TiffTag.SAMPLESPERPIXEL, Bands);
        tiff.SetField(TiffTag.SAMPLEFORMAT, Sample == typeof(float) ? SampleFormat.IEEEFP
            : Sample == typeof(short) ? SampleFormat.INT
            : SampleFormat.UINT);
        tiff.SetField(TiffTag.PHOTOMETRIC, IsRgb ? Photometric.RGB : Photometric.MINISBLACK);
        int extra = Bands - (IsRgb ? 3 : 1);
        if (extra > 0)
        {
            short[] kinds = new short[extra];
            kinds[^1] = HasAlpha ? (short)ExtraSample.UNASSALPHA : (short)0;
            tiff.SetField(TiffTag.EXTRASAMPLES, extra, kinds);
        }
        tiff.SetField(TiffTag.PLANARCONFIG, IsSeparate ? PlanarConfig.SEPARATE : PlanarConfig.CONTIG);
        tiff.SetField(TiffTag.COMPRESSION, Compression.LZW);
        if (IsTiled)
            tiff.SetField(TiffTag.TILEWIDTH, tile);
        tiff.SetField(IsTiled ? TiffTag.TILELENGTH : TiffTag.ROWSPERSTRIP, tile);
        Tag(tiff, 33550, TiffType.DOUBLE, PixelScale);
        Tag(tiff, 33922, TiffType.DOUBLE, TiePoints);
        Tag(tiff, 34264, TiffType.DOUBLE, Transformation);
        Tag(tiff, 34735, TiffType.SHORT, Array.ConvertAll(Keys, key => (short)key));
        if (NoData is not null)
        {
            tiff.MergeFieldInfo([new((TiffTag)42113, -1, -1, TiffType.ASCII, FieldBit.Custom, true, false, "n")], 1);
            tiff.SetField((TiffTag)42113, NoData);
        }
        int blockWidth = IsTiled ? tile : Width, inBlock = IsSeparate ? 1 : Bands, number = 0;
        for (int plane = 0; plane < (IsSeparate ? Bands : 1); plane++)
        {
            for (int top = 0; top < Height; top += tile)
            {
                for (int left = 0; left < Width; left += blockWidth, number++)
                {
                    int rows = IsTiled ? tile : Math.Min(tile, Height - top);
                    byte[] block = new byte[rows * blockWidth * inBlock * size];
                    for (int i = 0; i < rows * blockWidth * inBlock; i++)
                    {
                        int y = top + i / inBlock / blockWidth, x = left + i / inBlock % blockWidth;
                        if (y < Height && x < Width)
                            Put(block.AsSpan(i * size), samples[(y * Width + x) * Bands + plane + i % inBlock]);
                    }
                    if (LeftOut.Contains(number))
                        continue;
                    Assert.Equal(block.Length, IsTiled
                        ? tiff.WriteEncodedTile(number, block, block.Length)
                        : tiff.WriteEncodedStrip(number, block, block.Length));
                }
            }
        }
        if (Mask is null)
            return;
        WriteMask(tiff, FileType.REDUCEDIMAGE, Height / 2, Width / 2, (_, _) => false);
        WriteMask(tiff, FileType.REDUCEDIMAGE | FileType.MASK, Height / 2, Width / 2, (_, _) => false);
        WriteMask(tiff, FileType.MASK, Height, Width, Mask);
    }

    /// <summary>As GDAL lays them out: a bit a pixel, in strips.</summary>
    private static void WriteMask(Tiff tiff, FileType kind, int height, int width, Func<int, int, bool> mask)
    {
        Assert.True(tiff.WriteDirectory());
        tiff.SetField(TiffTag.SUBFILETYPE, kind);
        tiff.SetField(TiffTag.IMAGELENGTH, height);
        tiff.SetField(TiffTag.IMAGEWIDTH, width);
        tiff.SetField(TiffTag.BITSPERSAMPLE, 1);
        tiff.SetField(TiffTag.SAMPLESPERPIXEL, 1);
        tiff.SetField(TiffTag.PHOTOMETRIC, kind.HasFlag(FileType.MASK) ? Photometric.MASK : Photometric.MINISBLACK);
        tiff.SetField(TiffTag.PLANARCONFIG, PlanarConfig.CONTIG);
        tiff.SetField(TiffTag.COMPRESSION, Compression.ADOBE_DEFLATE);
        tiff.SetField(TiffTag.ROWSPERSTRIP, 5);
        for (int top = 0, strip = 0; top < height; top += 5, strip++)
        {
            int rows = Math.Min(5, height - top), rowSize = (width + 7) / 8;
            byte[] bits = new byte[rows * rowSize];
            for (int i = 0; i < rows * width; i++)
            {
                if (mask(top + i / width, i % width))
                    bits[i / width * rowSize + i % width / 8] |= (byte)(128 >> i % width % 8);
            }
            Assert.Equal(bits.Length, tiff.WriteEncodedStrip(strip, bits, bits.Length));
        }
    }

    /// <summary>The bytes of the tags of a little-endian TIFF or BigTIFF, read without LibTiff.</summary>
    public static Dictionary<int, byte[]> TagsOf(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        Assert.Equal("II"u8, file[..2]);
        bool isBig = file[2] == 43;
        int[] sizes = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8];
        long at = isBig ? BitConverter.ToInt64(file, 8) : BitConverter.ToUInt32(file, 4);
        long count = isBig ? BitConverter.ToInt64(file, (int)at) : BitConverter.ToUInt16(file, (int)at);
        (int skip, int entry, int inside) = isBig ? (8, 20, 8) : (2, 12, 4);
        var tags = new Dictionary<int, byte[]>();
        for (int i = 0; i < count; i++)
        {
            int row = (int)at + skip + i * entry;
            int values = isBig ? (int)BitConverter.ToInt64(file, row + 4) : BitConverter.ToInt32(file, row + 4);
            int bytes = values * sizes[BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(row + 2))];
            int place = row + 4 + inside;
            int from = bytes <= inside ? place
                : isBig ? (int)BitConverter.ToInt64(file, place)
                : BitConverter.ToInt32(file, place);
            tags.Add(BitConverter.ToUInt16(file, row), file[from..(from + bytes)]);
        }
        return tags;
    }

    private void Put(Span<byte> at, float sample)
    {
        if (Sample == typeof(byte))
            at[0] = (byte)sample;
        else if (Sample == typeof(ushort))
            BitConverter.TryWriteBytes(at, (ushort)sample);
        else if (Sample == typeof(short))
            BitConverter.TryWriteBytes(at, (short)sample);
        else
            BitConverter.TryWriteBytes(at, sample);
    }

    private static void Tag(Tiff tiff, int tag, TiffType type, Array values)
    {
        if (values.Length == 0)
            return;
        tiff.MergeFieldInfo([new((TiffTag)tag, -1, -1, type, FieldBit.Custom, true, true, $"{tag}")], 1);
        tiff.SetField((TiffTag)tag, values.Length, values);
    }
}
