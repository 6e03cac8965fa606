using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Atrous.Cli.Options;
using Atrous.Cli.Output;
using Atrous.Imaging;

namespace Atrous.Cli.Videos;

/// <summary>The options of videos, and which others have no meaning for one.</summary>
internal sealed class VideoOptions
{
    private const string Section = "Video", Auto = "auto";

    private const int MostEvery = 1_000_000;

    private const double MostRate = 1000;

    /// <summary>Options of `atrous segment` that are about pictures.</summary>
    private static readonly string[] OfPictures =
        ["--list", "--shard", "--skip-existing", "--retries", "--in-flight", "--json", "--bands", "--white"];

    /// <summary>The pixels of --raw by ffmpeg's names.</summary>
    private static readonly RawPixels[] RawFormats =
    [
        new("rgb24", PixelFormat.Rgb), new("bgr24", PixelFormat.Bgr), new("rgba", PixelFormat.Rgba),
        new("bgra", PixelFormat.Bgra), new("gray", PixelFormat.Grey),
    ];

    private sealed record RawPixels(string Name, PixelFormat Format);

    private static string RawNames => string.Join(", ", RawFormats.Select(raw => raw.Name));

    private readonly Option<string?> _format = new("--video")
    {
        Description =
            "INPUT is a video whatever its name: auto, or a format as ffmpeg's -f takes it, such as v4l2 or mpegts",
        HelpName = "FORMAT",
    };

    private readonly Option<RawFormat?> _raw = new("--raw")
    {
        Description =
            $"INPUT is - and holds bare frames of this format ({RawNames}) and size, width first as ffmpeg has it: "
            + "--raw rgb24 640x480",
        HelpName = "FORMAT WxH",
        Arity = new ArgumentArity(2, 2),
        AllowMultipleArgumentsPerToken = true,
        CustomParser = ParseRaw,
    };

    private readonly Option<TimeBase?> _rate = new("--fps")
    {
        Description = "Of --raw: frames a second, a number or a fraction such as 30000/1001; 25 unless given",
        HelpName = "RATE",
        CustomParser = ParseRate,
    };

    private readonly Option<int?> _every = new("--every")
    {
        Description = "Only the first of every N frames; the others are in no output",
        HelpName = "N",
        CustomParser = result => Numbers.Parse(result, 1, MostEvery, $"a number of frames from 1 to {MostEvery}"),
    };

    private readonly Option<double?> _most = new("--max-fps")
    {
        Description = "At most so many frames of each second, as even as they lie; the others are in no output",
        HelpName = "N",
        CustomParser = ParseMost,
    };

    private readonly Option<bool> _masks = new("--masks")
    {
        Description = "Also write each frame's mask, NAME.frames/NUMBER.mask.png; --format does it too",
    };

    private readonly Option<bool> _noOverlay = new("--no-overlay")
    {
        Description = "Write no video with the classes' colours",
    };

    private Option[] All => [_format, _raw, _rate, _every, _most, _masks, _noOverlay];

    public void AddTo(ToolCommand command) => command.Add(Section, All);

    /// <summary>What is asked for; null where the inputs are pictures.</summary>
    /// <exception cref="CommandException">Options do not go together.</exception>
    public VideoChoice? Read(ParseResult result, IReadOnlyList<string> inputs)
    {
        RawFormat? raw = result.GetValue(_raw);
        string? format = result.GetValue(_format);
        string[] videos = [.. inputs.Where(input => !Directory.Exists(input) && VideoNames.IsVideo(input))];
        if (raw is null && format is null && videos.Length == 0)
        {
            foreach (Option option in All.Where(option => result.IsGiven(option)))
                throw CommandException.Usage(
                    $"{option.Name} is about videos, and INPUT is none by its name; --video auto says that it is one.");
            return null;
        }
        Refuse(result, inputs, videos, raw, format);
        bool masks = result.GetValue(_masks) || IsGiven(result, "--format");
        bool overlay = !result.GetValue(_noOverlay);
        if (!overlay && IsGiven(result, "--overlay"))
            throw CommandException.Usage("--overlay and --no-overlay contradict each other; leave out one of them.");
        if (!overlay && !masks && !IsGiven(result, "--jsonl"))
            throw CommandException.Usage(
                "With --no-overlay alone nothing would be written; give --masks, --format or --jsonl as well.");
        return new VideoChoice(
            format == Auto ? null : format, raw, result.GetValue(_rate) ?? new TimeBase(1, 25),
            new FrameChoice(result.GetValue(_every) ?? 1, result.GetValue(_most)), overlay, masks);
    }

    private void Refuse(
        ParseResult result, IReadOnlyList<string> inputs, string[] videos, RawFormat? raw, string? format)
    {
        foreach (string option in OfPictures.Where(option => IsGiven(result, option)))
            throw CommandException.Usage($"{option} is about pictures; leave it out for a video.");
        if (raw is not null && (format is not null || inputs is not ["-"]))
            throw CommandException.Usage("--raw is about standard input alone: give - as INPUT, and no --video.");
        if (raw is null && result.IsGiven(_rate))
            throw CommandException.Usage("--fps is that of --raw; a video has its own times. --max-fps takes fewer.");
        if (format is { Length: 0 })
            throw CommandException.Usage("--video is empty; give auto or a format of ffmpeg.");
        if (raw is null && format is null && videos.Length < inputs.Count)
            throw CommandException.Usage(
                $"{videos[0]} is a video by its name, and {inputs.First(input => !videos.Contains(input))} is none; "
                + "segment them in two runs.");
        if (inputs.Count > 1 && inputs.Contains("-"))
            throw CommandException.Usage("'-' (standard input) is one video; give no other input beside it.");
        if (inputs.FirstOrDefault(Directory.Exists) is { } folder)
            throw CommandException.Usage($"{folder} is a folder; name the videos themselves.");
        if (inputs.Count == 0)
            throw CommandException.Usage("INPUT is missing: name a video. See atrous segment --help.");
    }

    private static bool IsGiven(ParseResult result, string name) =>
        result.IsGiven(result.CommandResult.Command.Options.First(option => option.Name == name));

    private static RawFormat? ParseRaw(ArgumentResult result)
    {
        string name = result.Tokens[0].Value, size = result.Tokens.Count > 1 ? result.Tokens[1].Value : "";
        PixelFormat? format =
            RawFormats.Where(raw => raw.Name == name).Select(raw => (PixelFormat?)raw.Format).FirstOrDefault();
        // Numbers.TryParseSize takes the height first, as all other options do; it is only a name there.
        if (format is { } pixels && Numbers.TryParseSize(size, out (int Width, int Height) sides))
            return new RawFormat(pixels, sides.Height, sides.Width);
        result.AddError(
            $"--raw takes {RawNames} and WIDTHxHEIGHT with sides from 1 to {Numbers.LargestSide}, such as "
            + $"rgb24 640x480, not '{name} {size}'.");
        return null;
    }

    private static TimeBase? ParseRate(ArgumentResult result)
    {
        const int Thousandths = 1000;
        string text = result.Tokens[0].Value;
        string[] parts = text.Split('/');
        if (parts.Length == 2 && Whole(parts[0], out int per) && Whole(parts[1], out int seconds)
            && (double)per / seconds <= MostRate)
            return new TimeBase(seconds, per);
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double rate)
            && rate is >= 1.0 / Thousandths and <= MostRate)
            return new TimeBase(Thousandths, (int)Math.Round(rate * Thousandths));
        result.AddError(
            $"--fps takes a number up to {MostRate} or a fraction such as 30000/1001, not '{text}'.");
        return null;

        static bool Whole(string digits, out int number) =>
            int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number > 0;
    }

    private static double? ParseMost(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double most)
            && most is > 0 and <= MostRate)
            return most;
        result.AddError($"--max-fps takes a number above 0 and up to {MostRate}, such as 5 or 0.5, not '{text}'.");
        return null;
    }
}
