using System.CommandLine;
using System.Globalization;
using Atrous.Cli.Options;
using Atrous.Cli.Output;
using Atrous.Onnx;
using Atrous.Specs;

namespace Atrous.Cli.Exporting;

/// <summary>`atrous export`: the model as an ONNX file for other runtimes.</summary>
internal static class ExportCommand
{
    private const string Description =
        "Write the model as ONNX for other runtimes. Operator set 17; input 'input' (N,C,H,W float32, " +
        "normalised), outputs 'logits' (what the original implementation's forward returns) and 'output' " +
        "(logits at the input's size), or 'output' alone where they are the same. A quantised model stays one: " +
        "QuantizeLinear and DequantizeLinear are around what is computed in 8 bits.";

    public static Command Create(TemporaryFiles temporaries)
    {
        Argument<string?> model = ModelChoice.Argument(optional: false);
        var output = new Option<string>("--output", "-o")
        {
            Description = "The ONNX file to write",
            HelpName = "FILE",
            Required = true,
        };
        var size = new Option<(int Height, int Width)?>("--size")
        {
            Description = "The one input size; any size unless given, where the network allows that",
            HelpName = "HxW",
            CustomParser = result => Numbers.ParseSize(result),
        };
        var batch = new Option<int?>("--batch")
        {
            Description = "Pictures per run; any number unless given",
            HelpName = "N",
            CustomParser = result => Numbers.Parse(result, 1, 1024, "a number from 1 to 1024"),
        };
        var pixels = new Option<bool>("--pixels")
        {
            Description = "Input 'pixels' instead: bytes N,H,W,C in RGB, which the file normalises. What changes a " +
                "picture's size stays outside",
        };
        var pictures = new Option<bool>("--pictures")
        {
            Description = "As --pixels, of pictures of any size: the file resizes them as the model does, and gives " +
                "scores at their size. Operator set 18, whose resizing averages",
        };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Write nothing but errors" };
        var checkpointOptions = new CheckpointOptions();
        var command = new ToolCommand("export", Description)
        {
            Examples =
            [
                ("atrous export roads.pth -o roads.onnx",
                    "A network for pictures of any size, where it allows that"),
                ("atrous export roads.pth -o roads.onnx --size 513x513 --batch 1",
                    "One for pictures of 513x513 alone, which some runtimes need or run faster"),
                ("atrous export roads.pth -o roads.onnx --pictures", "One that takes pictures as they are decoded"),
            ],
        };
        command.Add(model);
        command.Add(ToolCommand.Output, output, size, batch, pixels, pictures, quiet);
        checkpointOptions.AddTo(command);
        command.SetAction(result =>
        {
            var export = new OnnxExportOptions
            {
                Size = result.GetValue(size),
                Batch = result.GetValue(batch),
                FromPixels = result.GetValue(pixels),
                FromPictures = result.GetValue(pictures),
            };
            if (export is { FromPictures: true, Size: not null })
                throw CommandException.Usage("--pictures resizes to the model's own size; leave out --size.");
            SegmenterOptions options = checkpointOptions.Read(result);
            string source = ModelChoice.Of(result, model).Path;
            OnnxExportResult written = ModelFile.Write(
                temporaries, result.GetRequiredValue(output),
                path => OnnxExporter.Export(source, path, options, export));
            if (!result.GetValue(quiet))
            {
                DescribedModel.SayAssumptions(source, written.Model);
                if (written.Model.Switches.FirstOrDefault(row => row.Name == "slide") is { Value: not "none" } window)
                    Terminal.Message(
                        $"{source}: the model's own test slides a window over the picture (slide={window.Value}), "
                        + "which the network that was written does not do; give it such windows.");
                if (written.Model.Preprocessing.Resize is not ResizePolicy.None && !export.FromPictures)
                    Terminal.Message(
                        $"{source}: the model resizes pictures ({written.Model.Preprocessing.Resize}), which the "
                        + "network that was written does not do; give it pictures of that size.");
                Terminal.Message(Report(result.GetRequiredValue(output), written));
            }
            return ExitCode.Done;
        });
        return command;
    }

    private static string Report(string path, OnnxExportResult written)
    {
        string size = written.Size is not { } only ? "any size"
            : string.Create(CultureInfo.InvariantCulture, $"{only.Height}x{only.Width} only");
        string reason = written.FixedBecause is { } because ? $" ({because}; --size chooses another)" : "";
        return $"{path}: {string.Join(" and ", written.Outputs)}, {Numbers.Grouped(written.Nodes)} operators, " +
            $"{Numbers.Grouped(written.Bytes)} bytes; input of {size}{reason}";
    }
}
