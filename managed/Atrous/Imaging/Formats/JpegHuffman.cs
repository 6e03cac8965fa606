namespace Atrous.Imaging.Formats;

/// <summary>A Huffman code of a JPEG, ready to be read with.</summary>
internal sealed unsafe class JpegHuffman
{
    /// <summary>Codes of so many bits or fewer are looked up at once.</summary>
    public const int LookBits = 10;

    public const int MostBits = 16;

    /// <summary>
    /// Motion JPEG's frames leave out these four: ITU-T T.81, annex K.3. Those of brightness come first, DC before AC.
    /// </summary>
    private static readonly string[] Standard =
    [
        "00010501010101010100000000000000000102030405060708090a0b",
        "0002010303020403050504040000017d01020300041105122131410613516107227114328191a1082342b1c11552d1f0"
            + "2433627282090a161718191a25262728292a3435363738393a434445464748494a535455565758595a63646566676869"
            + "6a737475767778797a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5"
            + "c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa",
        "00030101010101010101010000000000000102030405060708090a0b",
        "00020102040403040705040400010277000102031104052131061241510761711322328108144291a1b1c109233352f0"
            + "156272d10a162434e125f11718191a262728292a35363738393a434445464748494a535455565758595a636465666768"
            + "696a737475767778797a82838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3"
            + "c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa",
    ];

    // Pinned, so that reading takes no checks of bounds.
    private readonly ushort[] _look = GC.AllocateArray<ushort>(1 << LookBits, pinned: true);
    private readonly int[] _highest = new int[MostBits + 1], _offset = new int[MostBits + 1];
    private readonly byte[] _symbols = new byte[256];

    /// <param name="table">The number of codes of each length, 1 to 16 bits, then what each stands for.</param>
    /// <exception cref="ImageException">This is no code.</exception>
    public JpegHuffman(ReadOnlySpan<byte> table)
    {
        table[MostBits..].CopyTo(_symbols);
        int code = 0, symbol = 0;
        for (int bits = 1; bits <= MostBits; bits++, code <<= 1)
        {
            int count = table[bits - 1];
            _offset[bits] = symbol - code;
            for (int i = 0; i < count; i++, code++, symbol++)
            {
                if (bits > LookBits)
                    continue;
                int from = code << (LookBits - bits), end = Math.Min(from + (1 << (LookBits - bits)), 1 << LookBits);
                for (int at = from; at < end; at++)
                    _look[at] = (ushort)(_symbols[symbol] << 8 | bits);
            }
            // None consists of ones alone.
            if (code >= 1 << bits)
                throw JpegReader.Unreadable("a Huffman table makes no sense");
            _highest[bits] = count == 0 ? -1 : code - 1;
        }
        Look = (ushort*)System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(_look, 0);
    }

    /// <summary>
    /// By the next bits: what they stand for in the upper byte, the length of their code in the lower; 0 for longer
    /// ones.
    /// </summary>
    public ushort* Look { get; }

    /// <summary>Bytes of a table in the file, its lengths included; -1 where it makes no sense.</summary>
    public static int SizeOf(ReadOnlySpan<byte> table)
    {
        int symbols = 0;
        if (table.Length < MostBits)
            return -1;
        for (int i = 0; i < MostBits; i++)
            symbols += table[i];
        return symbols <= 256 && MostBits + symbols <= table.Length ? MostBits + symbols : -1;
    }

    /// <summary>Where files may leave a table out: number 0 or 1.</summary>
    public static JpegHuffman OfStandard(int number, bool ac) =>
        new(Convert.FromHexString(Standard[2 * number + (ac ? 1 : 0)]));

    /// <summary>A code too long for the table: what it stands for, and its length; -1 where it is none.</summary>
    public int Find(ulong bits, out int length)
    {
        for (length = LookBits + 1; length <= MostBits; length++)
        {
            int code = (int)(bits >> (64 - length));
            if (code <= _highest[length])
                return _symbols[code + _offset[length] & 0xFF];
        }
        return -1;
    }
}
