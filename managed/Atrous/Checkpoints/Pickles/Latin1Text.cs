using System.Numerics;
using System.Runtime.InteropServices;
using Atrous.Checkpoints.Storages;
using Atrous.Files;

namespace Atrous.Checkpoints.Pickles;

/// <summary>
/// Bytes that a pickle of protocol 2 written by Python 3 carries as text: each byte a character of Latin-1, in UTF-8.
/// They are unpacked while they are read, so that large arrays need no copy.
/// </summary>
internal sealed class Latin1Text : Storage
{
    private const int BufferBytes = 1 << 16;

    private readonly CheckpointFile _file;
    private readonly ByteRegion _utf8;

    public Latin1Text(CheckpointFile file, ByteRegion utf8)
    {
        _file = file;
        _utf8 = utf8;
        Length = CountCharacters();
    }

    public override long Length { get; }

    public override Stream OpenAt(long offset) => ForwardStream.Skip(new Decoder(_file, _utf8), offset);

    /// <summary>Every byte of UTF-8 that does not continue a character begins one.</summary>
    private long CountCharacters()
    {
        var buffer = new byte[(int)Math.Min(_utf8.Length, BufferBytes)];
        long continuations = 0;
        for (long position = 0; position < _utf8.Length; position += buffer.Length)
        {
            Span<sbyte> chunk = MemoryMarshal.Cast<byte, sbyte>(
                buffer.AsSpan(0, (int)Math.Min(buffer.Length, _utf8.Length - position)));
            _utf8.Read(position, MemoryMarshal.AsBytes(chunk));
            int i = 0;
            for (; i <= chunk.Length - Vector<sbyte>.Count; i += Vector<sbyte>.Count)
                continuations -= Vector.Sum(Vector.LessThan(new Vector<sbyte>(chunk[i..]), new Vector<sbyte>(-64)));
            for (; i < chunk.Length; i++)
                continuations += chunk[i] < -64 ? 1 : 0;
        }
        return _utf8.Length - continuations;
    }

    private sealed class Decoder(CheckpointFile file, ByteRegion utf8) : ForwardStream
    {
        private readonly byte[] _buffer = new byte[BufferBytes];
        private long _position;
        private int _length;
        private int _next;

        public override int Read(Span<byte> destination)
        {
            int written = 0;
            while (written < destination.Length && TryFill())
            {
                // Without branches on the data, which is random: U+0080 to U+00FF are C2 80 to C3 BF.
                ReadOnlySpan<byte> source = _buffer.AsSpan(0, _length);
                int next = _next;
                uint invalid = 0;
                while (written < destination.Length && next < source.Length - 1)
                {
                    uint first = source[next];
                    uint second = source[next + 1];
                    uint isPair = first >> 7;
                    uint pairMask = 0 - isPair;
                    invalid |= (first & 0xfe ^ 0xc2 | second & 0xc0 ^ 0x80) & pairMask;
                    destination[written++] = (byte)(first & ~pairMask | (first << 6 | second & 0x3f) & pairMask);
                    next += 1 + (int)isPair;
                }
                // The very last byte of the text stands alone.
                if (written < destination.Length && next == source.Length - 1 && _position == utf8.Length)
                {
                    invalid |= source[next] & 0x80u;
                    destination[written++] = source[next++];
                }
                _next = next;
                if (invalid != 0)
                    throw file.Error("is damaged: bytes that it stores as text are no Latin-1");
            }
            return written;
        }

        /// <summary>Two bytes at least, as long as there are two; false at the end.</summary>
        private bool TryFill()
        {
            int left = _length - _next;
            if (left >= 2 || _position == utf8.Length)
                return left > 0;
            _buffer.AsSpan(_next, left).CopyTo(_buffer);
            int count = (int)Math.Min(_buffer.Length - left, utf8.Length - _position);
            utf8.Read(_position, _buffer.AsSpan(left, count));
            _position += count;
            _length = left + count;
            _next = 0;
            return true;
        }
    }
}
