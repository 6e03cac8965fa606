using System.IO.Compression;
using System.Reflection.Metadata;

/// <summary>What a file of symbols (portable PDB) holds.</summary>
internal static class Symbols
{
    /// <summary>The kind of what holds a document's text (the format's specification, "Embedded Source").</summary>
    private static readonly Guid EmbeddedSource = new("0E8A571B-6926-466E-B4AD-8AB04611F5FE");

    /// <summary>
    /// Whether every document has its text and no name of a folder of the builder's, and one is this one.
    /// </summary>
    public static bool Hold(string path, string name, string expected)
    {
        using FileStream stream = File.OpenRead(path);
        using var provider = MetadataReaderProvider.FromPortablePdbStream(stream);
        MetadataReader reader = provider.GetMetadataReader();
        string[] lacking = [], foreign = [];
        bool same = false;
        foreach (DocumentHandle handle in reader.Documents)
        {
            string document = reader.GetString(reader.GetDocument(handle).Name);
            // What a build that can be repeated calls the root of the repository.
            if (Path.IsPathRooted(document) && !document.StartsWith("/_/", StringComparison.Ordinal))
                foreign = [.. foreign, document];
            string? text = TextOf(reader, handle);
            if (text is null)
                lacking = [.. lacking, document];
            else if (document.EndsWith(name, StringComparison.Ordinal))
                same |= text.TrimStart('\uFEFF') == expected;
        }
        Console.WriteLine($"{reader.Documents.Count} documents, without text: {string.Join(' ', lacking)}");
        Console.WriteLine($"in folders of the builder's: {string.Join(' ', foreign)}");
        Console.WriteLine($"{name} is {(same ? "as" : "not as")} it is in the repository");
        return same && lacking.Length == 0 && foreign.Length == 0;
    }

    /// <summary>Its length comes first, or 0 where it is not deflated.</summary>
    private static string? TextOf(MetadataReader reader, DocumentHandle document)
    {
        foreach (CustomDebugInformationHandle handle in reader.GetCustomDebugInformation(document))
        {
            CustomDebugInformation information = reader.GetCustomDebugInformation(handle);
            if (reader.GetGuid(information.Kind) != EmbeddedSource)
                continue;
            byte[] bytes = reader.GetBlobBytes(information.Value);
            using var contents = new MemoryStream(bytes, 4, bytes.Length - 4);
            using Stream inflated = BitConverter.ToInt32(bytes) == 0
                ? contents
                : new DeflateStream(contents, CompressionMode.Decompress);
            return new StreamReader(inflated).ReadToEnd();
        }
        return null;
    }
}
