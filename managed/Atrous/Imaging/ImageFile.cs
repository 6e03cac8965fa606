using Atrous.Files;

namespace Atrous.Imaging;

/// <summary>Whole files in and out, with failures as sentences.</summary>
internal static class ImageFile
{
    /// <summary>Far more than any picture within the pixel limit needs; stops endless streams.</summary>
    private const int MaxBytes = 1 << 30;

    private const int BlockBytes = 81920;

    /// <exception cref="ImageException">The file is not there or cannot be read.</exception>
    public static byte[] Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            using FileStream file = RegularFile.OpenRead(path);
            return Read(file, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(path, e);
        }
    }

    /// <inheritdoc cref="Read(string)"/>
    public static async Task<byte[]> ReadAsync(string path, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            RegularFile.Require(path);
            await using var file = new FileStream(
                path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1, FileOptions.Asynchronous);
            return await ReadAsync(file, path, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(path, e);
        }
    }

    /// <summary>Reads from the stream's position to its end.</summary>
    /// <exception cref="ImageException">There are too many bytes for a picture.</exception>
    public static byte[] Read(Stream stream, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        MemoryStream bytes = BufferFor(stream);
        byte[] block = new byte[BlockBytes];
        for (int count; (count = stream.Read(block)) > 0;)
            Append(bytes, block.AsSpan(0, count), name);
        return BytesOf(bytes);
    }

    /// <inheritdoc cref="Read(Stream, string?)"/>
    public static async Task<byte[]> ReadAsync(Stream stream, string? name, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(stream);
        MemoryStream bytes = BufferFor(stream);
        byte[] block = new byte[BlockBytes];
        for (int count; (count = await stream.ReadAsync(block, cancellationToken).ConfigureAwait(false)) > 0;)
            Append(bytes, block.AsSpan(0, count), name);
        return BytesOf(bytes);
    }

    /// <exception cref="OutputException">The file cannot be written.</exception>
    public static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            File.WriteAllBytes(path, bytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(path, e);
        }
    }

    /// <summary>As <see cref="Write"/>. Once begun it goes on to its end: half a file is worse than none.</summary>
    /// <inheritdoc cref="Write" path="/exception"/>
    public static async Task WriteAsync(string path, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            await File.WriteAllBytesAsync(path, bytes, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(path, e);
        }
    }

    private static MemoryStream BufferFor(Stream stream)
    {
        long expected = stream.CanSeek ? stream.Length - stream.Position : 0;
        return new MemoryStream(expected is > 0 and <= MaxBytes ? (int)expected : 0);
    }

    private static void Append(MemoryStream bytes, ReadOnlySpan<byte> block, string? name)
    {
        if (bytes.Length + block.Length > MaxBytes)
            throw new ImageException(
                $"{name ?? "the stream"}: more than {MaxBytes} bytes are no picture; check what is sent.");
        bytes.Write(block);
    }

    private static byte[] BytesOf(MemoryStream bytes) =>
        bytes.Length == bytes.Capacity ? bytes.GetBuffer() : bytes.ToArray();

    private static ImageException Unreadable(string path, Exception e) => e switch
    {
        FileNotFoundException or DirectoryNotFoundException =>
            new ImageException($"{path}: there is no such file; check the path.", e),
        UnauthorizedAccessException => new ImageException(
            Directory.Exists(path)
                ? $"{path}: this is a folder; name a picture in it."
                : $"{path}: reading is not permitted; check the file's permissions.",
            e),
        _ => new ImageException($"{path}: the file cannot be read ({e.Message}).", e),
    };

    private static OutputException Unwritable(string path, Exception e) => e is DirectoryNotFoundException
        ? new OutputException($"{path}: its folder does not exist; create it first.", e)
        : new OutputException($"{path}: the file cannot be written ({e.Message.TrimEnd('.')}).", e);
}
