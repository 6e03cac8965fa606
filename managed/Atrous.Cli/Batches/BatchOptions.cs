using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Atrous.Cli.Formats;
using Atrous.Cli.Options;
using Atrous.Cli.Output;
using Atrous.Cli.Segmenting;
using Atrous.Formats;

namespace Atrous.Cli.Batches;

/// <summary>What the options of large runs ask for.</summary>
/// <param name="Shard">The part of the pictures that is segmented; null for all.</param>
/// <param name="SkipExisting">Pictures whose mask is there are left as they are.</param>
/// <param name="Lines">The file that gets a line for each picture; null for none.</param>
/// <param name="Retries">How often a picture is tried again.</param>
/// <param name="InFlight">Pictures that are held at a time; null for what the device is good for.</param>
internal sealed record BatchChoice(Shard? Shard, bool SkipExisting, string? Lines, int Retries, int? InFlight)
{
    /// <summary>Masks say which picture, model and options they were made of.</summary>
    public bool Records => SkipExisting || Lines is not null;

    /// <summary>Before a picture is tried again: 1, 2, 4 seconds and so on, up to half a minute.</summary>
    public static TimeSpan Pause(int attempt) => TimeSpan.FromSeconds(Math.Min(30, Math.Pow(2, attempt - 1)));

    /// <summary>
    /// Looks at all pictures, of which this run may have a part, so that each part is refused where one is.
    /// </summary>
    /// <exception cref="CommandException">What is asked for does not go together.</exception>
    public void Refuse(IReadOnlyList<SegmentJob> jobs, FormatChoice formats)
    {
        if (Records && jobs.Any(job => job.Mask == "-" || job.Input == "-"))
            throw CommandException.Usage(
                "--skip-existing and --jsonl are about files; name a file for the picture and one for the mask.");
        foreach (RunFormat format in formats.OfRun.Where(format => !format.HasClassesAlone))
        {
            string? option = SkipExisting ? "--skip-existing"
                : Shard is not null && !format.IsJoined ? "--shard" : null;
            if (option is not null)
            {
                throw CommandException.Usage(
                    $"--format {format.Name} is one file about all pictures, and a run with {option} has only some of "
                    + "them; leave it out.");
            }
        }
        // The files of a run tell pictures apart by their names.
        if (formats.OfRun.FirstOrDefault(format => !format.HasClassesAlone) is { } named)
            SegmentJobs.RefuseEqualNames(jobs, $"the file of --format {named.Name}");
        if (Lines is not null)
        {
            SegmentJobs.RefuseEqualNames(jobs, "--jsonl");
            SegmentJobs.RefuseAsLines(jobs, Lines);
        }
    }
}

/// <summary>The options of runs over more pictures than one process is to work through.</summary>
internal sealed class BatchOptions
{
    private const int MostShards = 1_000_000, MostRetries = 100, MostInFlight = 64;

    private readonly Option<Shard?> _shard = ShardOption("INPUT");

    private readonly Option<string?> _list = new("--list")
    {
        Description = "Only the pictures that this file names, a path a line, below INPUT where that is one folder",
        HelpName = "FILE",
    };

    private readonly Option<bool> _skipExisting = new("--skip-existing")
    {
        Description =
            "Leave out pictures whose mask is there: whole, and made by a run with this option or --jsonl of the same "
            + "picture, model and options",
    };

    private readonly Option<string?> _lines = new("--jsonl")
    {
        Description =
            "Also append a line of JSON for each picture that is done or failed; of a video one for each frame, to a "
            + "new file",
        HelpName = "FILE",
    };

    private readonly Option<int?> _retries = RetriesOption();

    private readonly Option<int?> _inFlight = new("--in-flight")
    {
        Description =
            "Pictures that are held at a time, so that some are read and written while the network works on others; "
            + "2 more than the device works on unless given, 1 needs the least memory",
        HelpName = "N",
        CustomParser = result => Numbers.Parse(result, 1, MostInFlight, $"a number from 1 to {MostInFlight}"),
    };

    public static Option<Shard?> ShardOption(string folder) => new("--shard")
    {
        Description =
            $"Only the part I, from 0, of N: a picture's part follows from a hash of its path below {folder}, whatever "
            + "other files there are",
        HelpName = "I/N",
        CustomParser = ParseShard,
    };

    public static Option<int?> RetriesOption() => new("--retries")
    {
        Description = "How often a picture is tried again after an error that may pass, such as a full disk",
        HelpName = "N",
        DefaultValueFactory = _ => 0,
        CustomParser = result => Numbers.Parse(result, 0, MostRetries, $"a number from 0 to {MostRetries}"),
    };

    public void AddTo(ToolCommand command)
    {
        command.Add(ToolCommand.Input, _list, _shard);
        command.Add(ToolCommand.Output, _skipExisting, _lines, _retries);
        command.Add(ToolCommand.Device, _inFlight);
    }

    /// <summary>The pictures that are named, and those of --list.</summary>
    /// <param name="result">The options that were typed.</param>
    /// <param name="inputs">The files and folders that were named.</param>
    /// <exception cref="CommandException">Nothing is named, or --list cannot be used.</exception>
    public InputFiles Inputs(ParseResult result, IReadOnlyList<string> inputs)
    {
        if (result.GetValue(_list) is { } list)
            return InputList.Read(list, inputs);
        if (inputs.Count == 0)
            throw CommandException.Usage("INPUT is missing: name files or folders. See atrous segment --help.");
        return new InputFiles(inputs);
    }

    public BatchChoice Read(ParseResult result)
    {
        string? lines = result.GetValue(_lines);
        if (lines is { Length: 0 })
            throw CommandException.Usage("--jsonl is empty; name a file.");
        return new BatchChoice(
            result.GetValue(_shard), result.GetValue(_skipExisting), lines, result.GetValue(_retries) ?? 0,
            result.GetValue(_inFlight));
    }

    /// <summary>I/N; an error on the result otherwise.</summary>
    private static Shard? ParseShard(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        string[] parts = text.Split('/');
        if (parts.Length == 2 && TryParse(parts[0], 0, out int index) && TryParse(parts[1], 1, out int count))
        {
            if (index < count)
                return new Shard(index, count);
            result.AddError($"--shard counts from 0: the last of {count} is {count - 1}/{count}, not '{text}'.");
            return null;
        }
        result.AddError($"--shard takes I/N, from 0/N to N-1/N, such as 0/8, not '{text}'.");
        return null;
    }

    private static bool TryParse(string text, int least, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number)
        && number >= least && number <= MostShards;
}
