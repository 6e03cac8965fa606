using Atrous.Imaging;
using Atrous.Native;

namespace Atrous.Postprocessing;

/// <summary>Gets rows of a mask that are done.</summary>
/// <param name="top">The first of them in the picture.</param>
/// <param name="labels">The class of every pixel, row by row; valid during the call.</param>
/// <param name="confidence">The probability of each; empty unless asked for.</param>
internal delegate void TakeRows(int top, ReadOnlySpan<ushort> labels, ReadOnlySpan<float> confidence);

/// <summary>A file as <see cref="LabelPng"/> writes it, from rows that come one after the other.</summary>
internal sealed unsafe class LabelRows : IDisposable
{
    private readonly int _width;
    private nint _rows;

    /// <param name="height">Rows of the label map.</param>
    /// <param name="width">Pixels of a row.</param>
    /// <param name="classes">The number of the model's classes; decides the format.</param>
    /// <param name="palette">Colours of the 8-bit format.</param>
    public LabelRows(int height, int width, int classes, Palette palette)
    {
        _width = width;
        bool indexed = classes <= Palette.MaxColours;
        fixed (byte* rgb = indexed ? LabelPng.Colours(palette, classes) : null)
            LibAtrous.ThrowIfFailed(
                LibAtrous.LabelRowsOpen(height, width, rgb, indexed ? classes : 0, LabelPng.Level, out _rows));
    }

    /// <summary>The next rows, whole ones.</summary>
    public void Write(ReadOnlySpan<ushort> labels)
    {
        fixed (ushort* pixels = labels)
            LibAtrous.ThrowIfFailed(LibAtrous.LabelRowsWrite(_rows, pixels, labels.Length / _width));
    }

    /// <summary>The file, once all rows are written. The caller disposes it.</summary>
    public EncodedImage End()
    {
        LibAtrous.ThrowIfFailed(LibAtrous.LabelRowsEnd(_rows, out NativeBytes bytes));
        return new EncodedImage(bytes);
    }

    public void Dispose()
    {
        LibAtrous.LabelRowsDestroy(_rows);
        _rows = 0;
    }
}
