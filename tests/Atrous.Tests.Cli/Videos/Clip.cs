using System.Diagnostics;
using System.Globalization;
using Atrous.Tests.Support;

namespace Atrous.Tests.Cli.Videos;

/// <summary>The rendered clip of the samples, and what ffmpeg and ffprobe make and say of it.</summary>
internal static class Clip
{
    public const int Frames = 60, Height = 180, Width = 240;

    /// <summary>Both programs are installed.</summary>
    public static bool HasFfmpeg { get; } = Exists("ffmpeg") && Exists("ffprobe");

    /// <summary>samples/street.mp4.</summary>
    public static string Path { get; } = Repository.PathOf("samples/street.mp4");

    /// <summary>Skips the test where ffmpeg is not installed.</summary>
    public static void NeedsFfmpeg() => Assert.SkipUnless(HasFfmpeg, "ffmpeg is not installed");

    /// <summary>Writes another video with ffmpeg.</summary>
    public static void Make(params string[] arguments) =>
        Run("ffmpeg", ["-loglevel", "error", "-nostdin", "-y", .. arguments]);

    /// <summary>The frames' times as ffprobe prints them.</summary>
    public static string[] Times(string path) => Probe(path, "-show_entries", "frame=pts_time");

    /// <summary>Values of the stream of pictures, one a line.</summary>
    public static string[] Stream(string path, string names) => Probe(path, "-show_entries", $"stream={names}");

    /// <summary>How many frames can be decoded.</summary>
    public static int Count(string path) => int.Parse(
        Assert.Single(Probe(path, "-count_frames", "-show_entries", "stream=nb_read_frames")),
        CultureInfo.InvariantCulture);

    /// <summary>All frames as RGB, upright.</summary>
    public static byte[] Pixels(string path) =>
        Run("ffmpeg", ["-loglevel", "error", "-nostdin", "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]);

    /// <summary>How far two lists of pixels are apart, as the mean of the absolute differences.</summary>
    public static double Difference(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        Assert.Equal(a.Length, b.Length);
        long sum = 0;
        for (int i = 0; i < a.Length; i++)
            sum += Math.Abs(a[i] - b[i]);
        return (double)sum / a.Length;
    }

    private static string[] Probe(string path, params string[] arguments) =>
    [
        .. System.Text.Encoding.UTF8.GetString(Run(
            "ffprobe", ["-v", "error", "-select_streams", "v:0", .. arguments, "-of", "default=nk=1:nw=1", path]))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
    ];

    private static byte[] Run(string program, string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        var output = new MemoryStream();
        process.StandardOutput.BaseStream.CopyTo(output);
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {error.Result}");
        return output.ToArray();
    }

    private static bool Exists(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(System.IO.Path.PathSeparator)
        .Any(folder => File.Exists(System.IO.Path.Combine(folder, program))
            || File.Exists(System.IO.Path.Combine(folder, program + ".exe")));
}
