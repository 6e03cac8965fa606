using System.Text.Json;
using Atrous.Checkpoints.Containers;
using Atrous.Checkpoints.Storages;
using Atrous.Tensors;

namespace Atrous.Checkpoints;

/// <summary>
/// An open checkpoint: its tensors by name, read from the file when they are asked for. Nothing in a checkpoint is ever
/// executed. Dispose it to close the file. Safe to use from many threads.
/// </summary>
internal sealed class Checkpoint : ICheckpoint
{
    private readonly CheckpointFile _file;
    private readonly OrderedDictionary<string, StoredTensor> _tensors;
    private readonly OrderedDictionary<string, WeightInfo> _weights;

    private Checkpoint(string path, CheckpointFile file, ContainerContents contents, JsonElement? config)
    {
        Path = path;
        Config = config;
        Container = contents.Container;
        WeightsPath = contents.WeightsPath;
        Metadata = contents.Metadata;
        Extras = contents.Extras;
        StrippedPrefix = WeightNames.CommonPrefix(contents.Tensors.Keys);
        _file = file;
        _tensors = new OrderedDictionary<string, StoredTensor>(contents.Tensors.Count, StringComparer.Ordinal);
        _weights = new OrderedDictionary<string, WeightInfo>(contents.Tensors.Count, StringComparer.Ordinal);
        foreach ((string stored, StoredTensor tensor) in contents.Tensors)
        {
            string name = stored.StartsWith(StrippedPrefix, StringComparison.Ordinal)
                ? stored[StrippedPrefix.Length..]
                : stored;
            _tensors.Add(name, tensor);
            _weights.Add(name, new WeightInfo(name, tensor.Type, tensor.Shape));
        }
    }

    /// <summary>The path that was opened, or the name that a checkpoint in memory was given.</summary>
    public string Path { get; }

    /// <summary>The file format: "safetensors", "torch-zip", "torch-legacy" or "numpy-pickle".</summary>
    public string Container { get; }

    /// <summary>Every tensor by its name without <see cref="StrippedPrefix"/>, in the file's order.</summary>
    public IReadOnlyDictionary<string, WeightInfo> Weights => _weights;

    /// <summary>
    /// The dictionary keys that lead to the weights, joined by dots: "state_dict", or empty for the root.
    /// </summary>
    public string WeightsPath { get; }

    /// <summary>
    /// What wrappers had put before every name, for example "module."; see <see cref="WeightNames.CommonPrefix"/>.
    /// </summary>
    public string StrippedPrefix { get; }

    /// <summary>The `__metadata__` of a safetensors file; empty otherwise.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>`config.json` beside the weights when a folder was opened.</summary>
    public JsonElement? Config { get; }

    /// <summary>Small values that a training script stored beside the weights (epoch, best score), as text.</summary>
    public IReadOnlyDictionary<string, string> Extras { get; }

    /// <summary>
    /// Opens a safetensors file, a PyTorch file (zip or legacy), a pickle of NumPy arrays, or a folder with
    /// `config.json` and `model.safetensors` or `pytorch_model.bin`. Reads names and shapes, no weights.
    /// </summary>
    /// <exception cref="ModelException">
    /// There is no such file, or it is no checkpoint of a known and sound form.
    /// </exception>
    public static Checkpoint Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        JsonElement? config = null;
        string weightsPath = path;
        if (Directory.Exists(path))
            (weightsPath, config) = ModelFolder.Read(path);

        return Open(path, new CheckpointFile(weightsPath), config);
    }

    /// <summary>
    /// Opens a checkpoint whose bytes are in memory, in any form that <see cref="Open(string)"/> reads from a single
    /// file. The bytes are not copied: they must not change while the checkpoint is open.
    /// </summary>
    /// <param name="bytes">The contents of the whole file.</param>
    /// <param name="name">What errors call the checkpoint; its ending may tell the form, as a file's does.</param>
    /// <exception cref="ModelException">The bytes are no checkpoint of a known and sound form.</exception>
    public static Checkpoint Open(ReadOnlyMemory<byte> bytes, string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return Open(name, new CheckpointFile(name, bytes), config: null);
    }

    /// <summary>
    /// Reads a stream from its position to its end and opens what it held, as
    /// <see cref="Open(ReadOnlyMemory{byte}, string)"/> does. The stream is not needed any more afterwards and is not
    /// disposed. At most 2 GB, which is what one array holds; open larger checkpoints by their path.
    /// </summary>
    /// <param name="stream">A readable stream; it need not be seekable.</param>
    /// <param name="name">What errors call the checkpoint; its ending may tell the form, as a file's does.</param>
    /// <exception cref="ModelException">
    /// The stream cannot be read, holds more than 2 GB, or is no checkpoint of a known and sound form.
    /// </exception>
    public static Checkpoint Open(Stream stream, string name)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentException.ThrowIfNullOrEmpty(name);
        var bytes = new MemoryStream();
        try
        {
            stream.CopyTo(bytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelException($"The checkpoint '{name}' cannot be read: {e.Message.TrimEnd('.')}.", e);
        }
        return Open(bytes.GetBuffer().AsMemory(0, (int)bytes.Length), name);
    }

    /// <inheritdoc/>
    public void Read(string name, Span<float> destination)
    {
        if (!_tensors.TryGetValue(name, out StoredTensor? tensor))
            throw new KeyNotFoundException($"The checkpoint '{Path}' has no tensor called '{name}'.");
        _file.CheckUnchanged();
        try
        {
            tensor.Read(destination);
        }
        catch (Exception e) when (e is EndOfStreamException or InvalidDataException)
        {
            throw _file.Error($"is damaged: the values of {Printable.Quote(name)} end early or cannot be unpacked", e);
        }
    }

    public void Dispose() => _file.Dispose();

    private static Checkpoint Open(string path, CheckpointFile file, JsonElement? config)
    {
        try
        {
            return new Checkpoint(path, file, ContainerFormat.Read(file), config);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }
}
