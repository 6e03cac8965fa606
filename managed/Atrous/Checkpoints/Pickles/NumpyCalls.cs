using Atrous.Checkpoints.Storages;
using Atrous.Tensors;

namespace Atrous.Checkpoints.Pickles;

/// <summary>The functions that NumPy pickles arrays, element types and scalars with.</summary>
internal sealed class NumpyCalls(CheckpointFile file, CopyBudget copies)
{
    /// <summary>Of "f4", "U32" or "V1234"; a longer one is no type's.</summary>
    private const int MaxTypeCode = 32;

    /// <summary>Null when the function is not one of them.</summary>
    public object? Call(PickleGlobal function, object?[] arguments)
    {
        // NumPy 2 moved numpy.core to numpy._core.
        string name = function.FullName.Replace("numpy._core.", "numpy.core.", StringComparison.Ordinal);
        return (name, arguments) switch
        {
            ("numpy.dtype", [string { Length: <= MaxTypeCode } code, ..]) => TypeOf(code),
            ("numpy.core.multiarray._reconstruct", [PickleGlobal, ..]) => new NumpyArray(),
            ("numpy.ndarray", _) => new NumpyArray(),
            ("numpy.core.multiarray.scalar", [NumpyType type, var bytes]) => Scalar(function, type, bytes),
            ("numpy.core.numeric._frombuffer", [var bytes, NumpyType type, object?[] shape, string order]) =>
                Fill(new NumpyArray(), shape, type, order == "F", bytes),
            _ => null,
        };
    }

    /// <summary>The state of a dtype: (version, byte order, ...).</summary>
    public static bool TryBuild(NumpyType type, object? state)
    {
        if (state is not object?[] parts)
            return false;
        if (parts is [_, string order, ..])
            type.BigEndian = order == ">";
        return true;
    }

    /// <summary>
    /// The state of an array: (version, shape, type, is Fortran order, data); very old ones have no version.
    /// </summary>
    public bool TryBuild(NumpyArray array, object? state)
    {
        object?[] parts = state as object?[] ?? [];
        if (parts is [long, _, _, _, _])
            parts = parts[1..];
        if (parts is not [object?[] shape, NumpyType type, bool or long, var data])
            return false;
        Fill(array, shape, type, parts[2] is true or 1L, data);
        return true;
    }

    private NumpyArray Fill(NumpyArray array, object?[] sizes, NumpyType type, bool fortran, object? data)
    {
        array.TypeCode = type.Code;
        if (ElementType(type.Code) is not { } known)
            return array;
        if (sizes.Length > StoredTensor.MaxDimensions)
            throw file.Error($"has a NumPy array of more than {StoredTensor.MaxDimensions} dimensions");
        Storage? bytes = data as Latin1Text ?? (Storage?)copies.BytesOf(data);
        if (bytes is null || !sizes.All(size => size is long))
            throw file.Error("holds a pickle with a malformed NumPy array");
        long[] shape = [.. sizes.Cast<long>()];
        StoredTensor? tensor = StoredTensor.TryCreate(
            bytes, known, shape, fortran ? ColumnMajor(shape) : null, 0, type.BigEndian, out string problem);
        if (tensor is null || tensor.Elements * known.SizeInBytes() != bytes.Length)
            throw file.Error(
                "has a NumPy array that " +
                $"{(tensor is null ? problem : "does not have as many bytes as its shape needs")}");
        array.Tensor = tensor;
        return array;
    }

    /// <summary>A long or a double where that is possible.</summary>
    private object Scalar(PickleGlobal function, NumpyType type, object? data)
    {
        if (ElementType(type.Code) is not { } known)
            return new PickleObject(function);
        if (copies.BytesOf(data) is not { } bytes || bytes.Length != known.SizeInBytes())
            throw file.Error("holds a pickle with a malformed NumPy scalar");
        byte[] value = bytes.ToArray();
        if (type.BigEndian)
            Array.Reverse(value);
        return known switch
        {
            DType.Bool => value[0] != 0,
            DType.Float64 => BitConverter.ToDouble(value),
            DType.Int64 => BitConverter.ToInt64(value),
            DType.UInt64 => (System.Numerics.BigInteger)BitConverter.ToUInt64(value),
            _ => (double)ToFloat(value, known),
        };
    }

    private static float ToFloat(byte[] value, DType type)
    {
        Span<float> result = stackalloc float[1];
        FloatConversion.ToFloat(value, type, bigEndian: false, result);
        return result[0];
    }

    private static NumpyType TypeOf(string code)
    {
        bool hasOrder = code.Length > 0 && code[0] is '<' or '>' or '=' or '|';
        return new NumpyType(hasOrder ? code[1..] : code) { BigEndian = hasOrder && code[0] == '>' };
    }

    private static DType? ElementType(string code) => code switch
    {
        "f4" => DType.Float32,
        "f2" => DType.Float16,
        "f8" => DType.Float64,
        "b1" => DType.Bool,
        "u1" => DType.UInt8,
        "i1" => DType.Int8,
        "i2" => DType.Int16,
        "u2" => DType.UInt16,
        "i4" => DType.Int32,
        "u4" => DType.UInt32,
        "i8" => DType.Int64,
        "u8" => DType.UInt64,
        _ => null,
    };

    private static long[] ColumnMajor(long[] shape)
    {
        var strides = new long[shape.Length];
        Int128 stride = 1;
        for (int axis = 0; axis < shape.Length; axis++)
        {
            strides[axis] = (long)Int128.Min(stride, long.MaxValue);
            stride = Int128.Clamp(stride * Math.Max(shape[axis], 1), 0, long.MaxValue);
        }
        return strides;
    }
}
