namespace Atrous.Shapes;

/// <summary>
/// The line between two parts, from one node, where three or more lines meet, to the next; or a closed line that meets
/// no other. Both parts share it, so that what is done to it is done to both.
/// </summary>
/// <param name="Points">Its corners, both ends included; a closed one ends where it begins.</param>
internal sealed record Arc(GridPoint[] Points)
{
    public bool IsClosed => Points[0] == Points[^1];
}

/// <summary>An arc in one of its two directions.</summary>
internal readonly record struct DirectedArc(int Arc, bool IsReversed);
