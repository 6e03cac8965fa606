using Atrous.Checkpoints.Storages;

namespace Atrous.Checkpoints.Pickles;

/// <summary>
/// Imitates the few functions and classes that checkpoints are made with. Every other call makes an inert
/// <see cref="PickleObject"/>, except calls that only an attack has a use for: those are refused by name.
/// </summary>
internal sealed class PickleCalls(CheckpointFile file)
{
    /// <summary>
    /// Only for a clear message: without this list such a call would be just as inert as any unknown one.
    /// </summary>
    private static readonly HashSet<string> HostileModules = new(StringComparer.Ordinal)
    {
        "os", "posix", "nt", "sys", "subprocess", "shutil", "socket", "pty", "runpy", "importlib", "ctypes",
            "webbrowser",
        "pickle", "_pickle", "marshal", "code", "commands", "popen2", "asyncio", "pip", "timeit", "pdb", "bdb",
            "builtins",
        "__builtin__",
    };

    private static readonly HashSet<string> HarmlessBuiltins = new(StringComparer.Ordinal)
    {
        "object", "int", "long", "float", "bool", "str", "unicode", "complex", "slice", "range", "xrange", "type",
    };

    private readonly TorchCalls _torch = new(file);
    private readonly NumpyCalls _numpy = new(file);

    /// <summary>The result of a call, or an instance of a class.</summary>
    public object? Call(PickleGlobal function, object?[] arguments)
    {
        switch (function.FullName)
        {
            case "collections.OrderedDict" or "collections.defaultdict" or "collections.Counter"
                or "builtins.dict" or "__builtin__.dict":
                return DictOf(arguments);
            case "builtins.set" or "__builtin__.set" or "builtins.frozenset" or "__builtin__.frozenset":
                return new PickleSet();
            case "builtins.list" or "__builtin__.list":
                return new PickleList([.. arguments is [{ } items] ? ItemsOf(items) : []]);
            case "builtins.tuple" or "__builtin__.tuple" or "torch.Size":
                return arguments is [{ } elements] ? ItemsOf(elements).ToArray() : [];
            case "_codecs.encode" or "builtins.bytearray" or "__builtin__.bytearray" or "builtins.bytes"
                or "__builtin__.bytes":
                return BytesOf(function, arguments);
            case "copyreg._reconstructor" or "copy_reg._reconstructor" or "copyreg.__newobj__" or "copy_reg.__newobj__"
                when arguments is [PickleGlobal type, ..]:
                return Inert(type);
            case "torch._utils._rebuild_parameter" or "torch._utils._rebuild_parameter_with_state"
                when arguments is [var data, ..]:
                return data;
            case "torch._tensor._rebuild_from_type_v2"
                when arguments is [PickleGlobal inner, _, object?[] innerArguments, ..]:
                return _torch.Call(inner, innerArguments) ?? new PickleObject(inner);
        }
        return _torch.Call(function, arguments) ?? _numpy.Call(function, arguments) ?? Inert(function);
    }

    /// <summary>What BUILD does: gives an object its state. False when the object cannot have one.</summary>
    public bool TryBuild(object? target, object? state)
    {
        switch (target)
        {
            case PickleObject opaque:
                opaque.State = state;
                return true;
            case NumpyType type:
                return NumpyCalls.TryBuild(type, state);
            case NumpyArray array:
                return _numpy.TryBuild(array, state);
            default:
                // An OrderedDict's `_metadata`, attributes that somebody hung on a tensor.
                return target is PickleDict or PickleSet or StoredTensor;
        }
    }

    /// <summary>
    /// Bytes, from whatever form the Python version gave them; null when the value is nothing of the sort.
    /// </summary>
    public static ByteRegion? AsBytes(object? value) => value switch
    {
        PickleBytes bytes => bytes.Region,
        string text when text.All(c => c <= 0xff) =>
            new MemoryRegion(System.Text.Encoding.Latin1.GetBytes(text)),
        _ => null,
    };

    private PickleObject Inert(PickleGlobal function)
    {
        string package = function.Module.Split('.', 2)[0];
        bool harmless = package is "builtins" or "__builtin__" && HarmlessBuiltins.Contains(function.Name);
        if (HostileModules.Contains(package) && !harmless)
            throw file.Error(
                $"wants to call {Printable.Quote(function.FullName)}, which no weights need; do not trust this file");
        return new PickleObject(function);
    }

    private static PickleDict DictOf(object?[] arguments)
    {
        var dict = new PickleDict();
        object? source = arguments.Length > 0 ? arguments[^1] : null;
        if (source is PickleDict other)
        {
            foreach ((string key, object? value) in other.Items)
                dict.Set(key, value);
        }
        else if (source is not null)
        {
            // Python 2 writes OrderedDict([[key, value], ...]).
            foreach (object? pair in ItemsOf(source))
            {
                if (pair is not null && ItemsOf(pair).ToArray() is [var key, var value])
                    dict.Set(key, value);
            }
        }
        return dict;
    }

    private static IEnumerable<object?> ItemsOf(object items) => items switch
    {
        object?[] tuple => tuple,
        PickleList list => list.Items,
        _ => [],
    };

    private object BytesOf(PickleGlobal function, object?[] arguments)
    {
        Storage? bytes = arguments switch
        {
            [] => new MemoryRegion(ReadOnlyMemory<byte>.Empty),
            [PickleLongText text, string encoding] when IsLatin1(encoding) => new Latin1Text(file, text.Utf8),
            [var small] => AsBytes(small),
            [string small, string encoding] when IsLatin1(encoding) => AsBytes(small),
            _ => null,
        };
        return bytes switch
        {
            ByteRegion region => new PickleBytes(region),
            Latin1Text text => text,
            _ => throw file.Error($"holds a pickle with an unexpected use of {function.FullName}"),
        };
    }

    private static bool IsLatin1(string encoding) =>
        encoding.Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal)
        .ToUpperInvariant()
            is "LATIN1" or "ISO88591";
}
