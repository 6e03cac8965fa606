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
    private const int MaxExtras = 100;

    private readonly CheckpointFile _file;
    private readonly ContainerContents _contents;
    private readonly FolderDocuments _documents;
    private readonly WeightSet _set;
    private readonly OrderedDictionary<string, WeightInfo> _weights;
    private readonly QuantizedTensors _bytes;
    private IReadOnlyDictionary<string, int>? _beside;

    private Checkpoint(
        string path, CheckpointFile file, ContainerContents contents, FolderDocuments documents, WeightSet set)
    {
        Path = path;
        _documents = documents;
        Container = contents.Container;
        // It describes the file, and no part of it.
        Metadata = set.Prefix.Length == 0 ? contents.Metadata : new Dictionary<string, string>();
        _file = file;
        _contents = contents;
        _set = set;
        _weights = new OrderedDictionary<string, WeightInfo>(set.Tensors.Count, StringComparer.Ordinal);
        _bytes = QuantizedTensors.In(set.Tensors, Metadata);
        foreach ((string name, StoredTensor tensor) in set.Tensors)
        {
            if (!_bytes.IsStep(name))
            {
                DType type = _bytes.TypeOf(name, tensor);
                _weights.Add(name, new WeightInfo(name, type, tensor.Shape) { Layer = tensor.Layer });
            }
        }
    }

    /// <summary>The path that was opened, or the name that a checkpoint in memory was given.</summary>
    public string Path { get; }

    /// <summary>The file format: "safetensors", "torch-zip", "torch-legacy" or "numpy-pickle".</summary>
    public string Container { get; }

    /// <summary>
    /// The tensors of one dictionary, by their names without <see cref="StrippedPrefix"/>, in the file's order. What
    /// was just opened has all of the dictionary that a training script would load; <see cref="Sets"/> has the others.
    /// </summary>
    public IReadOnlyDictionary<string, WeightInfo> Weights => _weights;

    /// <summary>
    /// The dictionary keys that lead to the weights, joined by dots: "state_dict", or empty for the root.
    /// </summary>
    public string WeightsPath => _set.Dictionary.Path;

    /// <summary>What wrappers had put before every name, for example "module.".</summary>
    public string StrippedPrefix => _set.Prefix;

    /// <summary>The path and the prefix in one: "state_dict.ema_model"; empty for a whole root.</summary>
    public string SetName => _set.Name;

    /// <summary>How many tensors of the file are not among <see cref="Weights"/>, by name or "prefix.*".</summary>
    public IReadOnlyDictionary<string, int> Beside => _beside ??= TensorsBeside.Count(_contents.Dictionaries, _set);

    /// <summary>What lies among the weights and is no tensor that can be read, with what it is.</summary>
    public IReadOnlyDictionary<string, string> Unreadable => _set.Dictionary.Unreadable;

    /// <summary>
    /// The same file with other sets of its tensors, any of which may be a network; in groups, see
    /// <see cref="WeightSets.In"/>. All share the open file, and whoever disposes one disposes it for all.
    /// </summary>
    public IEnumerable<IEnumerable<Checkpoint>> Sets =>
        WeightSets.In(_contents.Dictionaries).Select(sets => sets.Select(With));

    /// <summary>The `__metadata__` of a safetensors file; empty otherwise.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <inheritdoc/>
    public JsonElement? Config => _documents.Config;

    /// <inheritdoc/>
    public JsonElement? Preprocessor => _documents.Preprocessor;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, JsonElement> Arguments => _contents.Arguments;

    /// <inheritdoc/>
    public JsonElement? Meta => _contents.Meta;

    /// <inheritdoc/>
    public IReadOnlySet<string> InBytes => _bytes.Names;

    /// <summary>Small values that a training script stored beside the weights (epoch, best score), as text.</summary>
    public IReadOnlyDictionary<string, string> Extras => field ??= _set.Dictionary.Extras(MaxExtras);

    /// <summary>
    /// Opens a safetensors file, a PyTorch file (zip or legacy), a pickle of NumPy arrays, or a folder with
    /// `config.json` and `model.safetensors` or `pytorch_model.bin`. A file of such a name is read with what lies
    /// beside it, as its folder is. Reads names and shapes, no weights.
    /// </summary>
    /// <exception cref="ModelException">
    /// There is no such file, or it is no checkpoint of a known and sound form.
    /// </exception>
    public static Checkpoint Open(string path) => Open(path, CancellationToken.None);

    /// <summary>As <see cref="Open(string)"/>.</summary>
    /// <param name="path">The file or folder to open.</param>
    /// <param name="cancellationToken">Looked at whenever the file is read, until <see cref="Loaded"/>.</param>
    public static Checkpoint Open(string path, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        (string weights, FolderDocuments documents) = ModelFolder.Find(path);
        var file = new CheckpointFile(weights);
        file.Budget.Cancellation = cancellationToken;
        return Open(path, file, documents);
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
        return Open(name, new CheckpointFile(name, bytes), new FolderDocuments());
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
            throw Unread(name, e);
        }
        return Open(bytes.GetBuffer().AsMemory(0, (int)bytes.Length), name);
    }

    /// <summary>What a stream that ends in an error is answered with.</summary>
    public static ModelException Unread(string name, Exception e) =>
        new($"The checkpoint '{name}' cannot be read: {e.Message.TrimEnd('.')}.", e);

    /// <inheritdoc/>
    public void Read(string name, Span<float> destination)
    {
        if (!_set.Tensors.TryGetValue(name, out StoredTensor? tensor))
            throw new KeyNotFoundException($"The checkpoint '{Path}' has no tensor called '{name}'.");
        _file.CheckUnchanged();
        try
        {
            tensor.Read(destination);
            _bytes.Scale(name, destination);
        }
        catch (Exception e) when (e is EndOfStreamException or InvalidDataException)
        {
            throw _file.Error($"is damaged: the values of {Printable.Quote(name)} end early or cannot be unpacked", e);
        }
    }

    /// <summary>The same without the tensors of other sets that lie below this one's prefix.</summary>
    public Checkpoint Without(IEnumerable<Checkpoint> others)
    {
        string[] below =
        [
            .. others.Where(other => other._set.Dictionary == _set.Dictionary)
                .Select(other => other.StrippedPrefix)
                .Where(prefix => prefix.StartsWith(StrippedPrefix, StringComparison.Ordinal))
                .Select(prefix => prefix[StrippedPrefix.Length..])
                .Where(rest => rest.Length > 0),
        ];
        if (below.Length == 0)
            return this;
        var kept = _set.Tensors.Where(
            row => !Array.Exists(below, prefix => row.Key.StartsWith(prefix, StringComparison.Ordinal)));
        return With(_set with { Tensors = new OrderedDictionary<string, StoredTensor>(kept, StringComparer.Ordinal) });
    }

    /// <summary>Where the values of some tensors begin: the same for two names of one tensor.</summary>
    public IEnumerable<object> Places(IEnumerable<string> names) =>
        names.Select(name => (object)_set.Tensors[name].Place);

    /// <summary>What is read from now on is for whoever uses the model: nothing ends it early.</summary>
    public void Loaded() => _file.Budget.Cancellation = CancellationToken.None;

    public void Dispose() => _file.Dispose();

    private Checkpoint With(WeightSet set) => new(Path, _file, _contents, _documents, set);

    private static Checkpoint Open(string path, CheckpointFile file, FolderDocuments documents)
    {
        try
        {
            ContainerContents contents = ContainerFormat.Read(file);
            return new Checkpoint(path, file, contents, documents, WeightSet.Whole(contents.Dictionaries[0]));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }
}
