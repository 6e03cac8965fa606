using Atrous.Catalog;
using Atrous.Checkpoints;

namespace Atrous;

/// <content>Loading, from files and on the thread pool.</content>
public sealed partial class Segmenter
{
    /// <summary>Opens a checkpoint and makes its network ready.</summary>
    /// <param name="path">
    /// A safetensors file, a PyTorch file (.pth, .pt, .ckpt, .pkl; zip or legacy), or a folder with config.json and
    /// weights.
    /// </param>
    /// <param name="options">The device, precision, threads, output stride, dialect; null for the defaults.</param>
    /// <exception cref="ModelException">The file is missing, broken, of no known dialect, or lacks weights.</exception>
    /// <exception cref="UnavailableException">
    /// The device, precision, output stride or switch is not to be had.
    /// </exception>
    public static Segmenter Load(string path, SegmenterOptions? options = null) =>
        Load(() => Checkpoint.Open(path), options);

    /// <summary>
    /// Opens a checkpoint whose bytes are in memory, and makes its network ready. The bytes are not copied: they must
    /// not change while the segmenter lives.
    /// </summary>
    /// <param name="bytes">The whole file: safetensors or PyTorch, zip or legacy.</param>
    /// <param name="options">The device, precision, threads, output stride, dialect; null for the defaults.</param>
    /// <param name="name">What errors and <see cref="ModelInfo.Path"/> call the model.</param>
    /// <inheritdoc cref="Load(string, SegmenterOptions?)" path="/exception"/>
    public static Segmenter Load(
        ReadOnlyMemory<byte> bytes, SegmenterOptions? options = null, string name = "model in memory") =>
        Load(() => Checkpoint.Open(bytes, name), options);

    /// <summary>
    /// Reads a stream to its end, opens the checkpoint that it held, and makes its network ready. The stream is not
    /// needed any more afterwards and is not disposed. It holds at most 2 GB; load larger models by their path.
    /// </summary>
    /// <param name="stream">A readable stream; it need not be seekable.</param>
    /// <param name="options">The device, precision, threads, output stride, dialect; null for the defaults.</param>
    /// <param name="name">What errors and <see cref="ModelInfo.Path"/> call the model.</param>
    /// <inheritdoc cref="Load(string, SegmenterOptions?)" path="/exception"/>
    public static Segmenter Load(
        Stream stream, SegmenterOptions? options = null, string name = "model from a stream") =>
        Load(() => Checkpoint.Open(stream, name), options);

    /// <summary>
    /// Makes the network that comes with Atrous ready: 11 classes of road scenes, see <see cref="DefaultModel"/>.
    /// </summary>
    /// <inheritdoc cref="Load(string, SegmenterOptions?)" path="/param[@name='options']"/>
    /// <inheritdoc cref="Load(string, SegmenterOptions?)" path="/exception"/>
    public static Segmenter LoadDefault(SegmenterOptions? options = null) => Load(DefaultModel.Existing(), options);

    /// <summary>
    /// As <see cref="Load(string, SegmenterOptions?)"/>, on the thread pool: reading and packing the weights of a large
    /// model takes a second or more of work.
    /// </summary>
    /// <param name="path">A checkpoint file or folder.</param>
    /// <param name="options">The device, precision, threads, output stride, dialect; null for the defaults.</param>
    /// <param name="cancellationToken">Is looked at while the file is read, and when loading has ended.</param>
    /// <inheritdoc cref="Load(string, SegmenterOptions?)" path="/exception"/>
    public static Task<Segmenter> LoadAsync(
        string path, SegmenterOptions? options = null, CancellationToken cancellationToken = default) =>
        Loading(() => Load(path, options, cancellationToken), cancellationToken);

    /// <summary>
    /// As <see cref="Load(ReadOnlyMemory{byte}, SegmenterOptions?, string)"/>, on the thread pool. The bytes must not
    /// change while the segmenter lives.
    /// </summary>
    /// <param name="bytes">The whole file: safetensors or PyTorch, zip or legacy.</param>
    /// <param name="options">The device, precision, threads, output stride, dialect; null for the defaults.</param>
    /// <param name="name">What errors and <see cref="ModelInfo.Path"/> call the model.</param>
    /// <param name="cancellationToken">Is looked at when loading has ended.</param>
    /// <inheritdoc cref="Load(string, SegmenterOptions?)" path="/exception"/>
    public static Task<Segmenter> LoadAsync(
        ReadOnlyMemory<byte> bytes, SegmenterOptions? options = null, string name = "model in memory",
        CancellationToken cancellationToken = default) =>
        Loading(() => Load(bytes, options, name), cancellationToken);

    /// <summary>
    /// As <see cref="Load(Stream, SegmenterOptions?, string)"/>: the stream is read without a thread waiting for it,
    /// and the network is made ready on the thread pool.
    /// </summary>
    /// <param name="stream">A readable stream; it need not be seekable.</param>
    /// <param name="options">The device, precision, threads, output stride, dialect; null for the defaults.</param>
    /// <param name="name">What errors and <see cref="ModelInfo.Path"/> call the model.</param>
    /// <param name="cancellationToken">Ends the reading; is looked at when loading has ended, too.</param>
    /// <inheritdoc cref="Load(string, SegmenterOptions?)" path="/exception"/>
    public static async Task<Segmenter> LoadAsync(
        Stream stream, SegmenterOptions? options = null, string name = "model from a stream",
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentException.ThrowIfNullOrEmpty(name);
        var bytes = new MemoryStream();
        try
        {
            await stream.CopyToAsync(bytes, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Checkpoint.Unread(name, e);
        }
        ReadOnlyMemory<byte> read = bytes.GetBuffer().AsMemory(0, (int)bytes.Length);
        return await LoadAsync(read, options, name, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>As <see cref="LoadDefault"/>, on the thread pool.</summary>
    /// <inheritdoc cref="LoadAsync(string, SegmenterOptions?, CancellationToken)" path="/param[@name!='path']"/>
    /// <inheritdoc cref="Load(string, SegmenterOptions?)" path="/exception"/>
    public static Task<Segmenter> LoadDefaultAsync(
        SegmenterOptions? options = null, CancellationToken cancellationToken = default) =>
        Loading(() => Load(DefaultModel.Path, options, cancellationToken), cancellationToken);

    /// <summary>As <see cref="Load(string, SegmenterOptions?)"/>, and looks at a token between two reads.</summary>
    internal static Segmenter Load(string path, SegmenterOptions? options, CancellationToken cancellationToken) =>
        Load(() => Checkpoint.Open(path, cancellationToken), options);

    private static Segmenter Load(Func<Checkpoint> open, SegmenterOptions? options)
    {
        options ??= new SegmenterOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxBatch, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.CachedShapes, 1);
        Checkpoint checkpoint = open();
        try
        {
            var segmenter = new Segmenter(checkpoint, options);
            checkpoint.Loaded();
            return segmenter;
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    private static async Task<Segmenter> Loading(Func<Segmenter> load, CancellationToken cancellationToken)
    {
        Segmenter segmenter = await Task.Run(load, cancellationToken).ConfigureAwait(false);
        if (!cancellationToken.IsCancellationRequested)
            return segmenter;
        segmenter.Dispose();
        throw new OperationCanceledException(cancellationToken);
    }
}
