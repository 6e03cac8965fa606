using System.Runtime.InteropServices;

namespace Atrous.Imaging.Formats;

/// <summary>From coefficients to the picture, from its top to its bottom.</summary>
internal sealed unsafe class JpegPixels : IDisposable
{
    private const int Side = 8;

    private readonly JpegFrame _frame;
    private readonly JpegGrid _grid;
    private readonly JpegQuantization _quantization;
    private readonly JpegPlane[] _planes;
    private readonly int _unitHeight;
    private Image? _picture;
    private int _written;

    public JpegPixels(JpegFrame frame, JpegGrid grid, JpegQuantization quantization)
    {
        (_frame, _grid, _quantization) = (frame, grid, quantization);
        _planes = new JpegPlane[frame.Components.Length];
        for (int c = 0; c < _planes.Length; c++)
            _planes[c] = grid.Plane(c);
        _unitHeight = Side * frame.Components.Max(component => component.Down);
        _picture = new Image(frame.Height, frame.Width, frame.Channels);
    }

    /// <summary>The picture, which is the caller's from then on.</summary>
    public Image Take()
    {
        Image picture = _picture!;
        _picture = null;
        return picture;
    }

    public void Dispose() => _picture?.Dispose();

    /// <summary>Makes samples of rows of units.</summary>
    public void Transform(JpegCoefficients coefficients, int top, int bottom)
    {
        for (int c = 0; c < _planes.Length; c++)
        {
            JpegPlane plane = _planes[c];
            int* quantization = _quantization.Of(c);
            int down = _frame.Components[c].Down, across = _grid.BlocksAcross(c);
            for (int row = top * down; row < bottom * down; row++)
            {
                short* block = coefficients.Block(c, row, 0);
                byte* to = plane.Row(row * Side);
                for (int column = 0; column < across; column++, block += Side * Side, to += Side)
                    JpegIdct.Transform(block, quantization, to, plane.Stride);
            }
        }
    }

    /// <summary>Writes the rows of pixels that the units so far suffice for.</summary>
    public void Write(int units)
    {
        // The last row of samples waits for the one below.
        int end = units == _grid.UnitsDown ? _frame.Height : units * _unitHeight - _unitHeight / Side;
        const int beyond = 64;
        int size = _frame.Width + beyond;
        byte[] scratch = GC.AllocateUninitializedArray<byte>(size * _planes.Length, pinned: true);
        byte* start = (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(scratch, 0);
        byte** rows = stackalloc byte*[4];
        for (; _written < end; _written++)
        {
            for (int c = 0; c < _planes.Length; c++)
                rows[c] = _planes[c].PictureRow(_written, start + c * size);
            Span<byte> to = _picture!.Row(_written);
            if (_frame.Colour == JpegColour.Grey)
                new ReadOnlySpan<byte>(rows[0], to.Length).CopyTo(to);
            else
                JpegColours.Convert(_frame.Colour, rows, to);
        }
    }
}
