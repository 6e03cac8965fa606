using System.Globalization;
using System.Runtime.InteropServices;
using Atrous.Imaging;
using Atrous.Imaging.Formats;
using Atrous.Imaging.Maps;
using BitMiracle.LibTiff.Classic;

namespace Atrous.Postprocessing;

/// <summary>
/// A label map as a TIFF, from rows that come one after the other: palette indexes of 8 bits, or grey of 16 bits beyond
/// 256 labels. It says where it lies, where the picture did.
/// </summary>
internal sealed class LabelTiff : IDisposable
{
    private const int RowsPerStrip = 64;

    /// <summary>Short of 2^32, for what is beside the labels.</summary>
    private const long MostBytes = 0xF000_0000;

    private readonly TiffOnStream _stream;
    private readonly Tiff _tiff;
    private readonly int _height, _width, _classes, _size;
    private readonly byte[] _strip;
    private int _filled, _strips;

    /// <param name="stream">Gets the file; it must be able to seek, and stays open.</param>
    /// <param name="height">The number of rows of the label map.</param>
    /// <param name="width">The number of pixels of a row.</param>
    /// <param name="classes">One more than the largest label; decides the format.</param>
    /// <param name="palette">The colours of the 8-bit format.</param>
    /// <param name="place">What the picture says of its place; null for nothing.</param>
    /// <param name="noData">The label of pixels without data; null where there are none.</param>
    /// <param name="mostBytes">From so many bytes, were it not compressed, the file has offsets of 64 bits.</param>
    public LabelTiff(
        Stream stream, int height, int width, int classes, Palette palette, GeoTags? place, int? noData,
        long mostBytes = MostBytes)
    {
        bool isIndexed = classes <= Palette.MaxColours;
        (_height, _width, _classes, _size) = (height, width, classes, isIndexed ? 1 : 2);
        _strip = new byte[RowsPerStrip * width * _size];
        _stream = new TiffOnStream(stream);
        string mode = (long)height * width * _size > mostBytes ? "w8" : "w";
        _tiff = TiffMessages.Quietly(() => Tiff.ClientOpen("a mask", mode, this, _stream))
            ?? throw _stream.Thrown ?? new IOException("LibTiff could not begin the TIFF");
        Set(TiffTag.IMAGELENGTH, height);
        Set(TiffTag.IMAGEWIDTH, width);
        Set(TiffTag.BITSPERSAMPLE, 8 * _size);
        Set(TiffTag.SAMPLESPERPIXEL, 1);
        Set(TiffTag.SAMPLEFORMAT, SampleFormat.UINT);
        Set(TiffTag.PLANARCONFIG, PlanarConfig.CONTIG);
        Set(TiffTag.COMPRESSION, Compression.ADOBE_DEFLATE);
        Set(TiffTag.ROWSPERSTRIP, RowsPerStrip);
        Set(TiffTag.PHOTOMETRIC, isIndexed ? Photometric.PALETTE : Photometric.MINISBLACK);
        if (isIndexed)
            Set(TiffTag.COLORMAP, Colours(palette, c => c.Red), Colours(palette, c => c.Green),
                Colours(palette, c => c.Blue));
        (place ?? GeoTags.None).WriteTo(_tiff, noData?.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>The next rows, whole ones.</summary>
    /// <exception cref="ArgumentException">A label is none that the format was chosen for.</exception>
    /// <exception cref="IOException">The stream cannot be written.</exception>
    public void Write(ReadOnlySpan<ushort> labels)
    {
        LabelMap.CheckClasses(labels, _classes);
        int row = _width * _size;
        for (; !labels.IsEmpty; labels = labels[_width..])
        {
            Span<byte> to = _strip.AsSpan(_filled * row, row);
            if (_size == 1)
            {
                for (int x = 0; x < _width; x++)
                    to[x] = (byte)labels[x];
            }
            else
            {
                MemoryMarshal.AsBytes(labels[.._width]).CopyTo(to);
            }
            _filled++;
            if (_filled == RowsPerStrip || _strips * RowsPerStrip + _filled == _height)
                WriteStrip();
        }
    }

    /// <summary>Ends the file, once all rows are written.</summary>
    /// <param name="description">A text that the file has as its description; null for none.</param>
    /// <exception cref="IOException">The stream cannot be written.</exception>
    public void End(string? description = null)
    {
        if (description is not null)
            Set(TiffTag.IMAGEDESCRIPTION, description);
        Check(TiffMessages.Quietly(_tiff.WriteDirectory));
    }

    /// <summary>The description of a TIFF; null where it has none, or is none.</summary>
    public static string? DescriptionOf(Stream file)
    {
        try
        {
            using var reader = new TiffReader(new TiffOnStream(file), long.MaxValue, allowsAnyNumber: true);
            return reader.Description;
        }
        catch (ImageException)
        {
            return null;
        }
    }

    public void Dispose() => TiffMessages.Quietly(() =>
    {
        try
        {
            _tiff.Dispose();
        }
        catch (IOException)
        {
            // What cannot be written was told where it was written.
        }
        return true;
    });

    private static ushort[] Colours(Palette palette, Func<Rgb, byte> channel) =>
        [.. Enumerable.Range(0, Palette.MaxColours).Select(label => (ushort)(channel(palette[label]) * 257))];

    private void WriteStrip()
    {
        int bytes = _filled * _width * _size;
        Check(TiffMessages.Quietly(() => _tiff.WriteEncodedStrip(_strips, _strip, bytes)) == bytes);
        (_strips, _filled) = (_strips + 1, 0);
    }

    private void Check(bool isWritten)
    {
        if (!isWritten)
            throw _stream.Thrown ?? new IOException("LibTiff could not write the TIFF");
    }

    private void Set(TiffTag tag, params object[] values) => _tiff.SetField(tag, values);
}
