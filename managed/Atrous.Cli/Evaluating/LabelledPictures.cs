using Atrous.Cli.Options;

namespace Atrous.Cli.Evaluating;

/// <summary>A picture and its true label map.</summary>
internal sealed record LabelledPicture(string Picture, string Labels);

/// <summary>The pictures of one folder with the label maps of another.</summary>
internal static class LabelledPictures
{
    /// <summary>Pairs by path below the folders, without the file's extension; in the pictures' order.</summary>
    /// <exception cref="CommandException">
    /// A folder is missing, empty or unreadable, two files have one name, or a file has no partner.
    /// </exception>
    public static IReadOnlyList<LabelledPicture> Of(string pictures, string labels)
    {
        Dictionary<string, string> photos = Files(pictures, "--images"), truths = Files(labels, "--labels");
        Refuse(photos, truths, $"there is no label map of this name in {labels}; add it, or take the picture out");
        Refuse(truths, photos, $"there is no picture of this name in {pictures}; add it, or take the label map out");
        return [.. photos.Select(photo => new LabelledPicture(photo.Value, truths[photo.Key]))];
    }

    private static Dictionary<string, string> Files(string folder, string option)
    {
        if (!Directory.Exists(folder))
            throw Bad($"{folder}: there is no such folder; check the path given with {option}.");
        var files = new InputFiles([folder]);
        if (files.Bad is [var bad, ..])
            throw Bad($"{bad.Path}: {bad.Message}");
        var named = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (InputFile file in files.Pictures)
        {
            string name = Path.ChangeExtension(file.Relative, null);
            if (!named.TryAdd(name, file.Path))
                throw Bad($"{named[name]} and {file.Path} have one name; keep one of them.");
        }
        return named;
    }

    private static void Refuse(Dictionary<string, string> files, Dictionary<string, string> partners, string reason)
    {
        string[] alone = [.. files.Where(file => !partners.ContainsKey(file.Key)).Select(file => file.Value)];
        if (alone.Length == 0)
            return;
        string others = alone.Length == 1 ? "" : $" ({alone.Length - 1} more like it)";
        throw Bad($"{alone[0]}: {reason}{others}.");
    }

    private static CommandException Bad(string message) => new(ExitCode.BadInput, message);
}
