namespace Atrous.Postprocessing;

/// <summary>A colour of 8 bits a channel.</summary>
public readonly record struct Rgb(byte Red, byte Green, byte Blue)
{
    /// <summary>From 0xRRGGBB.</summary>
    public static Rgb FromHex(int hex) => new((byte)(hex >> 16), (byte)(hex >> 8), (byte)hex);

    /// <summary>"#e69f00".</summary>
    public override string ToString() => $"#{Red:x2}{Green:x2}{Blue:x2}";
}
