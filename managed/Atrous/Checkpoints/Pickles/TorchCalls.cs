using Atrous.Checkpoints.Storages;
using Atrous.Tensors;

namespace Atrous.Checkpoints.Pickles;

/// <summary>The functions of torch._utils that make tensors of storages.</summary>
internal sealed class TorchCalls(CheckpointFile file)
{
    /// <summary>Null when the function is not one of them.</summary>
    public object? Call(PickleGlobal function, object?[] arguments) => (function.FullName, arguments) switch
    {
        // (function, type, arguments, state): a subclass of Tensor; 1.7 to 1.9 had no _v2.
        ("torch._tensor._rebuild_from_type_v2" or "torch._tensor._rebuild_from_type"
            or "torch.tensor._rebuild_from_type",
            [PickleGlobal inner, _, object?[] innerArguments, ..]) =>
            Tensor(inner, innerArguments) ?? new PickleObject(inner) { Arguments = innerArguments },
        // TorchScript says a container's element type in this way.
        ("torch.jit._pickle.restore_type_tag", [var value, ..]) => value,
        ("torch.jit._pickle.build_intlist" or "torch.jit._pickle.build_tensorlist"
            or "torch.jit._pickle.build_doublelist" or "torch.jit._pickle.build_boollist",
            [PickleList list, ..]) => list,
        _ => Tensor(function, arguments),
    };

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

    private object? Tensor(PickleGlobal function, object?[] arguments) => (function.FullName, arguments) switch
    {
        ("torch._utils._rebuild_tensor" or "torch._utils._rebuild_tensor_v2",
            [StorageReference storage, long offset, object?[] sizes, object?[] strides, ..]) =>
            Rebuild(storage, storage.Type, offset, sizes, strides, arguments.ElementAtOrDefault(6)),
        ("torch._utils._rebuild_tensor_v3",
            [StorageReference storage, long offset, object?[] sizes, object?[] strides, _, _, PickleGlobal type, ..]) =>
            Rebuild(storage, TypeOf(type), offset, sizes, strides, arguments.ElementAtOrDefault(7)),
        ("torch._utils._rebuild_tensor" or "torch._utils._rebuild_tensor_v2" or "torch._utils._rebuild_tensor_v3", _) =>
            throw file.Error("holds a pickle with a malformed tensor"),
        ("torch._utils._rebuild_parameter" or "torch._utils._rebuild_parameter_with_state", [var data, ..]) => data,
        // Tensors of a TPU or another device, by way of the CPU.
        ("torch._utils._rebuild_device_tensor_from_numpy" or "torch._utils._rebuild_device_tensor_from_cpu_tensor"
            or "torch._utils._rebuild_xla_tensor", [StoredTensor or NumpyArray, ..]) => arguments[0],
        // How PyTorch wrote parameters up to 0.3.
        ("torch.nn.parameter.Parameter" or "torch.nn.parameter.Buffer" or "torch.autograd.variable.Variable",
            [StoredTensor, ..]) => arguments[0],
        _ => null,
    };

    private object Rebuild(
        StorageReference storage, DType? type, long offset, object?[] sizes, object?[] strides, object? metadata)
    {
        // Metadata marks lazily conjugated or negated views.
        if (type is not { } known || metadata is PickleDict { Items.Count: > 0 })
            return new PickleObject(storage.Class);
        // Before either is looked at: a pickle can name one long tuple a million times.
        if (sizes.Length > StoredTensor.MaxDimensions || strides.Length > StoredTensor.MaxDimensions)
            throw file.Error($"has a tensor of more than {StoredTensor.MaxDimensions} dimensions");
        if (!sizes.All(size => size is long) || !strides.All(stride => stride is long))
            throw file.Error("holds a pickle with a malformed tensor");
        long[] shape = [.. sizes.Cast<long>()];
        StoredTensor? tensor = StoredTensor.TryCreate(
            storage.Bytes, known, shape, [.. strides.Cast<long>()], offset, bigEndian: false, out string problem);
        return tensor ?? throw file.Error($"has a tensor of shape [{string.Join(", ", shape.Take(8))}] that {problem}");
    }
}
