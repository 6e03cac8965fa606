namespace Atrous.Postprocessing;

/// <summary>What <see cref="Segmentation.Figure"/> draws.</summary>
public sealed record FigureOptions
{
    /// <summary>How opaque the colours of the classes are, 0 to 1.</summary>
    public double Opacity { get; init; } = 0.6;

    /// <summary>Lines around the classes, instead of their colours all over.</summary>
    public bool Outlines { get; init; }

    /// <summary>The photo itself to the left.</summary>
    public bool SideBySide { get; init; }

    /// <summary>Names, colours and shares to the right.</summary>
    public bool Legend { get; init; } = true;

    /// <summary>The colours of the classes; null for the mask's own.</summary>
    public Palette? Palette { get; init; }
}
