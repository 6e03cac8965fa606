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
        if (jobs is [var job])
        {
            string mask = job.Mask == "-" ? "mask on standard output" : $"mask in {job.Mask}";
            return overlays ? $"{mask}, overlay in {job.Overlay}" : mask;
        }
        string[] folders = [.. jobs.Select(job => Path.GetDirectoryName(job.Mask)!).Distinct()];
        string where = (folders.Aggregate(Common), folders.Length) switch
        {
            ("", 1) => "the current folder",
            ("", _) => "several folders",
            (var folder, 1) => folder,
            (var folder, _) => $"{folder} and below it",
        };
        return $"{(overlays ? "masks and overlays" : "masks")} in {where}";
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
