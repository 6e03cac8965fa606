using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects.Encoders;

/// <summary>
/// A ResNet, or one of its relatives, in a file that names its stages layer1 to layer4, as torchvision and timm do. It
/// tells everything that the weights tell: depth, kind of block, groups, stem, gates, shortcuts.
/// </summary>
/// <param name="Search">The file that it is in.</param>
/// <param name="Prefix">What stands before "layer1".</param>
/// <param name="Rule">What the first block of a dilated stage gets.</param>
/// <param name="Key">A kernel that every block has, by its name in the block.</param>
internal sealed record StoredResNet(EncoderSearch Search, string Prefix, DilationRule Rule, string Key)
{
    private static readonly string[] LastKernels =
        ["conv3.weight", "conv3.conv.weight", "conv2.weight", "conv2.conv.weight"];

    /// <summary>
    /// The network whose blocks have a kernel of that name, or null.
    /// </summary>
    public static StoredResNet? Find(EncoderSearch search, string key) =>
        search.FindTimm($"layer1.0.{key}") is { } place ? new(search, place.Prefix, place.Rule, key) : null;

    /// <summary>Whether the first block has such a tensor.</summary>
    public bool Has(string key) => Search.Has(FirstBlock(key));

    /// <summary>Output channels of a convolution of the first block.</summary>
    public int Outputs(string key) => Search.Outputs(FirstBlock(key));

    /// <summary>Channels of one group of a convolution of the first block.</summary>
    public int GroupWidth(string key) => Search.File.GroupWidth(FirstBlock(key));

    /// <summary>The network, as far as the head reads it.</summary>
    /// <param name="name">"ResNet", to which the number of its layers is added.</param>
    /// <param name="vary">What is special about the family.</param>
    /// <param name="rows">Names that differ from torchvision's; they come first.</param>
    public NamedBackbone Describe(string name, Func<ResNetSpec, ResNetSpec> vary, params NameMap.Row[] rows)
    {
        int[] blocks = BackboneShapes.CountBlocks(Search.File, (stage, block) => $"{Prefix}layer{stage}.{block}.{Key}");
        string last = Array.Find(LastKernels, Has) ?? Key;
        bool bottleneck = last.StartsWith("conv3", StringComparison.Ordinal);
        int depth = Search.Depth(Channels(2), Channels(3), Channels(4));
        bool deep = Search.Has($"{Prefix}conv1.0.weight"), pooled = IsKernel($"{Prefix}layer2.0.downsample.1.weight");
        int stages = depth - 1;
        var spec = new ResNetSpec
        {
            Name = $"{name}-{blocks.Sum() * (bottleneck ? 3 : 2) + 2}",
            Blocks = [.. blocks.Take(stages)],
            Stages = [.. BackboneShapes.ResNetStages(Search.OutputStride, Rule).Take(stages)],
            Bottleneck = bottleneck,
            StemConvolutions = deep ? 3 : 1,
            ConvolvedPool = Search.Has(Prefix + "maxpool.0.weight"),
            PooledShortcut = pooled,
            Gate = Has("se.fc1.weight") ? GateSpec.Standard : null,
            ChannelGates = Has("se.conv.weight"),
        };
        return new(
            vary(spec),
            [
                .. rows,
                new(@"backbone\.stem\.pool", Prefix + "maxpool.0", Prefix + "maxpool.1"),
                .. deep ? BackboneNames.DeepStem(Prefix) : [],
                new(@"backbone\.stage(\d)\.(\d+)\.gate\.reduce", Prefix + "layer$1.$2.se.fc1"),
                new(@"backbone\.stage(\d)\.(\d+)\.gate\.expand", Prefix + "layer$1.$2.se.fc2"),
                new(@"backbone\.stage(\d)\.(\d+)\.gate\.window", Prefix + "layer$1.$2.se.conv"),
                .. pooled ? [Shortcut(1, 2)] : (NameMap.Row[])[],
                .. BackboneNames.ResNet(Prefix),
            ],
            Prefix + (deep ? "conv1.0.weight" : "conv1.weight"))
        {
            Unused = EncoderSearch.After(stages, stage => $"{Prefix}layer{stage}."),
        };

        int Channels(int stage) => Search.OutputsOrNone($"{Prefix}layer{stage}.0.{last}");
    }

    private string FirstBlock(string key) => $"{Prefix}layer1.0.{key}";

    private bool IsKernel(string key) => Search.Has(key) && Search.File.Weights[key].Shape.Length == 4;

    private NameMap.Row Shortcut(int convolution, int norm) => new(
        @"backbone\.stage(\d)\.(\d+)\.shortcut",
        $"{Prefix}layer$1.$2.downsample.{convolution}", $"{Prefix}layer$1.$2.downsample.{norm}");
}
