namespace Atrous.Imaging.Maps;

/// <summary>What a network takes of a raster of any number of bands.</summary>
internal sealed record RasterReading
{
    /// <summary>How many numbers of a pixel the network takes.</summary>
    public required int Channels { get; init; }

    /// <summary>
    /// What is to stand for a pixel without data, as bytes' values: nothing to the network. Asked for the number of
    /// channels of the picture.
    /// </summary>
    public required Func<int, float[]> Nothing { get; init; }

    /// <summary>
    /// The bands in the network's order, red first where those are colours, counted from 1; null for the file's order.
    /// </summary>
    public IReadOnlyList<int>? Bands { get; init; }

    /// <summary>
    /// The sample that counts as 255 of a byte; null for the largest that the file's samples can be, where they have
    /// no sign and are no floats.
    /// </summary>
    public double? White { get; init; }

    /// <summary>
    /// The raster is read once, from the top to the bottom: a row of its strips or tiles is kept, and no more.
    /// </summary>
    public bool ReadsOnce { get; init; }

    /// <summary>What the file's header may claim.</summary>
    public long MaxPixels { get; init; } = Image.DefaultMaxPixels;
}
