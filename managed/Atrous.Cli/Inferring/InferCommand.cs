using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Atrous.Cli.Options;
using Atrous.Cli.Output;
using Atrous.Tensors;

namespace Atrous.Cli.Inferring;

/// <summary>`atrous infer`: the network alone, from tensor to tensor; the door for parity work.</summary>
internal static class InferCommand
{
    private const string Description =
        "Run the network alone, from tensor to tensor. Tensor 'input' (N,C,H,W, already normalised) in; " +
        "'logits' (what the original implementation's forward returns) and 'output' (logits at the input's " +
        "size) out, both N,C,H,W float32.";

    public static Command Create(TemporaryFiles temporaries, Interruption interruption)
    {
        Argument<string?> model = ModelChoice.Argument(optional: true);
        var input = new Option<string>("--input")
        {
            Description = "The safetensors file with the input",
            HelpName = "FILE",
            Required = true,
        };
        var output = new Option<string>("--output", "-o")
        {
            Description = "The safetensors file to write",
            HelpName = "FILE",
            Required = true,
        };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Write nothing but errors" };
        var checkpointOptions = new CheckpointOptions();
        var deviceOptions = new DeviceOptions();
        var command = new ToolCommand("infer", Description)
        {
            Examples =
            [
                ("atrous infer roads.pth --input input.safetensors -o logits.safetensors",
                    "Scores to compare with those that Python computes of the same tensor"),
                ("atrous infer roads.pth --input input.safetensors -o logits.safetensors --device reference",
                    "The same in plain loops, slowly: tells whether a difference is the fast kernels'"),
            ],
        };
        command.Add(model);
        command.Add(ToolCommand.Input, input);
        command.Add(ToolCommand.Output, output, quiet);
        checkpointOptions.AddTo(command);
        deviceOptions.AddTo(command);
        command.SetAction(result =>
        {
            SegmenterOptions options = deviceOptions.Read(result, checkpointOptions.Read(result));
            ModelChoice chosen = ModelChoice.Of(result, model);
            using Tensor tensor = TensorFile.ReadInput(result.GetRequiredValue(input));
            using Segmenter segmenter = Segmenter.Load(chosen.Path, options);
            long start = Stopwatch.GetTimestamp();
            using NetworkResult computed = segmenter.Infer(tensor, interruption.Token);
            string milliseconds =
                Stopwatch.GetElapsedTime(start).TotalMilliseconds.ToString("0.0", CultureInfo.InvariantCulture);
            string target = result.GetRequiredValue(output);
            TensorFile.Write(temporaries, target, ("logits", computed.Forward), ("output", computed.Output));
            if (!result.GetValue(quiet))
                Terminal.Message(
                    chosen.Introduce(
                        $"{DescribedModel.Line(segmenter, options)}, {milliseconds} ms; "
                        + $"logits and output in {target}"));
            return ExitCode.Done;
        });
        return command;
    }
}
