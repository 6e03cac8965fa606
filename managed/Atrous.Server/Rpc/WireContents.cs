using System.Buffers.Binary;
using Atrous.Server.OpenInference;
using Atrous.Server.Rpc.Wire;

namespace Atrous.Server.Rpc;

/// <summary>Elements in protobuf's lists of numbers, as the little-endian bytes that every other form has.</summary>
internal static class WireContents
{
    /// <summary>The elements of the list that the type has.</summary>
    /// <param name="name">The input's name, for errors.</param>
    /// <param name="type">The type of the elements, which is not BYTES.</param>
    /// <param name="contents">The lists, of which the others are empty.</param>
    /// <exception cref="ProtocolException">
    /// The elements are in another list, are none of the type, or have no such form.
    /// </exception>
    public static byte[] BytesOf(string name, TensorType type, InferTensorContents contents)
    {
        int size = type.SizeInBytes();
        return type switch
        {
            TensorType.Bool => Pack(name, type, contents, contents.BoolContents, size, Bool),
            TensorType.Int8 => Pack(name, type, contents, contents.IntContents, size, Int8),
            TensorType.Int16 => Pack(name, type, contents, contents.IntContents, size, Int16),
            TensorType.Int32 => Pack(
                name, type, contents, contents.IntContents, size, BinaryPrimitives.TryWriteInt32LittleEndian),
            TensorType.Int64 => Pack(
                name, type, contents, contents.Int64Contents, size, BinaryPrimitives.TryWriteInt64LittleEndian),
            TensorType.UInt8 => Pack(name, type, contents, contents.UintContents, size, UInt8),
            TensorType.UInt16 => Pack(name, type, contents, contents.UintContents, size, UInt16),
            TensorType.UInt32 => Pack(
                name, type, contents, contents.UintContents, size, BinaryPrimitives.TryWriteUInt32LittleEndian),
            TensorType.UInt64 => Pack(
                name, type, contents, contents.Uint64Contents, size, BinaryPrimitives.TryWriteUInt64LittleEndian),
            TensorType.Fp32 => Pack(
                name, type, contents, contents.Fp32Contents, size, BinaryPrimitives.TryWriteSingleLittleEndian),
            TensorType.Fp64 => Pack(
                name, type, contents, contents.Fp64Contents, size, BinaryPrimitives.TryWriteDoubleLittleEndian),
            _ => throw new ProtocolException(
                $"Input {ProtocolException.Quote(name)}: {type.Name()} has no list in contents; send it as "
                + "raw_input_contents."),
        };
    }

    /// <summary>Writes an element; false where the type cannot hold it.</summary>
    private delegate bool Write<T>(Span<byte> bytes, T element);

    private static byte[] Pack<T>(
        string name, TensorType type, InferTensorContents contents, IReadOnlyList<T> elements, int size, Write<T> write)
    {
        int all = contents.BoolContents.Count + contents.IntContents.Count + contents.Int64Contents.Count
            + contents.UintContents.Count + contents.Uint64Contents.Count + contents.Fp32Contents.Count
            + contents.Fp64Contents.Count + contents.BytesContents.Count;
        if (all != elements.Count)
            throw new ProtocolException(
                $"Input {ProtocolException.Quote(name)} is {type.Name()}, and has elements in another list of its "
                + "contents.");
        var bytes = new byte[(long)elements.Count * size];
        for (int i = 0; i < elements.Count; i++)
        {
            if (!write(bytes.AsSpan(i * size, size), elements[i]))
                throw new ProtocolException(
                    $"Input {ProtocolException.Quote(name)}: element {i} is {elements[i]}, which {type.Name()} cannot "
                    + "hold.");
        }
        return bytes;
    }

    private static bool Bool(Span<byte> bytes, bool element)
    {
        bytes[0] = element ? (byte)1 : (byte)0;
        return true;
    }

    private static bool Int8(Span<byte> bytes, int element)
    {
        bytes[0] = (byte)element;
        return (sbyte)element == element;
    }

    private static bool Int16(Span<byte> bytes, int element) =>
        (short)element == element && BinaryPrimitives.TryWriteInt16LittleEndian(bytes, (short)element);

    private static bool UInt8(Span<byte> bytes, uint element)
    {
        bytes[0] = (byte)element;
        return (byte)element == element;
    }

    private static bool UInt16(Span<byte> bytes, uint element) =>
        (ushort)element == element && BinaryPrimitives.TryWriteUInt16LittleEndian(bytes, (ushort)element);
}
