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

    /// <summary>Blocks of a component in a row, those beyond the picture included.</summary>
    public int BlocksAcross(int index) => UnitsAcross * _frame.Components[index].Across;

    /// <summary>Rows of blocks of a component.</summary>
    public int BlocksDown(int index) => UnitsDown * _frame.Components[index].Down;

    /// <summary>Where a component's samples go, and how its rows become the picture's.</summary>
    /// <exception cref="ImageException">Its samples stand for parts of pixels.</exception>
    public JpegPlane Plane(int index)
    {
        JpegComponent component = _frame.Components[index];
        if (_across % component.Across != 0 || _down % component.Down != 0)
            throw JpegReader.Unreadable("its sampling factors make no sense");
        return new JpegPlane(
            _across / component.Across, _down / component.Down, Up(_frame.Height * component.Down, _down),
            Up(_frame.Width * component.Across, _across), BlocksAcross(index) * Side, BlocksDown(index) * Side);
    }

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
