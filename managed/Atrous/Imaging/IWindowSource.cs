namespace Atrous.Imaging;

/// <summary>A picture of which parts are looked at, and which need not be held whole.</summary>
internal interface IWindowSource
{
    /// <summary>The number of rows.</summary>
    int Height { get; }

    /// <summary>The number of pixels in a row.</summary>
    int Width { get; }

    /// <summary>A new picture of a rectangle of this one. The caller disposes it.</summary>
    Image Window(int top, int left, int height, int width);
}

/// <summary>A picture in memory.</summary>
internal sealed class HeldPicture(Image photo) : IWindowSource
{
    public int Height => photo.Height;

    public int Width => photo.Width;

    public Image Window(int top, int left, int height, int width) => photo.Crop(top, left, height, width);
}
