using System.CommandLine;
using Atrous.Cli.Options;
using Atrous.Cli.Output;

namespace Atrous.Cli.Benchmarking;

/// <summary>`atrous bench`: how fast a model is here.</summary>
internal static class BenchCommand
{
    private const string Description =
        "Measure a model on a device. Tells latency (pixels in, labels out) and its stages, throughput, " +
        "start-up and memory. Ctrl-C ends it early and prints what was measured.";

    public static Command Create(Interruption interruption)
    {
        Argument<string?> model = ModelChoice.Argument(optional: true);
        var input = new Option<string?>("--image")
        {
            Description = "A picture file; a made picture unless given",
            HelpName = "FILE",
        };
        var batch = Count("--batch", "Pictures of a run", 1, 256, 1);
        var warmUp = Count("--warm-up", "Runs before those that count, the first mask not among them", 0, 1000, 3);
        var runs = new Option<int?>("--runs")
        {
            Description = "Runs that count; as many as there are in 10 seconds, and 10 at least, unless given",
            HelpName = "N",
            CustomParser = result => Numbers.Parse(result, 0, 1_000_000, "a number from 0 to 1000000"),
        };
        var layers = new Option<bool>("--layers") { Description = "Also tell how long each layer takes (on the CPU)" };
        var json = new Option<bool>("--json") { Description = "Write one JSON document" };
        var size = new NetworkSizeOption();
        var checkpointOptions = new CheckpointOptions();
        var deviceOptions = new DeviceOptions();

        var command = new ToolCommand("bench", Description)
        {
            Examples =
            [
                ("atrous bench",
                    "The model in the box on the best device here, for 10 seconds"),
                ("atrous bench roads.pth --image photo.jpg --runs 20",
                    "A checkpoint of yours with a picture of yours, 20 times"),
                ("atrous bench roads.pth --size 129x257 --runs 5 --layers",
                    "How long each layer takes at this size"),
            ],
        };
        command.Add(model);
        command.Add(ToolCommand.Input, input);
        size.AddTo(command);
        checkpointOptions.AddTo(command);
        command.Add("Runs", batch, warmUp, runs);
        command.Add(ToolCommand.Output, layers, json);
        deviceOptions.AddTo(command);
        command.SetAction(result =>
        {
            TimeSpan sinceStart = BenchRun.SinceProcessStart();
            ModelChoice chosen = ModelChoice.Of(result, model);
            if (chosen.IsDefault)
                Terminal.Message(chosen.Introduction + ".");
            SegmenterOptions options = deviceOptions.Read(result, checkpointOptions.Read(result));
            var run = new BenchRun(interruption.Token)
            {
                Model = chosen.Path,
                Options = size.Read(result, chosen.Path, options) with { MaxBatch = result.GetValue(batch)!.Value },
                Picture = result.GetValue(input),
                Size = size.Of(result),
                WarmUp = result.GetValue(warmUp)!.Value,
                Runs = result.GetValue(runs),
                TellsLayers = result.GetValue(layers),
            };
            BenchResult measured = run.Run(sinceStart);
            if (result.GetValue(json))
                BenchReport.WriteJson(measured);
            else
                BenchReport.WriteText(measured);
            return interruption.ExitCode ?? ExitCode.Done;
        });
        return command;
    }

    private static Option<int?> Count(string name, string description, int least, int most, int usual) => new(name)
    {
        Description = description,
        HelpName = "N",
        DefaultValueFactory = _ => usual,
        CustomParser = result => Numbers.Parse(result, least, most, $"a number from {least} to {most}"),
    };
}
