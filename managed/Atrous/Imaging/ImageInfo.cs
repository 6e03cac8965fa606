namespace Atrous.Imaging;

/// <summary>What a file's header says of its picture, as loading would return it (EXIF orientation applied).</summary>
/// <param name="Height">The number of rows.</param>
/// <param name="Width">The number of pixels in a row.</param>
/// <param name="Channels">The number of channels: 1 for grey, 2 for grey and alpha, 3 for RGB, 4 for RGBA.</param>
/// <param name="Format">The format of the file.</param>
public readonly record struct ImageInfo(int Height, int Width, int Channels, ImageFormat Format);

/// <summary>The file formats that Atrous reads; it writes JPEG and PNG.</summary>
public enum ImageFormat
{
    Jpeg = 1,
    Png = 2,
    WebP = 3,
    Gif = 4,
    Bmp = 5,
    Tiff = 6,
}
