using System.Text.Json;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// The feature extractors of <see cref="DescriptionJson"/>, member by member. One that is left out has the default of
/// its spec.
/// </summary>
internal static class BackboneFields
{
    public static BackboneSpec Read(JsonFields f)
    {
        return WithCommon<BackboneSpec>(f, f.Text("kind") switch
        {
            "resNet" => ResNet(f),
            "dilatedResNet" => new DilatedResNetSpec
            {
                Name = f.Text("name"),
                Stem = f.List("stem", StemConvolution),
                Stages = f.Part("stages", static f => WithCommon(f, ResNet(f))),
                ExitDilations = f.Integers("exitDilations"),
            },
            "invertedResidual" => InvertedResidualNet(f),
            "xception" => Xception(f),
            "denseNet" => DenseNet(f),
            "uNet" => new UNetSpec
            {
                Name = f.Text("name"),
                Encoder = f.Integers("encoder"),
                Decoder = f.Integers("decoder"),
            },
            "vgg" => new VggSpec { Name = f.Text("name"), Stages = f.List("stages", VggStage) },
            "mobileOne" => MobileOne(f),
            "dualPathNet" => DualPathNet(f),
            "mobileViT" => MobileViT(f),
            "convNeXt" => ConvNeXt(f),
            "mixTransformer" => new MixTransformerSpec
            {
                Name = f.Text("name"),
                Stages = f.List("stages", MixTransformerStage),
            },
            var kind => throw new JsonException($"its backbone is of the unknown kind '{kind}'"),
        });
    }

    public static Activation Activation(JsonFields f) =>
        new(f.Name<ActivationKind>("kind"), f.Find("slope") is { } slope ? JsonFields.Single(slope) : 0);

    public static InvertedResidual Block(JsonElement json) => JsonFields.Whole(json, static f =>
    {
        var block = new InvertedResidual(
            f.Integer("stride"), f.Integer("dilation"), f.Integer("expandKernel"), f.Integer("depthwiseKernel"),
            f.RequiredFlag("residual"))
        {
            Activation = OptionalActivation(f, "activation"),
            SqueezeExcite = f.Flag("squeezeExcite"),
            ResidualWhereAlike = f.Flag("residualWhereAlike"),
            StartKernel = f.Integer("startKernel", 0),
            Attention = f.FindUnlessNull("attention") is { } attention
                ? JsonFields.Whole(attention, static f => new MultiQuery(f.Integer("heads"), f.Integer("kernel")))
                : null,
            Scaled = f.Flag("scaled"),
        };
        block.Projects = f.Flag("projects", block.Projects);
        return block;
    });

    private static ResNetSpec ResNet(JsonFields f)
    {
        var spec = new ResNetSpec
        {
            Name = f.Text("name"),
            Blocks = f.Integers("blocks"),
            Stages = f.List("stages", Stage),
            BasicStages = f.Integer("basicStages", 0),
            SmallStem = f.Flag("smallStem"),
            ConvolvedPool = f.Flag("convolvedPool"),
            StrideInFirstConvolution = f.Flag("strideInFirstConvolution"),
            CeilModePool = f.Flag("ceilModePool"),
            OnlyFirstDilated = f.Flag("onlyFirstDilated"),
            MultiGrid = f.OptionalIntegers("multiGrid"),
            Window = f.Name("window", ResidualWindow.Convolution),
            SplitsInput = f.Flag("splitsInput"),
            EqualReachWhenDilated = f.Flag("equalReachWhenDilated"),
            PoolsBeforeSplits = f.Flag("poolsBeforeSplits"),
            Gate = f.FindUnlessNull("gate") is { } gate ? JsonFields.Whole(gate, Gate) : null,
            ChannelGates = f.Flag("channelGates"),
            GateInside = f.Flag("gateInside"),
            PooledShortcut = f.Flag("pooledShortcut"),
            NoPoolWhenDilated = f.Flag("noPoolWhenDilated"),
            AntiAliasing = f.Name("antiAliasing", AntiAliasing.None),
            LastConvolution = f.Flag("lastConvolution"),
        };
        spec.Bottleneck = f.Flag("bottleneck", spec.Bottleneck);
        spec.StemConvolutions = f.Integer("stemConvolutions", spec.StemConvolutions);
        spec.PoolPadding = f.Integer("poolPadding", spec.PoolPadding);
        spec.Scales = f.Integer("scales", spec.Scales);
        spec.Splits = f.Integer("splits", spec.Splits);
        spec.SplitGroups = f.Integer("splitGroups", spec.SplitGroups);
        spec.ShortcutKernel = f.Integer("shortcutKernel", spec.ShortcutKernel);
        return spec;
    }

    /// <summary>With what backbones of all kinds say.</summary>
    private static T WithCommon<T>(JsonFields f, T spec)
        where T : BackboneSpec
    {
        spec.NormEpsilon = f.Real("normEpsilon", spec.NormEpsilon);
        spec.Activation = f.Part("activation", Activation, spec.Activation);
        return spec;
    }

    private static InvertedResidualSpec InvertedResidualNet(JsonFields f)
    {
        var spec = new InvertedResidualSpec
        {
            Name = f.Text("name"),
            Blocks = f.List("blocks", Block),
            StemActivation = OptionalActivation(f, "stemActivation"),
            StemPadding = f.Optional("stemPadding"),
            PaddedForSide = f.Optional("paddedForSide"),
            PadsBlockInput = f.Flag("padsBlockInput"),
            AntiAliasing = f.Name("antiAliasing", AntiAliasing.None),
            LastConvolution = f.Flag("lastConvolution"),
            LowLevelBlock = f.Integer("lowLevelBlock", 0),
            LowLevelBeforeProjection = f.Flag("lowLevelBeforeProjection"),
        };
        spec.Gate = f.Part("gate", Gate, spec.Gate);
        return spec;
    }

    private static XceptionSpec Xception(JsonFields f)
    {
        var spec = new XceptionSpec
        {
            Name = f.Text("name"),
            Blocks = f.List("blocks", XceptionBlock),
            Exit = f.List("exit", XceptionExit),
            StemActivated = f.Flag("stemActivated"),
            ConvolutionSkipActivated = f.Flag("convolutionSkipActivated"),
            IdentitySkipActivated = f.Flag("identitySkipActivated"),
            LowLevel = f.Name<XceptionTap>("lowLevel"),
            EndsAtLastInput = f.Flag("endsAtLastInput"),
        };
        spec.StemPadding = f.Integer("stemPadding", spec.StemPadding);
        spec.NormBetween = f.Flag("normBetween", spec.NormBetween);
        spec.StrideInConvolution = f.Flag("strideInConvolution", spec.StrideInConvolution);
        spec.ExitActivatedFirst = f.Flag("exitActivatedFirst", spec.ExitActivatedFirst);
        spec.TapBlock = f.Integer("tapBlock", spec.TapBlock);
        return spec;
    }

    private static DenseNetSpec DenseNet(JsonFields f)
    {
        var spec = new DenseNetSpec
        {
            Name = f.Text("name"),
            Blocks = f.Integers("blocks"),
            Stages = f.List("stages", Stage),
            UpsamplingGrid = f.Name("upsamplingGrid", default(Sampling)),
        };
        spec.LastTransition = f.Flag("lastTransition", spec.LastTransition);
        spec.Upsampling = f.Integer("upsampling", spec.Upsampling);
        return spec;
    }

    private static MobileOneSpec MobileOne(JsonFields f)
    {
        var spec = new MobileOneSpec
        {
            Name = f.Text("name"),
            Blocks = f.Integers("blocks"),
            Stages = f.List("stages", Stage),
            Branches = f.Integer("branches"),
            KeepsWidth = f.List("keepsWidth", JsonFields.Flag, []),
            Gated = f.Integers("gated", []),
        };
        spec.Gate = f.Part("gate", Gate, spec.Gate);
        return spec;
    }

    private static DualPathNetSpec DualPathNet(JsonFields f)
    {
        var spec = new DualPathNetSpec
        {
            Name = f.Text("name"),
            StemKernel = f.Integer("stemKernel"),
            Stages = f.List("stages", DualPathStage),
            TwoEnds = f.Flag("twoEnds"),
        };
        spec.LastNorm = f.Flag("lastNorm", spec.LastNorm);
        return spec;
    }

    private static MobileViTSpec MobileViT(JsonFields f)
    {
        var spec = new MobileViTSpec
        {
            Name = f.Text("name"),
            Stages = f.List("stages", MobileViTStage),
            Heads = f.Integer("heads"),
            FusedQueries = f.Flag("fusedQueries"),
            LastConvolution = f.Flag("lastConvolution"),
            LowLevelStage = f.Integer("lowLevelStage", 0),
        };
        spec.LayerNormEpsilon = f.Real("layerNormEpsilon", spec.LayerNormEpsilon);
        return spec;
    }

    private static ConvNeXtSpec ConvNeXt(JsonFields f)
    {
        var spec = new ConvNeXtSpec
        {
            Name = f.Text("name"),
            Blocks = f.Integers("blocks"),
            Stages = f.List("stages", Stage),
            ResponseNorms = f.Flag("responseNorms"),
        };
        spec.LayerNormEpsilon = f.Real("layerNormEpsilon", spec.LayerNormEpsilon);
        spec.ScaledBlocks = f.Flag("scaledBlocks", spec.ScaledBlocks);
        return spec;
    }

    private static Activation? OptionalActivation(JsonFields f, string name) =>
        f.FindUnlessNull(name) is { } activation ? JsonFields.Whole(activation, Activation) : null;

    private static GateSpec Gate(JsonFields f) => new(f.Part("squeezed", Activation), f.Part("excited", Activation));

    private static DilationPlan.Stage Stage(JsonElement json) => JsonFields.Whole(json, Stage);

    private static DilationPlan.Stage Stage(JsonFields f) =>
        new(f.Integer("stride"), f.Integer("firstDilation"), f.Integer("dilation"));

    private static StemConvolution StemConvolution(JsonElement json) =>
        JsonFields.Whole(json, static f => new StemConvolution(f.Integer("kernel"), f.Integer("stride")));

    private static XceptionBlock XceptionBlock(JsonElement json) => JsonFields.Whole(
        json, static f => new XceptionBlock(
            f.Integer("convolutions"), f.Integer("stride"), f.Integer("dilation"), f.RequiredFlag("startsActivated"),
            f.RequiredFlag("convolutionSkip"))
        {
            LastDilation = f.Optional("lastDilation"),
            InputActivation = OptionalActivation(f, "inputActivation"),
            Unnormed = f.Integer("unnormed", 0),
        });

    private static XceptionExit XceptionExit(JsonElement json) => JsonFields.Whole(
        json, static f => new XceptionExit(
            f.Integer("dilation"), f.Optional("padding"), f.Flag("normed", true), f.Flag("activatedBetween")));

    private static VggStage VggStage(JsonElement json) => JsonFields.Whole(
        json, static f => new VggStage(f.Integer("convolutions"), f.Integer("dilation"), f.RequiredFlag("pooled")));

    private static DualPathStage DualPathStage(JsonElement json) => JsonFields.Whole(
        json, static f => new DualPathStage(
            f.Integer("blocks"), f.Integer("width"), f.Integer("growth"), f.Part("plan", Stage)));

    private static MobileViTStage MobileViTStage(JsonElement json) => JsonFields.Whole(
        json, static f => new MobileViTStage(
            f.List("blocks", Block), f.Integer("transformers"), f.Integer("dilation", 1)));

    private static MixTransformerStage MixTransformerStage(JsonElement json) => JsonFields.Whole(
        json, static f => new MixTransformerStage(
            f.Integer("blocks"), f.Integer("heads"), f.Integer("kernel"), f.Integer("stride"), f.Integer("dilation"),
            f.Integer("reduction")));
}
