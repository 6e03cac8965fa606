using System.CommandLine;
using Atrous.Cli.Evaluating;
using Atrous.Cli.Options;
using Atrous.Cli.Output;
using Atrous.Evaluation;
using Atrous.Postprocessing;
using Atrous.Quantizing;

namespace Atrous.Cli.Quantizing;

/// <summary>`atrous quantize`: the model in 8 bits, which a processor computes two to three times as fast.</summary>
internal static class QuantizeCommand
{
    private const string Description =
        "Write the model in 8 bits: int8 weights, uint8 activations. Their ranges are measured on pictures such as " +
        "the model will see, without labels; a third of them is kept apart to compare masks on. Layers that cost too " +
        "much stay float32. Tells what it costs.";

    public static Command Create(TemporaryFiles temporaries, Interruption interruption)
    {
        Argument<string?> model = ModelChoice.Argument(optional: false);
        var images = new Option<string>("--images")
        {
            Description = "The folder of pictures to measure on, with its sub-folders; a few dozen are enough",
            HelpName = "DIR",
            Required = true,
        };
        var labels = new Option<string?>("--labels")
        {
            Description = "Label maps of the same names: also tell the mean IoU before and after",
            HelpName = "DIR",
        };
        var ignore = new Option<int?>("--ignore")
        {
            Description = "The true label whose pixels are not scored",
            HelpName = "LABEL",
            DefaultValueFactory = _ => 255,
            CustomParser = result => Numbers.Parse(result, 0, ushort.MaxValue, "a number from 0 to 65535"),
        };
        var pictures = new Option<int?>("--pictures")
        {
            Description = "Of a folder with more pictures so many are taken, evenly",
            HelpName = "N",
            DefaultValueFactory = _ => new QuantizeOptions().MostPictures,
            CustomParser = result => Numbers.Parse(result, 2, 10_000, "a number from 2 to 10000"),
        };
        var agreement = new Option<double>("--agreement")
        {
            Description = "The share of pixels that must get the same label as in float32",
            HelpName = "0..1",
            DefaultValueFactory = _ => new QuantizeOptions().Agreement,
            CustomParser = result => Numbers.ParseFraction(result),
        };
        var output = new Option<string>("--output", "-o")
        {
            Description = "The safetensors file to write",
            HelpName = "FILE",
            Required = true,
        };
        var json = new Option<bool>("--json") { Description = "Write one JSON document" };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Write nothing but the result and errors" };
        var threads = new ThreadsOption();
        var checkpointOptions = new CheckpointOptions();
        var command = new ToolCommand("quantize", Description)
        {
            Examples =
            [
                ("atrous quantize roads.pth --images photos -o roads.int8.safetensors",
                    "A model of a quarter of the size that a processor computes in a fraction of the time"),
                ("atrous quantize roads.pth --images photos --labels truth --agreement 0.995 -o roads.int8.safetensors",
                    "Layers stay float32 until 99.5 % of the labels are the same; tells the mean IoU too"),
            ],
        };
        command.Add(model);
        command.Add(ToolCommand.Input, images, labels, ignore, pictures);
        checkpointOptions.AddTo(command);
        command.Add(ToolCommand.Output, output, agreement, json, quiet);
        threads.AddTo(command);
        command.SetAction(result =>
        {
            SegmenterOptions options = threads.Read(result, checkpointOptions.Read(result));
            string source = ModelChoice.Of(result, model).Path, target = result.GetRequiredValue(output);
            var files = new InputFiles([result.GetRequiredValue(images)]);
            if (files.Bad is [var bad, ..])
                throw new CommandException(ExitCode.BadInput, $"{bad.Path}: {bad.Message}");
            LabelledPictures? truth = result.GetValue(labels) is { } folder
                ? new LabelledPictures(
                    result.GetRequiredValue(images), folder,
                    new LabelLayout { LabelSuffix = DatasetOptions.FirstUsed(LabelLayout.Endings, folder) })
                : null;
            bool silent = result.GetValue(quiet);
            if (!silent)
            {
                foreach (string sentence in files.LeftOutInWords())
                    Terminal.Message(sentence);
            }
            // First, so that a model or a label map that cannot be scored is told before the work.
            double? before = truth is null
                ? null
                : MeanIou(source, options, Precision.Fp32, truth, result.GetValue(ignore)!.Value, interruption.Token);
            QuantizationReport report = ModelFile.Write(
                temporaries, target, path => Quantizer.Quantize(
                    source, path, [.. files.Pictures.Select(file => file.Path)], options,
                    new QuantizeOptions
                    {
                        Agreement = result.GetValue(agreement),
                        MostPictures = result.GetValue(pictures)!.Value,
                    },
                    silent ? null : new QuantizeProgress(), interruption.Token));
            // The new file says itself what the options said of the old one.
            (double Before, double After)? scores = before is null ? null
                : (before.Value, MeanIou(
                    target, new SegmenterOptions { Threads = options.Threads }, Precision.Int8, truth!,
                    result.GetValue(ignore)!.Value, interruption.Token));
            if (!silent)
                DescribedModel.SayAssumptions(source, report.Model);
            if (result.GetValue(json))
                QuantizeReport.WriteJson(target, report, scores);
            else
                QuantizeReport.WriteTable(target, report, scores);
            return ExitCode.Done;
        });
        return command;
    }

    private static double MeanIou(
        string path, SegmenterOptions options, Precision precision, LabelledPictures truth, int ignore,
        CancellationToken cancellationToken)
    {
        using Segmenter segmenter = Segmenter.Load(
            path, options with { Device = "cpu", Precision = precision }, cancellationToken);
        if (segmenter.Info.Threshold is not null)
        {
            throw new CommandException(
                ExitCode.BadInput,
                "--labels takes a model whose pixels are of one of several classes; `atrous eval` scores others.");
        }
        var matrix = new ConfusionMatrix(segmenter.Info.Classes, ignore);
        var run = new EvalRun(
            segmenter, matrix, 1, MaxPixelsOption.Whole(null), cancellationToken)
        {
            Truth = file => LabelImage.Load(file, MaxPixelsOption.Whole(null)),
            Ignored = ignore,
        };
        run.Add(truth.Pairs, null);
        return matrix.MeanIou;
    }
}
