using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Atrous.Cli.Videos;

/// <summary>What ffprobe reads of a file's header.</summary>
/// <param name="Frames">How many frames there are, about; null where the file does not say.</param>
/// <param name="HasSound">Whether it has sound as well.</param>
internal sealed record VideoFacts(int? Frames, bool HasSound)
{
    /// <summary>Null where nothing can be known; what is broken is told when it is read.</summary>
    /// <param name="path">The path of a file.</param>
    /// <param name="format">What ffmpeg's -f calls it; null where ffmpeg finds it out.</param>
    /// <exception cref="CommandException">ffprobe is not installed.</exception>
    public static VideoFacts? Of(string path, string? format)
    {
        using Process process = Ffmpeg.Start("ffprobe",
        [
            "-v", "quiet", .. format is null ? (string[])[] : ["-f", format], .. Ffmpeg.InputFile(path),
            "-show_entries",
            "stream=codec_type,nb_frames,avg_frame_rate,duration:stream_disposition=attached_pic:format=duration",
            "-of", "json",
        ], output: true);
        Task<string> error = process.StandardError.ReadToEndAsync();
        string text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        error.Wait();
        return process.ExitCode == 0 ? Parse(text) : null;
    }

    private static VideoFacts? Parse(string text)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            JsonElement streams = document.RootElement.GetProperty("streams");
            int? frames = null;
            bool sound = false;
            foreach (JsonElement stream in streams.EnumerateArray())
            {
                string kind = Text(stream, "codec_type");
                sound |= kind == "audio";
                // A cover picture is a stream of video too, and none that is read.
                if (kind == "video" && frames is null && !IsCover(stream))
                    frames = FramesOf(stream, document.RootElement);
            }
            return new VideoFacts(frames, sound);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }

    private static bool IsCover(JsonElement stream) =>
        stream.TryGetProperty("disposition", out JsonElement disposition) && Text(disposition, "attached_pic") == "1";

    private static int? FramesOf(JsonElement stream, JsonElement root)
    {
        if (int.TryParse(Text(stream, "nb_frames"), NumberStyles.None, CultureInfo.InvariantCulture, out int frames))
            return frames;
        string[] rate = Text(stream, "avg_frame_rate").Split('/');
        double duration = Number(Text(stream, "duration"));
        if (duration == 0 && root.TryGetProperty("format", out JsonElement file))
            duration = Number(Text(file, "duration"));
        double about = rate.Length == 2 ? Math.Round(duration * Number(rate[0]) / Number(rate[1])) : 0;
        return about is > 0 and < int.MaxValue ? (int)about : null;
    }

    private static string Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement value) ? value.ToString() : "";

    private static double Number(string text) => double.TryParse(
        text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number) ? number : 0;
}
