using Atrous.Tensors;

namespace Atrous.Checkpoints.Containers;

/// <summary>The element types by the names that safetensors gives them.</summary>
internal static class SafetensorsTypes
{
    private static readonly Row[] Names =
    [
        new(DType.Float32, "F32"),
        new(DType.Float16, "F16"),
        new(DType.BFloat16, "BF16"),
        new(DType.Float64, "F64"),
        new(DType.Bool, "BOOL"),
        new(DType.UInt8, "U8"),
        new(DType.Int8, "I8"),
        new(DType.Int16, "I16"),
        new(DType.UInt16, "U16"),
        new(DType.Int32, "I32"),
        new(DType.UInt32, "U32"),
        new(DType.Int64, "I64"),
        new(DType.UInt64, "U64"),
    ];

    private sealed record Row(DType Type, string Name);

    /// <summary>Null for types that <see cref="DType"/> lacks (8-bit floats and smaller, complex numbers).</summary>
    public static DType? Parse(string name) => Array.Find(Names, row => row.Name == name)?.Type;

    public static string NameOf(DType type) => Array.Find(Names, row => row.Type == type)!.Name;
}
