using System.Text;
using Atrous.Checkpoints.Storages;

namespace Atrous.Checkpoints.Pickles;

/// <summary>
/// What calls may copy while a pickle is read: a few instructions can have one long value copied again and again, so
/// that it grows or takes hours.
/// </summary>
internal sealed class CopyBudget(CheckpointFile file)
{
    private const int MaxItems = 1_000_000;
    private const long MaxBytes = 32 << 20;

    /// <summary>Of a dictionary; in lists it is less.</summary>
    private const int BytesOfItem = 32;

    private long _items;
    private long _bytes;

    /// <summary>Counts items of a list, tuple or dictionary that are copied.</summary>
    public void Count(int items)
    {
        _items += items;
        file.Budget.Hold((long)items * BytesOfItem);
        if (_items > MaxItems)
            throw TooMuch();
    }

    /// <summary>
    /// Bytes, from whatever form the Python version gave them; null when the value is nothing of the sort.
    /// </summary>
    public ByteRegion? BytesOf(object? value)
    {
        if (value is PickleBytes bytes)
            return bytes.Region;
        if (value is not string text)
            return null;
        _bytes += text.Length;
        file.Budget.Hold(text.Length);
        if (_bytes > MaxBytes)
            throw TooMuch();
        return text.AsSpan().ContainsAnyExceptInRange('\0', '\u00ff')
            ? null
            : new MemoryRegion(Encoding.Latin1.GetBytes(text));
    }

    private ModelException TooMuch() =>
        file.Error("holds a pickle that copies the same values again and again, which no checkpoint does");
}
