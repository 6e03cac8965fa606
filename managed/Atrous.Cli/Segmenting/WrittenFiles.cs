using Atrous.Cli.Output;

namespace Atrous.Cli.Segmenting;

/// <summary>Where the outputs of a run are, in words.</summary>
internal static class WrittenFiles
{
    /// <summary>
    /// "mask in a.mask.png, overlay in a.overlay.png"; of several pictures "masks and overlays in out". Where they are
    /// in several folders, it names the one above them all.
    /// </summary>
    /// <param name="jobs">Those whose outputs are written; at least one.</param>
    public static string Where(IReadOnlyList<SegmentJob> jobs)
    {
        bool overlays = jobs[0].Overlay is not null;
        string[] formats = [.. jobs[0].Files.Select(file => file.Format.Name)];
        if (jobs is [var job])
        {
            string mask = job.Mask == "-" ? "mask on standard output" : $"mask in {job.Mask}";
            return string.Join(", ", [
                mask, .. overlays ? [$"overlay in {job.Overlay}"] : (string[])[],
                .. job.Files.Select(file => $"{file.Format.Name} in {file.Path}")]);
        }
        string[] kinds = ["masks", .. overlays ? ["overlays"] : (string[])[], .. formats];
        string all = kinds.Length == 1 ? kinds[0] : $"{string.Join(", ", kinds[..^1])} and {kinds[^1]}";
        return $"{all} in {Folder(jobs)}";
    }

    /// <summary>The deepest folder that holds all masks; the current one where there is no other.</summary>
    public static string FolderOfAll(IReadOnlyList<SegmentJob> jobs) =>
        jobs.Select(job => Path.GetDirectoryName(job.Mask) ?? "").DefaultIfEmpty("").Aggregate(Common)
            is { Length: > 1 } folder
            ? folder
            : ".";

    private static string Folder(IReadOnlyList<SegmentJob> jobs)
    {
        string[] folders = [.. jobs.Select(job => Path.GetDirectoryName(job.Mask)!).Distinct()];
        return (folders.Aggregate(Common), folders.Length) switch
        {
            ("", 1) => "the current folder",
            ("", _) => "several folders",
            (var folder, 1) => folder,
            (var folder, _) => $"{folder} and below it",
        };
    }

    /// <summary>"a.png  a.mask.png  road 41 %, sky 22 %, car 9 %": a picture and its largest classes.</summary>
    public static string Line(SegmentedPicture picture)
    {
        IEnumerable<string> classes = picture.Mask.Shares.Where(share => share.Share >= 0.005).Take(3)
            .Select(share => $"{picture.Mask.NameOf(share.Label)} {Numbers.WholePercent(share.Share)}");
        return $"{picture.Job.Input}  {picture.Job.Mask}  {string.Join(", ", classes)}";
    }

    /// <summary>The deepest folder that holds both.</summary>
    private static string Common(string a, string b)
    {
        string[] parts = a.Split('/'), others = b.Split('/');
        int same = 0;
        while (same < Math.Min(parts.Length, others.Length) && parts[same] == others[same])
            same++;
        return a.StartsWith('/') && same == 1 ? "/" : string.Join('/', parts[..same]);
    }
}
