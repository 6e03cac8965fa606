using Atrous.Native;

namespace Atrous.Imaging;

/// <summary>The bytes of a picture file, as libatrous wrote them.</summary>
internal ref struct EncodedImage(NativeBytes bytes) : IDisposable
{
    private NativeBytes _bytes = bytes;

    /// <summary>Encodes a picture.</summary>
    public delegate EncodedImage Encoder();

    /// <exception cref="ImageException">The file is larger than 2 GiB.</exception>
    public readonly unsafe ReadOnlySpan<byte> Bytes => _bytes.Size <= int.MaxValue
        ? new ReadOnlySpan<byte>(_bytes.Data, (int)_bytes.Size)
        : throw new ImageException("The picture's file would be larger than 2 GiB; scale the picture down.");

    /// <exception cref="OutputException">The file cannot be written.</exception>
    public static async Task SaveAsync(Encoder encode, string path, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        byte[] bytes = await RunAsync(encode, cancellationToken).ConfigureAwait(false);
        await ImageFile.WriteAsync(path, bytes, cancellationToken).ConfigureAwait(false);
    }

    public static async Task SaveAsync(Encoder encode, Stream stream, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(stream);
        byte[] bytes = await RunAsync(encode, cancellationToken).ConfigureAwait(false);
        await stream.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
    }

    public readonly void Save(string path) => ImageFile.Write(path, Bytes);

    public readonly void Save(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        stream.Write(Bytes);
    }

    public void Dispose() => LibAtrous.BytesFree(ref _bytes);

    private static Task<byte[]> RunAsync(Encoder encode, CancellationToken cancellationToken) => Task.Run(
        () =>
        {
            using EncodedImage file = encode();
            return file.Bytes.ToArray();
        },
        cancellationToken);
}
