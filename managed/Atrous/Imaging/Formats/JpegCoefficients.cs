using System.Runtime.InteropServices;

namespace Atrous.Imaging.Formats;

/// <summary>The coefficients of a JPEG's blocks: of the whole picture, or of some rows of units.</summary>
internal sealed unsafe class JpegCoefficients : IDisposable
{
    private const int PerBlock = 64;

    private readonly short*[] _blocks;
    private readonly int[] _across;
    private readonly nuint[] _sizes;
    private readonly JpegFrame _frame;

    /// <param name="frame">What the file says of its picture.</param>
    /// <param name="grid">How the picture's blocks lie.</param>
    /// <param name="units">The number of rows of units that are held at once.</param>
    public JpegCoefficients(JpegFrame frame, JpegGrid grid, int units)
    {
        int count = frame.Components.Length;
        (_frame, _blocks, _across, _sizes) = (frame, new short*[count], new int[count], new nuint[count]);
        for (int c = 0; c < count; c++)
        {
            _across[c] = grid.BlocksAcross(c);
            _sizes[c] = (nuint)_across[c] * (nuint)(units * frame.Components[c].Down) * PerBlock * sizeof(short);
            _blocks[c] = (short*)NativeMemory.AllocZeroed(_sizes[c]);
        }
    }

    /// <summary>The first row of units that is held.</summary>
    public int Top { get; private set; }

    /// <summary>64 coefficients, row by row.</summary>
    public short* Block(int component, int row, int column)
    {
        row -= Top * _frame.Components[component].Down;
        return _blocks[component] + ((long)row * _across[component] + column) * PerBlock;
    }

    /// <summary>Zeros for rows of units further down.</summary>
    public void MoveTo(int top)
    {
        Top = top;
        for (int c = 0; c < _blocks.Length; c++)
            NativeMemory.Clear(_blocks[c], _sizes[c]);
    }

    public void Dispose()
    {
        for (int c = 0; c < _blocks.Length; c++)
        {
            NativeMemory.Free(_blocks[c]);
            _blocks[c] = null;
        }
    }
}
