namespace Atrous.Imaging;

/// <summary>A picture of which parts are looked at, and which need not be held whole.</summary>
internal interface IWindowSource : IDisposable
{
    /// <summary>The number of rows.</summary>
    int Height { get; }

    /// <summary>The number of pixels in a row.</summary>
    int Width { get; }

    /// <summary>A new picture of a rectangle of this one. The caller disposes it.</summary>
    Image Window(int top, int left, int height, int width);

    /// <summary>As <see cref="Image.Warning"/>; null for nothing.</summary>
    string? Warning => null;

    /// <summary>The picture says of pixels that there is no data, so that they have no class.</summary>
    bool MayLackPixels => false;

    /// <summary>Which pixels of whole rows have no data.</summary>
    void FindMissing(int top, Span<bool> missing) => missing.Clear();
}

/// <summary>A picture in memory.</summary>
internal sealed class HeldPicture(Image photo) : IWindowSource
{
    public int Height => photo.Height;

    public int Width => photo.Width;

    public Image Window(int top, int left, int height, int width) => photo.Crop(top, left, height, width);

    /// <summary>The picture is its owner's to dispose.</summary>
    public void Dispose()
    {
    }
}
