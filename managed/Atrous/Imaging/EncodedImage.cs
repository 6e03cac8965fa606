namespace Atrous.Imaging;

/// <summary>The bytes of a picture file in memory.</summary>
internal readonly struct EncodedImage(ReadOnlyMemory<byte> bytes)
{
    /// <summary>The file.</summary>
    public ReadOnlySpan<byte> Bytes => bytes.Span;

    /// <exception cref="OutputException">The file cannot be written.</exception>
    public static async Task SaveAsync(Func<EncodedImage> encode, string path, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        EncodedImage file = await Task.Run(encode, cancellationToken).ConfigureAwait(false);
        await ImageFile.WriteAsync(path, file.Memory, cancellationToken).ConfigureAwait(false);
    }

    public static async Task SaveAsync(Func<EncodedImage> encode, Stream stream, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(stream);
        EncodedImage file = await Task.Run(encode, cancellationToken).ConfigureAwait(false);
        await stream.WriteAsync(file.Memory, cancellationToken).ConfigureAwait(false);
    }

    public void Save(string path) => ImageFile.Write(path, Bytes);

    public void Save(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        stream.Write(Bytes);
    }

    private ReadOnlyMemory<byte> Memory => bytes;
}
