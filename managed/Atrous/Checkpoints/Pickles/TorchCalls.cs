using Atrous.Checkpoints.Storages;
using Atrous.Tensors;

namespace Atrous.Checkpoints.Pickles;

/// <summary>The functions of torch._utils that make tensors of storages.</summary>
internal sealed class TorchCalls(CheckpointFile file)
{
    /// <summary>Null when the function is not one of them.</summary>
    public object? Call(PickleGlobal function, object?[] arguments)
    {
        if (function.Module != "torch._utils")
            return null;
        return (function.Name, arguments) switch
        {
            ("_rebuild_tensor" or "_rebuild_tensor_v2",
                [StorageReference storage, long offset, object?[] sizes, object?[] strides, ..]) =>
                Rebuild(storage, storage.Type, offset, sizes, strides, arguments.ElementAtOrDefault(6)),
            ("_rebuild_tensor_v3",
                [StorageReference storage, long offset, object?[] sizes, object?[] strides, _, _, PickleGlobal type,
                ..]) =>
                Rebuild(storage, TypeOf(type), offset, sizes, strides, arguments.ElementAtOrDefault(7)),
            ("_rebuild_tensor" or "_rebuild_tensor_v2" or "_rebuild_tensor_v3", _) =>
                throw file.Error("holds a pickle with a malformed tensor"),
            _ => null,
        };
    }

    /// <summary>The element type of a storage class; null for those that are not supported.</summary>
    public static DType? TypeOfStorage(PickleGlobal type) =>
        type.Module is not ("torch" or "torch.cuda") ? null : type.Name switch
        {
            "FloatStorage" => DType.Float32,
            "HalfStorage" => DType.Float16,
            "BFloat16Storage" => DType.BFloat16,
            "DoubleStorage" => DType.Float64,
            "BoolStorage" => DType.Bool,
            "ByteStorage" => DType.UInt8,
            "CharStorage" => DType.Int8,
            "ShortStorage" => DType.Int16,
            "IntStorage" => DType.Int32,
            "LongStorage" => DType.Int64,
            _ => null,
        };

    /// <summary>
    /// Bytes per element as the count of a storage means them; null for classes that are no storages.
    /// </summary>
    public static int? ElementSize(PickleGlobal type) => (TypeOfStorage(type), type.FullName) switch
    {
        ({ } known, _) => known.SizeInBytes(),
        (_, "torch.storage.UntypedStorage" or "torch.UntypedStorage") => 1,
        (_, "torch.QInt8Storage" or "torch.QUInt8Storage") => 1,
        (_, "torch.QInt32Storage") => 4,
        (_, "torch.ComplexFloatStorage") => 8,
        (_, "torch.ComplexDoubleStorage") => 16,
        _ => null,
    };

    private static DType? TypeOf(PickleGlobal type) => type.Module != "torch" ? null : type.Name switch
    {
        "float32" => DType.Float32,
        "float16" => DType.Float16,
        "bfloat16" => DType.BFloat16,
        "float64" => DType.Float64,
        "bool" => DType.Bool,
        "uint8" => DType.UInt8,
        "int8" => DType.Int8,
        "int16" => DType.Int16,
        "uint16" => DType.UInt16,
        "int32" => DType.Int32,
        "uint32" => DType.UInt32,
        "int64" => DType.Int64,
        "uint64" => DType.UInt64,
        _ => null,
    };

    private object Rebuild(
        StorageReference storage, DType? type, long offset, object?[] sizes, object?[] strides, object? metadata)
    {
        // Metadata marks lazily conjugated or negated views.
        if (type is not { } known || metadata is PickleDict { Items.Count: > 0 })
            return new PickleObject(storage.Class);
        if (!sizes.All(size => size is long) || !strides.All(stride => stride is long))
            throw file.Error("holds a pickle with a malformed tensor");
        long[] shape = [.. sizes.Cast<long>()];
        StoredTensor? tensor = StoredTensor.TryCreate(
            storage.Bytes, known, shape, [.. strides.Cast<long>()], offset, bigEndian: false, out string problem);
        return tensor ?? throw file.Error($"has a tensor of shape [{string.Join(", ", shape.Take(8))}] that {problem}");
    }
}
