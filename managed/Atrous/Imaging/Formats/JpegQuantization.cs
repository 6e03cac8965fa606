using System.Runtime.InteropServices;

namespace Atrous.Imaging.Formats;

/// <summary>What the coefficients of a JPEG's components are multiplied by.</summary>
internal sealed unsafe class JpegQuantization(JpegFrame frame)
{
    private const int Tables = 4, Coefficients = 64;

    private readonly int[]?[] _tables = new int[]?[Tables], _taken = new int[]?[frame.Components.Length];

    /// <summary>All components have theirs.</summary>
    public bool IsWhole => _taken.All(table => table is not null);

    /// <summary>A component's, row by row.</summary>
    public int* Of(int component) => (int*)Marshal.UnsafeAddrOfPinnedArrayElement(_taken[component]!, 0);

    /// <summary>Reads a segment of tables.</summary>
    public void Read(ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            int wide = data[0] >> 4 == 0 ? 1 : 2, number = data[0] & 15;
            if (number >= Tables || data.Length < 1 + wide * Coefficients)
                throw JpegReader.Unreadable("a quantization table makes no sense");
            int[] table = GC.AllocateArray<int>(Coefficients, pinned: true);
            for (int k = 0; k < Coefficients; k++)
            {
                table[JpegZigzag.Order[k]] = wide == 1 ? data[1 + k] : data[1 + 2 * k] << 8 | data[2 + 2 * k];
            }
            _tables[number] = table;
            data = data[(1 + wide * Coefficients)..];
        }
    }

    /// <summary>The table in force is a component's from its first scan on.</summary>
    public void Take(int component)
    {
        int number = frame.Components[component].Table;
        _taken[component] ??= (number < Tables ? _tables[number] : null)
            ?? throw JpegReader.Unreadable("a quantization table is missing");
    }
}
