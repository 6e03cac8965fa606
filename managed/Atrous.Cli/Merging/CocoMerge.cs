using System.Globalization;
using System.Text.Json;
using Atrous.Cli.Output;
using Atrous.Formats;

namespace Atrous.Cli.Merging;

/// <summary>
/// Joins the COCO files of a run's parts: pictures and annotations are numbered anew, and the classes must be the same.
/// </summary>
internal sealed class CocoMerge(TemporaryFiles temporaries)
{
    /// <summary>Bytes that are held before they are written.</summary>
    private const int Piece = 1 << 16;

    public required IReadOnlyList<string> Files { get; init; }

    /// <summary>Null for standard output.</summary>
    public required string? Output { get; init; }

    public required bool Quiet { get; init; }

    /// <summary>Whether COCO files are named, and no lines.</summary>
    /// <exception cref="CommandException">Both are.</exception>
    public static bool IsFor(IReadOnlyList<string> inputs)
    {
        bool[] are = [.. inputs.Select(input =>
            Path.GetExtension(input).Equals(".json", StringComparison.OrdinalIgnoreCase))];
        if (are.Distinct().Count() > 1)
            throw CommandException.Usage("COCO files (.json) are joined by themselves; join lines in another run.");
        return are[0];
    }

    /// <summary>The exit code: worth another run where a part or pictures are missing.</summary>
    public int Run()
    {
        if (Output is not null && Files.Select(Path.GetFullPath).Contains(Path.GetFullPath(Output)))
            throw CommandException.Usage($"{Output} is among the files that are joined; write it elsewhere.");
        CocoPart[] parts = [.. Files.Distinct().Select(CocoPart.Read)];
        parts = [.. parts.OrderBy(part => IndexOf(part) ?? int.MaxValue)];
        RefuseStrange(parts);
        long annotations = 0;
        OutputFile.Save(temporaries, Output, stream => annotations = Write(stream, parts));
        int pictures = parts.Sum(part => part.Images.Count), lacking = parts.Max(part => part.Pictures) - pictures;
        string[] missing = Missing(parts);
        if (!Quiet)
        {
            Terminal.Message(string.Create(
                CultureInfo.InvariantCulture,
                $"{pictures} pictures with {annotations} annotations{(Output is null ? "" : $" in {Output}")}"));
            if (missing.Length > 0)
                Terminal.Message($"there is no file of the {(missing.Length == 1 ? "part" : "parts")} "
                    + string.Join(", ", missing));
            else if (lacking > 0)
                Terminal.Message($"{lacking} {(lacking == 1 ? "picture is" : "pictures are")} in no file, because "
                    + (lacking == 1 ? "it" : "they") + " failed");
        }
        return missing.Length > 0 || lacking > 0 ? ExitCode.Failed : ExitCode.Done;
    }

    private static void RefuseStrange(CocoPart[] parts)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        var shards = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (CocoPart part in parts)
        {
            if (!part.Classes.SequenceEqual(parts[0].Classes))
            {
                throw new CommandException(
                    ExitCode.BadInput,
                    $"{parts[0].Path} and {part.Path} have other categories; segment all parts with the same model.");
            }
            if (part.Shard is { } shard && !shards.TryAdd(shard, part.Path))
            {
                throw new CommandException(
                    ExitCode.BadInput,
                    $"{shards[shard]} and {part.Path} are both of the part {shard}; name one of them.");
            }
            foreach ((string name, _, _) in part.Images)
            {
                if (!names.TryAdd(name, part.Path))
                {
                    throw new CommandException(
                        ExitCode.BadInput,
                        $"{name} is in {names[name]} and in {part.Path}; join files of parts that share no picture.");
                }
            }
        }
        string[] counts = [.. parts.Select(part => part.Shard?.Split('/')[^1] ?? "1").Distinct()];
        if (counts.Length > 1)
        {
            throw new CommandException(
                ExitCode.BadInput,
                $"The files are of runs in {string.Join(" and ", counts)} parts; join the parts of one run.");
        }
    }

    private static int? IndexOf(CocoPart part) =>
        int.TryParse(part.Shard?.Split('/')[0], NumberStyles.None, CultureInfo.InvariantCulture, out int index)
            ? index : null;

    private static string[] Missing(CocoPart[] parts)
    {
        if (parts[0].Shard?.Split('/')[^1] is not { } text
            || !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count))
            return [];
        HashSet<string> there = [.. parts.Select(part => part.Shard!)];
        return [.. Enumerable.Range(0, count).Select(index => $"{index}/{count}").Where(part => !there.Contains(part))];
    }

    private static long Write(Stream stream, CocoPart[] parts)
    {
        using var json = new Utf8JsonWriter(stream, JsonFile.Options);
        CocoWriter.Begin(json, part: null);
        long annotations = 0;
        int images = 0;
        foreach (CocoPart part in parts)
        {
            part.ForEachAnnotation(annotation =>
            {
                json.WriteStartObject();
                foreach (JsonProperty member in annotation.EnumerateObject())
                {
                    if (member.Name == "id")
                        json.WriteNumber("id", ++annotations);
                    else if (member.Name == "image_id")
                        json.WriteNumber("image_id", images + member.Value.GetInt32());
                    else
                        member.WriteTo(json);
                }
                json.WriteEndObject();
                if (json.BytesPending > Piece)
                    json.Flush();
            });
            images += part.Images.Count;
        }
        CocoWriter.End(json, [.. parts.SelectMany(part => part.Images)], parts[0].Classes);
        return annotations;
    }
}
