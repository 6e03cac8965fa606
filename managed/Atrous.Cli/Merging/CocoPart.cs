using System.Text.Json;
using Atrous.Files;

namespace Atrous.Cli.Merging;

/// <summary>What a COCO file of a part has beside its annotations.</summary>
/// <param name="Path">The path of the file, as it was named.</param>
internal sealed record CocoPart(string Path)
{
    /// <summary>"0/8"; null where the file is not of a part.</summary>
    public string? Shard { get; private set; }

    /// <summary>How many pictures all parts have.</summary>
    public int Pictures { get; private set; }

    /// <summary>The names of the classes, from class 0 on.</summary>
    public List<string> Classes { get; } = [];

    public List<(string Name, int Height, int Width)> Images { get; } = [];

    /// <summary>Reads all but the annotations.</summary>
    /// <exception cref="CommandException">The file is none that a run wrote, or cannot be read.</exception>
    public static CocoPart Read(string path)
    {
        var part = new CocoPart(path);
        part.Look((name, value) =>
        {
            if (name == "info" && value.TryGetProperty("shard", out JsonElement shard))
                (part.Shard, part.Pictures) = (shard.GetString(), value.GetProperty("pictures").GetInt32());
            if (name == "categories")
            {
                part.Classes.Add(value.GetProperty("name").GetString()!);
                if (value.GetProperty("id").GetInt32() != part.Classes.Count)
                    throw new FormatException("its categories are not numbered from 1");
            }
            if (name == "images")
            {
                part.Images.Add((
                    value.GetProperty("file_name").GetString()!, value.GetProperty("height").GetInt32(),
                    value.GetProperty("width").GetInt32()));
                if (value.GetProperty("id").GetInt32() != part.Images.Count)
                    throw new FormatException("its images are not numbered from 1");
            }
        });
        return part.Classes.Count > 0 ? part : throw part.Foreign("it has no categories");
    }

    /// <summary>Each annotation, in the file's order.</summary>
    /// <exception cref="CommandException">The file is none that a run wrote, or cannot be read.</exception>
    public void ForEachAnnotation(Action<JsonElement> action) => Look((name, value) =>
    {
        if (name == "annotations")
            action(value);
    });

    private void Look(Action<string, JsonElement> action)
    {
        try
        {
            using FileStream stream = RegularFile.OpenRead(Path);
            var lists = new JsonLists(stream);
            while (lists.Next() is var (name, value))
                action(name, value);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CommandException(ExitCode.BadInput, $"{Path}: there is no such file; check the path.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(
                ExitCode.Failed, $"{Path}: the file cannot be read ({e.Message.TrimEnd('.')}).", e);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException
            or FormatException)
        {
            throw Foreign(e.Message.TrimEnd('.').Split('\n')[0], e);
        }
    }

    private CommandException Foreign(string reason, Exception? inner = null) => new(
        ExitCode.BadInput,
        $"{Path}: this is no COCO file that `atrous segment --format coco` wrote ({reason}); name its files alone.",
        inner ?? new FormatException(reason));
}
