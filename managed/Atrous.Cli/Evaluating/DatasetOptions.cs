using System.CommandLine;
using Atrous.Cli.Options;
using Atrous.Evaluation;

namespace Atrous.Cli.Evaluating;

/// <summary>The options that say how a data set is laid out. --dataset sets the others.</summary>
internal sealed class DatasetOptions
{
    private readonly Option<string?> _dataset = new("--dataset")
    {
        Description =
            "Read a public data set as it is distributed; sets the endings, the list and the map below, which can be " +
            "given to differ",
        HelpName = string.Join('|', Dataset.All.Select(known => known.Name)),
    };

    private readonly Option<string> _images = new("--images")
    {
        Description = "The folder of pictures, with its sub-folders",
        HelpName = "DIR",
        Required = true,
    };

    private readonly Option<string> _labels = new("--labels")
    {
        Description = "The folder of label maps: for sub/a.jpg its sub/a.png, or .tif, .tiff, .bmp or .gif",
        HelpName = "DIR",
        Required = true,
    };

    private readonly Option<string?> _imageSuffix = new("--image-suffix")
    {
        Description =
            "How the pictures' names end, such as _leftImg8bit.png; others are left out. Their extension unless given",
        HelpName = "END",
    };

    private readonly Option<string?> _labelSuffix = new("--label-suffix")
    {
        Description =
            "What label maps have in its place, such as _gtFine_labelIds.png; the first of .png, .tif, .tiff, .bmp " +
            "and .gif that the folder has unless given",
        HelpName = "END",
    };

    private readonly Option<string?> _list = new("--list")
    {
        Description = "Score only the pictures that this file names, one a line, with or without folder and extension",
        HelpName = "FILE",
    };

    private readonly Option<string?> _map = new("--map")
    {
        Description =
            "Which class a label is: a file of lines 'LABEL CLASS', '#rrggbb CLASS' or 'R G B CLASS', CLASS a number " +
            "or ignore, '* CLASS' for all others; or shift=N, where -1 is reduce_zero_label",
        HelpName = "FILE|shift=N",
    };

    public void AddTo(ToolCommand command) =>
        command.Add(ToolCommand.Input, _images, _labels, _dataset, _imageSuffix, _labelSuffix, _list, _map);

    /// <summary>What was given, completed by the data set's own layout.</summary>
    /// <exception cref="CommandException">An option cannot be used.</exception>
    /// <exception cref="UnavailableException">There is no such data set.</exception>
    public DatasetChoice Read(ParseResult result)
    {
        string images = result.GetRequiredValue(_images), labels = result.GetRequiredValue(_labels);
        Dataset? dataset = result.GetValue(_dataset) is { } name ? Dataset.ByName(name) : null;
        string? imageSuffix = Ending(result, _imageSuffix), labelSuffix = Ending(result, _labelSuffix);
        string? list = result.GetValue(_list), map = result.GetValue(_map);
        var set = new List<string>();
        if (dataset is not null)
        {
            if (imageSuffix is null && dataset.ImageSuffix is not null)
                set.Add($"--image-suffix {imageSuffix = dataset.ImageSuffix}");
            if (labelSuffix is null)
                set.Add($"--label-suffix {labelSuffix = FirstUsed(dataset.LabelSuffixes, labels)}");
            if (list is null && dataset.List is { } below)
            {
                string own = Path.GetFullPath(Path.Combine(images, below));
                if (File.Exists(own))
                    set.Add($"--list {list = own}");
                else
                    set.Add($"no --list, since there is no {own}: every picture with a label map is scored");
            }
        }
        LabelRules? rules = map is null ? null : LabelMapFile.Read(map);
        if (map is null && dataset is not null)
        {
            bool ready = dataset.ReadyMade is { } end && labelSuffix!.EndsWith(end, StringComparison.OrdinalIgnoreCase);
            rules = ready ? Dataset.ClassesAndVoid : dataset.Rules;
            set.Add($"--map: {(ready ? "labels are classes already, 255 not scored" : dataset.RulesInWords)}");
        }
        var layout = new LabelLayout
        {
            ImageSuffix = imageSuffix,
            LabelSuffix = labelSuffix ?? FirstUsed(LabelLayout.Endings, labels),
            List = list,
            LeavesUnlabelled = dataset?.List is not null,
        };
        return new DatasetChoice(
            dataset, map is not null, new LabelledPictures(images, labels, layout), rules,
            set.Count == 0 ? null : $"{dataset!.Name} sets {string.Join("; ", set)}");
    }

    private static string? Ending(ParseResult result, Option<string?> option) =>
        result.GetValue(option) is not { } end ? null
        : end.Length > 0 && !end.Contains('/') ? end
        : throw CommandException.Usage($"{option.Name} takes how a file's name ends, such as _L.png, not '{end}'.");

    /// <summary>The first of these that some file in the folder ends in; the first where none does.</summary>
    public static string FirstUsed(IReadOnlyList<string> suffixes, string folder)
    {
        if (suffixes.Count == 1 || !Directory.Exists(folder))
            return suffixes[0];
        string[] files = [.. new InputFiles([folder]).Pictures.Select(file => file.Relative)];
        return suffixes.FirstOrDefault(suffix => Array.Exists(files, file => Ends(file, suffix))) ?? suffixes[0];

        static bool Ends(string file, string suffix) => file.EndsWith(suffix, StringComparison.OrdinalIgnoreCase);
    }
}
