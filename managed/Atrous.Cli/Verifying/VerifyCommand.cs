using System.CommandLine;
using Atrous.Cli.Options;
using Atrous.Cli.Output;

namespace Atrous.Cli.Verifying;

/// <summary>`atrous verify`: does a device compute what it should?</summary>
internal static class VerifyCommand
{
    private const string Description =
        "Check what a device computes against one that is trusted. That is the CPU in fp32, and for the CPU " +
        "itself the reference's plain loops, which are slow. Scores and labels of the same pictures are " +
        "compared with the tolerance of the precision; exits with 1 where it is exceeded.";

    public static Command Create(Interruption interruption)
    {
        Argument<string?> model = ModelChoice.Argument(optional: false);
        var inputs = new Argument<string[]>("PICTURE")
        {
            Description = "Picture files or folders; a made picture unless given",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var layers = new Option<bool>("--layers")
        {
            Description = "Compare every layer too, on the first picture, and name the first beyond the tolerance",
        };
        var against = new Option<string?>("--against")
        {
            Description = "The device that is trusted: cpu or reference",
            HelpName = "DEVICE",
        };
        against.AcceptOnlyFromAmong("cpu", "reference");
        var json = new Option<bool>("--json") { Description = "Write one JSON document" };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Write nothing but the result and errors" };
        var size = new NetworkSizeOption();
        var checkpointOptions = new CheckpointOptions();
        var deviceOptions = new DeviceOptions();

        var command = new ToolCommand("verify", Description)
        {
            Examples =
            [
                ("atrous verify roads.pth --device cuda",
                    "Whether the GPU computes what the CPU does"),
                ("atrous verify roads.pth photos --against cpu --layers",
                    "With pictures of yours, and the first layer that differs by too much"),
            ],
        };
        command.Add(model);
        command.Add(inputs);
        size.AddTo(command);
        checkpointOptions.AddTo(command);
        command.Add("Comparison", layers, against);
        command.Add(ToolCommand.Output, json, quiet);
        deviceOptions.AddTo(command);
        command.SetAction(result =>
        {
            ModelChoice chosen = ModelChoice.Of(result, model);
            SegmenterOptions options =
                size.Read(result, chosen.Path, deviceOptions.Read(result, checkpointOptions.Read(result)));
            string[] named = result.GetValue(inputs) ?? [];
            if (named.Contains("-"))
                throw CommandException.Usage("verify takes pictures from files; '-' is none.");
            var run = new VerifyRun(interruption.Token)
            {
                Model = chosen.Path,
                Options = options,
                Pictures = named.Length > 0 ? VerifyRun.Files(named) : [],
                Size = size.Of(result),
                Judge = result.GetValue(against),
                Layers = result.GetValue(layers),
                Quiet = result.GetValue(quiet),
            };
            VerifyResult verified = run.Run();
            if (result.GetValue(json))
                VerifyReport.WriteJson(verified);
            else
                VerifyReport.WriteText(verified);
            return verified.IsWithin ? ExitCode.Done : ExitCode.Failed;
        });
        return command;
    }
}
