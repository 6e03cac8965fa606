using System.CommandLine;
using Atrous.Cli.Options;
using Atrous.Cli.Output;

namespace Atrous.Cli.Describing;

/// <summary>`atrous info`: what Atrous makes of a checkpoint.</summary>
internal static class InfoCommand
{
    private const string Description =
        "Tell what a checkpoint is. Names and shapes are read, no weights.";

    public static Command Create()
    {
        Argument<string?> model = ModelChoice.Argument(optional: true);
        var size = new Option<(int Height, int Width)>("--size")
        {
            Description = "Input size at which multiply-adds are counted; 513x513 unless given",
            HelpName = "HxW",
            CustomParser = Numbers.ParseSize,
        };
        var json = new Option<bool>("--json") { Description = "Write one JSON document" };
        var checkpointOptions = new CheckpointOptions();
        var command = new ToolCommand("info", Description)
        {
            Examples =
            [
                ("atrous info roads.pth",
                    "Architecture, classes, pre-processing and the switches that --option sets"),
                ("atrous info roads.pth --size 1024x2048 --json",
                    "The same for programs, with the multiply-adds of such a picture"),
            ],
        };
        command.Add(model);
        command.Add(ToolCommand.Output, size, json);
        checkpointOptions.AddTo(command);
        command.SetAction(result =>
        {
            SegmenterOptions options = checkpointOptions.Read(result);
            (int height, int width) = result.GetResult(size) is null ? (513, 513) : result.GetValue(size);
            ModelChoice chosen = ModelChoice.Of(result, model);
            if (chosen.IsDefault)
                Terminal.Message(chosen.Introduction + ".");
            ModelInfo info = ModelInfo.Read(chosen.Path, options, height, width);
            if (result.GetValue(json))
                InfoJson.Write(info);
            else
                InfoText.Write(info, Console.Out);
            if (info.Missing.Count == 0)
                return ExitCode.Done;
            Terminal.Message($"{info.Path}: the model cannot be run, {info.Missing.Count} of its tensors are missing.");
            return ExitCode.BadInput;
        });
        return command;
    }
}
