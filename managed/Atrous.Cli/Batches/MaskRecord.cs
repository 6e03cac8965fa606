using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Atrous.Cli.Output;
using Atrous.Cli.Segmenting;
using Atrous.Files;
using Atrous.Postprocessing;

namespace Atrous.Cli.Batches;

/// <summary>
/// What a mask was made of, kept in the mask itself: the two can be neither parted nor out of step, whatever is killed.
/// </summary>
/// <param name="Input">The SHA-256 of the picture's file.</param>
/// <param name="Run">The stamp of the model and the options.</param>
/// <param name="Height">The number of rows of the mask.</param>
/// <param name="Width">The number of pixels of a row.</param>
/// <param name="Pixels">How many pixels are of a class, the most frequent class first.</param>
/// <param name="Files">The names and sizes of the outputs that lie beside the mask.</param>
internal sealed record MaskRecord(
    string Input, string Run, int Height, int Width, IReadOnlyList<(int Label, long Count)> Pixels,
    IReadOnlyList<(string Name, long Bytes)> Files)
{
    private const string Keyword = "Atrous";

    /// <summary>The label of pixels without data, and how many they are; null where the picture says nothing.</summary>
    public (int Label, long Pixels)? NoData { get; init; }

    /// <summary>The classes with their shares of the picture.</summary>
    public IReadOnlyList<ClassShare> Shares => [.. Pixels.Select(row => new ClassShare(
        row.Label, row.Count, row.Count / ((double)Height * Width - (NoData?.Pixels ?? 0))))];

    /// <summary>The SHA-256 of a file, in hexadecimal digits.</summary>
    /// <exception cref="ImageException">There is no such file, or it cannot be read.</exception>
    public static string HashOf(string path)
    {
        try
        {
            using FileStream stream = RegularFile.OpenRead(path);
            return Convert.ToHexStringLower(SHA256.HashData(stream));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ImageException($"{path}: there is no such file.", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new ImageException($"{path}: the file cannot be read ({e.Message.TrimEnd('.')}).", e);
        }
    }

    /// <summary>The mask's file with this record in it.</summary>
    public byte[] AddTo(ReadOnlySpan<byte> png) => PngText.Add(png, Keyword, ToJson());

    /// <summary>The record as the description of a TIFF.</summary>
    public string ToText() => $"{Keyword} {ToJson()}";

    /// <summary>The record of a mask that is whole and has all its other outputs beside it; null otherwise.</summary>
    /// <exception cref="IOException">The mask is there and cannot be read.</exception>
    public static MaskRecord? Of(SegmentJob job)
    {
        if (!File.Exists(job.Mask) || RegularFile.IsSpecial(job.Mask))
            return null;
        string? text;
        using (FileStream stream = File.OpenRead(job.Mask))
            text = OutputNames.IsTiff(job.Mask) ? Described(stream) : PngText.Find(stream, Keyword);
        if (text is null || Parse(text) is not { } record)
            return null;
        string folder = Path.GetDirectoryName(Path.GetFullPath(job.Mask))!;
        HashSet<string> told = [.. record.Files.Select(file => file.Name)];
        return job.Outputs.All(path => path == job.Mask || told.Contains(Path.GetFileName(path)))
            && record.Files.All(file => new FileInfo(Path.Combine(folder, file.Name)) is { Exists: true } there
                && there.Length == file.Bytes)
            ? record
            : null;
    }

    private static string? Described(Stream stream) =>
        LabelTiff.DescriptionOf(stream) is { } text && text.StartsWith($"{Keyword} ", StringComparison.Ordinal)
            ? text[(Keyword.Length + 1)..]
            : null;

    private string ToJson()
    {
        var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            json.WriteNumber("version", 1);
            json.WriteString("input", Input);
            json.WriteString("run", Run);
            json.WriteNumber("height", Height);
            json.WriteNumber("width", Width);
            json.WriteStartArray("pixels");
            foreach ((int label, long count) in Pixels)
            {
                json.WriteStartArray();
                json.WriteNumberValue(label);
                json.WriteNumberValue(count);
                json.WriteEndArray();
            }
            json.WriteEndArray();
            if (NoData is var (none, missing))
            {
                json.WriteStartArray("noData");
                json.WriteNumberValue(none);
                json.WriteNumberValue(missing);
                json.WriteEndArray();
            }
            json.WriteStartObject("files");
            foreach ((string name, long bytes) in Files)
                json.WriteNumber(name, bytes);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return Encoding.ASCII.GetString(text.ToArray());
    }

    /// <summary>Null for what this version did not write.</summary>
    private static MaskRecord? Parse(string text)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            JsonElement root = document.RootElement;
            if (root.GetProperty("version").GetInt32() != 1)
                return null;
            return new MaskRecord(
                root.GetProperty("input").GetString()!, root.GetProperty("run").GetString()!,
                root.GetProperty("height").GetInt32(), root.GetProperty("width").GetInt32(),
                [.. root.GetProperty("pixels").EnumerateArray().Select(row => (row[0].GetInt32(), row[1].GetInt64()))],
                [.. root.GetProperty("files").EnumerateObject().Select(file => (file.Name, file.Value.GetInt64()))])
            {
                NoData = root.TryGetProperty("noData", out JsonElement none) ? (none[0].GetInt32(), none[1].GetInt64())
                    : null,
            };
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException
            or FormatException or IndexOutOfRangeException)
        {
            return null;
        }
    }
}
