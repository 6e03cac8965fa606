using Atrous.Tensors;

namespace Atrous.Checkpoints.Containers;

/// <summary>The element types by the names that safetensors gives them.</summary>
internal static class SafetensorsTypes
{
    /// <summary>Null for types that <see cref="DType"/> lacks (8-bit floats and smaller, complex numbers).</summary>
    public static DType? Parse(string name) => name switch
    {
        "F32" => DType.Float32,
        "F16" => DType.Float16,
        "BF16" => DType.BFloat16,
        "F64" => DType.Float64,
        "BOOL" => DType.Bool,
        "U8" => DType.UInt8,
        "I8" => DType.Int8,
        "I16" => DType.Int16,
        "U16" => DType.UInt16,
        "I32" => DType.Int32,
        "U32" => DType.UInt32,
        "I64" => DType.Int64,
        "U64" => DType.UInt64,
        _ => null,
    };

    public static string NameOf(DType type) => type switch
    {
        DType.Float32 => "F32",
        DType.Float16 => "F16",
        DType.BFloat16 => "BF16",
        DType.Float64 => "F64",
        DType.Bool => "BOOL",
        DType.UInt8 => "U8",
        DType.Int8 => "I8",
        DType.Int16 => "I16",
        DType.UInt16 => "U16",
        DType.Int32 => "I32",
        DType.UInt32 => "U32",
        DType.Int64 => "I64",
        DType.UInt64 => "U64",
        _ => throw new ArgumentOutOfRangeException(nameof(type)),
    };
}
