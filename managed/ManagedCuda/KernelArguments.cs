using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Atrous.ManagedCuda;

/// <summary>
/// The arguments of one launch, by value, on the caller's stack: no boxes, no arrays, nothing for the collector.
/// </summary>
/// <example><code>
/// var arguments = new KernelArguments();
/// arguments.Add(input.DevicePointer);
/// arguments.Add(width);
/// kernel.RunAsync(stream, ref arguments);
/// </code></example>
public unsafe ref struct KernelArguments
{
    /// <summary>Arguments that fit in.</summary>
    public const int MaxCount = 48;

    /// <summary>Bytes that fit in, each argument rounded up to 8.</summary>
    public const int MaxBytes = 768;

    private Values _values;
    private Places _places;
    private int _words;

    /// <summary>Arguments so far.</summary>
    public int Count { get; private set; }

    /// <summary>Appends one argument: a number, a device pointer, or a struct laid out as the kernel's own.</summary>
    /// <param name="value">The next argument of the kernel.</param>
    /// <exception cref="InvalidOperationException">There is no room for more.</exception>
    public void Add<T>(T value)
        where T : unmanaged
    {
        int words = (sizeof(T) + 7) / 8;
        if (Count == MaxCount || _words + words > MaxBytes / 8)
            throw new InvalidOperationException(
                $"A launch takes at most {MaxCount} arguments of {MaxBytes} bytes in all; put them into one struct " +
                $"in device memory.");
        Unsafe.WriteUnaligned(ref Unsafe.As<ulong, byte>(ref _values[_words]), value);
        _places[Count++] = new Place((ushort)_words, (ushort)sizeof(T));
        _words += words;
    }

    /// <summary>Bytes of one argument.</summary>
    internal readonly int SizeOf(int index) => _places[index].Bytes;

    /// <summary>Points at every argument. The arguments must not move, which those on a stack do not.</summary>
    internal void PointersTo(void** pointers)
    {
        for (int i = 0; i < Count; i++)
            pointers[i] = Unsafe.AsPointer(ref _values[_places[i].Word]);
    }

    private readonly record struct Place(ushort Word, ushort Bytes);

    [InlineArray(MaxBytes / 8)]
    private struct Values
    {
        private ulong _first;
    }

    [InlineArray(MaxCount)]
    private struct Places
    {
        private Place _first;
    }
}
