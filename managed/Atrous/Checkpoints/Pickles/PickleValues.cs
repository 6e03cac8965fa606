using System.Globalization;
using Atrous.Checkpoints.Storages;
using Atrous.Tensors;

namespace Atrous.Checkpoints.Pickles;

// What a pickle can hold: null, bool, long, BigInteger, double, string, object?[] (a tuple) and the types of this file.
// None of them walks into its items when it is printed or compared, so deep and cyclic pickles are harmless.

/// <summary>A class or function by its name. Nothing is ever looked up or called.</summary>
internal sealed record PickleGlobal
{
    /// <summary>No class has a longer name. Hostile pickles join long texts to names a million times.</summary>
    private const int MaxLength = 1000;

    private PickleGlobal(string module, string name)
    {
        Module = module;
        Name = name;
        FullName = $"{module}.{name}";
    }

    public string Module { get; }

    public string Name { get; }

    public string FullName { get; }

    /// <summary>Null where the name is longer than that of any class.</summary>
    public static PickleGlobal? Of(string module, string name) =>
        module.Length + name.Length < MaxLength ? new(module, name) : null;

    /// <summary>An attribute of it; null where that name is longer than any.</summary>
    public PickleGlobal? Member(string attribute) =>
        attribute.Length < MaxLength ? Of(Module, $"{Name}.{attribute}") : null;

    public override string ToString() => FullName;
}

/// <summary>
/// An inert stand-in for what a call would have made: an instance of a class that has no meaning here.
/// </summary>
internal sealed class PickleObject(PickleGlobal type)
{
    private PickleDict? _entries;

    public PickleGlobal Type { get; } = type;

    public IReadOnlyList<object?> Arguments { get; init; } = [];

    /// <summary>What the object's __setstate__ would have got, mostly a dictionary of its attributes.</summary>
    public object? State { get; set; }

    /// <summary>The items of an object that is a dictionary by inheritance; null for others.</summary>
    public PickleDict? Entries => _entries;

    public void Set(object? key, object? value) => (_entries ??= new PickleDict()).Set(key, value);
}

internal sealed class PickleList(List<object?> items)
{
    public List<object?> Items { get; } = items;
}

/// <summary>A set; of its items only the strings are kept that are short enough to be names.</summary>
internal sealed class PickleSet
{
    public HashSet<string> Items { get; } = new(StringComparer.Ordinal);

    public void Add(IEnumerable<object?> items) =>
        Items.UnionWith(items.OfType<string>().Where(text => text.Length <= PickleDict.MaxKeyLength));
}

/// <summary>
/// A dict, an OrderedDict or a relative. Whole numbers are keys by their digits, for networks of several folds lie
/// under 0, 1 and so on; other keys are dropped, and so are texts that are longer than any name.
/// </summary>
internal sealed class PickleDict
{
    /// <summary>A longer key names nothing, and would be read again each time that a pickle refers to it.</summary>
    public const int MaxKeyLength = 1000;

    public OrderedDictionary<string, object?> Items { get; } = new(StringComparer.Ordinal);

    public void Set(object? key, object? value)
    {
        if (key is string { Length: <= MaxKeyLength } or long)
            Items[key as string ?? ((long)key).ToString(CultureInfo.InvariantCulture)] = value;
    }
}

/// <summary>Bytes, or a byte string of Python 2, that stay where they are.</summary>
internal sealed record PickleBytes(ByteRegion Region);

/// <summary>A text too long for a string of its own: UTF-8 that stays where it is.</summary>
internal sealed record PickleLongText(ByteRegion Utf8);

/// <summary>
/// A PyTorch storage. The type is null where the tensor tells it (untyped) or where it is not supported.
/// </summary>
internal sealed record StorageReference(Storage Bytes, DType? Type, PickleGlobal Class);

/// <summary>A NumPy element type; the byte order arrives after its creation.</summary>
internal sealed class NumpyType(string code)
{
    public string Code { get; } = code;

    public bool BigEndian { get; set; }
}

/// <summary>
/// A NumPy array; its contents arrive after its creation. Without a tensor when the element type is not supported.
/// </summary>
internal sealed class NumpyArray
{
    public StoredTensor? Tensor { get; set; }

    public string TypeCode { get; set; } = "?";
}
