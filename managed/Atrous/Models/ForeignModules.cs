using Atrous.Tensors;

namespace Atrous.Models;

/// <summary>
/// Looks among the tensors that a network leaves unread, under names that its dialect knows nothing of, for a module
/// that stands inside a changed network: a fork's attention behind the backbone, a refinement of the scores. To leave
/// that out would make a wrong mask without a word.
/// </summary>
/// <remarks>
/// What stands between two layers takes as many channels as pass there and gives as many back: those layers would not
/// fit each other otherwise, and the file would be refused for that. So a module is foreign that reads a width of the
/// network which it has not made itself, and then makes it again. What training keeps beside a network does not do
/// that: an auxiliary head goes from features to scores, a discriminator from scores to one number, and another whole
/// network (a teacher, the VGG of a loss) starts at the picture and makes every width before it reads it. The
/// exceptions are the projections of contrastive training, which may keep a width; they and their like are known by
/// name. Gates that have no width of their own are known by their kernel.
/// </remarks>
internal static class ForeignModules
{
    /// <summary>Words of names that training alone gives its modules.</summary>
    private static readonly string[] TrainingWords =
        ["aux", "dsn", "disc", "proj", "ema", "swa", "avg", "vgg", "fid", "target", "shadow", "queue", "mlp"];

    /// <summary>Beginnings of such words.</summary>
    private static readonly string[] TrainingBeginnings =
    [
        "auxil", "auxlay", "loss", "criteri", "metric", "discrim", "teacher", "projec", "contrast", "represent",
        "percept", "lpips", "momentum", "predic", "embed",
    ];

    /// <summary>A kernel of such a module; null where there is none.</summary>
    /// <param name="weights">All tensors, in the file's order.</param>
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
            .Where(module => !IsForTraining(module.Key));
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

    private static bool IsForTraining(string module) =>
        module.Split('_').Any(word =>
            TrainingWords.Contains(word, StringComparer.OrdinalIgnoreCase)
            || Array.Exists(TrainingBeginnings, start => word.StartsWith(start, StringComparison.OrdinalIgnoreCase)));

    private static string? InTheWay(IEnumerable<WeightInfo> module, HashSet<int> widths, int imageChannels)
    {
        var made = new HashSet<int>();
        var taken = new HashSet<int>();
        foreach (WeightInfo kernel in module)
        {
            // The mean and the maximum of all channels (CBAM), or a window over the channels themselves (ECA).
            if (kernel.Shape is [1, 2, > 1, > 1] or [1, 1, > 1])
                return kernel.Name;
            int outputs = kernel.Shape[0], inputs = kernel.Shape[1];
            // Depthwise, or the first of a network for a picture of one channel: what enters is not known.
            if (inputs == 1)
                continue;
            // In front of the network.
            if (inputs == imageChannels && outputs == imageChannels)
                return kernel.Name;
            if (widths.Contains(inputs) && !made.Contains(inputs))
                taken.Add(inputs);
            if (taken.Contains(outputs))
                return kernel.Name;
            made.Add(outputs);
        }
        return null;
    }
}
