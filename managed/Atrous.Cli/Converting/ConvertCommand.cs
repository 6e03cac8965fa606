using System.CommandLine;
using Atrous.Cli.Options;
using Atrous.Cli.Output;
using Atrous.Exporting;
using Atrous.Tensors;

namespace Atrous.Cli.Converting;

/// <summary>`atrous convert`: the model as one safetensors file that says itself what it is.</summary>
internal static class ConvertCommand
{
    private const string Description =
        "Write the model as a safetensors file that describes itself. Network, pre-processing and class names" +
        " are in its metadata, and it needs no --dialect, --option or --output-stride to be read.";

    private static readonly Dictionary<string, DType> Types = new()
    {
        ["fp32"] = DType.Float32,
        ["fp16"] = DType.Float16,
        ["bf16"] = DType.BFloat16,
    };

    public static Command Create(TemporaryFiles temporaries)
    {
        Argument<string?> model = ModelChoice.Argument(optional: false);
        var output = new Option<string>("--output", "-o")
        {
            Description = "The safetensors file to write",
            HelpName = "FILE",
            Required = true,
        };
        var type = new Option<string>("--dtype")
        {
            Description = "Number format of the weights",
            HelpName = "fp32|fp16|bf16",
            DefaultValueFactory = _ => "fp32",
        };
        type.AcceptOnlyFromAmong([.. Types.Keys]);
        var fold = new Option<bool>("--fold")
        {
            Description = "Multiply batch norms into the convolutions that they follow",
            HelpName = "true|false",
        };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Write nothing but errors" };
        var checkpointOptions = new CheckpointOptions();
        var command = new ToolCommand("convert", Description)
        {
            Examples =
            [
                ("atrous convert roads.pth -o roads.safetensors",
                    "The same weights in a file that is safe to share and says itself what it is"),
                ("atrous convert roads.pth -o roads.safetensors --dtype fp16 --fold true",
                    "Half the size, with batch norms multiplied into the convolutions"),
            ],
        };
        command.Add(model);
        command.Add(ToolCommand.Output, output, type, fold, quiet);
        checkpointOptions.AddTo(command);
        command.SetAction(result =>
        {
            var convert = new ConvertOptions
            {
                Type = Types[result.GetRequiredValue(type)],
                FoldBatchNorm = result.GetValue(fold),
            };
            SegmenterOptions options = checkpointOptions.Read(result);
            string source = ModelChoice.Of(result, model).Path;
            ConvertResult written = ModelFile.Write(
                temporaries, result.GetRequiredValue(output),
                path => ModelConverter.Convert(source, path, options, convert));
            if (!result.GetValue(quiet))
            {
                DescribedModel.SayAssumptions(source, written.Model);
                Terminal.Message(
                    $"{result.GetRequiredValue(output)}: {Numbers.Grouped(written.Tensors)} tensors, " +
                    $"{Numbers.Grouped(written.Parameters)} parameters, {Numbers.Grouped(written.Bytes)} bytes");
            }
            return ExitCode.Done;
        });
        return command;
    }
}
