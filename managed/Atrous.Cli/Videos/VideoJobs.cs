using Atrous.Cli.Output;

namespace Atrous.Cli.Videos;

/// <summary>One video's way from input to outputs.</summary>
/// <param name="Input">A file, a camera, the address of a stream, or "-" for standard input.</param>
/// <param name="Overlay">The video with the classes' colours; "-" for standard output, null for none.</param>
/// <param name="Folder">Where the outputs of single frames go; null for none.</param>
internal sealed record VideoJob(string Input, string? Overlay, string? Folder)
{
    /// <summary>As people and lines call it.</summary>
    public string Name { get; } = Input == "-" ? "standard input"
        : VideoNames.IsFile(Input) ? Path.GetFileName(Input)
        : Input;

    /// <summary>"overlay in a.overlay.mp4, masks in a.frames".</summary>
    /// <param name="formats">The names of what --format writes.</param>
    /// <param name="lines">The file of --jsonl; null for none.</param>
    public string Where(IEnumerable<string> formats, string? lines)
    {
        string[] all =
        [
            .. Overlay is null ? (string[])[]
                : Overlay == "-" ? ["frames on standard output"]
                : [$"overlay in {Overlay}"],
            .. Folder is null ? (string[])[] : [$"{string.Join(", ", ["masks", .. formats])} in {Folder}"],
            .. lines is null ? (string[])[] : [lines == "-" ? "lines on standard output" : $"lines in {lines}"],
        ];
        return string.Join(", ", all);
    }
}

/// <summary>Where the outputs of some videos go.</summary>
internal static class VideoJobs
{
    /// <summary>The inputs without those that are outputs of earlier runs.</summary>
    /// <exception cref="CommandException">None is left.</exception>
    public static IReadOnlyList<string> Inputs(IReadOnlyList<string> given, bool quiet)
    {
        foreach (string output in quiet ? [] : given.Where(OutputNames.IsOutput))
            Terminal.Message($"{output} is skipped: its name is that of an output.");
        string[] inputs = [.. given.Where(input => !OutputNames.IsOutput(input))];
        return inputs.Length > 0 ? inputs : throw CommandException.Usage("There is no video among the inputs.");
    }

    /// <param name="inputs">The videos, as they were named.</param>
    /// <param name="output">-o: a video, a folder, "-" for standard output; null for beside the inputs.</param>
    /// <param name="choice">What is written of each.</param>
    /// <param name="lines">The file of --jsonl; null for none.</param>
    /// <exception cref="CommandException">
    /// Two outputs would have one name, or an output would replace an input.
    /// </exception>
    public static IReadOnlyList<VideoJob> For(
        IReadOnlyList<string> inputs, string? output, VideoChoice choice, string? lines)
    {
        if (inputs is ["-"] && choice is { HasOverlay: true, HasMasks: false })
            output ??= "-";
        if (output == "-")
            RefuseStandardOutput(inputs, choice);
        if (lines == "-" && output == "-")
            throw CommandException.Usage("The frames and --jsonl both go to standard output; name a file for one.");
        VideoJob[] jobs = [.. inputs.Select(input => To(input, inputs.Count, output, choice))];
        RefuseClashes(jobs, lines);
        return jobs;
    }

    private static VideoJob To(string input, int inputs, string? output, VideoChoice choice)
    {
        string stem;
        string? overlay = null;
        if (output == "-")
            return new VideoJob(input, "-", null);
        if (output is not null && VideoNames.ContainerOf(output) is not null && !Directory.Exists(output))
        {
            if (inputs > 1)
                throw CommandException.Usage($"-o {output} is a file; several inputs need a folder.");
            if (!choice.HasOverlay)
                throw CommandException.Usage($"-o {output} is a video, and --no-overlay says that none is written.");
            overlay = output;
            stem = Path.ChangeExtension(output, null);
            if (stem.EndsWith(VideoNames.Overlay, StringComparison.OrdinalIgnoreCase))
                stem = stem[..^VideoNames.Overlay.Length];
        }
        else
        {
            if (output is { Length: > 0 } && !Directory.Exists(output) && Path.GetExtension(output).Length > 0
                && !Path.EndsInDirectorySeparator(output))
            {
                throw CommandException.Usage(
                    $"-o {output}: videos are written as {VideoNames.Written}; a folder of that name has to be made "
                    + "first, or ends with a slash.");
            }
            stem = VideoNames.StemOf(input);
            if (output is not null)
                stem = Path.Combine(output, Path.GetFileName(stem));
            overlay = choice.HasOverlay ? $"{stem}{VideoNames.Overlay}.mp4" : null;
        }
        return new VideoJob(input, overlay, choice.HasMasks ? stem + VideoNames.Masks : null);
    }

    private static void RefuseStandardOutput(IReadOnlyList<string> inputs, VideoChoice choice)
    {
        if (inputs.Count > 1)
            throw CommandException.Usage("Only one video's frames can go to standard output; name a folder with -o.");
        if (choice.HasMasks || !choice.HasOverlay)
            throw CommandException.Usage(
                "Standard output takes the frames with the classes' colours; name a folder with -o for masks.");
        if (!Console.IsOutputRedirected)
            throw CommandException.Usage(
                "The frames would go to the terminal; redirect standard output or name a video with -o.");
    }

    private static void RefuseClashes(VideoJob[] jobs, string? lines)
    {
        var paths = new RealPaths();
        HashSet<string> inputs = [.. jobs.Where(job => File.Exists(job.Input)).Select(job => paths.Of(job.Input))];
        var outputs = new HashSet<string>(StringComparer.Ordinal);
        IEnumerable<string?> all = [.. jobs.SelectMany(job => new[] { job.Overlay, job.Folder }), lines];
        foreach (string output in all.OfType<string>().Where(path => path != "-"))
        {
            string real = paths.Of(output);
            if (inputs.Contains(real))
                throw CommandException.Usage(
                    $"{output} is an input and would be overwritten; choose another name with "
                    + $"{(output == lines ? "--jsonl" : "-o")}.");
            if (!outputs.Add(real))
                throw CommandException.Usage(
                    $"{output} would be written twice; "
                    + (output == lines
                        ? "choose another name with --jsonl."
                        : "segment each video in a run of its own, with its own -o."));
        }
    }
}
