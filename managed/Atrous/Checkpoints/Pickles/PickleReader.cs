using System.Buffers.Binary;
using System.Text;
using Atrous.Checkpoints.Storages;

namespace Atrous.Checkpoints.Pickles;

/// <summary>
/// The bytes of a pickle in order, through a small buffer. Long values are not copied but pointed at.
/// </summary>
internal sealed class PickleReader(CheckpointFile file, ByteRegion region)
{
    private const int MaxInlineBytes = 1 << 16;
    private const long MaxTextBytes = 16 << 20;

    private static readonly UTF8Encoding StrictUtf8 =
        new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly byte[] _buffer = new byte[MaxInlineBytes];
    private long _bufferStart;
    private int _bufferLength;
    private int _next;
    private long _textBytes;

    /// <summary>From the region's start.</summary>
    public long Position => _bufferStart + _next;

    /// <summary>What may be held of the file.</summary>
    public ReadBudget Budget => file.Budget;

    public byte ReadByte() => Take(1)[0];

    public int ReadUInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    public int ReadInt32() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

    public uint ReadUInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    public ulong ReadUInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    public double ReadDouble() => BinaryPrimitives.ReadDoubleBigEndian(Take(8));

    /// <summary>Up to 64 KiB, valid until the next read.</summary>
    public ReadOnlySpan<byte> Take(int count)
    {
        if (count > _bufferLength - _next)
            Refill(count);
        ReadOnlySpan<byte> bytes = _buffer.AsSpan(_next, count);
        _next += count;
        return bytes;
    }

    /// <summary>Text in UTF-8: a string, or a <see cref="PickleLongText"/>.</summary>
    public object ReadUnicode(ulong length) =>
        length > MaxInlineBytes ? new PickleLongText(Skip(length)) : Decode(StrictUtf8, Take((int)length));

    /// <summary>
    /// A byte string of Python 2, where text and bytes are one: a string of Latin-1 characters, or bytes when it is
    /// long.
    /// </summary>
    public object ReadByteString(ulong length) =>
        length > MaxInlineBytes ? new PickleBytes(Skip(length)) : Decode(Encoding.Latin1, Take((int)length));

    public PickleBytes ReadBytes(ulong length) => new(Skip(length));

    /// <summary>A line of ASCII without its end.</summary>
    public string ReadLine()
    {
        int length;
        while ((length = _buffer.AsSpan(_next, _bufferLength - _next).IndexOf((byte)'\n')) < 0)
        {
            int read = _bufferLength - _next;
            if (read == _buffer.Length)
                throw Error("has a line of more than 64 KiB");
            Refill(read + 1);
        }
        return Decode(Encoding.Latin1, Take(length + 1)[..length]);
    }

    /// <summary>A frame only announces bytes; it must not announce more than there are.</summary>
    public void CheckFrame(ulong length)
    {
        if (length > (ulong)(region.Length - Position))
            throw Error("is truncated");
    }

    public ModelException Error(string problem, Exception? inner = null) =>
        file.Error($"holds a pickle that cannot be read: it {problem} at byte {Position}", inner);

    private ByteRegion Skip(ulong length)
    {
        CheckFrame(length);
        ByteRegion skipped = region.Slice(Position, (long)length);
        long target = Position + (long)length;
        if (target <= _bufferStart + _bufferLength)
        {
            _next = (int)(target - _bufferStart);
        }
        else
        {
            _bufferStart = target;
            _bufferLength = _next = 0;
        }
        return skipped;
    }

    private string Decode(Encoding encoding, ReadOnlySpan<byte> bytes)
    {
        _textBytes += bytes.Length;
        if (_textBytes > MaxTextBytes)
            throw Error("has more than 16 MiB of text");
        try
        {
            return encoding.GetString(bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw Error("has a text that is not UTF-8", e);
        }
    }

    private void Refill(int count)
    {
        CheckFrame((ulong)count);
        long position = Position;
        int length = (int)Math.Min(_buffer.Length, region.Length - position);
        region.Read(position, _buffer.AsSpan(0, length));
        _bufferStart = position;
        _bufferLength = length;
        _next = 0;
    }
}
