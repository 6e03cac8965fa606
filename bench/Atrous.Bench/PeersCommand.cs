using System.CommandLine;

namespace Atrous.Bench;

/// <summary>
/// Runs the same network on the same input in Atrous, ONNX Runtime and PyTorch, turn by turn, compares what comes out,
/// and starts each of them afresh for its start-up and its memory. bench/run.sh makes the models and starts it.
/// </summary>
internal static class PeersCommand
{
    public static Command Create()
    {
        var models = new Argument<string[]>("MODEL@HxW")
        {
            Arity = ArgumentArity.OneOrMore,
            Description = "Checkpoints, each with the input's size",
        };
        var onnx = new Option<string>("--onnx")
        {
            Required = true,
            Description = "The folder with what `atrous export` made of each: NAME.onnx",
        };
        var int8 = new Option<string?>("--int8")
        {
            Description = "The folder with what `atrous quantize` made of each, NAME.int8.safetensors; --onnx has " +
                "NAME.int8.onnx of those. Without it nothing is measured in int8",
        };
        var tool = new Option<string>("--tool")
        {
            Required = true,
            Description = "The program atrous, for start-up and memory",
        };
        var threads = new Option<int>("--threads") { DefaultValueFactory = _ => 2, Description = "Of each runtime" };
        var seconds = new Option<double>("--seconds")
        {
            DefaultValueFactory = _ => 40,
            Description = $"Of each model's turns; {PeersRun.Least} turns at least, {PeersRun.Most} at most",
        };
        var output = new Option<string?>("--output", "-o")
        {
            Description = "The folder that gets peers.md and peers.json",
        };
        var command = new Command("peers", "Atrous, ONNX Runtime and PyTorch side by side.")
        {
            models, onnx, int8, tool, threads, seconds, output,
        };
        command.SetAction(result =>
        {
            var run = new PeersRun(Peer.OnnxRuntime(), Peer.PyTorch(), result.GetRequiredValue(tool))
            {
                Onnx = result.GetRequiredValue(onnx),
                Int8 = result.GetValue(int8),
                Threads = result.GetValue(threads),
                Time = TimeSpan.FromSeconds(result.GetValue(seconds)),
            };
            var report = new PeersReport(result.GetValue(threads));
            foreach (string model in result.GetRequiredValue(models))
            {
                report.Add(run.Measure(model));
                if (result.GetValue(output) is { } folder)
                    report.Save(folder);
            }
            return 0;
        });
        return command;
    }
}
