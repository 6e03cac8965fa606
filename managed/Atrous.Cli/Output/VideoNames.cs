namespace Atrous.Cli.Output;

/// <summary>What is a video by its name, and what its outputs are called.</summary>
internal static class VideoNames
{
    /// <summary>Of the video with the classes' colours, before the container's own end.</summary>
    public const string Overlay = ".overlay";

    /// <summary>Of the folder with the frames' masks.</summary>
    public const string Masks = ".frames";

    private static readonly string[] Extensions =
    [
        ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".flv",
        ".ogv", ".3gp", ".mjpeg", ".mjpg", ".y4m", ".h264", ".h265", ".hevc", ".mxf", ".vob", ".dv",
    ];

    /// <summary>The containers that are written, by their files' ends, as ffmpeg calls them.</summary>
    private static readonly Container[] Containers =
        [new(".mp4", "mp4"), new(".mov", "mov"), new(".mkv", "matroska"), new(".webm", "webm")];

    private sealed record Container(string End, string Format);

    /// <summary>".mp4, .mov, .mkv or .webm".</summary>
    public static string Written { get; } =
        $"{string.Join(", ", Containers[..^1].Select(container => container.End))} or {Containers[^1].End}";

    /// <summary>How the outputs of a video end.</summary>
    public static IEnumerable<string> Outputs => Containers.Select(container => Overlay + container.End);

    /// <summary>A file whose name ends as a video's, a camera, or the address of a stream.</summary>
    public static bool IsVideo(string input) => IsStream(input)
        || input.StartsWith("/dev/video", StringComparison.Ordinal)
        || Extensions.Contains(Path.GetExtension(input).ToLowerInvariant());

    /// <summary>Whether it is a file on a disk, and no camera, stream or standard input.</summary>
    public static bool IsFile(string input) =>
        File.Exists(input) && !input.StartsWith("/dev/", StringComparison.Ordinal);

    /// <summary>Whether it is the address of a stream, such as "rtsp://camera/1".</summary>
    public static bool IsStream(string input) => input.Contains("://", StringComparison.Ordinal);

    /// <summary>What ffmpeg calls the container of a file; null for one that is not written.</summary>
    public static string? ContainerOf(string path) => Array.Find(
        Containers, container => container.End.Equals(Path.GetExtension(path), StringComparison.OrdinalIgnoreCase))
        ?.Format;

    /// <summary>What the outputs of an input begin with: its own path, or a name in the current folder.</summary>
    public static string StemOf(string input)
    {
        if (input == "-")
            return "stdin";
        if (IsFile(input))
            return Path.ChangeExtension(input, null);
        string last = input.Split('?', '#')[0].TrimEnd('/');
        last = last[(last.LastIndexOf('/') + 1)..];
        string safe = string.Concat(Path.GetFileNameWithoutExtension(last).Select(
            letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.' ? letter : '_')).Trim('.');
        return safe.Length > 0 ? safe : "video";
    }
}
