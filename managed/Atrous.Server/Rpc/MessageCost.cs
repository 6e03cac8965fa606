using System.Buffers;

namespace Atrous.Server.Rpc;

/// <summary>
/// What reading a ModelInferRequest takes in memory, roughly and rather too much, from its bytes: two of them can
/// become an object, and one can become a number of eight that stands in a list with room for as many again.
/// </summary>
internal static class MessageCost
{
    // Numbers of fields in inference.proto.
    private const int Inputs = 5, Outputs = 6, RawInputs = 7, Parameters = 4, Shape = 3, Contents = 5;
    private const int FirstNumbers = 1, LastVarints = 5, LastNumbers = 7, BytesElements = 8;

    private const int Object = 400, Reference = 64, Text = 2, Varint = 16, Fixed = 2;

    // Of protobuf's wire format.
    private const int WireVarint = 0, Wire64 = 1, WireDelimited = 2, WireGroup = 3, WireEndOfGroup = 4, Wire32 = 5;

    /// <summary>The bytes that the message takes once it is read; what is broken is left to the parser.</summary>
    public static long Of(ReadOnlySequence<byte> message)
    {
        long cost = 0;
        var reader = new SequenceReader<byte>(message);
        while (Next(ref reader, out int field, out int wire, out ReadOnlySequence<byte> value))
        {
            cost += (field, wire) switch
            {
                (Inputs, WireDelimited) => Object + OfInput(value),
                (Outputs, WireDelimited) => Object + OfOther(value),
                (Parameters, WireDelimited) => Object + OfOther(value),
                (RawInputs, WireDelimited) => Reference + value.Length,
                _ => Object + Text * value.Length,
            };
        }
        return cost;
    }

    private static long OfInput(ReadOnlySequence<byte> message)
    {
        long cost = 0;
        var reader = new SequenceReader<byte>(message);
        while (Next(ref reader, out int field, out int wire, out ReadOnlySequence<byte> value))
        {
            cost += (field, wire) switch
            {
                (Shape, WireDelimited) => Varint * value.Length,
                (Shape, WireVarint) => Varint,
                (Parameters, WireDelimited) => Object + OfOther(value),
                (Contents, WireDelimited) => Object + OfContents(value),
                _ => Object + Text * value.Length,
            };
        }
        return cost;
    }

    private static long OfContents(ReadOnlySequence<byte> message)
    {
        long cost = 0;
        var reader = new SequenceReader<byte>(message);
        while (Next(ref reader, out int field, out int wire, out ReadOnlySequence<byte> value))
        {
            cost += (field, wire) switch
            {
                ( >= FirstNumbers and <= LastVarints, WireDelimited) => Varint * value.Length,
                ( > LastVarints and <= LastNumbers, WireDelimited) => Fixed * value.Length,
                ( >= FirstNumbers and <= LastNumbers, _) => Varint,
                (BytesElements, WireDelimited) => Reference + value.Length,
                _ => Object + Text * value.Length,
            };
        }
        return cost;
    }

    /// <summary>A message of texts and numbers.</summary>
    private static long OfOther(ReadOnlySequence<byte> message)
    {
        long cost = 0;
        var reader = new SequenceReader<byte>(message);
        while (Next(ref reader, out _, out _, out ReadOnlySequence<byte> value))
            cost += Object + Text * value.Length;
        return cost;
    }

    /// <summary>
    /// The next field, with the bytes of a delimited one; false at the end, and where nothing can be read.
    /// </summary>
    private static bool Next(
        ref SequenceReader<byte> reader, out int field, out int wire, out ReadOnlySequence<byte> value)
    {
        (field, wire, value) = (0, 0, default);
        if (!TryVarint(ref reader, out ulong tag))
            return false;
        // The parser drops what is above 32 bits, of tags and of lengths.
        (field, wire) = ((int)((uint)tag >> 3), (int)(tag & 7));
        switch (wire)
        {
            // The parser keeps a group that it does not know: its fields are counted as the message's own.
            case WireGroup or WireEndOfGroup:
                return true;
            case WireVarint:
                return TryVarint(ref reader, out _);
            case Wire64 when reader.Remaining >= sizeof(ulong):
                reader.Advance(sizeof(ulong));
                return true;
            case Wire32 when reader.Remaining >= sizeof(uint):
                reader.Advance(sizeof(uint));
                return true;
            case WireDelimited:
                if (!TryVarint(ref reader, out ulong sent) || (uint)sent > reader.Remaining)
                    return false;
                value = reader.UnreadSequence.Slice(0, (uint)sent);
                reader.Advance((uint)sent);
                return true;
            default:
                return false;
        }
    }

    private static bool TryVarint(ref SequenceReader<byte> reader, out ulong value)
    {
        const int most = 64, bits = 7;
        value = 0;
        for (int shift = 0; shift < most; shift += bits)
        {
            if (!reader.TryRead(out byte next))
                return false;
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
                return true;
        }
        return false;
    }
}
