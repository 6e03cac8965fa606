namespace Atrous.Tensors;

/// <summary>The shape of an activation: batch, height, width, channels, in memory order (NHWC).</summary>
/// <param name="Batch">The number of pictures.</param>
/// <param name="Height">The number of rows.</param>
/// <param name="Width">The number of columns.</param>
/// <param name="Channels">The number of channels of a pixel.</param>
public readonly record struct Shape(int Batch, int Height, int Width, int Channels)
{
    /// <summary>Pixels of the whole batch.</summary>
    public long Pixels => (long)Batch * Height * Width;

    /// <summary>Elements of the whole batch.</summary>
    public long Elements => Pixels * Channels;

    public override string ToString() => $"{Batch}x{Height}x{Width}x{Channels}";
}
