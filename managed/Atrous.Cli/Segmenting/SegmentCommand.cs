using System.CommandLine;
using Atrous.Cli.Batches;
using Atrous.Cli.Formats;
using Atrous.Cli.Options;
using Atrous.Cli.Output;
using Atrous.Cli.Videos;

namespace Atrous.Cli.Segmenting;

/// <summary>`atrous segment`: masks of pictures.</summary>
internal static class SegmentCommand
{
    private const string Description =
        "Segment pictures. Writes NAME.mask.png for each, an 8-bit palette PNG whose pixel is the class index; for a "
        + "GeoTIFF NAME.mask.tif, in the same place on the map. Of a video it writes NAME.overlay.mp4.";

    public static Command Create(TemporaryFiles temporaries, Interruption interruption)
    {
        var inputs = new Argument<string[]>("INPUT")
        {
            Description =
                "JPEG, PNG, WebP, GIF, BMP or TIFF files, folders (with their sub-folders), or - for standard input; "
                + "with --list one folder or none. Or videos, cameras and addresses, whatever ffmpeg opens",
            Arity = ArgumentArity.ZeroOrMore,
        };
        Option<string?> model = ModelChoice.Option();
        var output = new Option<string?>("--output", "-o")
        {
            Description =
                "A folder, or for one input a .png or .tif; beside the inputs unless given, - for standard output. Of "
                + $"a video {VideoNames.Written}",
            HelpName = "PATH",
        };
        var overlay = new Option<bool>("--overlay")
        {
            Description = "Also write NAME.overlay.png, the classes' colours over the picture",
        };
        var opacity = new Option<double>("--opacity")
        {
            Description = "Of the overlay's colours, 0 to 1",
            HelpName = "SHARE",
            DefaultValueFactory = _ => 0.6,
            CustomParser = result => Numbers.ParseFraction(result),
        };
        var classes = new Option<string?>("--classes")
        {
            Description = "A text file with a class name a line, each optionally followed by a colour #rrggbb",
            HelpName = "FILE",
        };
        var json = new Option<bool>("--json") { Description = "Write one JSON document about all pictures" };
        var quiet = new Option<bool>("--quiet", "-q")
        {
            Description = "Write nothing but errors (and the JSON document)",
        };
        var maxPixels = new MaxPixelsOption(bands: true);
        var checkpointOptions = new CheckpointOptions();
        var deviceOptions = new DeviceOptions();
        var preprocessing = new PreprocessingOptions();
        var scoring = new ScoringOptions();
        var formats = new FormatOptions();
        var batch = new BatchOptions();
        var rasters = new RasterOptions();
        var videos = new VideoOptions();

        var command = new ToolCommand("segment", Description)
        {
            Examples =
            [
                ("atrous segment street.jpg --overlay",
                    "The mask and a coloured picture beside the photo, with the model in the box"),
                ("atrous segment photos --model roads.pth -o masks",
                    "A mask for each picture of a folder, in another folder, with a checkpoint of yours"),
                ("atrous segment photos -o masks --format coco,geojson --simplify 1.5",
                    "The outlines of all regions as well, for an annotation tool and for a map"),
                ("atrous segment aerial.png --model roads.pth --tile 513",
                    "A window slides over a picture that is too large to be looked at whole"),
                ("atrous segment photos -o masks --shard 0/8 --skip-existing --jsonl lines/0.jsonl",
                    "One of eight tasks: what an earlier, killed run has done is not done again"),
                ("atrous segment ortho.tif --model roads.pth --tile 513 --bands 4,1,2",
                    "Three bands of a GeoTIFF of many, with a mask that lies on the map where it does"),
                ("atrous segment clip.mp4",
                    "A video with the classes' colours, clip.overlay.mp4; needs the package ffmpeg"),
                ("atrous segment clip.mp4 --every 5 --no-overlay --masks --jsonl clip.jsonl",
                    "A mask and a line of class shares for every fifth frame"),
            ],
        };
        command.Add(inputs);
        maxPixels.AddTo(command);
        rasters.AddTo(command);
        command.Add(ToolCommand.Model, model);
        checkpointOptions.AddTo(command);
        command.Add(ToolCommand.Output, output, overlay, opacity, classes, json, quiet);
        formats.AddTo(command);
        videos.AddTo(command);
        preprocessing.AddTo(command);
        scoring.AddTo(command);
        deviceOptions.AddTo(command);
        batch.AddTo(command);
        command.SetAction(result =>
        {
            SegmenterOptions options = scoring.Read(result, deviceOptions.Read(result, checkpointOptions.Read(result)));
            if (videos.Read(result, result.GetValue(inputs) ?? []) is { } video)
                return SegmentVideos(video, options);
            InputFiles files = batch.Inputs(result, result.GetValue(inputs) ?? []);
            BatchChoice chosenBatch = batch.Read(result);
            FormatChoice chosenFormats = formats.Read(result);
            IReadOnlyList<SegmentJob> jobs = SegmentJobs.For(
                files, result.GetValue(output), result.GetValue(overlay), chosenFormats, chosenBatch.Shard);
            chosenBatch.Refuse(jobs, chosenFormats);
            string? folder = result.GetValue(output);
            if (folder is null || files.IsOneFile && !Directory.Exists(folder))
                folder = WrittenFiles.FolderOfAll(jobs);
            if (chosenBatch.Shard is { } shard)
                jobs = [.. jobs.Where(job => shard.Has(job.Name))];
            bool toStandardOutput = jobs is [{ Mask: "-" }];
            if (toStandardOutput && result.GetValue(json))
                throw CommandException.Usage(
                    "The mask and --json both go to standard output; name a file with -o for the mask.");
            ClassesFile? named = result.GetValue(classes) is { } path ? ClassesFile.Read(path) : null;

            SegmentationReport report = result.GetValue(json) ? new JsonReport(result.GetValue(quiet), files.LeftOut)
                : result.GetValue(quiet) ? new SegmentationReport()
                : files.IsOneFile ? new TableReport(toStandardOutput)
                : new ProgressReport();
            ModelChoice chosen = ModelChoice.Of(result, model);
            options = preprocessing.Read(result, chosen.Path, options with
            {
                ClassNames = named?.Names,
                CrfProgress = result.GetValue(quiet) ? null : new CrfLines(report.Say),
            });
            return new SegmentRun(temporaries, interruption)
            {
                Files = files,
                Jobs = jobs,
                Model = chosen,
                Options = options,
                Palette = named?.Palette,
                Opacity = result.GetValue(opacity),
                MaxPixels = maxPixels.Read(result),
                Quiet = result.GetValue(quiet),
                Report = report,
                Formats = chosenFormats,
                Batch = chosenBatch,
                Rasters = rasters.Read(result),
                Folder = folder,
            }.Run();

            int SegmentVideos(VideoChoice choice, SegmenterOptions read)
            {
                string? lines = batch.Read(result).Lines;
                IReadOnlyList<VideoJob> jobs = VideoJobs.For(
                    VideoJobs.Inputs(result.GetValue(inputs)!, result.GetValue(quiet)), result.GetValue(output), choice,
                    lines);
                ClassesFile? named = result.GetValue(classes) is { } path ? ClassesFile.Read(path) : null;
                ModelChoice chosen = ModelChoice.Of(result, model);
                return new VideoRun(temporaries, interruption)
                {
                    Jobs = jobs,
                    Choice = choice,
                    Model = chosen,
                    Options = preprocessing.Read(result, chosen.Path, read with { ClassNames = named?.Names }),
                    Palette = named?.Palette,
                    Opacity = result.GetValue(opacity),
                    MaxPixels = maxPixels.Read(result),
                    Quiet = result.GetValue(quiet),
                    Formats = formats.Read(result),
                    Lines = lines,
                }.Run();
            }
        });
        return command;
    }
}
