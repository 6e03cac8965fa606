using Atrous.Tensors;

namespace Atrous.Postprocessing;

/// <summary>
/// The labels of a picture, row by row, of whichever width they were made in: bytes stay bytes until somebody asks for
/// 16 bits each. Safe to read from many threads.
/// </summary>
internal sealed class LabelArray
{
    private Array _labels;

    public LabelArray(ushort[] labels) => _labels = labels;

    public LabelArray(byte[] labels) => _labels = labels;

    public int Length => _labels.Length;

    /// <summary>All of them in 16 bits each.</summary>
    public ushort[] Wide
    {
        get
        {
            if (_labels is not byte[] narrow)
                return (ushort[])_labels;
            ushort[] wide = GC.AllocateUninitializedArray<ushort>(narrow.Length);
            LabelWidths.Widen(narrow, wide);
            // Threads that come at the same time make the same.
            _labels = wide;
            return wide;
        }
    }

    /// <summary>All of them as bytes; null where they are in 16 bits each.</summary>
    public byte[]? Narrow => _labels as byte[];

    public int this[int pixel] => _labels is byte[] narrow ? narrow[pixel] : ((ushort[])_labels)[pixel];

    public static implicit operator LabelArray(ushort[] labels) => new(labels);
}
