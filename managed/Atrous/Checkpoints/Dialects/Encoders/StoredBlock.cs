using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Checkpoints.Dialects.Encoders;

/// <summary>A layer of a block: our name and, behind the block's own, the file's.</summary>
internal sealed record BlockPart(string Layer, string Convolution, string Norm = "");

/// <summary>An inverted residual block as a file stores it: what its tensors tell.</summary>
/// <param name="Path">What the names of its tensors begin with, with a trailing dot.</param>
/// <param name="Parts">The layers that it has, by our names.</param>
/// <param name="Shape">Its windows and its gate; neither stride nor dilation, which no tensor tells.</param>
/// <param name="Outputs">Channels of what it makes.</param>
internal sealed record StoredBlock(
    string Path, IReadOnlyDictionary<string, LayerNames> Parts, InvertedResidual Shape, int Outputs)
{
    public const string Start = "start", Expand = "expand", Depthwise = "depthwise", Project = "project",
        Reduce = "gate.reduce", Excite = "gate.expand", Scale = "scale", Query = "query", Key = "key", Value = "value",
        KeyDown = "key.down", ValueDown = "value.down", Norm = "norm";

    /// <summary>
    /// Its expansion makes a whole multiple of the channels that it reads, as networks do that nobody has pruned.
    /// </summary>
    public bool IsWhole { get; init; } = true;

    /// <summary>The window of its spatial convolution.</summary>
    public int Kernel => Math.Max(Shape.ExpandKernel, Shape.DepthwiseKernel);

    /// <summary>Reads a block that has some of the parts; null where none of them makes its output.</summary>
    public static StoredBlock? Read(IWeightSource file, string path, IEnumerable<BlockPart> parts)
    {
        BlockPart[] present = [.. parts.Where(part => file.Has(path + part.Convolution + ".weight"))];
        Dictionary<string, LayerNames> names = present.ToDictionary(
            part => part.Layer, part => new LayerNames(path + part.Convolution, path + part.Norm));
        bool scaled = file.Has($"{path}layer_scale.gamma");
        if (scaled)
            names[Scale] = new("", path + "layer_scale");
        string last = names.ContainsKey(Project) ? Project : Expand;
        if (!names.ContainsKey(last))
            return null;
        var shape = new InvertedResidual(1, 1, Window(Expand), Window(Depthwise), Residual: false)
        {
            StartKernel = Window(Start),
            SqueezeExcite = names.ContainsKey(Reduce),
            Projects = last == Project,
            Scaled = scaled,
            Attention = names.ContainsKey(Query)
                ? new MultiQuery(file.Outputs(Kernel(Query)) / file.Outputs(Kernel(Key)), Window(KeyDown))
                : null,
        };
        return new StoredBlock(path, names, shape, file.Outputs(Kernel(last)))
        {
            IsWhole = !names.ContainsKey(Expand)
                || file.Outputs(Kernel(Expand)) % file.GroupWidth(Kernel(Expand)) == 0,
        };

        string Kernel(string layer) => names[layer].Convolution + ".weight";

        int Window(string layer) => names.ContainsKey(layer) ? file.KernelSize(Kernel(layer)) : 0;
    }
}
