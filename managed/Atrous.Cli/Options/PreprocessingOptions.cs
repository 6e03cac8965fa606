using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Atrous.Cli.Output;
using Atrous.Specs;

namespace Atrous.Cli.Options;

/// <summary>The options that replace parts of a dialect's pre-processing.</summary>
internal sealed class PreprocessingOptions
{
    private const byte Grey = 128;

    private readonly Option<ResizePolicy?> _resize = new("--resize")
    {
        Description =
            "Size that the network sees instead of the dialect's: none, short=N, long=N, within=NxM, HxW, or " +
            "letterbox=HxW",
        HelpName = "POLICY",
        CustomParser = ParsePolicy,
    };

    private readonly Option<float[]?> _mean = new("--mean")
    {
        Description =
            "Mean per channel instead of the dialect's, on pixels from 0 to 1 (0 to 255 where the dialect scales so)",
        HelpName = "A,B,C",
        Arity = ArgumentArity.ExactlyOne,
        CustomParser = ParseNumbers,
    };

    private readonly Option<float[]?> _std = new("--std")
    {
        Description = "Standard deviation per channel instead of the dialect's, as --mean",
        HelpName = "A,B,C",
        Arity = ArgumentArity.ExactlyOne,
        CustomParser = ParseNumbers,
    };

    private readonly Option<string?> _order = new("--channel-order")
    {
        Description = "Colours as the network takes them: rgb or bgr",
        HelpName = "ORDER",
    };

    public PreprocessingOptions() => _order.AcceptOnlyFromAmong("rgb", "bgr");

    public void AddTo(ToolCommand command) => command.Add(ToolCommand.Processing, _resize, _mean, _std, _order);

    /// <summary>The options with the dialect's pre-processing changed where the user says so.</summary>
    /// <exception cref="CommandException">A list has not one number per channel.</exception>
    public SegmenterOptions Read(ParseResult result, string model, SegmenterOptions options)
    {
        ResizePolicy? resize = result.GetValue(_resize);
        if (resize is not null and not ResizePolicy.None && options.Window is not null)
            throw CommandException.Usage(
                "--tile shows the network the picture at its own scale; leave out --resize, or --tile.");
        float[] mean = result.GetValue(_mean) ?? [], std = result.GetValue(_std) ?? [];
        string? order = result.GetValue(_order);
        if (resize is null && mean.Length == 0 && std.Length == 0 && order is null)
            return options;
        PreprocessingSpec spec = ModelInfo.Read(model, options).Preprocessing;
        foreach ((string name, float[] values) in new[] { ("--mean", mean), ("--std", std) })
        {
            if (values.Length > 0 && values.Length != spec.Channels)
                throw CommandException.Usage(
                    $"{name} takes {spec.Channels} number(s) for this model, not {values.Length}.");
        }
        if (std.Any(value => value <= 0))
            throw CommandException.Usage("--std takes numbers above 0.");
        return options with
        {
            Preprocessing = spec with
            {
                Resize = resize ?? spec.Resize,
                Mean = mean.Length > 0 ? mean : spec.Mean,
                Std = std.Length > 0 ? std : spec.Std,
                Order = order switch { "bgr" => ChannelOrder.Bgr, "rgb" => ChannelOrder.Rgb, _ => spec.Order },
            },
        };
    }

    private static ResizePolicy? ParsePolicy(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        string[] parts = text.Split('=');
        ResizePolicy? policy = (parts[0], parts.Length) switch
        {
            ("none", 1) => new ResizePolicy.None(),
            ("short", 2) when Side(parts[1]) is { } side => new ResizePolicy.ShortSide(side),
            ("long", 2) when Side(parts[1]) is { } side => new ResizePolicy.LongSide(side, OnlyShrink: false),
            ("within", 2) when Size(parts[1]) is { } frame => new ResizePolicy.Within(
                Math.Max(frame.Height, frame.Width), Math.Min(frame.Height, frame.Width)),
            ("letterbox", 2) when Size(parts[1]) is { } size =>
                new ResizePolicy.Letterbox(size.Height, size.Width, Grey),
            (_, 1) when Size(text) is { } size => new ResizePolicy.Stretch(size.Height, size.Width),
            _ => null,
        };
        if (policy is null)
            result.AddError(
                "--resize takes none, short=N, long=N, within=NxM, HxW or letterbox=HxW with sides from 1 to " +
                $"{Numbers.LargestSide}, not '{text}'.");
        return policy;

        static int? Side(string text) => Numbers.TryParseSide(text, out int side) ? side : null;

        static (int Height, int Width)? Size(string text) => Numbers.TryParseSize(text, out var size) ? size : null;
    }

    private static float[]? ParseNumbers(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        var values = new List<float>();
        foreach (string part in text.Split(','))
        {
            if (!float.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out float value)
                || !float.IsFinite(value))
            {
                result.AddError(
                    $"{(result.Parent as OptionResult)?.Option.Name} takes numbers with commas between, not '{text}'.");
                return null;
            }
            values.Add(value);
        }
        return [.. values];
    }
}
