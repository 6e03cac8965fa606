using System.Buffers.Binary;
using Atrous.Imaging;
using Atrous.Imaging.Formats;

namespace Atrous.Postprocessing;

/// <summary>Gets rows of a mask that are done.</summary>
/// <param name="top">The first of them in the picture.</param>
/// <param name="labels">The class of every pixel, row by row; valid during the call.</param>
/// <param name="confidence">The probability of each; empty unless asked for.</param>
/// <param name="members">The classes of each as bits, where a pixel can be of several; empty otherwise.</param>
internal delegate void TakeRows(
    int top, ReadOnlySpan<ushort> labels, ReadOnlySpan<float> confidence, ReadOnlySpan<ulong> members);

/// <summary>A file as <see cref="LabelPng"/> writes it, from rows that come one after the other.</summary>
internal sealed class LabelRows : IDisposable
{
    private readonly int _width, _classes;
    private readonly bool _indexed;
    private readonly PngWriter _file;

    /// <param name="height">The number of rows of the label map.</param>
    /// <param name="width">The number of pixels of a row.</param>
    /// <param name="classes">The number of the model's classes; decides the format.</param>
    /// <param name="palette">The colours of the 8-bit format.</param>
    public LabelRows(int height, int width, int classes, Palette palette)
    {
        (_width, _classes, _indexed) = (width, classes, classes <= Palette.MaxColours);
        _file = _indexed
            ? new PngWriter(
                height, width, PngColour.Palette, 8, LabelPng.Colours(palette, classes), LabelPng.Level)
            : new PngWriter(height, width, PngColour.Grey, 16, [], LabelPng.Level);
    }

    /// <summary>The next rows, whole ones.</summary>
    /// <exception cref="ArgumentException">There are more than the picture has, or a label is no class.</exception>
    public void Write(ReadOnlySpan<ushort> labels)
    {
        LabelMap.CheckClasses(labels, _classes);
        for (; !labels.IsEmpty; labels = labels[_width..])
        {
            Span<byte> row = _file.Row;
            for (int x = 0; x < _width; x++)
            {
                if (_indexed)
                    row[x] = (byte)labels[x];
                else
                    BinaryPrimitives.WriteUInt16BigEndian(row[(2 * x)..], labels[x]);
            }
            _file.WriteRow();
        }
    }

    /// <inheritdoc cref="Write(ReadOnlySpan{ushort})"/>
    public void Write(ReadOnlySpan<byte> labels)
    {
        LabelMap.CheckClasses(labels, _classes);
        for (; !labels.IsEmpty; labels = labels[_width..])
        {
            if (_indexed)
                labels[.._width].CopyTo(_file.Row);
            else
                WriteWide(labels[.._width]);
            _file.WriteRow();
        }
    }

    private void WriteWide(ReadOnlySpan<byte> labels)
    {
        for (int x = 0; x < labels.Length; x++)
            BinaryPrimitives.WriteUInt16BigEndian(_file.Row[(2 * x)..], labels[x]);
    }

    /// <summary>The file, once all rows are written.</summary>
    public EncodedImage End() => _file.End();

    public void Dispose() => _file.Dispose();
}
