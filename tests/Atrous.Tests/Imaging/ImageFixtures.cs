using System.Text.Json;
using Atrous.Imaging;
using Atrous.Native;
using Atrous.Tests.Support;

namespace Atrous.Tests.Imaging;

/// <summary>The pictures in Imaging/fixtures and what Pillow makes of them (make.py wrote both).</summary>
internal static class ImageFixtures
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNameCaseInsensitive = true };
    private static readonly Lazy<Expectations> Loaded = new(Load);

    public static Expectations Expected => Loaded.Value;

    public static TheoryData<string> Files => [.. Expected.Decoded.Keys];

    public static string PathOf(string name) =>
        Repository.PathOf(Path.Combine("tests", "Atrous.Tests", "Imaging", "fixtures", name));

    public static byte[] BytesOf(string name) => File.ReadAllBytes(PathOf(name));

    public static void AssertEqual(ExpectedImage expected, Image actual)
    {
        Assert.Equal(
            (expected.Height, expected.Width, expected.Channels), (actual.Height, actual.Width, actual.Channels));
        Assert.Equal(expected.Pixels, actual.Pixels.ToArray());
    }

    /// <summary>
    /// Decodes bytes that may be damaged: a picture or an <see cref="ImageException"/>, and nothing left behind.
    /// </summary>
    public static bool Decodes(ReadOnlySpan<byte> bytes)
    {
        long handles = LibAtrous.LiveHandles(), buffers = PixelBuffer.LiveCount;
        bool decoded = true;
        try
        {
            using Image image = Image.Load(bytes, maxPixels: 1 << 20);
            Assert.Equal(image.Width * image.Height * image.Channels, image.Pixels.Length);
        }
        catch (ImageException e)
        {
            decoded = false;
            Assert.EndsWith(".", e.Message);
            Assert.DoesNotContain('\n', e.Message);
        }
        // There may be fewer: what other tests have left to the collector goes when it comes to it.
        Assert.InRange(LibAtrous.LiveHandles(), 0, handles);
        Assert.InRange(PixelBuffer.LiveCount, 0, buffers);
        return decoded;
    }

    private static Expectations Load() =>
        JsonSerializer.Deserialize<Expectations>(File.ReadAllText(PathOf("expected.json")), Json)!;
}

internal sealed record ExpectedImage(int Height, int Width, int Channels, byte[] Pixels, int Filter = 0);

internal sealed record Expectations(
    Dictionary<string, ExpectedImage> Decoded, Dictionary<string, ExpectedImage> Source, ExpectedImage[] Resized);
