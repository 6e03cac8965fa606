using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace Atrous.Fuzz;

/// <summary>Changes to bytes: blind ones, and those that keep to a format's own parts.</summary>
internal static class Mutation
{
    private static readonly long[] Numbers =
    [
        0, 1, -1, 2, 127, 128, 255, 256, 32767, 65535, 65536, int.MaxValue, int.MinValue, uint.MaxValue, 1L << 32,
        long.MaxValue, long.MinValue, 1L << 53, 1032,
    ];

    private static readonly string[] JsonParts =
    [
        "null", "true", "-1", "0", "1e999", "1e-999", "18446744073709551616", "\"\"", "\"\\ud800\"", "\"\\u0000\"",
        "\"\\udc00\\ud800\"", "[]", "{}", "[[]]", "{\"a\":1,\"a\":2}", "[null]", "\"x\"", "\"\\ud800\":1", "0.5", "[1,2]", "\"\u0093\"",
    ];

    private static readonly string[] PickleParts =
    [
        "(", "0", "1", "2", "N", "}", "]", ")", "t", "l", "d", "e", "a", "s", "u", "R", "b", "o", "\u0081", "\u0085",
        "\u0086", "\u0087", "\u0088", "\u008f", "\u0090", "\u0091", "\u0093", "\u0094", "K\u0001", "K\u0000", "J\u00ff\u00ff\u00ff\u007f",
        "I1\n", "L5L\n", "F0.5\n", "S'w'\n", "Vstate_dict\n", "V\\ud800\n", "U\u0001w", "X\u0001\0\0\0w", "C\u0004abcd",
        "\u008a\u0008\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u007f", "G?\u00f0\0\0\0\0\0\0", "q\u0000", "h\u0000", "p1\n", "g1\n",
        "ccollections\nOrderedDict\n", "c__builtin__\nlist\n", "c__builtin__\ndict\n", "c__builtin__\nset\n",
        "c__builtin__\ngetattr\n", "c_codecs\nencode\n", "ccopy_reg\n_reconstructor\n", "ctorch._utils\n_rebuild_tensor_v2\n",
        "ctorch._utils\n_rebuild_parameter\n", "ctorch\nFloatStorage\n", "cnumpy\nndarray\n", "cnumpy\ndtype\n",
        "cnumpy.core.multiarray\n_reconstruct\n", "cnumpy.core.multiarray\nscalar\n", "cos\nsystem\n", "cm\nModule\n",
        "S'_parameters'\n", "S'_modules'\n", "S'hyper_parameters'\n", "S'meta'\n", "(S'storage'\nctorch\nFloatStorage\nS'0'\nS'cpu'\nI2\ntQ",
        "(I0\n(I2\nt(I1\nt", "S'f4'\n", "S'abcd'\n", "S'latin1'\n", "i", "P0\n", ".", "\u0080\u0002",
    ];

    private static readonly string[] PythonParts =
    [
        "a", "b", "model", "dict(", "**", "=", "(", ")", "[", "]", "{", "}", ",", ":", ";", "\n", "\\\n", "#", "'", "\"",
        "'''", "r'", "b'", "f'", "'\\x4'", "'\\ud800'", "-", "+", "*", ".", "1", "1e999", "0x10", "1_0", "True", "None",
        "9223372036854775808", "if", "for x in y", "a = [b, b, b, b]\nb = [a, a, a]\n", "a = b = 1\n", "a.b(", "a[0]",
        "a += 1\n",
    ];

    /// <summary>A few changes that know nothing of the format.</summary>
    public static byte[] Blind(Random random, byte[] input)
    {
        var bytes = new List<byte>(input);
        for (int i = random.Next(1, 5); i > 0; i--)
            Change(random, bytes);
        return [.. bytes];
    }

    /// <summary>Opcodes and their arguments put in, taken out or doubled; blind changes now and then.</summary>
    public static byte[] OfPickle(Random random, byte[] input) =>
        random.Next(4) == 0 ? Blind(random, input) : [.. OfParts(random, input, PickleParts), (byte)'.'];

    /// <summary>Words and signs of Python put in, taken out or doubled; blind changes now and then.</summary>
    public static byte[] OfPython(Random random, byte[] input) =>
        random.Next(4) == 0 ? Blind(random, input) : OfParts(random, input, PythonParts);

    /// <summary>Blind changes; those of a PNG are hidden from its checksums, some of a TIFF its directory's.</summary>
    public static byte[] OfPicture(Random random, byte[] input)
    {
        if (input.AsSpan().StartsWith("II*\0"u8) && random.Next(2) == 0)
            return OfTiff(random, input);
        byte[] bytes = Blind(random, input);
        for (int at = 8; random.Next(8) > 0 && at + 12 <= bytes.Length && bytes[1] == 'P';)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(at));
            if (length < 0 || length > bytes.Length - at - 12)
                break;
            uint sum = Crc32.HashToUInt32(bytes.AsSpan(at + 4, length + 4));
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(at + 8 + length), sum);
            at += 12 + length;
        }
        return bytes;
    }

    /// <summary>Types, counts and values of a directory's entries.</summary>
    private static byte[] OfTiff(Random random, byte[] input)
    {
        byte[] bytes = [.. input];
        int directory = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(4));
        if (directory < 8 || directory > bytes.Length - 2)
            return Blind(random, input);
        int entries = BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(directory));
        for (int i = random.Next(1, 4); i > 0 && entries > 0; i--)
        {
            int at = directory + 2 + 12 * random.Next(entries);
            if (at > bytes.Length - 12)
                continue;
            Span<byte> entry = bytes.AsSpan(at, 12);
            switch (random.Next(8))
            {
                case 0:
                    BinaryPrimitives.WriteUInt16LittleEndian(entry[2..], (ushort)random.Next(20));
                    break;
                case 1:
                    BinaryPrimitives.WriteInt32LittleEndian(entry[4..], unchecked((int)Any(random)));
                    break;
                case 2:
                    BinaryPrimitives.WriteUInt16LittleEndian(entry, (ushort)random.Next(254, 350));
                    break;
                case 3:
                    BinaryPrimitives.WriteInt32LittleEndian(entry[8..], random.Next(70));
                    break;
                default:
                    BinaryPrimitives.WriteInt32LittleEndian(entry[8..], unchecked((int)Any(random)));
                    break;
            }
        }
        return bytes;
    }

    /// <summary>Values of a JSON text replaced; blind changes now and then.</summary>
    public static byte[] OfJson(Random random, byte[] input)
    {
        if (random.Next(4) == 0)
            return Blind(random, input);
        string text = Encoding.Latin1.GetString(input);
        for (int i = random.Next(1, 4); i > 0; i--)
        {
            int[] places = [.. Enumerable.Range(0, text.Length).Where(at => text[at] is ':' or ',' or '[')];
            if (places.Length == 0)
                break;
            int start = places[random.Next(places.Length)] + 1;
            int end = text.IndexOfAny([',', '}', ']'], start);
            string part = JsonParts[random.Next(JsonParts.Length)];
            text = text[..start] + part + (end < 0 || random.Next(8) == 0 ? "" : text[end..]);
        }
        return Encoding.Latin1.GetBytes(text);
    }

    private static byte[] OfParts(Random random, byte[] input, string[] parts)
    {
        var text = new StringBuilder(Encoding.Latin1.GetString(input));
        for (int i = random.Next(1, 12); i > 0; i--)
            text.Insert(random.Next(text.Length + 1), parts[random.Next(parts.Length)]);
        if (random.Next(3) == 0)
        {
            // A part of it many times over, as bombs have it.
            int start = random.Next(text.Length), length = Math.Min(random.Next(1, 40), text.Length - start);
            string part = text.ToString(start, length);
            text.Insert(start, string.Concat(Enumerable.Repeat(part, random.Next(1, 3000))));
        }
        return Encoding.Latin1.GetBytes(text.ToString());
    }

    private static void Change(Random random, List<byte> bytes)
    {
        int at = random.Next(bytes.Count + 1), length = Math.Min(random.Next(1, 9), bytes.Count - at);
        switch (random.Next(6))
        {
            case 0 when at < bytes.Count:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1:
                bytes.InsertRange(at, Number(random));
                break;
            case 2:
                bytes.RemoveRange(at, length);
                break;
            case 3:
                bytes.InsertRange(at, bytes.GetRange(at, length));
                break;
            case 4:
                byte[] number = Number(random);
                for (int i = 0; i < number.Length && at + i < bytes.Count; i++)
                    bytes[at + i] = number[i];
                break;
            default:
                bytes.RemoveRange(at, random.Next(8) == 0 ? bytes.Count - at : 0);
                break;
        }
    }

    private static long Any(Random random) => Numbers[random.Next(Numbers.Length)];

    private static byte[] Number(Random random)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, Any(random));
        return bytes[..(1 << random.Next(4))];
    }
}
