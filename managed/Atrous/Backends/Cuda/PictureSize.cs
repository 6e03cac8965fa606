namespace Atrous.Backends.Cuda;

/// <summary>The size of a picture of bytes, [height, width, channels], rows packed.</summary>
internal readonly record struct PictureSize(int Height, int Width, int Channels)
{
    public long Bytes => (long)Height * Width * Channels;
}
