using System.Text.Json;
using Atrous.Checkpoints.Dialects;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Tests.Checkpoints.Dialects;

/// <summary>What the configuration in a checkpoint of mmsegmentation settles.</summary>
public sealed class MmSegmentationConfigTests
{
    private const string R50 = "mmseg_deeplabv3plus_r50-d8_cityscapes";

    private const string D16 =
        "model = dict(backbone=dict(type='ResNetV1c', depth=50, strides=(1, 2, 2, 1), dilations=(1, 1, 1, 2), " +
        "contract_dilation=True, multi_grid=(1, 2, 4)), decode_head=dict(type='DepthwiseSeparableASPPHead', " +
        "dilations=(1, 6, 12, 18), num_classes=19, align_corners=True))\n";

    [Fact]
    public void Without_a_configuration_everything_is_assumed_and_named()
    {
        ModelDescription model = Describe(null);
        Assert.Equal(
            [
                "contract_dilation=true", "multi_grid=none", "align_corners=false", "rates=12,24,36", "test_scale=none",
                "slide=none",
            ],
            model.Switches.Select(row => $"{row.Name}={row.Value}"));
        Assert.All(model.Switches, row => Assert.Equal(Switch.Assumed, row.Source));
        Assert.Equal((8, Switch.Assumed), (model.Network.OutputStride, model.OutputStrideSource));
        Assert.Empty(model.Notes);
        Assert.Equal("road", model.ClassNames[0]);
    }

    [Fact]
    public void The_configuration_says_the_network()
    {
        ModelDescription model = Describe(D16);
        Assert.All(
            model.Switches.Where(row => row.Name is not ("test_scale" or "slide")),
            row => Assert.Equal("meta.config", row.Source));
        Assert.Equal((16, "meta.config"), (model.Network.OutputStride, model.OutputStrideSource));
        var backbone = Assert.IsType<ResNetSpec>(model.Network.Backbone);
        Assert.Equal([1, 2, 4], backbone.MultiGrid);
        Assert.Equal([new(1, 1, 1), new(2, 1, 1), new(2, 1, 1), new(1, 1, 1)], backbone.Stages);
        Assert.Equal([6, 12, 18], Head(model).Aspp.Rates);
        Assert.Equal(Sampling.AlignCorners, model.Network.FinalSampling);
    }

    /// <summary>As json.dumps makes it of a configuration.</summary>
    [Fact]
    public void A_configuration_may_be_json()
    {
        const string json =
            """{"model": {"decode_head": {"align_corners": true, "dilations": [1, 6, 12, 18]}}}""";
        ModelDescription model = Describe(json);
        Assert.Empty(model.Notes);
        Assert.Equal([6, 12, 18], Head(model).Aspp.Rates);
        Assert.Equal(Sampling.AlignCorners, model.Network.FinalSampling);
        Assert.Contains("no configuration that can be read", Assert.Single(Describe(json[..^1]).Notes));
    }

    /// <summary>What a model says that was saved whole: no class, so that what it leaves out is assumed.</summary>
    [Fact]
    public void Saved_modules_say_the_network()
    {
        ModelDescription model = Describe(null, null, """
            {"modules": {"model": {"decode_head": {"align_corners": true, "num_classes": 19, "dilations": [1, 6, 12, 18]},
              "backbone": {"strides": [1, 2, 2, 1], "dilations": [1, 1, 1, 2], "contract_dilation": true},
              "test_cfg": {"mode": "slide", "crop_size": [769, 769], "stride": [513, 513]}}}}
            """);
        Assert.Empty(model.Notes);
        Assert.Equal((16, Switch.Modules), (model.Network.OutputStride, model.OutputStrideSource));
        Assert.Equal(Sampling.AlignCorners, model.Network.FinalSampling);
        Assert.Equal(new SlideSpec(769, 769, 513, 513), model.Network.Slide);
        Assert.Equal(Switch.Modules, model.Switches.Single(row => row.Name == "rates").Source);
        Assert.Equal(Switch.Assumed, model.Switches.Single(row => row.Name == "multi_grid").Source);
        Assert.Equal(Switch.Assumed, model.PreprocessingSource);
    }

    [Fact]
    public void What_the_configuration_leaves_out_its_class_takes()
    {
        ModelDescription model = Describe(
            "model = dict(backbone=dict(type='mmseg.ResNetV1c', depth=50, strides=(1, 2, 1, 1), dilations=(1, 1, 2, " +
            "4)), " +
            "decode_head=dict(type='DepthwiseSeparableASPPHead', num_classes=19))");
        var backbone = Assert.IsType<ResNetSpec>(model.Network.Backbone);
        Assert.Equal([new(1, 1, 1), new(2, 1, 1), new(1, 2, 2), new(1, 4, 4)], backbone.Stages);
        Assert.Equal([6, 12, 18], Head(model).Aspp.Rates);
    }

    [Theory]
    [InlineData("backbone=dict(strides=STRIDES)", "model.backbone.strides is 'STRIDES', which cannot be read as data")]
    [InlineData("decode_head=dict(align_corners=1)", "model.decode_head.align_corners is '1'")]
    [InlineData("decode_head=make()", "model.decode_head is 'make()'")]
    [InlineData("decode_head=dict(type='MyHead')", "model.decode_head.type is MyHead, which is taken for")]
    [InlineData("test_cfg=dict(mode='slide', crop_size='x')", "model.test_cfg.crop_size is")]
    public void What_cannot_be_read_is_noted_and_assumed(string entry, string note)
    {
        ModelDescription model = Describe($"model = dict({entry})");
        Assert.Contains(note, Assert.Single(model.Notes));
        Assert.All(model.Switches, row => Assert.Equal(Switch.Assumed, row.Source));
    }

    [Theory]
    [InlineData("this is no configuration", "no configuration that can be read")]
    [InlineData("_base_ = ['a.py']\nmodel = dict(backbone=dict(type='ResNetV1c', depth=50))", "_base_")]
    public void A_configuration_that_is_none_or_half_of_one_is_noted(string config, string note)
    {
        ModelDescription model = Describe(config);
        Assert.Contains(model.Notes, sentence => sentence.Contains(note, StringComparison.Ordinal));
        Assert.All(model.Switches, row => Assert.Equal(Switch.Assumed, row.Source));
    }

    [Theory]
    [InlineData("backbone=dict(type='ResNetV1c', depth=101)", "depth says 101", "50")]
    [InlineData("backbone=dict(type='MobileNetV2')", "type says MobileNetV2", "ResNetV1c")]
    [InlineData("backbone=dict(strides=(1, 2, 1), dilations=(1, 1, 2))", "strides says 3 stages", "4")]
    [InlineData("backbone=dict(dcn=dict(type='DCN'))", "dcn", "does not have")]
    [InlineData("decode_head=dict(num_classes=21)", "num_classes says 21", "19")]
    [InlineData("decode_head=dict(num_classes=2, out_channels=1)", "out_channels says 1", "19")]
    [InlineData("decode_head=dict(type='ASPPHead')", "type says ASPPHead", "DepthwiseSeparableASPPHead")]
    [InlineData("decode_head=dict(dilations=(1, 6, 12))", "dilations has 3 rates", "4")]
    [InlineData("decode_head=dict(act_cfg=dict(type='LeakyReLU'))", "LeakyReLU", "ReLU")]
    [InlineData("neck=dict(type='FPN')", "neck", "nothing")]
    [InlineData("backbone=dict(multi_grid=(1, 2))", "meta.config: model.backbone.multi_grid is 1,2", "3 blocks")]
    [InlineData("backbone=dict(act_cfg=dict(type='LeakyReLU'))", "LeakyReLU", "ReLU")]
    public void What_contradicts_the_weights_is_refused(string entry, string words, string more)
    {
        string message = Assert.Throws<ModelException>(() => Describe($"model = dict({entry})")).Message;
        Assert.Contains("names.pth", message);
        Assert.Contains(words, message);
        Assert.Contains(more, message);
        Assert.DoesNotContain('\n', message);
    }

    [Theory]
    [InlineData(
        "test_pipeline = [dict(type='LoadImageFromFile'), dict(type='MultiScaleFlipAug', img_scale=(2048, 512), " +
        "flip=False, transforms=[dict(type='Resize', keep_ratio=True), dict(type='RandomFlip')])]", "2048x512", "")]
    [InlineData("test_pipeline = [dict(type='Resize', scale=(512, 2048), keep_ratio=True)]", "512x2048", "")]
    [InlineData("test_pipeline = [dict(type='Resize', scale=(640, 480))]", "stretch=480x640", "")]
    [InlineData("test_pipeline = [dict(type='mmseg.Resize', scale=512, keep_ratio=False)]", "stretch=512x512", "")]
    [InlineData("test_pipeline = [dict(type='LoadImageFromFile'), dict(type='PackSegInputs')]", "none", "")]
    [InlineData("test_pipeline = [dict(type='ResizeShortestEdge', scale=512, max_size=2048)]", "2048x512", "")]
    [InlineData(
        "test_pipeline = [dict(type='MultiScaleFlipAug', img_ratios=[1.0], transforms=[dict(type='Resize')])]", "none",
            "")]
    [InlineData(
        "p = [dict(type='Resize', img_scale=(800, 600), keep_ratio=True)]\n" +
        "test_pipeline = [dict(type='Resize', scale=(9, 9))]\ndata = dict(test=dict(pipeline=p))", "800x600", "")]
    [InlineData(
        "test_dataloader = dict(dataset=dict(pipeline=[dict(type='Resize', scale=(700, 300), keep_ratio=True)]))",
        "700x300", "")]
    [InlineData(
        "test_pipeline = [dict(type='MultiScaleFlipAug', img_scale=[(9, 9), (8, 8)], flip=True, " +
        "transforms=[dict(type='Resize', keep_ratio=True)])]", "none", "mirror")]
    [InlineData("test_pipeline = [dict(type='Resize', scale_factor=0.5)]", "none", "scale_factor")]
    [InlineData("test_pipeline = [dict(type='Pad', size_divisor=32)]", "none", "Pad")]
    [InlineData("test_pipeline = PIPELINE", "none", "PIPELINE")]
    public void The_test_pipeline_says_the_scale(string config, string scale, string note)
    {
        ModelDescription model = Describe(config);
        Assert.Equal(scale, model.Switches.Single(row => row.Name == "test_scale").Value);
        if (note.Length == 0)
            Assert.Empty(model.Notes);
        else
            Assert.Contains(model.Notes, sentence => sentence.Contains(note, StringComparison.Ordinal));
    }

    [Fact]
    public void Colours_are_prepared_as_the_configuration_says()
    {
        PreprocessingSpec old =
            Describe("img_norm_cfg = dict(mean=[1, 2, 3], std=[4, 5, 6], to_rgb=False)").Preprocessing;
        Assert.Equal((ChannelOrder.Bgr, 1f), (old.Order, old.Scale));
        Assert.Equal([1f, 2f, 3f], old.Mean);
        PreprocessingSpec own = Describe(
            "model = dict(data_preprocessor=dict(type='SegDataPreProcessor', bgr_to_rgb=True))").Preprocessing;
        Assert.Equal((ChannelOrder.Rgb, 1f), (own.Order, own.Scale));
        Assert.Equal([1f, 1f, 1f], own.Std);
        const string usual = "dict(type='SegDataPreProcessor', mean=[123.675, 116.28, 103.53], " +
            "std=[58.395, 57.12, 57.375], bgr_to_rgb=True, test_cfg=dict(size_divisor=32))";
        ModelDescription padded = Describe($"data_preprocessor = {usual}");
        Assert.Equal(PreprocessingSpec.ImageNet with { SizeMultiple = 32 }, padded.Preprocessing);
        Assert.Empty(padded.Notes);
        ModelDescription coloured = Describe($"data_preprocessor = {usual[..^1]}, pad_val=255)");
        Assert.Equal(PreprocessingSpec.ImageNet, coloured.Preprocessing);
        Assert.Contains("size_divisor", Assert.Single(coloured.Notes));
    }

    /// <summary>A model of version 1 that was saved whole has its preprocessor, which may normalise nothing.</summary>
    [Fact]
    public void A_saved_preprocessor_says_how_colours_are_prepared()
    {
        PreprocessingSpec own = Saved(
            """, "mean": [1, 2, 3], "std": [4, 5, 6], "bgr_to_rgb": false, "pad_val": 0, "test_cfg": {"size_divisor": 32}""");
        Assert.Equal((ChannelOrder.Bgr, 1f, 32), (own.Order, own.Scale, own.SizeMultiple));
        Assert.Equal([1f, 2f, 3f], own.Mean);
        Assert.Equal([4f, 5f, 6f], own.Std);
        Assert.Equal(PreprocessingSpec.ImageNet, Saved(
            """, "mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375], "bgr_to_rgb": true"""));
        PreprocessingSpec none = Saved(""", "bgr_to_rgb": true""");
        Assert.Equal((ChannelOrder.Rgb, 1f), (none.Order, none.Scale));
        Assert.Equal([1f, 1f, 1f], none.Std);

        static PreprocessingSpec Saved(string entries)
        {
            string preprocessor = $$"""{"type": "SegDataPreProcessor"{{entries}} }""";
            ModelDescription model = Describe(
                null, null, $$"""{"modules": {"model": {"data_preprocessor": {{preprocessor}} } } }""");
            Assert.Equal(Switch.Modules, model.PreprocessingSource);
            return model.Preprocessing;
        }
    }

    [Theory]
    [InlineData(", size_divisor=64", 64)]
    [InlineData("", 32)]
    public void A_picture_may_be_stretched_up_to_a_multiple(string divisor, int multiple)
    {
        ModelDescription model = Describe(
            "test_pipeline = [dict(type='MultiScaleFlipAug', img_scale=(2048, 512), flip=False, transforms=[" +
            $"dict(type='Resize', keep_ratio=True), dict(type='ResizeToMultiple'{divisor}), dict(type='Normalize', " +
            "mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True)])]");
        Assert.Empty(model.Notes);
        Assert.Equal((multiple, true), (model.Preprocessing.SizeMultiple, model.Preprocessing.StretchesToMultiple));
        Assert.Equal(new ResizePolicy.Within(2048, 512), model.Preprocessing.Resize);
        Assert.Equal("meta.config", model.PreprocessingSource);
        Assert.Contains("ResizeToMultiple", Assert.Single(Describe(
            "test_pipeline = [dict(type='ResizeToMultiple', size_divisor=32, interpolation='nearest')]").Notes));
    }

    [Fact]
    public void Dictionaries_that_are_understood_have_no_notes() => Assert.Empty(Describe(
        "model = dict(backbone=dict(conv_cfg=dict(type='Conv2d'), norm_cfg=dict(type='SyncBN', eps=0.001)), " +
        "decode_head=dict(norm_cfg=dict(type='SyncBN', requires_grad=True)))").Notes);

    [Theory]
    [InlineData(
        "model = dict(test_cfg=dict(mode='slide', crop_size=(769, 700), stride=(513, 400)))", "769x700,513x400")]
    [InlineData("test_cfg = dict(mode='slide', crop_size=480, stride=320)", "480x480,320x320")]
    [InlineData("model = dict(test_cfg=dict(mode='whole'))\ntest_cfg = dict(type='TestLoop')", "none")]
    public void The_test_slides_as_the_configuration_says(string config, string slide)
    {
        ModelDescription model = Describe(config);
        Switch row = model.Switches.Single(row => row.Name == "slide");
        Assert.Equal((slide, "meta.config"), (row.Value, row.Source));
        Assert.Equal(slide == "none", model.Network.Slide is null);
    }

    [Theory]
    [InlineData("multi_grid", "1,2")]
    [InlineData("multi_grid", "1,x,4")]
    [InlineData("test_scale", "2048")]
    [InlineData("test_scale", "0x5")]
    [InlineData("slide", "769x769")]
    [InlineData("slide", "5x5,6x6")]
    [InlineData("slide", "5x5,0x5")]
    [InlineData("rates", "6,12")]
    public void A_switch_with_an_impossible_value_is_refused(string name, string value) => Assert.Contains(
        name, Assert.Throws<UnavailableException>(() => Describe(null, Choice(name, value))).Message);

    [Fact]
    public void A_switch_goes_before_the_configuration()
    {
        ModelDescription model = Describe(D16, new DialectChoice(8, new Dictionary<string, string>
        {
            ["multi_grid"] = "none",
            ["test_scale"] = "2048x512",
            ["slide"] = "97x129,64x65",
        }));
        var backbone = Assert.IsType<ResNetSpec>(model.Network.Backbone);
        Assert.Equal([new(1, 1, 1), new(2, 1, 1), new(1, 1, 2), new(1, 2, 4)], backbone.Stages);
        Assert.Equal([12, 24, 36], Head(model).Aspp.Rates);
        Assert.Equal(new ResizePolicy.Within(2048, 512), model.Preprocessing.Resize);
        Assert.Equal(new SlideSpec(97, 129, 64, 65), model.Network.Slide);
    }

    [Theory]
    [InlineData("""{"CLASSES": ["a", "b"]}""", 0, "2 classes")]
    [InlineData("""{"CLASSES": [1, 2]}""", 0, null)]
    [InlineData("""{"dataset_meta": {"classes": NAMES}}""", 19, null)]
    [InlineData("""{"CLASSES": NAMES}""", 19, null)]
    public void Classes_are_the_file_s(string meta, int named, string? note)
    {
        string names = JsonSerializer.Serialize(Enumerable.Range(0, 19).Select(i => $"c{i}"));
        ModelDescription model = Describe(null, null, meta.Replace("NAMES", names, StringComparison.Ordinal));
        Assert.Equal(named, model.ClassNames.Count(name => name.StartsWith('c') && name.Length < 4 && name != "car"));
        Assert.Equal(note is null ? 0 : 1, model.Notes.Count);
        if (note is not null)
            Assert.Contains(note, model.Notes[0]);
    }

    /// <summary>
    /// norm_cfg is one variable of the published configurations, which both parts of the network name.
    /// </summary>
    [Fact]
    public void The_batch_norms_of_backbone_and_head_have_their_own_epsilon()
    {
        ModelDescription model = Describe(
            "norm_cfg = dict(type='SyncBN', eps=0.001)\n" +
            "model = dict(backbone=dict(norm_cfg=norm_cfg), decode_head=dict(norm_cfg=norm_cfg))");
        Assert.Equal((1e-3, 1e-3), (model.Network.Backbone.NormEpsilon, model.Network.Head.NormEpsilon));
        model = Describe("model = dict(backbone=dict(norm_cfg=dict(type='BN', eps=0.001)))");
        Assert.Equal((1e-3, 1e-5), (model.Network.Backbone.NormEpsilon, model.Network.Head.NormEpsilon));
    }

    /// <summary>mmsegmentation's InvertedResidual skips wherever stride and channels allow it.</summary>
    [Fact]
    public void A_narrow_MobileNetV2_skips_in_its_first_block()
    {
        (string, int[])[] keys =
        [
            ("backbone.conv1.conv.weight", [8, 3, 3, 3]),
            ("decode_head.aspp_modules.0.conv.weight", [8, 80, 1, 1]),
            .. Enumerable.Range(1, 3).Select(i => ($"decode_head.aspp_modules.{i}.conv.weight", new[] { 8, 80, 3, 3 })),
            ("decode_head.conv_seg.weight", [5, 8, 1, 1]),
            ("backbone.layer1.0.conv.0.conv.weight", [8, 1, 3, 3]),
            ("backbone.layer1.0.conv.1.conv.weight", [8, 8, 1, 1]),
            .. Enumerable.Range(2, 6).SelectMany(layer => new (string, int[])[]
            {
                ($"backbone.layer{layer}.0.conv.0.conv.weight", [48, layer == 2 ? 8 : 8 * layer - 8, 1, 1]),
                ($"backbone.layer{layer}.0.conv.1.conv.weight", [48, 1, 3, 3]),
                ($"backbone.layer{layer}.0.conv.2.conv.weight", [8 * layer, 48, 1, 1]),
            }),
        ];
        using var checkpoint = new NamedWeights(keys);
        var backbone = Assert.IsType<InvertedResidualSpec>(
            Dialect.Describe(checkpoint, null, new DialectChoice()).Network.Backbone);
        Assert.Equal([true, false, false, false, false, false, false], backbone.Blocks.Select(block => block.Residual));
    }

    [Fact]
    public void Branches_whose_rates_nobody_says_take_them_from_the_switch()
    {
        using var checkpoint = new NamedWeights(
        [
            .. NamedWeights.Manifest(R50),
            ("decode_head.aspp_modules.4.depthwise_conv.conv.weight", [2048, 1, 3, 3]),
        ]);
        Assert.Contains("the switch rates", Assert.Throws<ModelException>(
            () => Dialect.Describe(checkpoint, null, new DialectChoice())).Message);
        ModelDescription model = Dialect.Describe(checkpoint, null, Choice("rates", "6,12,18,24"));
        Assert.Equal([6, 12, 18, 24], Head(model).Aspp.Rates);
    }

    private static ModelDescription Describe(string? config, DialectChoice? choice = null, string? meta = null)
    {
        meta ??= config is null ? null
            : JsonSerializer.Serialize(new Dictionary<string, string> { ["config"] = config });
        using var checkpoint = new NamedWeights(NamedWeights.Manifest(R50)) { Meta = NamedWeights.Parse(meta) };
        return Dialect.Describe(checkpoint, null, choice ?? new DialectChoice());
    }

    private static DialectChoice Choice(string name, string value) =>
        new(options: new Dictionary<string, string> { [name] = value });

    private static DeepLabV3PlusHeadSpec Head(ModelDescription model) =>
        Assert.IsType<DeepLabV3PlusHeadSpec>(model.Network.Head);
}
