using Atrous.Tensors;

namespace Atrous.Models;

/// <summary>
/// Looks among the tensors that a network leaves unread, under names that its dialect knows nothing of, for a module
/// that stands inside a changed network: a fork's attention behind the backbone, a refinement of the scores. To leave
/// that out would make a wrong mask without a word.
/// </summary>
/// <remarks>
/// What stands between two layers takes as many channels as pass there and gives as many back: those layers would not
/// fit each other otherwise, and the file would be refused for that. So a module is foreign where a width of the
/// network comes back to itself by its kernels and nothing else leads there. What training keeps beside a network does
/// not do that: an auxiliary head goes from features to scores, a discriminator from scores to one number, a decoder
/// from features to a picture, and another whole network (a teacher, the VGG of a loss) starts at the picture. The
/// exceptions are the projections of contrastive training, which may keep a width; they and their like are known by
/// name. Of gates without a width some are known by their kernel (CBAM's, ECA's), and modules in groups by that all
/// their kernels keep what they take. The order of the tensors says nothing: safetensors files are sorted.
/// </remarks>
internal static class ForeignModules
{
    /// <summary>Words of names that training alone gives its modules.</summary>
    private static readonly string[] TrainingWords =
        ["aux", "dsn", "disc", "proj", "vgg", "fid", "target", "queue", "mlp", "kd", "head"];

    /// <summary>
    /// Those that it gives copies of a whole network; a few layers of the name are an attention's (EMA).
    /// </summary>
    private static readonly string[] CopyWords = ["ema", "swa", "avg", "shadow"];

    /// <summary>No attention has so many kernels, and no network fewer.</summary>
    private const int KernelsOfNetwork = 10;

    /// <summary>Beginnings of such words.</summary>
    private static readonly string[] TrainingBeginnings =
    [
        "auxil", "auxlay", "loss", "criteri", "metric", "discrim", "teacher", "projec", "contrast", "represent",
        "percept", "lpips", "momentum", "predic", "embed", "distil", "connector", "domain", "recon",
        // Fixed windows through which losses look.
        "sobel", "laplac", "gauss", "ssim",
    ];

    /// <summary>A kernel of such a module; null where there is none.</summary>
    /// <param name="weights">All tensors of the file.</param>
    /// <param name="read">The names of those that the network reads.</param>
    /// <param name="unread">The names of those that nobody knows.</param>
    /// <param name="imageChannels">
    /// Channels of the picture: other networks begin at it too, and may end with as many.
    /// </param>
    public static string? Find(
        IWeightSource weights, IReadOnlyCollection<string> read, IReadOnlyCollection<string> unread,
        int imageChannels)
    {
        IEnumerable<IGrouping<string, WeightInfo>> modules = unread
            // Also in_proj_weight, and weight_orig of what was pruned or normalised.
            .Where(name => name[(name.LastIndexOf('.') + 1)..].Contains("weight", StringComparison.Ordinal))
            .Select(name => weights.Weights[name])
            .Where(weight => weight.Type.IsFloatingPoint() && weight.Shape.Length is > 1 and < 5)
            .GroupBy(weight => weight.Name.Split('.')[0])
            .Where(module => !IsForTraining(module.Key, module.Count()));
        HashSet<int>? widths = null;
        foreach (IGrouping<string, WeightInfo> module in modules)
        {
            widths ??= WidthsOf(read.Select(name => weights.Weights.GetValueOrDefault(name)?.Shape), imageChannels);
            if (InTheWay(module, widths, imageChannels) is { } kernel)
                return kernel;
        }
        return null;
    }

    /// <summary>The channels that kernels give and take; 1 says nothing.</summary>
    private static HashSet<int> WidthsOf(IEnumerable<int[]?> shapes, int imageChannels)
    {
        int[][] kernels = [.. shapes.OfType<int[]>().Where(shape => shape.Length == 4)];
        HashSet<int> widths = [.. kernels.Select(shape => shape[1]).Where(width => width != imageChannels)];
        widths.UnionWith(kernels.Select(shape => shape[0]));
        widths.Remove(1);
        return widths;
    }

    private static bool IsForTraining(string module, int kernels) =>
        WordsOf(module).Any(word =>
            TrainingWords.Contains(word, StringComparer.OrdinalIgnoreCase)
            || (kernels >= KernelsOfNetwork && CopyWords.Contains(word, StringComparer.OrdinalIgnoreCase))
            || Array.Exists(TrainingBeginnings, start => word.StartsWith(start, StringComparison.OrdinalIgnoreCase)));

    /// <summary>"aux1" is "aux", and "auxHead" is "aux" and "Head".</summary>
    private static IEnumerable<string> WordsOf(string name)
    {
        int from = 0;
        for (int i = 1; i <= name.Length; i++)
        {
            bool ends = i == name.Length || !char.IsLetter(name[i])
                || (char.IsUpper(name[i]) && char.IsLower(name[i - 1]));
            if (ends && i > from)
                yield return name[from..i];
            if (ends)
                from = i < name.Length && char.IsLetter(name[i]) ? i : i + 1;
        }
    }

    private static string? InTheWay(IEnumerable<WeightInfo> module, HashSet<int> widths, int imageChannels)
    {
        WeightInfo[] kernels = [.. module];
        // The mean and the maximum of all channels (CBAM), or a window over the channels themselves (ECA); and what is
        // in front of the network.
        WeightInfo? gate = Array.Find(kernels, kernel =>
            kernel.Shape is [1, 2, > 1, > 1] or [1, 1, > 1]
            || (kernel.Shape[0] == imageChannels && kernel.Shape[1] == imageChannels && imageChannels > 1));
        if (gate is not null)
            return gate.Name;
        // Depthwise, or the first of a network for a picture of one channel: what enters is not known.
        string? square = Square(kernels, widths, imageChannels);
        kernels = [.. kernels.Where(kernel => kernel.Shape[1] != 1)];
        if (Array.Exists(kernels, kernel => kernel.Shape[1] == imageChannels))
            return null;
        ILookup<int, int> next = kernels.ToLookup(kernel => kernel.Shape[1], kernel => kernel.Shape[0]);
        ILookup<int, int> before = kernels.ToLookup(kernel => kernel.Shape[0], kernel => kernel.Shape[1]);
        foreach (int width in kernels.Select(kernel => kernel.Shape[1]).Where(widths.Contains).Distinct())
        {
            HashSet<int> after = Reach(width, next), round = Reach(width, before);
            round.IntersectWith(after);
            if (round.Contains(width) && round.All(one => before[one].All(round.Contains)))
                return kernels.Last(kernel => kernel.Shape[0] == width).Name;
        }
        return square;
    }

    /// <summary>
    /// A kernel of a module all of whose kernels give back as many channels as they take, depthwise, in groups, or of
    /// groups that are cut apart before (efficient multi-scale attention): what takes features elsewhere has another
    /// kernel too. Null for other modules.
    /// </summary>
    private static string? Square(WeightInfo[] kernels, HashSet<int> widths, int imageChannels)
    {
        return Array.TrueForAll(kernels, IsSquare) ? kernels[0].Name : null;

        bool IsSquare(WeightInfo kernel) => kernel.Shape switch
        {
            [int outputs, 1, _, _] => imageChannels > 1 && widths.Contains(outputs),
            [> 1 and int outputs, int inputs, _, _] when outputs == inputs => widths.Any(width => width % outputs == 0),
            // In groups: nothing in the network or the module makes the channels of one.
            [int outputs, > 1 and int inputs, _, _] => widths.Contains(outputs) && outputs % inputs == 0
                && inputs != imageChannels && !widths.Contains(inputs),
            _ => false,
        };
    }

    /// <summary>The widths to which kernels lead from one.</summary>
    private static HashSet<int> Reach(int width, ILookup<int, int> kernels)
    {
        var reached = new HashSet<int>();
        var left = new Stack<int>(kernels[width]);
        while (left.TryPop(out int one))
        {
            if (!reached.Add(one))
                continue;
            foreach (int further in kernels[one])
                left.Push(further);
        }
        return reached;
    }
}
