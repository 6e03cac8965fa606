namespace Atrous.Checkpoints.Containers.Pickles;

/// <summary>
/// Bytes that a pickle of protocol 2 written by Python 3 carries as text: each byte a character of Latin-1, in UTF-8. They are
/// unpacked while they are read, so that large arrays need no copy.
/// </summary>
internal sealed class Latin1Text : Storage
{
    private readonly CheckpointFile _file;
    private readonly ByteRegion _utf8;

    public Latin1Text(CheckpointFile file, ByteRegion utf8)
    {
        _file = file;
        _utf8 = utf8;
        Length = CountCharacters();
    }

    public override long Length { get; }

    public override Stream OpenAt(long offset)
    {
        var stream = new Decoder(_file, _utf8);
        var skipped = new byte[(int)Math.Min(offset, 1 << 16)];
        for (long left = offset; left > 0; left -= Math.Min(left, skipped.Length))
            stream.ReadExactly(skipped, 0, (int)Math.Min(left, skipped.Length));
        return stream;
    }

    private long CountCharacters()
    {
        var buffer = new byte[(int)Math.Min(_utf8.Length, 1 << 16)];
        long characters = 0;
        for (long position = 0; position < _utf8.Length; position += buffer.Length)
        {
            Span<byte> chunk = buffer.AsSpan(0, (int)Math.Min(buffer.Length, _utf8.Length - position));
            _utf8.Read(position, chunk);
            foreach (byte unit in chunk)
                characters += (unit & 0xc0) != 0x80 ? 1 : 0;
        }
        return characters;
    }

    private sealed class Decoder(CheckpointFile file, ByteRegion utf8) : ForwardStream
    {
        private readonly byte[] _buffer = new byte[1 << 14];
        private long _position;
        private int _length;
        private int _next;

        public override int Read(Span<byte> destination)
        {
            int written = 0;
            while (written < destination.Length && Next() is { } first)
            {
                // U+0080 to U+00FF are C2 80 to C3 BF.
                if (first < 0x80)
                    destination[written++] = first;
                else if (first is 0xc2 or 0xc3 && Next() is { } second && (second & 0xc0) == 0x80)
                    destination[written++] = (byte)((first & 3) << 6 | second & 0x3f);
                else
                    throw file.Error("is damaged: bytes that it stores as text are no Latin-1");
            }
            return written;
        }

        private byte? Next()
        {
            if (_next == _length)
            {
                _length = (int)Math.Min(_buffer.Length, utf8.Length - _position);
                if (_length == 0)
                    return null;
                utf8.Read(_position, _buffer.AsSpan(0, _length));
                _position += _length;
                _next = 0;
            }
            return _buffer[_next++];
        }
    }
}
