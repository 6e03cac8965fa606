namespace Atrous.Imaging;

/// <summary>Whole files in and out, with failures as sentences.</summary>
internal static class ImageFile
{
    /// <summary>Far more than any picture within the pixel limit needs; stops endless streams.</summary>
    private const int MaxBytes = 1 << 30;

    /// <exception cref="ImageException">The file is not there or cannot be read.</exception>
    public static byte[] Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            using FileStream file = File.OpenRead(path);
            return Read(file, path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ImageException($"{path}: there is no such file; check the path.", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new ImageException(Directory.Exists(path)
                ? $"{path}: this is a folder; name a picture in it."
                : $"{path}: reading is not permitted; check the file's permissions.", e);
        }
        catch (IOException e)
        {
            throw new ImageException($"{path}: the file cannot be read ({e.Message}).", e);
        }
    }

    /// <summary>Reads from the stream's position to its end.</summary>
    /// <exception cref="ImageException">There are too many bytes for a picture.</exception>
    public static byte[] Read(Stream stream, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        long expected = stream.CanSeek ? stream.Length - stream.Position : 0;
        var bytes = new MemoryStream(expected is > 0 and <= MaxBytes ? (int)expected : 0);
        byte[] block = new byte[81920];
        for (int count; (count = stream.Read(block)) > 0;)
        {
            if (bytes.Length + count > MaxBytes)
                throw new ImageException(
                    $"{name ?? "the stream"}: more than {MaxBytes} bytes are no picture; check what is sent.");
            bytes.Write(block, 0, count);
        }
        return bytes.Length == bytes.Capacity ? bytes.GetBuffer() : bytes.ToArray();
    }

    /// <exception cref="AtrousException">The file cannot be written.</exception>
    public static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            File.WriteAllBytes(path, bytes);
        }
        catch (DirectoryNotFoundException e)
        {
            throw new OutputException($"{path}: its folder does not exist; create it first.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OutputException($"{path}: the file cannot be written ({e.Message.TrimEnd('.')}).", e);
        }
    }
}
