using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Atrous.Cli.Output;
using Atrous.Postprocessing;
using Atrous.Scoring;

namespace Atrous.Cli.Options;

/// <summary>
/// The options that say how often and where the network looks at a picture, and what becomes of its scores.
/// </summary>
internal sealed class ScoringOptions
{
    private const string CrfName = "--crf";

    private readonly Option<int?> _tile = new("--tile")
    {
        Description =
            "Slide a window of NxN pixels over the picture at its own scale and blend the scores: for pictures that " +
            "do not fit whole",
        HelpName = "N",
        CustomParser = result => Numbers.Parse(
            result, SlidingWindow.LeastSize, SlidingWindow.MostSize,
            $"a number of pixels from {SlidingWindow.LeastSize} to {SlidingWindow.MostSize}"),
    };

    private readonly Option<double> _overlap = new("--overlap")
    {
        Description = "The share of a window of --tile that the next one covers too",
        HelpName = "SHARE",
        DefaultValueFactory = _ => SlidingWindow.UsualOverlap,
        CustomParser = result => Numbers.ParseFraction(result, SlidingWindow.MostOverlap),
    };

    private readonly Option<double[]?> _scales = new("--scales")
    {
        Description = "Score every picture at each of these scales, such as 0.75,1,1.25, and average the probabilities",
        HelpName = "A,B,C",
        Arity = ArgumentArity.ExactlyOne,
        CustomParser = ParseScales,
    };

    private readonly Option<bool> _flip = new("--flip")
    {
        Description = "Score every picture mirrored as well, and average the probabilities",
    };

    private readonly Option<string?> _crf = new(CrfName)
    {
        Description = "Sharpen the mask with a fully-connected CRF: "
            + string.Join(" or ", DenseCrfParameters.All.Select(known => known.Name)) + "; "
            + DenseCrfParameters.DeepLabV2.Name + " where no name is given. Not with --tile",
        HelpName = "NAME",
        Arity = ArgumentArity.ZeroOrOne,
    };

    /// <summary>
    /// The arguments with a name for every --crf that has none. The parser would take whatever follows, such as a
    /// picture, for the name.
    /// </summary>
    public static string[] NameCrf(string[] args)
    {
        int end = Array.IndexOf(args, "--");
        for (int i = 0; i < (end < 0 ? args.Length : end); i++)
        {
            if (args[i] != CrfName)
                continue;
            string? next = i + 1 < args.Length ? args[i + 1] : null;
            if (!DenseCrfParameters.All.Any(known => known.Name.Equals(next, StringComparison.OrdinalIgnoreCase)))
                args = [.. args[..i], $"{CrfName}={DenseCrfParameters.DeepLabV2.Name}", .. args[(i + 1)..]];
        }
        return args;
    }

    public void AddTo(ToolCommand command) =>
        command.Add(ToolCommand.Processing, _tile, _overlap, _scales, _flip, _crf);

    /// <summary>The options with window, augmentation and CRF filled in.</summary>
    /// <exception cref="CommandException">--overlap stands alone, or --tile and --crf together.</exception>
    /// <exception cref="UnavailableException">There is no such CRF.</exception>
    public SegmenterOptions Read(ParseResult result, SegmenterOptions options)
    {
        int? tile = result.GetValue(_tile);
        bool flip = result.GetValue(_flip), crf = result.GetResult(_crf) is not null;
        double[] scales = result.GetValue(_scales) ?? [];
        if (tile is null && result.IsGiven(_overlap))
            throw CommandException.Usage("--overlap is that of --tile; give both.");
        if (tile is not null && crf)
            throw CommandException.Usage(
                "--crf needs the scores of the whole picture at once, which --tile never has; leave out one of them.");
        // All of it or nothing: of two places each may say something that does not go with the other.
        if (tile is null && !flip && scales.Length == 0 && !crf)
            return options;
        return options with
        {
            Window = tile is { } size ? new SlidingWindow(size, result.GetValue(_overlap)) : null,
            Augmentation = flip || scales.Length > 0 ? new TestTimeAugmentation(scales.Length > 0 ? scales : [1], flip)
                : null,
            Crf = crf ? DenseCrfParameters.ByName(result.GetValue(_crf) ?? DenseCrfParameters.DeepLabV2.Name) : null,
        };
    }

    private static double[]? ParseScales(ArgumentResult result)
    {
        const double Least = TestTimeAugmentation.LeastScale, Most = TestTimeAugmentation.MostScale;
        string text = result.Tokens[0].Value;
        var scales = new List<double>();
        foreach (string part in text.Split(','))
        {
            if (!double.TryParse(
                part, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double scale) ||
                !(scale is >= Least and <= Most) || scales.Count == TestTimeAugmentation.MostScales)
            {
                result.AddError(string.Create(
                    CultureInfo.InvariantCulture,
                    $"--scales takes 1 to {TestTimeAugmentation.MostScales} numbers from {Least} to {Most} with " +
                    $"commas between, not '{text}'."));
                return null;
            }
            scales.Add(scale);
        }
        return [.. scales];
    }
}
