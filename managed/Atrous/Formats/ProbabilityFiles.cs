using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Atrous.Imaging.Formats;
using Atrous.Imaging.Maps;
using Atrous.Tensors;
using BitMiracle.LibTiff.Classic;

namespace Atrous.Formats;

/// <summary>
/// The probability of every class of every pixel in files for programs: float32, [height, width, classes], the lower
/// byte first.
/// </summary>
internal static class ProbabilityFiles
{
    private const int Alignment = 64, Word = 8;

    /// <summary>A file of more bytes has offsets of 64 bits.</summary>
    private const long MostBytes = 0xF000_0000;

    /// <summary>A safetensors file with the tensor "probabilities".</summary>
    public static void WriteSafetensors(Stream stream, AnnotatedPicture picture)
    {
        Tensor tensor = picture.Probabilities!;
        (_, int height, int width, int classes) = tensor.Shape;
        string header = string.Create(
            CultureInfo.InvariantCulture,
            $"{{\"probabilities\":{{\"dtype\":\"F32\",\"shape\":[{height},{width},{classes}],"
            + $"\"data_offsets\":[0,{sizeof(float) * tensor.Shape.Elements}]}}}}");
        header = header.PadRight((header.Length + Word - 1) / Word * Word);
        Span<byte> length = stackalloc byte[Word];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        stream.Write(length);
        stream.Write(Encoding.ASCII.GetBytes(header));
        WriteRows(stream, tensor);
    }

    /// <summary>A file of NumPy's format, version 1.0.</summary>
    public static void WriteNpy(Stream stream, AnnotatedPicture picture)
    {
        Tensor tensor = picture.Probabilities!;
        (_, int height, int width, int classes) = tensor.Shape;
        ReadOnlySpan<byte> magic = [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0];
        string header = string.Create(
            CultureInfo.InvariantCulture,
            $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({height}, {width}, {classes}), }}");
        int whole = (magic.Length + sizeof(ushort) + header.Length + 1 + Alignment - 1) / Alignment * Alignment;
        header = header.PadRight(whole - magic.Length - sizeof(ushort) - 1) + "\n";
        Span<byte> length = stackalloc byte[sizeof(ushort)];
        BinaryPrimitives.WriteUInt16LittleEndian(length, (ushort)header.Length);
        stream.Write(magic);
        stream.Write(length);
        stream.Write(Encoding.ASCII.GetBytes(header));
        WriteRows(stream, tensor);
    }

    /// <summary>
    /// A TIFF of a band a class, in the picture's place where it is a map; no number where that has no data.
    /// </summary>
    public static void WriteTiff(Stream stream, AnnotatedPicture picture)
    {
        Tensor tensor = picture.Probabilities!;
        (_, int height, int width, int classes) = tensor.Shape;
        var file = new TiffOnStream(stream);
        string mode = sizeof(float) * tensor.Shape.Elements > MostBytes ? "w8" : "w";
        using Tiff tiff = TiffMessages.Quietly(() => Tiff.ClientOpen("probabilities", mode, tensor, file))
            ?? throw file.Thrown ?? new IOException("LibTiff could not begin the TIFF");
        tiff.SetField(TiffTag.IMAGELENGTH, height);
        tiff.SetField(TiffTag.IMAGEWIDTH, width);
        tiff.SetField(TiffTag.BITSPERSAMPLE, 8 * sizeof(float));
        tiff.SetField(TiffTag.SAMPLEFORMAT, SampleFormat.IEEEFP);
        tiff.SetField(TiffTag.SAMPLESPERPIXEL, classes);
        tiff.SetField(TiffTag.PHOTOMETRIC, Photometric.MINISBLACK);
        tiff.SetField(TiffTag.PLANARCONFIG, PlanarConfig.CONTIG);
        tiff.SetField(TiffTag.COMPRESSION, Compression.NONE);
        tiff.SetField(TiffTag.ROWSPERSTRIP, 1);
        if (classes > 1)
            tiff.SetField(TiffTag.EXTRASAMPLES, classes - 1, new short[classes - 1]);
        int? noData = picture.Mask.NoDataLabel;
        (picture.Tags ?? GeoTags.None).WriteTo(tiff, noData is null ? null : "nan");
        byte[] row = new byte[sizeof(float) * width * classes];
        for (int y = 0; y < height; y++)
        {
            MemoryMarshal.AsBytes(tensor.Row(0, y)).CopyTo(row);
            Span<float> numbers = MemoryMarshal.Cast<byte, float>(row.AsSpan());
            for (int x = 0; noData is not null && x < width; x++)
            {
                if (picture.Mask.Labels[y * width + x] == noData)
                    numbers.Slice(x * classes, classes).Fill(float.NaN);
            }
            int strip = y;
            if (TiffMessages.Quietly(() => tiff.WriteEncodedStrip(strip, row, row.Length)) != row.Length)
                throw file.Thrown ?? new IOException("LibTiff could not write the TIFF");
        }
        if (!TiffMessages.Quietly(tiff.WriteDirectory))
            throw file.Thrown ?? new IOException("LibTiff could not write the TIFF");
    }

    private static void WriteRows(Stream stream, Tensor tensor)
    {
        for (int y = 0; y < tensor.Shape.Height; y++)
            stream.Write(MemoryMarshal.AsBytes(tensor.Row(0, y)));
    }
}
