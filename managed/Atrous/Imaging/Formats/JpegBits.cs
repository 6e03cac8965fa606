using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Atrous.Imaging.Formats;

/// <summary>The bits of a JPEG's scan. Behind its end there are zeros, and <see cref="IsShort"/> tells.</summary>
internal unsafe struct JpegBits(byte* next, byte* end)
{
    private const int Enough = 32;

    private readonly byte* _fileEnd = end;

    /// <summary>The next bits, the first of them the highest, and how many they are.</summary>
    private ulong _bits;
    private int _count;
    private byte* _next = next, _end = end;

    /// <summary>The marker at which the bits end; 0 as long as none was met.</summary>
    public byte Marker { get; private set; }

    /// <summary>The file ended where bits were looked for.</summary>
    public bool IsAtFileEnd { get; private set; }

    /// <summary>More bits were read than there were.</summary>
    public bool IsShort { get; private set; }

    /// <summary>The first byte that was not looked at; behind the marker where one was met.</summary>
    public readonly byte* Next => _next;

    /// <summary>Goes on behind a marker.</summary>
    public void Restart(byte* behind)
    {
        (_bits, _count, Marker) = (0, 0, 0);
        _next = behind;
        _end = _fileEnd;
    }

    /// <summary>Reads a code and returns what it stands for.</summary>
    public int Symbol(JpegHuffman code)
    {
        Fill();
        int found = code.Look[_bits >> (64 - JpegHuffman.LookBits)], length = found & 0xFF;
        int symbol = found >> 8;
        if (found == 0)
            symbol = Long(code, _bits, out length);
        Consume(length);
        return symbol;
    }

    /// <summary>Reads 0 to 16 bits as a number.</summary>
    public int Number(int bits)
    {
        Fill();
        int number = bits == 0 ? 0 : (int)(_bits >> (64 - bits));
        Consume(bits);
        return number;
    }

    /// <summary>Reads so many bits as a coefficient: those that begin with 0 are negative.</summary>
    public int Coefficient(int bits)
    {
        int number = Number(bits);
        return bits == 0 || number >> (bits - 1) != 0 ? number : number - (1 << bits) + 1;
    }

    /// <summary>Reads the coefficients of a block of a sequential JPEG, behind its first, into zeros.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void ReadBlock(JpegHuffman ac, short* block)
    {
        ushort* look = ac.Look;
        ulong bits = _bits;
        int count = _count;
        for (int k = 1; k < 64; k++)
        {
            if (count < Enough)
            {
                (_bits, _count) = (bits, count);
                Fill();
                (bits, count) = (_bits, _count);
            }
            int found = look[bits >> (64 - JpegHuffman.LookBits)], length = found & 0xFF, symbol = found >> 8;
            if (found == 0)
                symbol = Long(ac, bits, out length);
            bits <<= length;
            int size = symbol & 15, run = symbol >> 4;
            k += run;
            if (size == 0)
            {
                count -= length;
                if (run != 15)
                    break;
                continue;
            }
            int value = (int)(bits >> (64 - size));
            // Those that begin with 0 are negative.
            value += ((int)~(bits >> 63) & 1) * (1 - (1 << size));
            bits <<= size;
            count -= length + size;
            block[JpegZigzag.Order[k]] = (short)value;
        }
        (_bits, _count) = (bits, count);
        IsShort |= count < 0;
    }

    private static int Long(JpegHuffman code, ulong bits, out int length)
    {
        int symbol = code.Find(bits, out length);
        return symbol >= 0 ? symbol : throw JpegReader.Unreadable("its data are damaged");
    }

    private void Consume(int bits)
    {
        _bits <<= bits;
        _count -= bits;
        IsShort |= _count < 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Fill()
    {
        if (_count >= Enough)
            return;
        if (_end - _next >= sizeof(ulong) && _count >= 0)
        {
            ulong bytes = BinaryPrimitives.ReadUInt64BigEndian(new ReadOnlySpan<byte>(_next, sizeof(ulong)));
            // No byte of them is 0xFF.
            if ((((bytes & 0x7F7F7F7F7F7F7F7F) + 0x0101010101010101) & bytes & 0x8080808080808080) == 0)
            {
                // Of a last part of a byte the bits are taken again next time.
                _bits |= bytes >> _count;
                int whole = (63 - _count) >> 3;
                _next += whole;
                _count += whole << 3;
                return;
            }
        }
        FillByByte();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void FillByByte()
    {
        if (_count < 0)
            (_bits, _count) = (0, 0);
        for (; _count <= 56; _count += 8)
        {
            if (_next == _end)
            {
                IsAtFileEnd |= Marker == 0;
                return;
            }
            byte value = *_next++;
            if (value == byte.MaxValue)
            {
                byte code = byte.MaxValue;
                while (code == byte.MaxValue && _next < _end)
                    code = *_next++;
                if (code != 0)
                {
                    // No bits come behind a marker, nor behind the file's end, whose last byte this was.
                    (IsAtFileEnd, Marker) = code == byte.MaxValue ? (true, (byte)0) : (IsAtFileEnd, code);
                    _end = _next;
                    return;
                }
            }
            _bits |= (ulong)value << (56 - _count);
        }
    }
}
