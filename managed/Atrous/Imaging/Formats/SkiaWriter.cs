using SkiaSharp;

namespace Atrous.Imaging.Formats;

/// <summary>Files that Skia writes.</summary>
internal static unsafe class SkiaWriter
{
    /// <summary>A JPEG of 4:2:0 chroma.</summary>
    /// <param name="picture">Grey, RGBA or BGRA; alpha is dropped.</param>
    /// <param name="quality">The quality, from 1 (small) to 100 (good).</param>
    /// <exception cref="ImageException">Skia cannot write it.</exception>
    public static EncodedImage EncodeJpeg(Image picture, int quality)
    {
        SKColorType colour = picture.Format switch
        {
            PixelFormat.Grey => SKColorType.Gray8,
            PixelFormat.Bgra => SKColorType.Bgra8888,
            _ => SKColorType.Rgba8888,
        };
        var info = new SKImageInfo(picture.Width, picture.Height, colour, SKAlphaType.Opaque);
        using PixelLease pixels = picture.Lease();
        using var pixmap = new SKPixmap(info, (nint)pixels.Image.Pixels, (int)pixels.Image.RowStride);
        using SKData? file = pixmap.Encode(new SKJpegEncoderOptions(
            quality, SKJpegEncoderDownsample.Downsample420, SKJpegEncoderAlphaOption.Ignore));
        return file is null
            ? throw new ImageException("The picture cannot be written as a JPEG; save a PNG.")
            : new EncodedImage(file.ToArray());
    }
}
