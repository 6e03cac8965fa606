using System.Buffers.Binary;
using SkiaSharp;

namespace Atrous.Imaging.Formats;

/// <summary>WebP, GIF and BMP files, whose pixels Skia decodes; of several frames the first.</summary>
internal static unsafe class SkiaFiles
{
    /// <summary>Which of them a file is by its first bytes; null where it is none.</summary>
    public static ImageFormat? FormatOf(ReadOnlySpan<byte> file)
    {
        const int bmpHeader = 26;
        if (file.Length >= 16 && file.StartsWith("RIFF"u8) && file[8..].StartsWith("WEBPVP8"u8))
            return ImageFormat.WebP;
        if (file.StartsWith("GIF87a"u8) || file.StartsWith("GIF89a"u8))
            return ImageFormat.Gif;
        return file.Length >= bmpHeader && file.StartsWith("BM"u8) ? ImageFormat.Bmp : null;
    }

    public static ImageInfo Probe(FileBytes file, ImageFormat format)
    {
        using SKData bytes = SKData.Create((nint)file.Start, (int)file.Length);
        using SKCodec codec = Open(bytes, format);
        (int height, int width) = (codec.Info.Height, codec.Info.Width);
        (_, int channels, int orientation) = Look(file, format, codec);
        return Turning.SwapsSides(orientation)
            ? new ImageInfo(width, height, channels, format)
            : new ImageInfo(height, width, channels, format);
    }

    /// <summary>
    /// The picture as it is meant to be seen, whether the file stops before its end mark, and whether it has others.
    /// </summary>
    /// <exception cref="ImageException">The picture is too large, cut off or damaged.</exception>
    public static (Image Picture, bool LacksEnd, bool IsAnimated) Decode(
        FileBytes file, ImageFormat format, long maxPixels)
    {
        if (format != ImageFormat.Gif || LookAtGif(file.Slice(0, (int)file.Length)).ClearFlag is not { } at)
            return DecodeAsItIs(file, format, maxPixels);
        // What is clear keeps the colour that the palette has for it, as with Pillow; Skia would make it black.
        byte[] opaque = file.Slice(0, (int)file.Length).ToArray();
        opaque[at] &= 0xFE;
        fixed (byte* start = opaque)
            return DecodeAsItIs(new FileBytes(start, opaque.Length), format, maxPixels);
    }

    private static (Image Picture, bool LacksEnd, bool IsAnimated) DecodeAsItIs(
        FileBytes file, ImageFormat format, long maxPixels)
    {
        using SKData bytes = SKData.Create((nint)file.Start, (int)file.Length);
        using SKCodec codec = Open(bytes, format);
        (int height, int width) = (codec.Info.Height, codec.Info.Width);
        PictureLimits.Check(height, width, maxPixels);
        (bool lacksEnd, int channels, int orientation) = Look(file, format, codec);
        const int rgba = 4;
        using var decoded = new Image(height, width, rgba);
        SKAlphaType alpha = codec.Info.AlphaType == SKAlphaType.Opaque ? SKAlphaType.Opaque : SKAlphaType.Unpremul;
        SKCodecResult result;
        fixed (byte* pixels = decoded.Pixels)
            result = codec.GetPixels(new SKImageInfo(width, height, SKColorType.Rgba8888, alpha), (nint)pixels);
        if (result != SKCodecResult.Success)
            throw result == SKCodecResult.IncompleteInput ? CutOff(format) : Unreadable(format);
        return (Turning.Apply(decoded.WithChannels(channels), orientation), lacksEnd, codec.FrameCount > 1);
    }

    private static SKCodec Open(SKData bytes, ImageFormat format) => SKCodec.Create(bytes) ?? throw Unreadable(format);

    private static ImageException CutOff(ImageFormat format) =>
        new($"the {PictureDecoder.NameOf(format)} ends early; send the whole file.");

    private static ImageException Unreadable(ImageFormat format) =>
        new($"the {PictureDecoder.NameOf(format)} cannot be read; use a sound copy of the file.");

    /// <summary>What Skia does not tell of a file.</summary>
    private static (bool LacksEnd, int Channels, int Orientation) Look(
        FileBytes file, ImageFormat format, SKCodec codec)
    {
        const int rgb = 3, rgba = 4;
        ReadOnlySpan<byte> bytes = file.Slice(0, (int)file.Length);
        int channels = codec.Info.AlphaType == SKAlphaType.Opaque ? rgb : rgba;
        return format switch
        {
            ImageFormat.WebP => (false, channels, OrientationOfWebP(bytes)),
            ImageFormat.Gif => (LookAtGif(bytes).LacksEnd, rgb, Turning.Upright),
            _ => (false, channels, Turning.Upright),
        };
    }

    /// <summary>As its EXIF chunk says.</summary>
    private static int OrientationOfWebP(ReadOnlySpan<byte> file)
    {
        const int head = 8, first = 12;
        if (BinaryPrimitives.ReadUInt32LittleEndian(file[4..]) > file.Length - head)
            throw CutOff(ImageFormat.WebP);
        for (ReadOnlySpan<byte> rest = file[first..]; rest.Length >= head;)
        {
            uint size = BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]);
            if (size > rest.Length - head)
                throw CutOff(ImageFormat.WebP);
            if (rest.StartsWith("EXIF"u8))
                return Turning.OfExif(rest.Slice(head, (int)size));
            rest = rest[(int)Math.Min(head + size + (size & 1), (uint)rest.Length)..];
        }
        return Turning.Upright;
    }

    /// <summary>
    /// Walks over the blocks of a GIF, whose first frame must be whole. The flag is where the file says that one colour
    /// of that frame is clear; null where none is.
    /// </summary>
    private static (bool LacksEnd, int? ClearFlag) LookAtGif(ReadOnlySpan<byte> file)
    {
        const byte extension = 0x21, frame = 0x2C, trailer = 0x3B, graphicControl = 0xF9;
        const int header = 13, frameHeader = 10;
        int? clearFlag = null;
        bool hasFrame = false;
        int at = header + (file.Length >= header ? TableSize(file[10]) : 0);
        while (at < file.Length && file[at] != trailer)
        {
            int data = at + 2;
            if (file[at] == frame && file.Length - at > frameHeader)
                data = at + frameHeader + TableSize(file[at + frameHeader - 1]) + 1;
            else if (file[at] != extension)
                throw Unreadable(ImageFormat.Gif);
            else if (!hasFrame && file.Length - at > 3 && file[at + 1] == graphicControl)
                clearFlag = (file[at + 3] & 1) != 0 ? at + 3 : null;
            bool isFrame = file[at] == frame;
            while (data < file.Length && file[data] != 0)
                data += 1 + file[data];
            if (data >= file.Length)
                return hasFrame ? (true, clearFlag) : throw CutOff(ImageFormat.Gif);
            hasFrame |= isFrame;
            at = data + 1;
        }
        if (!hasFrame)
            throw at < file.Length ? Unreadable(ImageFormat.Gif) : CutOff(ImageFormat.Gif);
        return (at >= file.Length, clearFlag);

        static int TableSize(byte flags) => (flags & 0x80) != 0 ? 3 << ((flags & 7) + 1) : 0;
    }
}
