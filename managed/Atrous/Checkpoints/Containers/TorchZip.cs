using Atrous.Checkpoints.Pickles;
using Atrous.Checkpoints.Storages;

namespace Atrous.Checkpoints.Containers;

/// <summary>
/// What torch.save writes since PyTorch 1.6: a zip file with `root/data.pkl` and one record per storage. Checksums are
/// not compared: PyTorch does not either, and writes invented ones after torch.serialization.set_crc32_options(False).
/// </summary>
internal sealed class TorchZip
{
    public const string ContainerName = "torch-zip";

    private const string PickleSuffix = "/data.pkl";
    private const long MaxPackedPickleBytes = 32 << 20;

    private readonly CheckpointFile _file;
    private readonly ZipDirectory _zip;
    private readonly string _root;
    private readonly Dictionary<string, FileRegion> _located = new(StringComparer.Ordinal);

    /// <summary>Two tensors that share a storage in the file share it here, which tells that they are one.</summary>
    private readonly Dictionary<(string Record, string Type, long Count), StorageReference> _storages = [];

    private TorchZip(CheckpointFile file)
    {
        _file = file;
        _zip = new ZipDirectory(file);
        string[] pickles = [.. _zip.Records.Keys.Where(IsPickle)];
        if (pickles is not [string pickle])
            throw file.Error(Complaint());
        _root = pickle[..^PickleSuffix.Length];
    }

    /// <summary>What a zip file is that torch.save has not written.</summary>
    private string Complaint()
    {
        if (_zip.Records.Keys.FirstOrDefault(name => Has(name, ".safetensors", ".pth", ".pt", ".ckpt", ".bin", ".tar"))
            is { } inside)
            return $"is a zip archive with {Printable.Quote(inside)} in it; unpack it, and name what was in it";
        return _zip.Records.Keys.Any(name => Has(name, ".npy"))
            ? "is a NumPy archive (.npz); save its arrays as safetensors, or as a dictionary with torch.save"
            : "is a zip file but no PyTorch checkpoint: it needs one data.pkl in a folder";

        static bool Has(string name, params string[] ends) =>
            Array.Exists(ends, end => name.EndsWith(end, StringComparison.OrdinalIgnoreCase));
    }

    public static ContainerContents Read(CheckpointFile file)
    {
        var archive = new TorchZip(file);
        archive.CheckByteOrder();
        var reader = new PickleReader(file, archive.Pickle());
        object? root = new PickleMachine(reader, new PickleCalls(file), archive.LoadStorage).Load();
        return StateDict.Find(file, ContainerName, root);
    }

    private static bool IsPickle(string name) =>
        name.EndsWith(PickleSuffix, StringComparison.Ordinal) && name.IndexOf('/') == name.Length - PickleSuffix.Length;

    private ByteRegion Pickle()
    {
        ZipRecord record = _zip.Records[_root + PickleSuffix];
        FileRegion packed = _zip.Locate(record);
        ByteRegion pickle = packed;
        if (record.Method == ZipRecord.Deflated)
            pickle = Inflate(record, packed);
        else if (record.Method != ZipRecord.Stored)
            throw Unsupported(record);
        return pickle;
    }

    private MemoryRegion Inflate(ZipRecord record, FileRegion packed)
    {
        CheckSize(record, packed);
        if (record.Size > MaxPackedPickleBytes)
            throw _file.Error($"has a packed data.pkl of more than {MaxPackedPickleBytes >> 20} MiB");
        _file.Budget.Hold(record.Size);
        try
        {
            return new MemoryRegion(new DeflatedStorage(packed, record.Size).ToArray());
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw _file.Error("is damaged: its data.pkl cannot be unpacked", e);
        }
    }

    /// <summary>Deflate packs at most 1 to 1032; more is a lie that would cost memory.</summary>
    private void CheckSize(ZipRecord record, FileRegion packed)
    {
        if (record.Size > packed.Length * 1032 + 64)
        {
            throw _file.Error(
                $"is a broken zip file: its packed {Printable.Quote(record.Name[(_root.Length + 1)..])} claims an "
                + "absurd size");
        }
    }

    private void CheckByteOrder()
    {
        if (!_zip.Records.TryGetValue(_root + "/byteorder", out ZipRecord? record) || record.Method != ZipRecord.Stored
            || record.Size > 16)
            return;
        if (_zip.Locate(record).ToArray().AsSpan().StartsWith("big"u8))
            throw _file.Error("was written on a big-endian machine; load and save it with PyTorch on this one");
    }

    /// <summary>Persistent id: ('storage', class, key, location, element count).</summary>
    private StorageReference LoadStorage(object? id)
    {
        if (id is not object?[] parts || parts is not ["storage", PickleGlobal type, string key, _, long count, ..])
            throw _file.Error("holds a pickle with a malformed storage reference");
        if (TorchCalls.ElementSize(type) is not { } size)
            throw _file.Error($"refers to a storage of the unknown class {Printable.Quote(type.FullName)}");
        if (!_zip.Records.TryGetValue($"{_root}/data/{key}", out ZipRecord? record))
            throw _file.Error(
                $"lacks the record {Printable.Quote($"data/{key}")}; it is damaged, copy or download it again");
        if (count < 0 || count > record.Size / size)
            throw _file.Error(
                $"has {record.Size} bytes in {Printable.Quote($"data/{key}")} and needs {count} elements of {size}");

        if (_storages.TryGetValue((record.Name, type.FullName, count), out StorageReference? known))
            return known;
        if (!_located.TryGetValue(record.Name, out FileRegion? region))
        {
            _located.Add(record.Name, region = _zip.Locate(record));
            if (record.Method == ZipRecord.Deflated)
                CheckSize(record, region);
        }
        Storage bytes = record.Method switch
        {
            ZipRecord.Stored => region.Slice(0, count * size),
            ZipRecord.Deflated => new DeflatedStorage(region, count * size),
            _ => throw Unsupported(record),
        };
        var storage = new StorageReference(bytes, TorchCalls.TypeOfStorage(type), type);
        _storages.Add((record.Name, type.FullName, count), storage);
        return storage;
    }

    private ModelException Unsupported(ZipRecord record) =>
        _file.Error($"packs {Printable.Quote(record.Name)} with the unknown method {record.Method}");
}
