namespace Atrous.Imaging;

/// <summary>What a file's header says of its picture, as loading would return it (EXIF orientation applied).</summary>
/// <param name="Width">Pixels.</param>
/// <param name="Height">Pixels.</param>
/// <param name="Channels">1 grey, 2 grey and alpha, 3 RGB, 4 RGBA.</param>
/// <param name="Format">How it is stored.</param>
public readonly record struct ImageInfo(int Width, int Height, int Channels, ImageFormat Format);

/// <summary>The file formats that Atrous reads and writes.</summary>
public enum ImageFormat
{
    Jpeg = 1,
    Png = 2,
}
