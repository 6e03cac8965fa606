using System.CommandLine;
using Atrous.Catalog;
using Atrous.Cli.Batches;
using Atrous.Cli.Options;
using Atrous.Cli.Output;
using Atrous.Cli.Segmenting;
using Atrous.Evaluation;
using Atrous.Imaging;
using Atrous.Postprocessing;

namespace Atrous.Cli.Evaluating;

/// <summary>`atrous eval`: how good a model is, on pictures whose classes are known.</summary>
internal static class EvalCommand
{
    private const string Description =
        "Compare a model's masks with a data set's label maps. Tells the IoU of each class, mean and " +
        "frequency-weighted IoU, pixel and mean accuracy. Label maps are PNGs or TIFFs whose pixel is the class " +
        "(palette index or grey), or grey GIFs or BMPs, paired with the pictures by name; a mask of another size " +
        "is scored at its label map's.";

    public static Command Create(TemporaryFiles temporaries, Interruption interruption)
    {
        Argument<string?> model = ModelChoice.Argument(optional: true);
        var ignore = new Option<int?>("--ignore")
        {
            Description =
                "The true label whose pixels are not scored, as it stands in the files; a network of one class takes " +
                "255 for its foreground unless this is given",
            HelpName = "LABEL",
            DefaultValueFactory = _ => 255,
            CustomParser = result => Numbers.Parse(result, 0, ushort.MaxValue, "a number from 0 to 65535"),
        };
        var batch = new Option<int?>("--batch")
        {
            Description = "Most pictures of equal size that run together",
            HelpName = "N",
            DefaultValueFactory = _ => 4,
            CustomParser = result => Numbers.Parse(result, 1, 256, "a number from 1 to 256"),
        };
        var confusion = new Option<string?>("--confusion")
        {
            Description = "Also draw the confusion matrix: a row per true class, darker for a larger share of it",
            HelpName = "FILE.png",
        };
        var classes = new Option<string?>("--classes")
        {
            Description = "A text file with a class name a line, each optionally followed by a colour #rrggbb",
            HelpName = "FILE",
        };
        var csv = new Option<string?>("--csv")
        {
            Description = "Also write the measures of each class as CSV",
            HelpName = "FILE.csv",
        };
        var boundaries = new Option<bool>("--boundaries")
        {
            Description = "Also tell boundary IoU and boundary F1: how well the edges of regions are met",
        };
        var against = new Option<string?>("--against")
        {
            Description =
                "Another model of the same classes, as its file says, on the same pictures: which is better at what, " +
                "and the pictures on which they differ most",
            HelpName = "FILE|NAME",
        };
        var json = new Option<bool>("--json") { Description = "Write one JSON document" };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Write nothing but the result and errors" };
        var dataset = new DatasetOptions();
        var shards = new EvalBatchOptions();
        var rasters = new RasterOptions();
        var maxPixels = new MaxPixelsOption();
        var checkpointOptions = new CheckpointOptions();
        var deviceOptions = new DeviceOptions();
        var preprocessing = new PreprocessingOptions();
        var scoring = new ScoringOptions();

        var command = new ToolCommand("eval", Description)
        {
            Examples =
            [
                ("atrous eval roads.pth --images photos --labels truth",
                    "The IoU of each class, and the means"),
                ("atrous eval roads.pth --images photos --labels truth --ignore 0 --confusion confusion.png",
                    "Class 0 is not scored; a picture shows which classes are taken for which"),
                ("atrous eval city.pth --dataset cityscapes --images leftImg8bit/val --labels gtFine/val",
                    "A public data set as it is distributed"),
                ("atrous eval roads.pth --against old.pth --images photos --labels truth --boundaries",
                    "What a new model does better, class by class, and where"),
                ("atrous eval roads.pth --images photos --labels truth --shard 0/8 --jsonl 0.jsonl --skip-existing",
                    "One of eight tasks, which goes on where an earlier one was killed; then atrous merge"),
            ],
        };
        command.Add(model);
        dataset.AddTo(command);
        command.Add(ToolCommand.Input, ignore);
        maxPixels.AddTo(command);
        rasters.AddTo(command);
        checkpointOptions.AddTo(command);
        command.Add(ToolCommand.Input, against);
        command.Add(ToolCommand.Output, boundaries, confusion, csv, classes, json, quiet);
        shards.AddTo(command);
        preprocessing.AddTo(command);
        scoring.AddTo(command);
        deviceOptions.AddTo(command);
        command.Add(ToolCommand.Device, batch);
        command.SetAction(result =>
        {
            SegmenterOptions options = scoring.Read(result, deviceOptions.Read(result, checkpointOptions.Read(result)));
            ClassesFile? named = result.GetValue(classes) is { } path ? ClassesFile.Read(path) : null;
            DatasetChoice data = dataset.Read(result);
            EvalBatch part = shards.Read(result);
            part.Refuse(result.GetValue(boundaries), result.GetValue(against) is not null);
            IReadOnlyList<LabelledPicture> pictures = part.Shard is { } shard
                ? [.. data.Pictures.Pairs.Where(picture => shard.Has(picture.Name))]
                : data.Pictures.Pairs;
            ModelChoice chosen = ModelChoice.Of(result, model);
            ProgressBar? shown = null;
            options = preprocessing.Read(result, chosen.Path, options with
            {
                ClassNames = named?.Names,
                MaxBatch = result.GetValue(batch)!.Value,
                CrfProgress = result.GetValue(quiet) ? null : new CrfLines(Say),
            });

            using Segmenter segmenter = Segmenter.Load(chosen.Path, options);
            if (!result.GetValue(quiet))
                Terminal.Message(chosen.Introduce(DescribedModel.Line(segmenter, options)));
            if (segmenter.Info.IsMultiLabel)
            {
                throw new CommandException(
                    ExitCode.BadInput,
                    "Label maps say one class of a pixel, and this model's pixels can be of several; score the masks "
                    + "of single classes that `atrous segment` writes, or give --option multilabel=false.");
            }
            int left = result.GetValue(ignore)!.Value;
            // 255 is what most tools write for the foreground; who names a label to leave out decides otherwise.
            bool asked = result.IsGiven(ignore);
            bool isForeground = segmenter.Info.Threshold is not null && !asked;
            LabelMapping? mapping = data.MappingFor(segmenter.Info, isForeground ? null : left, asked);
            if (!result.GetValue(quiet))
            {
                foreach (string sentence in data.Pictures.Notes.Prepend(data.Said).OfType<string>())
                    Terminal.Message(sentence);
            }
            int ignored = mapping is null ? left : LabelMapping.Ignored;
            var matrix = new ConfusionMatrix(segmenter.Info.Classes, ignored);
            BoundaryScore? edges = result.GetValue(boundaries) ? new(segmenter.Info.Classes, ignored) : null;
            using Segmenter? other = result.GetValue(against) is { } name ? Other(name, segmenter, options) : null;
            if (other is not null && !result.GetValue(quiet))
                Terminal.Message($"against {other.Info.Path}: {DescribedModel.Line(other, options)}");
            EvalRival? rival = other is null ? null : new(other, new ConfusionMatrix(segmenter.Info.Classes, ignored));
            ForegroundTruth? foreground = isForeground ? new() : null;
            long most = MaxPixelsOption.Whole(maxPixels.Read(result));
            RasterChoice chosenRasters = rasters.Read(result);
            Func<int, string> nameOf = Namer(segmenter.Info, data);
            using Journal? lines = part.Lines is { } file
                ? Journal.Open(file, part.Shard, data.Pictures.Pairs.Count)
                : null;
            EvalRun run = new(segmenter, matrix, options.MaxBatch, most, interruption.Token)
            {
                Truth = path => mapping is not null ? mapping.Read(path, most)
                    : foreground is not null ? foreground.Read(LabelImage.Load(path, most))
                    : LabelImage.Load(path, most),
                Ignored = ignored,
                Rasters = chosenRasters,
                Boundaries = edges,
                Rival = rival,
                Lines = lines,
                Stamp = lines is null ? "" : EvalBatch.StampOf(
                    chosen.Path, segmenter.Info, options, chosenRasters, data.Rules, left, asked, isForeground),
                SkipsExisting = part.SkipsExisting,
                Retries = part.Retries,
                NameOf = nameOf,
                IsIgnoreAssumed = mapping is null && !isForeground && !asked,
            };
            if (result.GetValue(quiet))
                run.Add(pictures, null);
            else
                ProgressBar.Around("evaluating", pictures.Count, bar => run.Add(pictures, shown = bar));
            if (!result.GetValue(quiet))
            {
                foreach (string warning in run.Warnings)
                    Terminal.Message(warning);
            }

            if (run.Failures.Count > 0)
            {
                foreach (Failure failure in run.Failures)
                    Terminal.Message(failure.Message);
                Terminal.Message(
                    $"{run.Scored} of {pictures.Count} pictures are scored, {run.Failures.Count} failed: half a score "
                    + "is none. The lines are written.");
                return run.Failures.Any(failure => failure.Code == ExitCode.Failed)
                    ? ExitCode.Failed
                    : ExitCode.BadInput;
            }
            // A part of the pictures may have no foreground; of all of them merge judges.
            if (run.IsIgnoreAssumed && part.Shard is null)
                ForegroundDoubt.Refuse(matrix);
            if (part.Shard is not null && !result.GetValue(quiet))
                Terminal.Message($"the score is of the part {part.Shard}; atrous merge adds up the parts' lines");

            var report = new EvalReport(matrix, pictures.Count, foreground is { IsBright: true } ? null : left)
            {
                NameOf = nameOf,
                Model = (segmenter, options),
                Data = data,
                Notes = [.. data.Pictures.Notes, .. run.Warnings],
                Boundaries = edges,
                Rival = rival,
            };
            if (result.GetValue(confusion) is { } target)
            {
                Draw(
                    temporaries, target, matrix, [.. Enumerable.Range(0, matrix.Classes).Select(report.NameOf)],
                    named?.Palette ?? segmenter.Info.Palette ?? Palette.For(segmenter.Info.ClassNames));
            }
            if (result.GetValue(csv) is { } table)
                EvalCsv.Write(temporaries, table, report.NameOf, matrix, edges, rival);
            if (!result.GetValue(quiet))
                SayWhere(result.GetValue(confusion), result.GetValue(csv));
            if (result.GetValue(json))
                report.WriteJson();
            else
                report.WriteTable();
            return ExitCode.Done;

            void Say(string sentence)
            {
                if (shown is null)
                    Terminal.Message(sentence);
                else
                    shown.Message(sentence);
            }
        });
        return command;
    }

    private static Func<int, string> Namer(ModelInfo info, DatasetChoice data) => label =>
        info.ClassNames.Count > label ? info.ClassNames[label]
        : data is { HasOwnMap: false, Dataset: { } dataset } && label < dataset.ClassNames.Count
            ? dataset.ClassNames[label]
        : $"class {label}";

    /// <summary>The model to compare with: of the same classes, everything else as its own file says.</summary>
    private static Segmenter Other(string name, Segmenter first, SegmenterOptions options)
    {
        if (name.Length == 0)
            throw CommandException.Usage("--against is empty; give a file or a name.");
        var usual = new SegmenterOptions();
        Segmenter other = Segmenter.Load(ModelPath.Resolve(name), options with
        {
            Preprocessing = usual.Preprocessing,
            Dialect = usual.Dialect,
            OutputStride = usual.OutputStride,
            Switches = usual.Switches,
        });
        (ModelInfo its, ModelInfo ours) = (other.Info, first.Info);
        string? why =
            its.IsMultiLabel ? "several labels a pixel"
            : its.Classes != ours.Classes ? $"{its.Classes} classes where the other has {ours.Classes}"
            : its.ClassNames.Count > 0 && ours.ClassNames.Count > 0 && !its.ClassNames.SequenceEqual(ours.ClassNames)
                ? "other classes, or the same ones in another order"
            : null;
        if (why is null)
            return other;
        other.Dispose();
        throw new CommandException(
            ExitCode.BadInput, $"{name}: the model has {why}; --against takes one of the same classes.");
    }

    private static void SayWhere(string? confusion, string? csv)
    {
        string[] written =
        [
            .. confusion is null ? [] : new[] { $"confusion matrix in {confusion}" },
            .. csv is null ? [] : new[] { $"measures of each class in {csv}" },
        ];
        if (written.Length > 0)
            Terminal.Message(string.Join(", ", written));
    }

    private static void Draw(
        TemporaryFiles temporaries, string path, ConfusionMatrix matrix, IReadOnlyList<string> names, Palette palette)
    {
        using Image picture = ConfusionPicture.DrawNamed(matrix, names, palette);
        using var file = new OutputFile(temporaries, path);
        file.Write(stream => picture.SavePng(stream));
        file.Commit();
    }
}
