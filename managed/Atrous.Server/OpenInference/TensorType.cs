namespace Atrous.Server.OpenInference;

/// <summary>
/// The protocol's element types (Open Inference Protocol v2, "Tensor Data Types", and Triton's BF16).
/// </summary>
internal enum TensorType
{
    Bool,
    UInt8,
    UInt16,
    UInt32,
    UInt64,
    Int8,
    Int16,
    Int32,
    Int64,
    Fp16,
    Bf16,
    Fp32,
    Fp64,

    /// <summary>Strings of bytes, each with a length of its own.</summary>
    Bytes,
}

/// <summary>Facts about the element types.</summary>
internal static class TensorTypes
{
    private static readonly (string Name, int Size)[] Facts =
    [
        ("BOOL", 1), ("UINT8", 1), ("UINT16", 2), ("UINT32", 4), ("UINT64", 8), ("INT8", 1), ("INT16", 2), ("INT32", 4),
            ("INT64", 8),
        ("FP16", 2), ("BF16", 2), ("FP32", 4), ("FP64", 8), ("BYTES", 0),
    ];

    /// <summary>As the protocol writes it.</summary>
    public static string Name(this TensorType type) => Facts[(int)type].Name;

    /// <summary>Bytes of an element; 0 for <see cref="TensorType.Bytes"/>.</summary>
    public static int SizeInBytes(this TensorType type) => Facts[(int)type].Size;

    /// <exception cref="ProtocolException">There is no such type; letters' case counts.</exception>
    public static TensorType Parse(string name)
    {
        int index = Array.FindIndex(Facts, fact => fact.Name == name);
        return index >= 0
            ? (TensorType)index
            : throw new ProtocolException(
                $"There is no datatype {ProtocolException.Quote(name)}; use one of " +
                $"{string.Join(", ", Facts.Select(fact => fact.Name))}.");
    }
}
