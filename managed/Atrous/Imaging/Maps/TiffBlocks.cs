using Atrous.Imaging.Formats;

namespace Atrous.Imaging.Maps;

/// <summary>
/// Strips or tiles of a TIFF as they are unpacked. Those that were asked for last are kept, up to a number of bytes, so
/// that windows beside each other do not unpack them again.
/// </summary>
/// <param name="reader">The file whose strips or tiles they are.</param>
/// <param name="mostBytes">How many bytes of them are kept at most.</param>
internal sealed class TiffBlocks(TiffReader reader, long mostBytes = TiffBlocks.MostBytes)
{
    /// <summary>Of 513 rows of 60000 pixels, four bands of floats have 492 MB.</summary>
    private const long MostBytes = 1L << 29;

    private readonly Dictionary<int, LinkedListNode<(int Number, byte[] Block)>> _kept = [];
    private readonly LinkedList<(int Number, byte[] Block)> _newest = new();
    private readonly int _size = reader.BlockHeight * reader.RowSize;

    /// <summary>Keeps those beside each other that have the same rows.</summary>
    public static TiffBlocks OfRow(TiffReader reader)
    {
        long across = (reader.Width + reader.BlockWidth - 1L) / reader.BlockWidth;
        return new TiffBlocks(
            reader, across * (reader.IsSeparate ? reader.Bands : 1) * reader.BlockHeight * reader.RowSize);
    }

    /// <summary>The strip or tile in which a place lies, as <see cref="TiffReader.ReadBlock"/> gives it.</summary>
    /// <exception cref="ImageException">That part of the file is cut off, damaged or too large.</exception>
    public ReadOnlySpan<byte> At(int y, int x, int plane)
    {
        int number = reader.NumberOf(y, x, plane);
        if (_kept.TryGetValue(number, out var node))
        {
            _newest.Remove(node);
            _newest.AddFirst(node);
            return node.Value.Block;
        }
        if (_size > MostBytes)
            throw TiffReader.Unreadable("a strip or tile of it takes more than 512 MiB");
        byte[] block = Free() ?? GC.AllocateUninitializedArray<byte>(_size);
        reader.ReadBlock(y, x, plane, block);
        _kept[number] = _newest.AddFirst((number, block));
        return block;
    }

    /// <summary>The memory of the block that was not asked for longest, where there is no more room.</summary>
    private byte[]? Free()
    {
        if (_newest.Last is not { } oldest || (_kept.Count + 1L) * _size <= mostBytes)
            return null;
        _newest.RemoveLast();
        _kept.Remove(oldest.Value.Number);
        return oldest.Value.Block;
    }
}
