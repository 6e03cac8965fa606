using Atrous.Postprocessing;

namespace Atrous.Shapes;

/// <summary>
/// Pixels of one class that hang together by their sides, as a polygon with holes. Two regions that meet only at a
/// corner are two.
/// </summary>
/// <param name="Label">The class of the pixels, from 0.</param>
/// <param name="Pixels">The number of pixels, counted before anything was simplified or left out.</param>
/// <param name="Outline">The line around the region.</param>
/// <param name="Holes">The lines around what lies inside and is no part of it.</param>
public sealed record Region(int Label, long Pixels, Ring Outline, IReadOnlyList<Ring> Holes)
{
    /// <summary>The least column and row, width and height of a box around the outline, in pixels.</summary>
    public (int X, int Y, int Width, int Height) Bounds
    {
        get
        {
            int left = Outline.Points.Min(point => point.X), top = Outline.Points.Min(point => point.Y);
            return (left, top, Outline.Points.Max(point => point.X) - left,
                Outline.Points.Max(point => point.Y) - top);
        }
    }

    /// <summary>The outline first, then the holes.</summary>
    internal IEnumerable<Ring> Rings => Holes.Prepend(Outline);

    /// <summary>
    /// The run-lengths of COCO of this region alone: the pixels whose centres lie inside its lines.
    /// </summary>
    /// <param name="height">The number of rows of the picture, those of the mask that the region is of.</param>
    /// <param name="width">The number of pixels of a row of the picture.</param>
    public CocoRle RunLengths(int height, int width) => RegionRuns.Of(this, height, width);
}
