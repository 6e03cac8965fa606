namespace Atrous.Specs;

/// <summary>The colour of a class.</summary>
internal readonly record struct PaletteColour(byte Red, byte Green, byte Blue);
