using Atrous.Checkpoints.Storages;

namespace Atrous.Checkpoints.Pickles;

/// <summary>
/// Imitates the few functions and classes that checkpoints are made with. Every other call makes an inert
/// <see cref="PickleObject"/>, except calls that only an attack has a use for (<see cref="KnownAttacks"/>).
/// </summary>
internal sealed class PickleCalls
{
    private readonly CheckpointFile _file;
    private readonly TorchCalls _torch;
    private readonly NumpyCalls _numpy;
    private readonly CopyBudget _copies;

    /// <summary>Counting the characters of a long text takes time, and a pickle can ask for it many times.</summary>
    private readonly Dictionary<PickleLongText, Latin1Text> _encoded = new(ReferenceEqualityComparer.Instance);

    /// <summary>A pickle can ask for one and the same many times, and for bytes(b) of it in between.</summary>
    private readonly Dictionary<ByteRegion, StorageReference?> _storages = new(ReferenceEqualityComparer.Instance);

    public PickleCalls(CheckpointFile file)
    {
        _file = file;
        _copies = new CopyBudget(file);
        _torch = new TorchCalls(file);
        _numpy = new NumpyCalls(file, _copies);
    }

    /// <summary>Reads a storage of PyTorch that lies in bytes of the pickle; null where none can.</summary>
    public Func<ByteRegion, StorageReference?>? StorageIn { get; init; }

    /// <summary>The result of a call, or an instance of a class.</summary>
    public object? Call(PickleGlobal function, object?[] arguments)
    {
        switch (function.FullName)
        {
            case "collections.OrderedDict" or "collections.defaultdict" or "collections.Counter"
                or "builtins.dict" or "__builtin__.dict":
                return DictOf(arguments);
            case "builtins.set" or "__builtin__.set" or "builtins.frozenset" or "__builtin__.frozenset":
                return SetOf(arguments);
            case "builtins.list" or "__builtin__.list":
                return new PickleList([.. Copy(arguments.FirstOrDefault())]);
            case "builtins.tuple" or "__builtin__.tuple" or "torch.Size":
                return Copy(arguments.FirstOrDefault());
            case "_codecs.encode" or "builtins.bytearray" or "__builtin__.bytearray" or "builtins.bytes"
                or "__builtin__.bytes":
                return BytesOf(arguments) switch
                {
                    ByteRegion bytes => new PickleBytes(bytes),
                    Latin1Text text => text,
                    _ => Inert(function, arguments),
                };
            case "torch.storage._load_from_bytes" when arguments is [PickleBytes bytes] && StorageIn is not null:
                if (!_storages.TryGetValue(bytes.Region, out StorageReference? storage))
                    _storages.Add(bytes.Region, storage = StorageIn(bytes.Region));
                return storage ?? (object)Inert(function, arguments);
            // An attribute of a class or module is a name: members of an Enum, nested classes, class methods.
            case "builtins.getattr" or "__builtin__.getattr"
                when arguments is [PickleGlobal owner, string attribute, ..]
                    && owner.Member(attribute) is { } member:
                return member;
            case "copyreg._reconstructor" or "copy_reg._reconstructor"
                when arguments is [PickleGlobal type, ..]:
                _copies.Count(arguments.Length);
                return Inert(type, arguments[1..]);
            case "copyreg.__newobj__" or "copy_reg.__newobj__"
                when arguments is [PickleGlobal { Module: not ("copyreg" or "copy_reg") } type, ..]:
                _copies.Count(arguments.Length);
                return Call(type, arguments[1..]);
        }
        return _torch.Call(function, arguments) ?? _numpy.Call(function, arguments) ?? Inert(function, arguments);
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
                return target is PickleDict or PickleSet or StoredTensor or PickleGlobal;
        }
    }

    private PickleObject Inert(PickleGlobal function, object?[] arguments) =>
        KnownAttacks.Contains(function)
            ? throw _file.Error(
                $"wants to call {Printable.Quote(function.FullName)}, which only an attack does; do not trust this "
                + "file")
            : new PickleObject(function) { Arguments = arguments };

    private PickleDict DictOf(object?[] arguments)
    {
        var dict = new PickleDict();
        object? source = arguments.Length > 0 ? arguments[^1] : null;
        if (source is PickleDict other)
        {
            _copies.Count(other.Items.Count);
            foreach ((string key, object? value) in other.Items)
                dict.Set(key, value);
        }
        else
        {
            // Python 2 writes OrderedDict([[key, value], ...]).
            foreach (object? pair in Copy(source))
            {
                if (Copy(pair) is [var key, var value])
                    dict.Set(key, value);
            }
        }
        return dict;
    }

    private PickleSet SetOf(object?[] arguments)
    {
        var set = new PickleSet();
        set.Add(Copy(arguments.FirstOrDefault()));
        return set;
    }

    /// <summary>The items of a list or tuple; none of anything else.</summary>
    private object?[] Copy(object? items)
    {
        switch (items)
        {
            case object?[] tuple:
                _copies.Count(tuple.Length);
                return tuple;
            case PickleList list:
                _copies.Count(list.Items.Count);
                return [.. list.Items];
            default:
                return [];
        }
    }

    private Storage? BytesOf(object?[] arguments)
    {
        switch (arguments)
        {
            case []:
                return new MemoryRegion(ReadOnlyMemory<byte>.Empty);
            case [PickleLongText text, string encoding] when IsLatin1(encoding):
                if (!_encoded.TryGetValue(text, out Latin1Text? bytesOfText))
                    _encoded.Add(text, bytesOfText = new Latin1Text(_file, text.Utf8));
                return bytesOfText;
            case [string small, string encoding] when IsLatin1(encoding):
                return _copies.BytesOf(small);
            case [string small]:
                return _copies.BytesOf(small);
            default:
                return arguments is [PickleBytes bytes] ? bytes.Region : null;
        }
    }

    private static bool IsLatin1(string encoding) =>
        encoding.Length <= "ISO-8859-1".Length
        && encoding.Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal)
        .ToUpperInvariant()
            is "LATIN1" or "ISO88591";
}
