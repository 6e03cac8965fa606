using Atrous.Native;

namespace Atrous.Imaging;

/// <summary>The bytes of a picture file, as libatrous wrote them.</summary>
internal unsafe ref struct EncodedImage(NativeBytes bytes) : IDisposable
{
    private NativeBytes _bytes = bytes;

    /// <exception cref="ImageException">The file is larger than 2 GiB.</exception>
    public readonly ReadOnlySpan<byte> Bytes => _bytes.Size <= int.MaxValue
        ? new ReadOnlySpan<byte>(_bytes.Data, (int)_bytes.Size)
        : throw new ImageException("The picture's file would be larger than 2 GiB; scale the picture down.");

    public readonly void Save(string path) => ImageFile.Write(path, Bytes);

    public readonly void Save(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        stream.Write(Bytes);
    }

    public void Dispose() => LibAtrous.BytesFree(ref _bytes);
}
