using System.Buffers;
using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;
using Atrous.Checkpoints.Storages;
using Atrous.Tensors;
using Microsoft.Win32.SafeHandles;

namespace Atrous.Checkpoints.Containers;

/// <summary>
/// Writes a safetensors file: declare all tensors, write each once in any order, complete. Until then the values go to
/// a temporary file beside the target, which disposing removes. The same input gives the same bytes.
/// </summary>
internal sealed class SafetensorsWriter : IDisposable
{
    private const int ChunkElements = 1 << 14;

    private readonly string _path;
    private readonly string _temporary;
    private readonly SafeFileHandle _handle;
    private readonly Dictionary<string, (WeightInfo Info, long Position)> _pending = new(StringComparer.Ordinal);
    private bool _completed;

    /// <summary>Creates the temporary file and writes the header.</summary>
    /// <param name="path">The target; replaced by <see cref="Complete"/> when it exists.</param>
    /// <param name="tensors">In the order that the header lists them.</param>
    /// <param name="metadata">Texts about the model, written in the order of their keys.</param>
    /// <exception cref="OutputException">The file cannot be created there.</exception>
    /// <exception cref="ArgumentException">Two tensors have the same name, or one is called __metadata__.</exception>
    public SafetensorsWriter(
        string path, IReadOnlyList<WeightInfo> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        // The widest types come first, so that every tensor is aligned to its element size.
        var begins = new Dictionary<string, long>(StringComparer.Ordinal);
        long end = 0;
        foreach (WeightInfo info in tensors.OrderByDescending(info => info.Type.SizeInBytes()))
        {
            if (info.Name == "__metadata__" || !begins.TryAdd(info.Name, end))
                throw new ArgumentException(
                    $"The tensor name '{info.Name}' is reserved or used twice.", nameof(tensors));
            end += info.Elements * info.Type.SizeInBytes();
        }
        byte[] header = CreateHeader(tensors, begins, metadata);
        foreach (WeightInfo info in tensors)
            _pending.Add(info.Name, (info, header.Length + begins[info.Name]));

        _path = path;
        _temporary = $"{path}.{Path.GetRandomFileName()}.partial";
        try
        {
            _handle =
                File.OpenHandle(_temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, FileOptions.None,
                header.Length + end);
            RandomAccess.Write(_handle, header, 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Dispose();
            throw Failed(e);
        }
    }

    /// <summary>
    /// Writes one tensor, converted to its declared type: rounded to nearest even, integers saturate.
    /// </summary>
    /// <exception cref="ArgumentException">
    /// The tensor was not declared, was already written, or has another size.
    /// </exception>
    /// <exception cref="OutputException">The disk is full or fails.</exception>
    public void Write(string name, ReadOnlySpan<float> values)
    {
        if (!_pending.TryGetValue(name, out (WeightInfo Info, long Position) target))
            throw new ArgumentException($"The tensor '{name}' was not declared or is already written.", nameof(name));
        if (values.Length != target.Info.Elements)
            throw new ArgumentException(
                $"The tensor '{name}' has {target.Info.Elements} elements, not {values.Length}.", nameof(values));
        _pending.Remove(name);
        int size = target.Info.Type.SizeInBytes();
        byte[] buffer = ArrayPool<byte>.Shared.Rent(ChunkElements * size);
        try
        {
            for (long position = target.Position; !values.IsEmpty;)
            {
                ReadOnlySpan<float> piece = values[..Math.Min(values.Length, ChunkElements)];
                Span<byte> bytes = buffer.AsSpan(0, piece.Length * size);
                FloatConversion.FromFloat(piece, target.Info.Type, bytes);
                RandomAccess.Write(_handle, bytes, position);
                position += bytes.Length;
                values = values[piece.Length..];
            }
        }
        catch (IOException e)
        {
            throw Failed(e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Puts the finished file in the target's place.</summary>
    /// <exception cref="InvalidOperationException">Declared tensors are missing.</exception>
    /// <exception cref="OutputException">The target cannot be replaced.</exception>
    public void Complete()
    {
        if (_pending.Count > 0)
            throw new InvalidOperationException(
                $"{_pending.Count} declared tensors are not written, for example '{_pending.Keys.First()}'.");
        try
        {
            RandomAccess.FlushToDisk(_handle);
            _handle.Dispose();
            File.Move(_temporary, _path, overwrite: true);
            _completed = true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failed(e);
        }
    }

    /// <summary>Closes the file; without <see cref="Complete"/> nothing is left of it.</summary>
    public void Dispose()
    {
        // Null when the constructor could not create the file.
        if (_handle is null)
            return;
        _handle.Dispose();
        if (!_completed)
            File.Delete(_temporary);
    }

    private static byte[] CreateHeader(
        IReadOnlyList<WeightInfo> tensors,
        Dictionary<string, long> begins,
        IReadOnlyDictionary<string, string>? metadata)
    {
        var output = new ArrayBufferWriter<byte>();
        var options = new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (var json = new Utf8JsonWriter(output, options))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject("__metadata__");
                foreach ((string key, string value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                    json.WriteString(key, value);
                json.WriteEndObject();
            }
            foreach (WeightInfo info in tensors)
            {
                json.WriteStartObject(info.Name);
                json.WriteString("dtype", SafetensorsTypes.NameOf(info.Type));
                WriteArray(json, "shape", info.Shape.Select(size => (long)size));
                long begin = begins[info.Name];
                WriteArray(json, "data_offsets", [begin, begin + info.Elements * info.Type.SizeInBytes()]);
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        int length = (output.WrittenCount + 7) / 8 * 8;
        var header = new byte[sizeof(ulong) + length];
        BinaryPrimitives.WriteUInt64LittleEndian(header, (ulong)length);
        output.WrittenSpan.CopyTo(header.AsSpan(sizeof(ulong)));
        header.AsSpan(sizeof(ulong) + output.WrittenCount).Fill((byte)' ');
        return header;
    }

    private static void WriteArray(Utf8JsonWriter json, string name, IEnumerable<long> values)
    {
        json.WriteStartArray(name);
        foreach (long value in values)
            json.WriteNumberValue(value);
        json.WriteEndArray();
    }

    private OutputException Failed(Exception e) =>
        new($"The checkpoint '{_path}' cannot be written: {e.Message.TrimEnd('.')}.", e);
}
