using System.Buffers.Binary;
using Atrous.Imaging;

namespace Atrous.Tests.Cli;

/// <summary>A folder for one test, deleted with it, and what tests put into it and look for.</summary>
public sealed class Workplace : IDisposable
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("atrous-cli-").FullName;

    /// <summary>An absolute path in the folder.</summary>
    public string this[string relative] => Path.Combine(Folder, relative);

    /// <summary>Every file's relative path, hidden ones too.</summary>
    public string[] Files =>
    [
        .. Directory.EnumerateFiles(
            Folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
            .Select(path => Path.GetRelativePath(Folder, path)).Order(StringComparer.Ordinal),
    ];

    /// <summary>The bytes of a photo that is not the same everywhere.</summary>
    public static byte[] Photo(int height = 33, int width = 37)
    {
        using var image = new Image(height, width, 3);
        Span<byte> pixels = image.Pixels;
        for (int i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)(i * 7 % 251 + i / 97);
        using var stream = new MemoryStream();
        image.SavePng(stream);
        return stream.ToArray();
    }

    /// <summary>Writes a file and returns its path.</summary>
    public string Add(string relative, byte[] bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(this[relative])!);
        File.WriteAllBytes(this[relative], bytes);
        return this[relative];
    }

    public string Add(string relative, string text) => Add(relative, System.Text.Encoding.UTF8.GetBytes(text));

    public string AddPhoto(string relative) => Add(relative, Photo());

    /// <summary>The mask is a whole 8-bit palette PNG of this size; returns its bytes.</summary>
    public byte[] AssertMask(string relative, int height = 33, int width = 37)
    {
        byte[] png = File.ReadAllBytes(this[relative]);
        AssertMask(png, height, width);
        return png;
    }

    public static void AssertMask(ReadOnlySpan<byte> png, int height = 33, int width = 37)
    {
        Assert.Equal("IHDR"u8, png[12..16]);
        Assert.Equal(width, BinaryPrimitives.ReadInt32BigEndian(png[16..]));
        Assert.Equal(height, BinaryPrimitives.ReadInt32BigEndian(png[20..]));
        const byte depth = 8, palette = 3;
        Assert.Equal([depth, palette], png[24..26]);
        Assert.Equal("IEND"u8, png[^8..^4]);
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
