namespace Atrous.Shapes;

/// <summary>
/// A corner of pixels: (0, 0) is the picture's upper left corner, and the pixel in row y and column x lies between
/// (x, y) and (x + 1, y + 1).
/// </summary>
/// <param name="X">The number of pixels from the picture's left edge, 0 to its width.</param>
/// <param name="Y">The number of pixels from the picture's upper edge, 0 to its height.</param>
public readonly record struct GridPoint(int X, int Y);
