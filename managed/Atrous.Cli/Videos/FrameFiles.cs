using System.Globalization;
using Atrous.Cli.Formats;
using Atrous.Cli.Output;
using Atrous.Cli.Segmenting;
using Atrous.Formats;

namespace Atrous.Cli.Videos;

/// <summary>The masks of a video's frames and the files of --format, in a folder, as those of pictures are.</summary>
/// <param name="job">The video and its outputs.</param>
/// <param name="formats">What is written beside the masks.</param>
/// <param name="maker">Writes the outputs of a picture.</param>
/// <param name="files">The files about all frames.</param>
internal sealed class FrameFiles(VideoJob job, FormatChoice formats, PictureMaker maker, RunFiles files)
{
    /// <summary>Writes what belongs to a frame; where no folder is wanted, only says what there is to tell.</summary>
    /// <exception cref="CommandException">An output cannot be written.</exception>
    public (SegmentJob Job, MaskFacts Facts) Add(VideoFrame frame, Segmentation mask)
    {
        if (job.Folder is null)
            return (new SegmentJob(job.Input, "", null) { Name = job.Name }, MaskFacts.Of(mask));
        string name = string.Create(CultureInfo.InvariantCulture, $"{frame.Number:000000}");
        string stem = Path.Combine(job.Folder, name);
        var outputs = new SegmentJob(job.Input, stem + OutputNames.Mask, null)
        {
            Name = $"{Path.GetFileName(job.Folder)}/{name}.png",
            Files = [.. formats.OfPicture.Select(format => (format, stem + format.Suffix))],
        };
        using UnnamedOutputs made = maker.Make(outputs, frame.Picture, mask);
        made.Files.ForEach(file => file.Commit());
        files.Add(made.Annotated!);
        return (outputs with { Name = job.Name }, made.Facts!);
    }
}
