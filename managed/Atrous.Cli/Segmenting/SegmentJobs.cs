using System.Globalization;
using Atrous.Cli.Batches;
using Atrous.Cli.Formats;
using Atrous.Cli.Options;
using Atrous.Cli.Output;
using Atrous.Formats;
using Atrous.Imaging.Maps;

namespace Atrous.Cli.Segmenting;

/// <summary>One picture's way from input to outputs.</summary>
/// <param name="Input">"-" for standard input.</param>
/// <param name="Mask">"-" for standard output; empty for a frame of a video whose mask is not written.</param>
/// <param name="Overlay">Null where none is wanted.</param>
internal sealed record SegmentJob(string Input, string Mask, string? Overlay)
{
    private const int LongestName = 40;

    /// <summary>
    /// The picture below the folder that was given, with slashes; its file's name where a file was given.
    /// </summary>
    public required string Name { get; init; }

    /// <summary>The files of --format.</summary>
    public IReadOnlyList<(PictureFormat Format, string Path)> Files { get; init; } = [];

    /// <summary>All files that are written.</summary>
    public IEnumerable<string> Outputs =>
        [.. new[] { Mask, Overlay }.OfType<string>().Where(path => path != "-"), .. Files.Select(file => file.Path)];

    /// <summary>Where the mask of one class goes, where a pixel can be of several: "a.3-car.mask.png".</summary>
    public string MaskOf(int label, string name)
    {
        string stem = OutputNames.StemOf(Mask);
        string end = OutputNames.IsTiff(Mask) ? OutputNames.TiffMask : OutputNames.Mask;
        string safe = string.Concat(name.Take(LongestName).Select(
            letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' ? letter : '_'));
        return string.Create(CultureInfo.InvariantCulture, $"{stem}.{label}-{safe}{end}");
    }
}

/// <summary>Where the masks of some inputs go.</summary>
internal static class SegmentJobs
{
    private static readonly string[] OtherFormats =
        [".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".npy", ".json"];

    /// <param name="files">The pictures, each of which gets one mask.</param>
    /// <param name="output">-o: a file, a folder, "-" for standard output; null for beside the inputs.</param>
    /// <param name="overlay">Whether each picture gets an overlay beside its mask.</param>
    /// <param name="formats">What each picture gets beside its mask.</param>
    /// <param name="shard">
    /// The part that will be segmented; null for all. Files of others are not opened, unless their masks' names could
    /// be those of other pictures.
    /// </param>
    /// <exception cref="CommandException">
    /// Two files would have one name, or an output would replace an input.
    /// </exception>
    public static IReadOnlyList<SegmentJob> For(
        InputFiles files, string? output, bool overlay, FormatChoice formats, Shard? shard)
    {
        if (files.IsStandardInput)
            output ??= "-";
        SegmentJob[] jobs = output switch
        {
            "-" => [ToStandardOutput(files, overlay || !formats.IsNone)],
            not null when IsFile(files, output) =>
                [.. files.Pictures.Select(file => To(OutputNames.StemOf(output), file, output, overlay, formats))],
            _ => ToFolder(files, output, overlay, formats, shard),
        };
        if (output is null && formats.OfPicture.FirstOrDefault(format => format.IsNamedAsByHand) is { } format)
        {
            throw CommandException.Usage(
                $"--format {format.Name} names its files as annotations made by hand are named; name a folder for them "
                + "with -o.");
        }
        RefuseClashes(jobs);
        return jobs;
    }

    private static SegmentJob ToStandardOutput(InputFiles files, bool more)
    {
        if (!files.IsOneFile)
            throw CommandException.Usage("Only the mask of one file can go to standard output; name a folder with -o.");
        if (more)
            throw CommandException.Usage(
                "Standard output takes the mask alone; name a file or folder with -o to have more than that.");
        if (!Console.IsOutputRedirected)
            throw CommandException.Usage(
                "The mask is a PNG and would go to the terminal; redirect standard output or name a file with -o.");
        string input = files.Pictures is [var picture] ? picture.Path : "-";
        return new SegmentJob(input, "-", null) { Name = Path.GetFileName(input) };
    }

    private static bool IsFile(InputFiles files, string output)
    {
        if (Directory.Exists(output) || Path.EndsInDirectorySeparator(output))
            return false;
        bool isFile = File.Exists(output)
            || Path.GetExtension(output).Equals(".png", StringComparison.OrdinalIgnoreCase)
            || OutputNames.IsTiff(output);
        if (isFile && !files.IsOneFile)
            throw CommandException.Usage($"-o {output} is a file; several inputs need a folder.");
        if (!isFile && OtherFormats.Contains(Path.GetExtension(output).ToLowerInvariant()))
            throw CommandException.Usage($"-o {output}: masks are written as .png or .tif.");
        return isFile;
    }

    private static SegmentJob[] ToFolder(
        InputFiles files, string? folder, bool overlay, FormatChoice formats, Shard? shard)
    {
        var pictures = files.Pictures.Select(file => new { File = file, Stem = StemOf(file, folder) }).ToArray();
        HashSet<string> shared =
        [
            .. pictures.GroupBy(picture => picture.Stem).Where(group => group.Skip(1).Any())
                .Select(group => group.Key),
        ];
        var jobs = new List<SegmentJob>(pictures.Length);
        foreach (var picture in pictures)
        {
            (InputFile file, string stem) = (picture.File, picture.Stem);
            try
            {
                // What is called a JPEG or PNG is not opened to see that it is no map.
                bool isMap = (OutputNames.IsTiff(file.Path) || !InputFiles.IsPicture(file.Path))
                    && (shard?.Has(InputFiles.NameOf(file.Relative)) != false || shared.Contains(stem))
                    && TiffFacts.Of(file.Path) is { IsPlaced: true };
                jobs.Add(To(stem, file, stem + (isMap ? OutputNames.TiffMask : OutputNames.Mask), overlay, formats));
            }
            catch (ImageException e)
            {
                files.Refuse(file, e.Message);
            }
        }
        return [.. jobs];
    }

    private static string StemOf(InputFile file, string? folder)
    {
        string path = folder is null ? file.Path : Path.Combine(folder, file.Relative);
        return Path.Combine(Path.GetDirectoryName(path) ?? "", Path.GetFileNameWithoutExtension(path));
    }

    private static SegmentJob To(string stem, InputFile file, string mask, bool overlay, FormatChoice formats) =>
        new(file.Path, mask, overlay ? stem + OutputNames.Overlay : null)
        {
            Name = InputFiles.NameOf(file.Relative),
            Files = [.. formats.OfPicture.Select(format => (format, stem + format.Suffix))],
        };

    /// <param name="jobs">The pictures of the whole run.</param>
    /// <param name="where">The file about all of them that tells them apart by their names.</param>
    /// <exception cref="CommandException">Two pictures have one name.</exception>
    public static void RefuseEqualNames(IReadOnlyList<SegmentJob> jobs, string where)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (SegmentJob job in jobs)
        {
            if (!names.TryAdd(job.Name, job.Input))
            {
                throw CommandException.Usage(
                    $"{names[job.Name]} and {job.Input} would both be {job.Name} in {where}; segment them in two runs, "
                    + "or name the folder above them.");
            }
        }
    }

    /// <exception cref="CommandException">The file of lines is a picture or one of its outputs.</exception>
    public static void RefuseAsLines(IReadOnlyList<SegmentJob> jobs, string lines)
    {
        var paths = new RealPaths();
        string file = paths.Of(lines);
        if (jobs.Any(job => job.Outputs.Append(job.Input).Any(path => path != "-" && paths.Of(path) == file)))
            throw CommandException.Usage($"{lines} belongs to a picture; choose another name with --jsonl.");
    }

    private static void RefuseClashes(SegmentJob[] jobs)
    {
        // An output that is a link is written where it leads.
        var paths = new RealPaths();
        HashSet<string> inputs = [.. jobs.Where(job => job.Input != "-").Select(job => paths.Of(job.Input))];
        var outputs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (SegmentJob job in jobs)
        {
            foreach (string output in job.Outputs)
            {
                string real = paths.Of(output);
                if (inputs.Contains(real))
                    throw CommandException.Usage(
                        $"{output} is an input and would be overwritten; choose another name with -o.");
                if (!outputs.TryAdd(real, job.Input))
                {
                    throw CommandException.Usage(
                        $"{outputs[real]} and {job.Input} would both be written to {output}; segment them in two " +
                        $"runs with different -o.");
                }
            }
        }
    }
}
