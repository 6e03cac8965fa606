using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using Atrous.Checkpoints.Pickles;
using Atrous.Checkpoints.Storages;

namespace Atrous.Checkpoints.Containers;

/// <summary>
/// What torch.save wrote up to PyTorch 1.5: five pickles (magic number, protocol, system, the object, the storages'
/// keys), then for every key a count and the raw elements.
/// </summary>
internal sealed class TorchLegacy
{
    public const string ContainerName = "torch-legacy";

    private const int ProtocolVersion = 1001;

    private static readonly BigInteger Magic =
        BigInteger.Parse("1950a86a20f9469cfc6c", NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    private readonly CheckpointFile _file;
    private readonly ByteRegion _region;
    private readonly PickleReader _reader;
    private readonly Dictionary<string, LateStorage> _storages = new(StringComparer.Ordinal);

    private readonly PickleCalls _calls;

    private TorchLegacy(CheckpointFile file, ByteRegion region, PickleCalls calls)
    {
        _file = file;
        _region = region;
        _calls = calls;
        _reader = new PickleReader(file, region);
    }

    /// <summary>Null when the file is a pickle, but not one of PyTorch.</summary>
    public static ContainerContents? TryRead(CheckpointFile file)
    {
        var legacy = new TorchLegacy(file, new FileRegion(file, 0, file.Length), new PickleCalls(file));
        return legacy.IsMagic() ? StateDict.Find(file, ContainerName, legacy.Read()) : null;
    }

    /// <summary>
    /// A storage in bytes of its own, as pickle.dump writes the tensors that torch.save would keep elsewhere; null
    /// where the bytes are something else.
    /// </summary>
    /// <param name="file">The file that the bytes are of.</param>
    /// <param name="bytes">What torch.save wrote of one storage.</param>
    /// <param name="calls">One for all storages of a file, so that what they may cost is counted together.</param>
    public static StorageReference? StorageIn(CheckpointFile file, ByteRegion bytes, PickleCalls calls)
    {
        file.Budget.CountTensor(0);
        var legacy = new TorchLegacy(file, bytes, calls);
        return legacy.IsMagic() ? legacy.Read() as StorageReference : null;
    }

    private bool IsMagic()
    {
        // The first pickle of another file may be as large as that file: look at its first bytes only.
        Span<byte> start = stackalloc byte[(int)Math.Min(_region.Length, 32)];
        _region.Read(0, start);
        ReadOnlySpan<byte> binary = [0x8a, 10, .. Magic.ToByteArray()];
        ReadOnlySpan<byte> text = System.Text.Encoding.ASCII.GetBytes($"L{Magic}");
        return start.IndexOf(binary) >= 0 || start.IndexOf(text) >= 0;
    }

    private object? Read()
    {
        if (!Equals(Load(), Magic))
            throw Malformed();
        if (Load() is not (long)ProtocolVersion)
            throw _file.Error($"is a PyTorch file of an unknown legacy protocol; the known one is {ProtocolVersion}");
        Load();
        object? root = Load();
        if (Load() is not PickleList keys)
            throw Malformed();
        PlaceStorages(keys.Items);
        return root;
    }

    private object? Load() => new PickleMachine(_reader, _calls, LoadStorage).Load();

    private void PlaceStorages(List<object?> keys)
    {
        long position = _reader.Position;
        Span<byte> header = stackalloc byte[sizeof(long)];
        foreach (object? item in keys)
        {
            if (KeyOf(item) is not { } key || !_storages.TryGetValue(key, out LateStorage? storage) || storage.IsPlaced)
                throw Malformed();
            long bytes = storage.Length;
            if (position > _region.Length - header.Length - bytes)
                throw _file.Error("ends too early; it is truncated, copy or download it again");
            _region.Read(position, header);
            if (BinaryPrimitives.ReadInt64LittleEndian(header) != bytes / storage.ElementSize)
                throw _file.Error(
                    $"has a storage whose count of elements is not the {bytes / storage.ElementSize} that its " +
                    $"tensors need");
            storage.Place(_region.Slice(position + header.Length, bytes));
            position += header.Length + bytes;
        }
        if (_storages.Values.Any(storage => !storage.IsPlaced))
            throw _file.Error("lacks the values of some tensors; it is damaged, copy or download it again");
    }

    /// <summary>
    /// Persistent id: ('storage', class, key, location, element count, view), where a view is None or (key, offset,
    /// size); or ('module', class, source file, source) in whole saved models.
    /// </summary>
    private object LoadStorage(object? id)
    {
        switch (id)
        {
            case object?[] and ["module", PickleGlobal module, ..]:
                return module;
            case object?[] parts and ["storage", PickleGlobal type, var key, _, long count, ..]:
                return Reference(type, KeyOf(key) ?? throw Malformed(), count, parts.ElementAtOrDefault(5));
            default:
                throw Malformed();
        }
    }

    private StorageReference Reference(PickleGlobal type, string key, long count, object? view)
    {
        if (TorchCalls.ElementSize(type) is not { } size)
            throw _file.Error($"refers to a storage of the unknown class {Printable.Quote(type.FullName)}");
        if (count < 0 || count > _region.Length / size)
            throw _file.Error(
                $"refers to a storage of {count} elements, more than the file has; copy or download it again");
        if (!_storages.TryGetValue(key, out LateStorage? storage))
            _storages.Add(key, storage = new LateStorage(count * size, size));
        if (storage.Length != count * size || storage.ElementSize != size)
            throw Malformed();

        ByteRegion bytes = storage;
        if (view is object?[] and [_, long offset, long length, ..])
        {
            if (offset < 0 || length < 0 || offset > count || length > count - offset)
                throw Malformed();
            bytes = storage.Slice(offset * size, length * size);
        }
        return new StorageReference(bytes, TorchCalls.TypeOfStorage(type), type);
    }

    private static string? KeyOf(object? key) => key switch
    {
        string text => text,
        long number => number.ToString(CultureInfo.InvariantCulture),
        BigInteger number => number.ToString(CultureInfo.InvariantCulture),
        _ => null,
    };

    private ModelException Malformed() => _file.Error("is a malformed PyTorch file of the legacy form");

    /// <summary>A storage whose place in the file is known only after the pickle that refers to it.</summary>
    private sealed class LateStorage(long length, int elementSize) : ByteRegion
    {
        private ByteRegion? _place;

        public int ElementSize => elementSize;

        public bool IsPlaced => _place is not null;

        public override long Length => length;

        public void Place(ByteRegion place) => _place = place;

        public override void Read(long offset, Span<byte> destination) => _place!.Read(offset, destination);

        public override ByteRegion Slice(long offset, long sliceLength) => new Part(this, offset, sliceLength);
    }

    private sealed class Part(ByteRegion whole, long start, long length) : ByteRegion
    {
        public override long Length => length;

        public override void Read(long offset, Span<byte> destination) => whole.Read(start + offset, destination);

        public override ByteRegion Slice(long offset, long sliceLength) => new Part(whole, start + offset, sliceLength);
    }
}
