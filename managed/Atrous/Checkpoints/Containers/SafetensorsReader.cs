using System.Buffers.Binary;
using System.Text.Json;
using Atrous.Checkpoints.Storages;
using Atrous.Tensors;

namespace Atrous.Checkpoints.Containers;

/// <summary>
/// The safetensors format: a length, a JSON header, the data. As strict as the reference library: tensors cover the
/// data without gap or overlap, no key occurs twice. See https://github.com/huggingface/safetensors#format.
/// </summary>
internal static class SafetensorsReader
{
    public const string ContainerName = "safetensors";

    private const int LengthBytes = 8;
    private const int MaxHeaderBytes = 32 << 20;

    /// <summary>Descriptions of networks have some ten thousand characters.</summary>
    private const int MaxMetadataCharacters = 4 << 20, MaxMetadata = 10_000;

    /// <summary>An entry and its tensor in memory, roughly.</summary>
    private const int BytesOfEntry = 500;

    public static ContainerContents Read(CheckpointFile file)
    {
        Span<byte> prefix = stackalloc byte[LengthBytes];
        if (file.Length < LengthBytes)
            throw Broken(file, "is shorter than the 8 bytes of its header's length");
        file.Read(0, prefix);
        ulong headerLength = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (headerLength > (ulong)(file.Length - LengthBytes))
            throw Broken(file, $"declares a header of {headerLength} bytes, which is more than the file has");
        if (headerLength > MaxHeaderBytes)
            throw Broken(
                file, $"declares a header of {headerLength} bytes, which is more than the limit of {MaxHeaderBytes}");

        var header = new byte[headerLength];
        file.Read(LengthBytes, header);
        var data = new FileRegion(file, LengthBytes + header.Length, file.Length - LengthBytes - header.Length);
        try
        {
            return Parse(file, header, data);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            // Utf8JsonReader reports invalid UTF-8 and lone surrogates by InvalidOperationException.
            throw file.Error("is no valid safetensors file: its header is not the JSON that the format asks for", e);
        }
    }

    private static ContainerContents Parse(CheckpointFile file, byte[] header, FileRegion data)
    {
        var entries = new OrderedDictionary<string, Entry>(StringComparer.Ordinal);
        Dictionary<string, string>? metadata = null;
        var json = new Utf8JsonReader(header, new JsonReaderOptions { MaxDepth = 8 });
        if (header.Length == 0 || header[0] != '{')
            throw new FormatException();
        json.Read();
        while (Next(ref json) == JsonTokenType.PropertyName)
        {
            string name = json.GetString()!;
            if (name == "__metadata__")
                metadata = metadata is null
                    ? ReadMetadata(file, ref json)
                    : throw Broken(file, "has two __metadata__ entries");
            else if (name.Length > ReadBudget.MaxNameLength)
                throw Broken(file, $"has a tensor whose name has {name.Length} characters, which no network's has");
            else if (!entries.TryAdd(name, ReadEntry(file, name, ref json)))
                throw Broken(file, $"has two tensors called {Printable.Quote(name)}");
        }
        while (json.Read())
            throw new FormatException();

        CheckCoverage(file, [.. entries.Values], data.Length);
        var tensors = new OrderedDictionary<string, StoredTensor>(entries.Count, StringComparer.Ordinal);
        foreach (Entry entry in entries.Values)
            tensors.Add(entry.Name, CreateTensor(file, entry, data));
        var root = new TensorDictionary("", null) { Tensors = tensors };
        return new ContainerContents(ContainerName, [root]) { Metadata = metadata ?? [] };
    }

    private static StoredTensor CreateTensor(CheckpointFile file, Entry entry, FileRegion data)
    {
        Storage bytes = data.Slice(entry.Begin, entry.End - entry.Begin);
        StoredTensor? tensor =
            StoredTensor.TryCreate(bytes, entry.Type, entry.Shape, null, 0, bigEndian: false, out string problem);
        if (tensor is null)
            throw Broken(file, $"has the tensor {Printable.Quote(entry.Name)}, which {problem}");
        if (tensor.Elements * entry.Type.SizeInBytes() != bytes.Length)
        {
            throw Broken(
                file,
                $"has the tensor {Printable.Quote(entry.Name)}, whose shape does not match its {bytes.Length} bytes");
        }
        return tensor;
    }

    private static void CheckCoverage(CheckpointFile file, Entry[] entries, long length)
    {
        long end = 0;
        Array.Sort(entries, static (a, b) => a.Begin != b.Begin ? a.Begin.CompareTo(b.Begin) : a.End.CompareTo(b.End));
        foreach (Entry entry in entries)
        {
            if (entry.Begin != end || entry.End < entry.Begin)
                throw Broken(
                    file,
                    $"has the tensor {Printable.Quote(entry.Name)}, whose bytes overlap others, leave a gap or end "
                    + "before they begin");
            end = entry.End;
        }
        if (end > length)
            throw Broken(
                file, $"is truncated: its tensors need {end} bytes and it has {length}; copy or download it again");
        if (end < length)
            throw Broken(file, $"has {length - end} bytes that belong to no tensor");
    }

    private static Dictionary<string, string> ReadMetadata(CheckpointFile file, ref Utf8JsonReader json)
    {
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        int characters = 0;
        Expect(ref json, JsonTokenType.StartObject);
        while (Next(ref json) == JsonTokenType.PropertyName)
        {
            string key = json.GetString()!;
            Expect(ref json, JsonTokenType.String);
            characters += key.Length + json.ValueSpan.Length;
            if (characters > MaxMetadataCharacters || metadata.Count == MaxMetadata)
                throw Broken(file, "has more metadata than any model's description");
            if (!metadata.TryAdd(key, json.GetString()!))
                throw Broken(file, $"has the metadata {Printable.Quote(key)} twice");
        }
        return metadata;
    }

    private static Entry ReadEntry(CheckpointFile file, string name, ref Utf8JsonReader json)
    {
        DType? type = null;
        long[]? shape = null;
        long[]? offsets = null;
        file.Budget.CountTensor(name.Length);
        file.Budget.Hold(BytesOfEntry + 2 * name.Length);
        Expect(ref json, JsonTokenType.StartObject);
        while (Next(ref json) == JsonTokenType.PropertyName)
        {
            switch (json.GetString())
            {
                case "dtype" when type is null:
                    Expect(ref json, JsonTokenType.String);
                    type = SafetensorsTypes.Parse(json.GetString()!)
                        ?? throw file.Error(
                            $"stores the tensor {Printable.Quote(name)} as {Printable.Quote(json.GetString()!)}, "
                            + "which is not supported; convert it to F32, F16 or BF16");
                    break;
                case "shape" when shape is null:
                    shape = ReadIntegers(ref json);
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ReadIntegers(ref json);
                    break;
                default:
                    throw new FormatException();
            }
        }
        return type is { } known && shape is not null && offsets is [long begin, long end]
            ? new Entry(name, known, shape, begin, end)
            : throw new FormatException();
    }

    private static long[] ReadIntegers(ref Utf8JsonReader json)
    {
        Span<long> values = stackalloc long[64];
        int count = 0;
        Expect(ref json, JsonTokenType.StartArray);
        while (Next(ref json) == JsonTokenType.Number)
        {
            if (!json.TryGetInt64(out long value) || value < 0 || count == values.Length)
                throw new FormatException();
            values[count++] = value;
        }
        return json.TokenType == JsonTokenType.EndArray ? values[..count].ToArray() : throw new FormatException();
    }

    private static void Expect(ref Utf8JsonReader json, JsonTokenType type)
    {
        if (Next(ref json) != type)
            throw new FormatException();
    }

    private static JsonTokenType Next(ref Utf8JsonReader json) =>
        json.Read() ? json.TokenType : throw new FormatException();

    private static ModelException Broken(CheckpointFile file, string problem) =>
        file.Error($"is no valid safetensors file: it {problem}");

    private sealed record Entry(string Name, DType Type, long[] Shape, long Begin, long End);
}
