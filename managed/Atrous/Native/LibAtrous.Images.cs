using System.Runtime.InteropServices;

namespace Atrous.Native;

/// <content>Pictures: JPEG and PNG, resizing, and the step from bytes to the network's input.</content>
internal static unsafe partial class LibAtrous
{
    [LibraryImport(Library, EntryPoint = "atrous_image_probe")]
    public static partial AtrousStatus ImageProbe(byte* bytes, nuint size, out NativeImageInfo info);

    [LibraryImport(Library, EntryPoint = "atrous_image_decode")]
    public static partial AtrousStatus ImageDecode(
        byte* bytes, nuint size, long maxPixels, out NativeImage image);

    /// <summary>labels: channels is the bytes of a label, the low one first.</summary>
    [LibraryImport(Library, EntryPoint = "atrous_png_decode_labels")]
    public static partial AtrousStatus PngDecodeLabels(
        byte* bytes, nuint size, long maxPixels, out NativeImage labels);

    /// <summary>1 where the file that this thread decoded last lacked its end mark alone.</summary>
    [LibraryImport(Library, EntryPoint = "atrous_decoded_lacks_end")]
    public static partial int DecodedLacksEnd();

    [LibraryImport(Library, EntryPoint = "atrous_image_free")]
    public static partial void ImageFree(ref NativeImage image);

    [LibraryImport(Library, EntryPoint = "atrous_jpeg_encode")]
    public static partial AtrousStatus JpegEncode(in NativeImage image, int quality, out NativeBytes bytes);

    [LibraryImport(Library, EntryPoint = "atrous_png_encode")]
    public static partial AtrousStatus PngEncode(in NativeImage image, int level, out NativeBytes bytes);

    [LibraryImport(Library, EntryPoint = "atrous_png_encode_palette")]
    public static partial AtrousStatus PngEncodePalette(
        ushort* labels, int height, int width, byte* palette, int colours, int level, out NativeBytes bytes);

    [LibraryImport(Library, EntryPoint = "atrous_png_encode_grey16")]
    public static partial AtrousStatus PngEncodeGrey16(
        ushort* pixels, int height, int width, int level, out NativeBytes bytes);

    [LibraryImport(Library, EntryPoint = "atrous_bytes_free")]
    public static partial void BytesFree(ref NativeBytes bytes);

    /// <summary>
    /// filter is an atrous_filter: 0 Pillow's bilinear, 1 Pillow's bicubic, 2 nearest, 3 plain bilinear.
    /// </summary>
    [LibraryImport(Library, EntryPoint = "atrous_image_resize")]
    public static partial AtrousStatus ImageResize(
        EngineHandle engine, in NativeImage input, int filter, in NativeImage output);

    [LibraryImport(Library, EntryPoint = "atrous_normalize")]
    public static partial AtrousStatus Normalize(
        EngineHandle engine, in NativeImage image, in NativeNormalize desc, in NativeTensor output);
}
