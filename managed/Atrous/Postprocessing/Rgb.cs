namespace Atrous.Postprocessing;

/// <summary>A colour of 8 bits a channel.</summary>
/// <param name="Red">The red part, from 0 to 255.</param>
/// <param name="Green">The green part, from 0 to 255.</param>
/// <param name="Blue">The blue part, from 0 to 255.</param>
public readonly record struct Rgb(byte Red, byte Green, byte Blue)
{
    /// <summary>From 0xRRGGBB.</summary>
    /// <param name="hex">The colour as 0xRRGGBB.</param>
    public static Rgb FromHex(int hex) => new((byte)(hex >> 16), (byte)(hex >> 8), (byte)hex);

    /// <summary>"#e69f00".</summary>
    public override string ToString() => $"#{Red:x2}{Green:x2}{Blue:x2}";
}
