using System.CommandLine;
using Atrous.Cli.Options;
using Atrous.Cli.Output;

namespace Atrous.Cli.Merging;

/// <summary>`atrous merge`: the lines of a run's parts, or their COCO files, as one, and what is missing.</summary>
internal static class MergeCommand
{
    private const string Description =
        "Join the lines that `atrous segment --jsonl` or `atrous eval --jsonl` wrote: one for each picture, the " +
        "newest, in the order of the names. Tells what failed and what is missing, and of lines of eval the score. " +
        "Or join the COCO files that the parts of `atrous segment --format coco --shard` wrote.";

    public static Command Create(TemporaryFiles temporaries)
    {
        var inputs = new Argument<string[]>("JSONL")
        {
            Description = "Files of --jsonl, and folders with .jsonl files; or COCO's .json files",
            Arity = ArgumentArity.OneOrMore,
        };
        var of = new Option<string[]>("--of")
        {
            Description =
                "The files and folders that were segmented or scored: pictures of them that have no line are missing",
            HelpName = "INPUT",
            Arity = ArgumentArity.OneOrMore,
        };
        var list = new Option<string?>("--list")
        {
            Description = "As of `atrous segment`, beside --of or alone",
            HelpName = "FILE",
        };
        var output = new Option<string?>("--output", "-o")
        {
            Description = "Where the lines, or COCO's annotations, go; standard output unless given",
            HelpName = "FILE",
        };
        var missing = new Option<string?>("--missing")
        {
            Description =
                "Also write the names of what is missing, or failed and is worth another try, as --list takes them",
            HelpName = "FILE",
        };
        var json = new Option<bool>("--json")
        {
            Description = "Of lines of eval: write the score as one JSON document; needs -o for the lines",
        };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Write nothing but the lines and errors" };
        var command = new ToolCommand("merge", Description)
        {
            Examples =
            [
                ("atrous merge lines -o all.jsonl --of photos",
                    "The parts' lines in a folder as one file, and whether every picture has one"),
                ("atrous merge lines -o all.jsonl --of photos --missing again.txt",
                    "The same, with a list for another run"),
                ("atrous merge lines -o all.jsonl",
                    "Of lines that eval wrote: the score of all parts together"),
                ("atrous merge masks/annotations.coco.0-of-2.json masks/annotations.coco.1-of-2.json -o coco.json",
                    "The COCO annotations of two parts as one file"),
            ],
        };
        command.Add(inputs);
        command.Add(ToolCommand.Input, of, list);
        command.Add(ToolCommand.Output, output, missing, json, quiet);
        command.SetAction(result =>
        {
            if (CocoMerge.IsFor(result.GetRequiredValue(inputs)))
            {
                if (((Option[])[of, list, missing, json]).FirstOrDefault(result.IsGiven) is { } lines)
                {
                    throw CommandException.Usage(
                        $"{lines.Name} is about lines of --jsonl; leave it out for COCO files.");
                }
                return new CocoMerge(temporaries)
                {
                    Files = result.GetRequiredValue(inputs),
                    Output = result.GetValue(output),
                    Quiet = result.GetValue(quiet),
                }.Run();
            }
            string[] folders = result.GetValue(of) ?? [];
            InputFiles? expected =
                result.GetValue(list) is { } named ? InputList.Read(named, folders)
                : folders.Length > 0 ? new InputFiles(folders)
                : null;
            if (result.GetValue(missing) is not null && expected is null)
                throw CommandException.Usage("--missing tells pictures by name; say with --of which there are.");
            if (result.GetValue(json) && result.GetValue(output) is null)
                throw CommandException.Usage("The lines and --json both go to standard output; name a file with -o.");
            return new MergeRun(temporaries)
            {
                Files = MergeRun.FilesOf(result.GetRequiredValue(inputs)),
                Expected = expected,
                Output = result.GetValue(output),
                Missing = result.GetValue(missing),
                Quiet = result.GetValue(quiet),
                Json = result.GetValue(json),
            }.Run();
        });
        return command;
    }
}
