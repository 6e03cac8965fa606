namespace Atrous.Tensors;

/// <summary>The element type of a stored tensor, as checkpoint files name them.</summary>
public enum DType
{
    Float32,
    Float16,
    BFloat16,
    Float64,
    Bool,
    UInt8,
    Int8,
    Int16,
    UInt16,
    Int32,
    UInt32,
    Int64,
    UInt64,
}

/// <summary>Facts about element types.</summary>
public static class DTypes
{
    /// <summary>Bytes per element.</summary>
    /// <param name="type">The type of the elements.</param>
    public static int SizeInBytes(this DType type) => type switch
    {
        DType.Bool or DType.UInt8 or DType.Int8 => 1,
        DType.Float16 or DType.BFloat16 or DType.Int16 or DType.UInt16 => 2,
        DType.Float32 or DType.Int32 or DType.UInt32 => 4,
        DType.Float64 or DType.Int64 or DType.UInt64 => 8,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, null),
    };

    /// <summary>True for the types that weights are stored in.</summary>
    /// <param name="type">The type of the elements.</param>
    public static bool IsFloatingPoint(this DType type) =>
        type is DType.Float32 or DType.Float16 or DType.BFloat16 or DType.Float64;
}
