using Atrous.Cli.Options;
using Atrous.Cli.Output;

namespace Atrous.Cli.Evaluating;

/// <summary>A picture and its true label map.</summary>
/// <param name="Picture">The path of the picture.</param>
/// <param name="Labels">The path of the label map.</param>
/// <param name="Name">The picture below the folder of pictures, with slashes.</param>
internal sealed record LabelledPicture(string Picture, string Labels, string Name);

/// <summary>The pictures of one folder with the label maps of another, as a layout pairs them.</summary>
internal sealed class LabelledPictures
{
    private readonly string _pictures, _labels;
    private readonly LabelLayout _layout;
    private readonly Dictionary<string, string> _photos, _truths;
    private readonly List<string> _notes = [];

    /// <exception cref="CommandException">
    /// A folder is missing, empty or unreadable, two files have one name, or a file has no partner.
    /// </exception>
    public LabelledPictures(string pictures, string labels, LabelLayout layout)
    {
        (_pictures, _labels, _layout) = (pictures, labels, layout);
        _photos = Photos();
        _truths = Truths();
        Pairs = layout.List is { } list ? Listed(list) : All();
    }

    /// <summary>In the list's order, or else by name.</summary>
    public IReadOnlyList<LabelledPicture> Pairs { get; }

    /// <summary>What was left out, a sentence each.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>Pairs by path below the folders, without the files' endings; in the pictures' order.</summary>
    private List<LabelledPicture> All()
    {
        var pairs = new List<LabelledPicture>();
        var alone = new List<string>();
        foreach ((string key, string photo) in _photos)
        {
            if (Truth(key) is { } truth)
                pairs.Add(Pair(photo, truth));
            else
                alone.Add(photo);
        }
        if (alone.Count > 0 && (!_layout.LeavesUnlabelled || pairs.Count == 0))
        {
            string advice = _layout.ImageSuffix is null
                ? "if the ends of the names differ, say how with --image-suffix and --label-suffix; else add it, or " +
                "take the picture out"
                : "add it, or take the picture out";
            throw Bad($"{alone[0]}: there is no label map of this name, ending in {_layout.LabelSuffix}, in {_labels}; "
                + $"{advice}{Others(alone)}.");
        }
        if (alone.Count > 0)
            _notes.Add($"{alone.Count} pictures without a label map are left out ({alone[0]}{Others(alone)}).");
        string[] orphans =
            [.. _truths.Where(truth => !_photos.ContainsKey(truth.Key)).Select(truth => truth.Value)];
        if (orphans.Length > 0)
            throw Bad($"{orphans[0]}: there is no picture of this name in {_pictures}; add it, or take the label map " +
                $"out{Others(orphans)}.");
        return pairs;
    }

    private List<LabelledPicture> Listed(string list)
    {
        HashSet<string> keys = [.. _photos.Keys], truthKeys = [.. _truths.Keys];
        ILookup<string, string> byName = _photos.Keys.ToLookup(key => Path.GetFileName(key), StringComparer.Ordinal);
        ILookup<string, string> truths = _truths.Keys.ToLookup(key => Path.GetFileName(key), StringComparer.Ordinal);
        var pairs = new List<LabelledPicture>();
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach ((int line, string picture, string? labels) in PictureList.Read(list))
        {
            string where = $"{list}: line {line}:";
            string key = PictureList.Find(picture, _layout.ImageSuffix, keys, byName) ?? throw Bad(
                $"{where} there is no one picture '{picture}' in {_pictures}; check that the list belongs to the folder"
                + (_layout.ImageSuffix is { } suffix ? $", whose pictures end in {suffix}." : "."));
            string? truth = labels is null
                ? Truth(key)
                : PictureList.Find(labels, _layout.LabelSuffix, truthKeys, truths) is { } found
                    ? _truths[found] : null;
            if (truth is null)
                throw Bad($"{where} '{labels ?? picture}' has no label map ending in {_layout.LabelSuffix} in "
                    + $"{_labels}; add it, or say how its name ends with --label-suffix.");
            if (!seen.TryAdd(key, line))
                throw Bad($"{where} '{picture}' stands on line {seen[key]} too; keep one of them.");
            pairs.Add(Pair(_photos[key], truth));
        }
        if (_photos.Count > pairs.Count)
            _notes.Add($"{pairs.Count} of {_photos.Count} pictures are on the list {list}; the others are left out.");
        return pairs;
    }

    private LabelledPicture Pair(string photo, string truth) =>
        new(photo, truth, InputFiles.NameOf(Path.GetRelativePath(_pictures, photo)));

    private string? Truth(string key)
    {
        if (_truths.TryGetValue(key, out string? known))
            return known;
        string path = Path.Combine(_labels, key + _layout.LabelSuffix);
        return File.Exists(path) ? path : null;
    }

    private Dictionary<string, string> Photos()
    {
        InputFiles files = Files(_pictures, "--images");
        var named = new Dictionary<string, string>(StringComparer.Ordinal);
        var others = new List<string>();
        foreach (InputFile file in files.Pictures)
        {
            bool ends = _layout.ImageSuffix is { } suffix
                ? file.Relative.EndsWith(suffix, StringComparison.OrdinalIgnoreCase)
                // Where pictures and label maps lie together, the longer ending tells them apart.
                : _layout.LabelSuffix[0] == '.'
                    || !file.Relative.EndsWith(_layout.LabelSuffix, StringComparison.OrdinalIgnoreCase);
            if (!ends)
                others.Add(file.Path);
            else if (!named.TryAdd(Key(file.Relative), file.Path))
                throw Bad($"{named[Key(file.Relative)]} and {file.Path} have one name; keep one of them.");
        }
        if (named.Count == 0)
        {
            throw Bad(_layout.ImageSuffix is { } end
                ? $"{others[0]}: no picture in {_pictures} ends in {end}; say how they end with --image-suffix."
                : $"{others[0]}: all files in {_pictures} end as label maps do, in {_layout.LabelSuffix}; give the "
                + "folder of the pictures, or say how they end with --image-suffix.");
        }
        if (others.Count > 0 && _layout.ImageSuffix is not null)
            _notes.Add(
                $"{others.Count} pictures do not end in {_layout.ImageSuffix} and are left out ({others[0]}"
                + $"{Others(others)}).");
        _notes.AddRange(files.LeftOutInWords());
        return named;

        string Key(string relative) => _layout.ImageSuffix is { } suffix
            ? relative[..^suffix.Length]
            : Path.ChangeExtension(relative, null);
    }

    private Dictionary<string, string> Truths()
    {
        if (!Directory.Exists(_labels))
            throw Bad($"{_labels}: there is no such folder; check the path given with --labels.");
        var named = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (InputFile file in new InputFiles([_labels]).Pictures)
        {
            if (!file.Relative.EndsWith(_layout.LabelSuffix, StringComparison.OrdinalIgnoreCase))
                continue;
            string key = file.Relative[..^_layout.LabelSuffix.Length];
            if (!named.TryAdd(key, file.Path))
                throw Bad($"{named[key]} and {file.Path} have one name; keep one of them.");
        }
        return named;
    }

    private static InputFiles Files(string folder, string option)
    {
        if (!Directory.Exists(folder))
            throw Bad($"{folder}: there is no such folder; check the path given with {option}.");
        var files = new InputFiles([folder]);
        return files.Bad is [var bad, ..] ? throw Bad($"{bad.Path}: {bad.Message}") : files;
    }

    private static string Others(IReadOnlyCollection<string> files) =>
        files.Count > 1 ? $" ({files.Count - 1} more like it)" : "";

    private static CommandException Bad(string message) => new(ExitCode.BadInput, message);
}
