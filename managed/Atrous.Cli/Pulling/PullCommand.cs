using System.CommandLine;
using Atrous.Catalog;
using Atrous.Cli.Options;
using Atrous.Cli.Output;

namespace Atrous.Cli.Pulling;

/// <summary>`atrous pull`: a published checkpoint, from its publisher into the cache.</summary>
internal static class PullCommand
{
    private const string Description =
        "Fetch a published model that `atrous models` lists. It goes into ATROUS_HOME (else the platform's " +
        "cache folder), so that --model NAME works. A pull that was interrupted keeps what it has and goes on" +
        " there; what came is checked against the publisher's SHA-256.";

    public static Command Create(Interruption interruption)
    {
        var name = new Argument<string>("NAME") { Description = "As `atrous models` lists it" };
        var timeout = new Option<int?>("--timeout")
        {
            Description = "Try again when nothing came for this long; 30 unless given",
            HelpName = "SECONDS",
            CustomParser = result => Numbers.Parse(result, 1, 3600, "a number of seconds from 1 to 3600"),
        };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Write nothing but errors" };
        var command = new ToolCommand("pull", Description)
        {
            Examples =
            [
                ("atrous pull deeplabv3_resnet50",
                    "Then `atrous segment photo.jpg --model deeplabv3_resnet50` works"),
                ("ATROUS_HOME=/data/models atrous pull deeplabv3_resnet50 --timeout 120",
                    "Into a folder of your choice, over a slow line"),
            ],
        };
        command.Add(name);
        command.Add(ToolCommand.Output, timeout, quiet);
        command.SetAction(result =>
        {
            string wanted = result.GetRequiredValue(name);
            var cache = ModelCache.Default();
            if (wanted == DefaultModel.Name)
            {
                Terminal.Message($"{wanted} is in the box: there is nothing to pull.");
                return ExitCode.Done;
            }
            PublishedModel entry = PublishedModels.Open().Find(wanted)
                ?? throw CommandException.Usage(
                    $"There is no model '{wanted}' in the catalog; `atrous models` lists those that there are.");
            var options = new PullOptions();
            if (result.GetValue(timeout) is { } seconds)
                options = options with { Inactivity = TimeSpan.FromSeconds(seconds) };
            var pull = new ModelPull(cache, options);
            PullReport report = result.GetValue(quiet) ? new PullReport() : Console.IsErrorRedirected ? new PullLines()
                : new PullBars();
            int fetched = 0;
            try
            {
                report.Around(
                    () => fetched = pull.RunAsync(entry, report, interruption.Token).GetAwaiter().GetResult());
            }
            catch (OperationCanceledException) when (interruption.ExitCode is { } code)
            {
                Terminal.Message(cache.BytesOf(entry) is var kept and > 0
                    ? $"interrupted; {Numbers.Megabytes(kept)} are kept, and `atrous pull {wanted}` goes on from there."
                    : "interrupted; nothing had come yet.");
                return code;
            }
            if (!result.GetValue(quiet))
                Terminal.Message(Report(entry, cache.PathOf(entry), fetched));
            return ExitCode.Done;
        });
        return command;
    }

    private static string Report(PublishedModel entry, string path, int fetched)
    {
        int unhashed = entry.Files.Count(file => file.Sha256 is null);
        string hash = unhashed == 0 ? "its SHA-256 is right"
            : unhashed == entry.Files.Count ? "its publisher gives no SHA-256 to check it against"
            : $"its publisher gives no SHA-256 for {unhashed} of {entry.Files.Count} files";
        return $"{entry.Name} {(fetched == 0 ? "was there already" : "is pulled")}: {path} ({hash}); use it with " +
            $"--model {entry.Name}";
    }
}
