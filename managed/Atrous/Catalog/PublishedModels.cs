using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Atrous.Files;

namespace Atrous.Catalog;

/// <summary>
/// The published checkpoints that can be pulled: catalog.json in this assembly, or the file that the environment
/// variable <see cref="Variable"/> names (a mirror's, a company's own), which replaces it.
/// </summary>
public sealed partial class PublishedModels
{
    /// <summary>Names a catalog in place of the built-in one: JSON of the same form.</summary>
    public const string Variable = "ATROUS_CATALOG";

    private const int Sha256Digits = 64;

    private const int MaxBytes = 16 << 20, MaxFiles = 1000, MaxClasses = 65536, MaxText = 1000, MaxName = 200;

    /// <summary>Of one file; so many files of it can be added up.</summary>
    private const long MaxFileBytes = 1L << 44;

    private PublishedModels(string? path, IReadOnlyList<PublishedModel> entries) => (Path, Entries) = (path, entries);

    /// <summary>The catalog's file; null for the built-in one.</summary>
    public string? Path { get; }

    /// <summary>In the catalog's order.</summary>
    public IReadOnlyList<PublishedModel> Entries { get; }

    /// <summary>The catalog in force.</summary>
    /// <exception cref="UnavailableException">
    /// The file that <see cref="Variable"/> names is missing or no catalog.
    /// </exception>
    public static PublishedModels Open() =>
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } path ? Read(path) : BuiltIn();

    /// <summary>The catalog that comes with Atrous.</summary>
    public static PublishedModels BuiltIn()
    {
        Assembly assembly = typeof(PublishedModels).Assembly;
        using Stream stream = assembly.GetManifestResourceStream("Atrous.Catalog.catalog.json")!;
        return Read(null, stream);
    }

    /// <summary>A catalog of one's own.</summary>
    /// <param name="path">The path of a JSON file in the form of the catalog in the box.</param>
    /// <exception cref="UnavailableException">The file is missing or no catalog.</exception>
    public static PublishedModels Read(string path)
    {
        try
        {
            using FileStream stream = RegularFile.OpenRead(path);
            if (stream.Length > MaxBytes)
                throw new JsonException($"it is larger than the {MaxBytes >> 20} MiB that are read");
            return Read(path, stream);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UnavailableException(
                $"The catalog '{path}' ({Variable}) cannot be read: {e.Message.TrimEnd('.')}.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new UnavailableException(
                $"The catalog '{path}' ({Variable}) cannot be understood: {ForeignText.OfJson(e)}.");
        }
    }

    /// <summary>The entry of this name; null where there is none.</summary>
    /// <param name="name">The model's name as the catalog writes it; small and capital letters differ.</param>
    public PublishedModel? Find(string name) => Entries.FirstOrDefault(entry => entry.Name == name);

    private static PublishedModels Read(string? path, Stream stream)
    {
        IReadOnlyList<PublishedModel> entries =
            JsonSerializer.Deserialize(stream, CatalogMembers.Default.Document)?.Models
            ?? throw new JsonException("it is null");
        foreach (PublishedModel entry in entries)
            Check(entry);
        string? twice = entries.GroupBy(entry => entry.Name).FirstOrDefault(group => group.Count() > 1)?.Key;
        return twice is null
            ? new PublishedModels(path, entries)
            : throw new JsonException($"it has two models called '{twice}'");
    }

    /// <summary>
    /// Names become file names, so that none may lead elsewhere; what comes over the wire must be checkable.
    /// </summary>
    private static void Check(PublishedModel? entry)
    {
        if (entry is null)
            throw new JsonException("a model of it is null");
        if (!IsSafe(entry.Name) || entry.Name == DefaultModel.Name)
            throw new JsonException($"'{ForeignText.OneLine(entry.Name, MaxName)}' is no name that a model can have");
        if (entry.Files.Count is 0 or > MaxFiles)
            throw new JsonException($"'{entry.Name}' has {entry.Files.Count} files; a model has 1 to {MaxFiles}");
        string?[] texts = [entry.Dialect, entry.Licence, entry.Data, entry.Source, entry.MeasuredOn];
        if (Array.Exists(texts, text => text is { Length: > MaxText } || text?.Any(char.IsControl) == true))
            throw new JsonException(
                $"'{entry.Name}' has a text with control characters or of more than {MaxText} characters");
        if (entry.Classes is < 1 or > MaxClasses)
            throw new JsonException($"'{entry.Name}' has {entry.Classes} classes; a model has 1 to {MaxClasses}");
        // Also what a float cannot hold, which is read as infinite.
        if (entry.MeanIoU is { } score && score is not (>= 0 and <= 1))
            throw new JsonException($"'{entry.Name}' has an mIoU that is not from 0 to 1");
        foreach (CatalogFile file in entry.Files)
        {
            if (file is null || !file.Url.IsAbsoluteUri || !IsSafe(file.FileName))
                throw new JsonException($"'{entry.Name}' has a file without a proper url");
            if (file.Size is < 0 or > MaxFileBytes)
                throw new JsonException($"'{entry.Name}' has a file of {file.Size} bytes, which none can have");
            if (file.Sha256 is { } hash && !HashDigits().IsMatch(hash))
                throw new JsonException(
                    $"'{entry.Name}' has the sha256 '{ForeignText.OneLine(hash, MaxName)}', which is not 8 to " +
                    $"{Sha256Digits} hexadecimal digits");
            bool safe = file.Url.Scheme == Uri.UriSchemeHttps
                || (file.Url.Scheme == Uri.UriSchemeHttp
                && (file.Url.IsLoopback || file.Sha256?.Length == Sha256Digits));
            if (!safe)
                throw new JsonException(
                    $"'{entry.Name}' has the url {ShownAddress.Of(file.Url)}; use https, or http with all " +
                    $"{Sha256Digits} digits of the sha256");
        }
        if (entry.Files.Select(file => file.FileName).Distinct().Count() < entry.Files.Count)
            throw new JsonException($"'{entry.Name}' has two files of the same name");
    }

    private static bool IsSafe(string name) => name.Length <= MaxName && SafeName().IsMatch(name);

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._+-]*\z")]
    private static partial Regex SafeName();

    [GeneratedRegex(@"^[0-9a-f]{8,64}\z")]
    private static partial Regex HashDigits();

    private sealed record Document(IReadOnlyList<PublishedModel> Models);

    [JsonSourceGenerationOptions(
        PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true)]
    [JsonSerializable(typeof(Document))]
    private sealed partial class CatalogMembers : JsonSerializerContext;
}
