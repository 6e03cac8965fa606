namespace Atrous.Imaging.Formats;

/// <summary>How a JPEG's blocks lie.</summary>
internal sealed class JpegGrid
{
    private const int Side = 8;

    private readonly JpegFrame _frame;
    private readonly int _across, _down;

    public JpegGrid(JpegFrame frame)
    {
        _frame = frame;
        _across = frame.Components.Max(component => component.Across);
        _down = frame.Components.Max(component => component.Down);
        UnitsAcross = Up(frame.Width, Side * _across);
        UnitsDown = Up(frame.Height, Side * _down);
    }

    /// <summary>Units of a scan of several components.</summary>
    public int UnitsAcross { get; }

    /// <inheritdoc cref="UnitsAcross"/>
    public int UnitsDown { get; }

    /// <summary>The units of a scan: of a component that is alone the blocks that hold pixels.</summary>
    public (int Across, int Down) Units(JpegScan scan)
    {
        if (scan.Components.Length > 1)
            return (UnitsAcross, UnitsDown);
        JpegComponent component = _frame.Components[scan.Components[0].Index];
        return (Up(Up(_frame.Width * component.Across, _across), Side),
            Up(Up(_frame.Height * component.Down, _down), Side));
    }

    private static int Up(int value, int divisor) => (value + divisor - 1) / divisor;
}
