using System.Globalization;

namespace Atrous.Specs;

/// <summary>The colour of a class.</summary>
internal readonly record struct PaletteColour(byte Red, byte Green, byte Blue)
{
    /// <summary>The colour that a text like "#e69f00" is; null where it is none.</summary>
    public static PaletteColour? Parse(string text) =>
        text is ['#', _, _, _, _, _, _]
        && int.TryParse(text.AsSpan(1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int hex)
            ? new PaletteColour((byte)(hex >> 16), (byte)(hex >> 8), (byte)hex)
            : null;

    /// <summary>"#e69f00".</summary>
    public override string ToString() => $"#{Red:x2}{Green:x2}{Blue:x2}";
}
