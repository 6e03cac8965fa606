using System.Globalization;
using Atrous.Graph;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects.OpenMmLab;

/// <summary>
/// The backbones of mmsegmentation's DeepLab configurations. Strides and dilations, which no weights tell, come from
/// the configuration; where a file has none, from the output stride, as the published "d8" and "d16" have them.
/// </summary>
internal sealed class MmBackbone
{
    private const string Prefix = "backbone.", DeepStem = Prefix + "stem.0.weight", PlainStem = Prefix + "conv1.weight";
    private const string MobileStem = Prefix + "conv1.conv.weight";
    private const string UNetStem = Prefix + "encoder.0.0.convs.0.conv.weight";

    private static readonly string[] Types =
        ["ResNet", "ResNetV1c", "ResNetV1d", "ResNeXt", "ResNeSt", "MobileNetV2", "UNet"];

    private static readonly int[] MobileStrides = [1, 2, 2, 2, 1, 2, 1];

    private readonly ICheckpoint _checkpoint;
    private readonly ConfigSection _config;
    private readonly DialectChoice _choice;

    private MmBackbone(ICheckpoint checkpoint, ConfigSection config, DialectChoice choice) =>
        (_checkpoint, _config, _choice) = (checkpoint, config, choice);

    /// <summary>Input size / output size of the features.</summary>
    public int OutputStride { get; private set; }

    /// <summary>The configuration says another output stride.</summary>
    public bool IsOverridden { get; private set; }

    /// <summary>The network, the names of its layers and the first kernel.</summary>
    public NamedBackbone Network { get; private set; } = null!;

    /// <summary>Finds the backbone that the names are of.</summary>
    /// <param name="checkpoint">The open file, whose kernels tell the widths.</param>
    /// <param name="config">The section "backbone" of the configuration's model.</param>
    /// <param name="choice">What the user overrides.</param>
    /// <exception cref="ModelException">
    /// The backbone is not here, or the configuration is another network's.
    /// </exception>
    public static MmBackbone Find(ICheckpoint checkpoint, ConfigSection config, DialectChoice choice)
    {
        if (config.Type is { } type && !Types.Contains(type))
            config = config.Partial();
        var found = new MmBackbone(checkpoint, config, choice);
        if (config.Section("conv_cfg").Type is { } convolution
            && !convolution.StartsWith("Conv", StringComparison.Ordinal))
            throw Refused(checkpoint, config, "conv_cfg", $"asks for {convolution}, which Atrous does not have");
        if (checkpoint.Has(UNetStem))
            found.Network = found.UNet();
        else if (checkpoint.Has(MobileStem, Prefix + "layer1.0.conv.0.conv.weight"))
            found.Network = found.MobileNetV2();
        else if (checkpoint.Has(Prefix + "layer1.0.conv1.weight")
            && (checkpoint.Has(DeepStem) || checkpoint.Has(PlainStem)))
            found.Network = found.ResNet();
        else
            throw NamedBackbone.Unknown(
                checkpoint,
                "mmsegmentation's DeepLab head on a backbone" + (config.Type is { } name ? $" ({name})" : ""),
                "ResNet (V1c and V1d), ResNeXt, ResNeSt, MobileNetV2 and UNet");
        CheckActivation(checkpoint, config, found.Network.Spec.Activation == Activation.Relu6 ? "ReLU6" : "ReLU");
        if (EpsilonOf(config) is { } epsilon)
            found.Network = found.Network with { Spec = found.Network.Spec with { NormEpsilon = epsilon } };
        return found;
    }

    /// <summary>What the batch norms of a section add to the variance, where its norm_cfg says so.</summary>
    public static double? EpsilonOf(ConfigSection section) =>
        section.Section("norm_cfg").Real("eps") is > 0 and var epsilon ? epsilon : null;

    /// <summary>Refuses an activation other than the one that the network has.</summary>
    public static void CheckActivation(ICheckpoint checkpoint, ConfigSection section, string own)
    {
        if (section.Section("act_cfg").Type is { } activation && activation != own)
            throw Refused(checkpoint, section, "act_cfg", $"asks for {activation}, and Atrous has {own} there");
    }

    /// <summary>An entry of the configuration that cannot be followed.</summary>
    public static ModelException Refused(ICheckpoint checkpoint, ConfigSection section, string key, string problem) =>
        new($"'{checkpoint.Path}': {section.About(key, problem)}.");

    private NamedBackbone ResNet()
    {
        bool deep = _checkpoint.Has(DeepStem), bottleneck = _checkpoint.Has(Prefix + "layer1.0.conv3.weight");
        // ResNet-D: a mean in front of the shortcut's convolution, which is the second of its layers then.
        const string shortcut = Prefix + "layer2.0.downsample.1.weight";
        bool pooled = _checkpoint.Has(shortcut) && _checkpoint.Weights[shortcut].Shape.Length == 4;
        bool splits = _checkpoint.Has(Prefix + "layer1.0.conv2.fc1.weight");
        CheckType(
            splits ? ["ResNeSt"] : !deep ? ["ResNet", "ResNeXt"] : pooled ? ["ResNetV1d", "ResNet"]
            : ["ResNetV1c", "ResNet"]);
        if (splits)
            CheckSplits();
        int[] all =
            BackboneShapes.CountBlocks(_checkpoint, (stage, block) => $"{Prefix}layer{stage}.{block}.conv1.weight");
        int[] blocks = [.. all.TakeWhile(count => count > 0)];
        ResNetSpec spec = BackboneShapes.ResNet(blocks, 32, DilationRule.Full, bottleneck, deep ? 3 : 1);
        // Its name counts the stem as one layer, however deep.
        string depth = $"{blocks.Sum() * (bottleneck ? 3 : 2) + 2}";
        if (_config.Number("depth") is { } said && $"{said}" != depth)
            throw Contradicts("depth", $"{said}", depth);
        foreach (string key in new[] { "dcn", "plugins" })
        {
            if (_config.Has(key))
                throw Refused(_checkpoint, _config, key, "asks for layers that Atrous does not have");
        }
        (int[] strides, int[] dilations) = Stages([1, 2, 2, 2], blocks.Length, stem: 4);
        bool contracts = _choice.Flag(
            "contract_dilation", _config.Or("contract_dilation", _config.Flag("contract_dilation"), false, true),
            "the first block of a dilated stage has half its dilation; mmsegmentation's DeepLab configurations set it");
        int[] grid = MultiGrid(blocks[^1]);
        var stages = new DilationPlan.Stage[blocks.Length];
        for (int i = 0; i < stages.Length; i++)
        {
            int first = contracts && dilations[i] > 1 ? dilations[i] / 2 : dilations[i];
            stages[i] = i == stages.Length - 1 && grid.Length > 0
                ? new(strides[i], 1, 1)
                : new(strides[i], first, dilations[i]);
        }
        return new(
            spec with
            {
                Name = $"{(splits ? "ResNeSt" : "ResNet")}-{depth}",
                Stages = stages,
                MultiGrid = grid.Length > 0 ? grid : null,
                StrideInFirstConvolution = bottleneck && _config.Text("style") == "caffe",
                Window = splits ? ResidualWindow.SplitAttention : ResidualWindow.Convolution,
                OnlyFirstDilated = !bottleneck,
                PooledShortcut = pooled,
                NoPoolWhenDilated = true,
            },
            [
                .. deep ? DeepStemNames : [],
                .. splits ? SplitNames : [],
                .. pooled
                    ? [new NameMap.Row(
                        @"backbone\.stage(\d)\.(\d+)\.shortcut", Prefix + "layer$1.$2.downsample.1",
                        Prefix + "layer$1.$2.downsample.2")]
                    : (NameMap.Row[])[],
                .. BackboneNames.ResNet(Prefix),
            ],
            deep ? DeepStem : PlainStem);
    }

    private static NameMap.Row[] DeepStemNames =>
    [
        new(@"backbone\.stem\.conv1", Prefix + "stem.0", Prefix + "stem.1"),
        new(@"backbone\.stem\.conv2", Prefix + "stem.3", Prefix + "stem.4"),
        new(@"backbone\.stem\.conv3", Prefix + "stem.6", Prefix + "stem.7"),
    ];

    private static NameMap.Row[] SplitNames =>
    [
        new(
            @"backbone\.stage(\d)\.(\d+)\.conv2\.splits",
            Prefix + "layer$1.$2.conv2.conv", Prefix + "layer$1.$2.conv2.bn0"),
        new(
            @"backbone\.stage(\d)\.(\d+)\.conv2\.squeeze",
            Prefix + "layer$1.$2.conv2.fc1", Prefix + "layer$1.$2.conv2.bn1"),
        new(@"backbone\.stage(\d)\.(\d+)\.conv2\.select", Prefix + "layer$1.$2.conv2.fc2"),
    ];

    /// <summary>ResNeSt as its paper has it: two splits in one group, whose stride is a mean's.</summary>
    private void CheckSplits()
    {
        int[] shape = _checkpoint.Weights[Prefix + "layer1.0.conv2.conv.weight"].Shape;
        if (shape is not [var outputs, var width, ..] || outputs != 4 * width
            || _config.Flag("avg_down_stride") == false)
        {
            throw new ModelException(
                $"'{_checkpoint.Path}' has a ResNeSt of another radix, cardinality or place of its stride than " +
                $"Atrous has.");
        }
    }

    private NamedBackbone MobileNetV2()
    {
        CheckType(["MobileNetV2"]);
        int[] counts =
        [
            .. Enumerable.Range(1, MobileStrides.Length).Select(layer => Count(
                block => $"{Prefix}layer{layer}.{block}.conv.0.conv.weight")),
        ];
        if (counts.Contains(0))
        {
            throw new ModelException(
                $"'{_checkpoint.Path}' has a MobileNetV2 with {counts.Count(count => count > 0)} of its 7 layers, " +
                "which Atrous does not have.");
        }
        (int[] strides, int[] dilations) = Stages(MobileStrides, MobileStrides.Length, stem: 2);
        var blocks = new List<InvertedResidual>();
        var places = new List<(int Layer, int Block)>();
        for (int layer = 0; layer < counts.Length; layer++)
        {
            for (int i = 0; i < counts[layer]; i++)
            {
                string at = $"{Prefix}layer{layer + 1}.{i}.conv.";
                bool first = i == 0, expands = _checkpoint.Has(at + "2.conv.weight");
                int stride = first ? strides[layer] : 1;
                // Of the depthwise kernel, where nothing expands, there are as many as inputs.
                int inputs = expands
                    ? _checkpoint.InputChannels(at + "0.conv.weight")
                    : _checkpoint.Outputs(at + "0.conv.weight");
                bool keeps = inputs == _checkpoint.Outputs(at + (expands ? "2" : "1") + ".conv.weight");
                blocks.Add(new(
                    stride, first ? dilations[layer] : 1, expands ? 1 : 0, 3, Residual: keeps && stride == 1));
                places.Add((layer + 1, i));
            }
        }
        int lowLevel = _config.Numbers("out_indices") is [var index, ..] && index < counts.Length ? index : 1;
        return new(
            new InvertedResidualSpec
            {
                Name = "MobileNetV2",
                Activation = Activation.Relu6,
                Blocks = blocks,
                LowLevelBlock = counts.Take(lowLevel + 1).Sum(),
            },
            [
                new(@"backbone\.stem", Prefix + "conv1.conv", Prefix + "conv1.bn"),
                new(@"backbone\.block(\d+)\.(expand|depthwise|project)", match =>
                {
                    (int layer, int block) = places[match.Number(1) - 1];
                    int part = match.Groups[2].Value switch { "expand" => 0, "depthwise" => 1, _ => 2 };
                    int shift = blocks[match.Number(1) - 1].ExpandKernel == 0 ? 1 : 0;
                    string name = $"{Prefix}layer{layer}.{block}.conv.{part - shift}.";
                    return new LayerNames(name + "conv", name + "bn");
                }),
            ],
            MobileStem);
    }

    private NamedBackbone UNet()
    {
        CheckType(["UNet"]);
        int stages = Count(stage => $"{Prefix}encoder.{stage}.{(stage == 0 ? 0 : 1)}.convs.0.conv.weight");
        int Convolutions(string block) => Count(i => $"{Prefix}{block}.convs.{i}.conv.weight");
        foreach (string key in new[] { "strides", "enc_dilations", "dec_dilations" })
        {
            if (_config.Numbers(key) is { } numbers && Array.Exists(numbers, number => number != 1))
                throw Refused(_checkpoint, _config, key, "has others than 1, which Atrous does not have in a UNet");
        }
        if (stages < 2 || !_checkpoint.Has($"{Prefix}decoder.0.upsample.interp_upsample.1.conv.weight"))
        {
            throw new ModelException(
                $"'{_checkpoint.Path}' has a UNet that is not enlarged by interpolation (InterpConv), and Atrous has " +
                "no other.");
        }
        OutputStride = 1;
        return new(
            new UNetSpec
            {
                Name = $"UNet-S{stages}",
                Encoder = [.. Enumerable.Range(0, stages).Select(i => Convolutions($"encoder.{i}.{(i == 0 ? 0 : 1)}"))],
                Decoder = [.. Enumerable.Range(0, stages - 1).Select(i => Convolutions($"decoder.{i}.conv_block"))],
            },
            [
                HeadNames.Parts(
                    @"backbone\.encoder(\d)\.conv(\d)",
                    match =>
                        $"{Prefix}encoder.{match.Number(1)}.{(match.Number(1) == 0 ? 0 : 1)}.convs.{match.Number(2)}",
                    ".conv", ".bn"),
                HeadNames.Parts(
                    @"backbone\.decoder(\d)\.conv(\d)",
                    match => $"{Prefix}decoder.{match.Number(1)}.conv_block.convs.{match.Number(2)}", ".conv", ".bn"),
                HeadNames.Parts(
                    @"backbone\.decoder(\d)\.up",
                    match => $"{Prefix}decoder.{match.Number(1)}.upsample.interp_upsample.1", ".conv", ".bn"),
            ],
            UNetStem);
    }

    /// <summary>Stride of each stage and dilation of its blocks, and the output stride that follows.</summary>
    /// <param name="byClass">The strides that the class takes by itself.</param>
    /// <param name="stages">The number of stages in the file.</param>
    /// <param name="stem">Stride of what comes before them.</param>
    private (int[] Strides, int[] Dilations) Stages(int[] byClass, int stages, int stem)
    {
        Standard<int[]> strides = _config.Or("strides", _config.Numbers("strides"), byClass, []);
        Standard<int[]> dilations =
            _config.Or("dilations", _config.Numbers("dilations"), [.. byClass.Select(_ => 1)], []);
        bool isSaid = strides.Value.Length > 0 && dilations.Value.Length > 0;
        if (isSaid && strides.Value.Length < stages)
            throw Contradicts("strides", $"{strides.Value.Length} stages", $"{stages}");
        if (isSaid && dilations.Value.Length < stages)
            throw Contradicts("dilations", $"{dilations.Value.Length} stages", $"{stages}");
        int said = isSaid ? strides.Value.Take(stages).Aggregate(stem, (product, stride) => product * stride) : 8;
        if (said is < 1 or > 64)
            throw Refused(_checkpoint, _config, "strides", "has an output stride that no DeepLab has");
        OutputStride = _choice.OutputStride(
            isSaid ? new Standard<int>(said, _config.Source) : 8, [.. new[] { 8, 16, said }.Distinct().Order()]);
        if (isSaid && OutputStride == said)
            return (strides.Value, dilations.Value);
        IsOverridden = isSaid;
        DilationPlan.Stage[] plan = DilationPlan.Of(stem, [.. byClass.Take(stages)], OutputStride, DilationRule.Full);
        return ([.. plan.Select(stage => stage.Stride)], [.. plan.Select(stage => stage.Dilation)]);
    }

    private int[] MultiGrid(int blocks)
    {
        const string name = "multi_grid", none = "none";
        Standard<string> standard = _config.Or(
            name, _config.Numbers(name) is { } said ? string.Join(',', said) : null, none, none);
        string text = _choice.Text(
            name, standard,
            "dilations of the last stage's blocks instead of the stage's own; 1,2,4 in the mg124 configurations " +
            "(numbers with commas between, or none)");
        if (text == none)
            return [];
        int[] grid = [.. text.Split(',').Select(part => int.TryParse(
            part, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : 0)];
        if (Array.TrueForAll(grid, number => number is > 0 and < 1000) && grid.Length >= blocks)
            return grid;
        throw text == standard.Value
            ? Refused(
                _checkpoint, _config, name, $"is {text}, and the last stage has {blocks} blocks, each with a dilation")
            : new UnavailableException(
                $"The switch {name} takes a dilation for each of the last stage's {blocks} blocks, such as 1,2,4, or " +
                $"{none}; not '{text}'.");
    }

    /// <summary>
    /// Classes of the library that the names are not of are refused; others are taken for what they look like.
    /// </summary>
    private void CheckType(string[] own)
    {
        if (_config.Type is { } type && Types.Contains(type) && !own.Contains(type))
            throw Contradicts("type", type, own[0]);
    }

    private ModelException Contradicts(string key, string said, string weights) =>
        Refused(_checkpoint, _config, key, $"says {said}, which contradicts the weights: they have {weights}");

    private int Count(Func<int, string> key)
    {
        int count = 0;
        while (_checkpoint.Has(key(count)))
            count++;
        return count;
    }
}
