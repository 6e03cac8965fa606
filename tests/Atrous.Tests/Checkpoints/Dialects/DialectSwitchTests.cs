using System.Globalization;
using Atrous.Checkpoints.Dialects;
using Atrous.Graph.Ops;
using Atrous.Models;
using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Tests.Checkpoints.Dialects;

/// <summary>What a config.json beside the weights, or the user, settles.</summary>
public sealed class DialectSwitchTests
{
    private const string Smp = "smp_deeplabv3plus_r50_1class", Hf = "hf_mobilenetv2_deeplabv3_voc";

    [Fact]
    public void The_config_of_segmentation_models_sets_output_stride_and_rates()
    {
        NetworkSpec plain = Describe(Smp).Network;
        Assert.Equal((16, 12), (plain.OutputStride, Rates(plain)[0]));
        const string config =
            """{"encoder_output_stride": 8, "decoder_atrous_rates": [6, 12, 18], "encoder_weights": null}""";
        NetworkSpec configured = Describe(Smp, config).Network;
        Assert.Equal(8, configured.OutputStride);
        Assert.Equal([6, 12, 18], Rates(configured));
        Assert.Equal(16, Describe(Smp, config, new DialectChoice(16)).Network.OutputStride);
    }

    [Fact]
    public void The_config_of_hugging_face_sets_stride_padding_and_class_names()
    {
        string labels = string.Join(", ", Enumerable.Range(0, 21).Select(i => $"\"{i}\": \"class {i}\""));
        ModelDescription model = Describe(
            Hf, $$$"""{"output_stride": 32, "tf_padding": false, "layer_norm_eps": 1e-5, "id2label": {{{{labels}}}}}""");
        Assert.Equal((32, PaddingStyle.Symmetric), (model.Network.OutputStride, model.Network.Padding));
        Assert.Equal(1e-5, model.Network.Backbone.NormEpsilon);
        Assert.Equal("class 20", model.ClassNames[20]);
        ModelDescription plain = Describe(Hf, """{"id2label": {"0": "LABEL_0", "1": "LABEL_1"}}""");
        Assert.Equal((8, PaddingStyle.TensorFlowSame), (plain.Network.OutputStride, plain.Network.Padding));
        Assert.Equal(1e-3, plain.Network.Backbone.NormEpsilon);
        // The generic labels say nothing, so the names are those that the published weights were trained with.
        Assert.Equal("aeroplane", plain.ClassNames[1]);
    }

    [Theory]
    [InlineData(Smp, """{"encoder_output_stride": "16"}""", "encoder_output_stride")]
    [InlineData(Smp, """{"decoder_atrous_rates": [6, 0]}""", "decoder_atrous_rates")]
    [InlineData(Hf, """{"tf_padding": 1}""", "tf_padding")]
    [InlineData(Hf, """{"layer_norm_eps": "small"}""", "layer_norm_eps")]
    public void A_wrong_entry_in_the_config_is_named(string manifest, string config, string entry) =>
        Assert.Contains(
            entry, Assert.Throws<ModelException>(() => Describe(manifest, config)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("detectron2_deeplabv3plus_R103_cityscapes", "image_pool", "32")]
    [InlineData("detectron2_deeplabv3plus_R103_cityscapes", "image_pool", "0x4")]
    [InlineData("detectron2_deeplabv3plus_R103_cityscapes", "image_pool", "4x99999999999")]
    [InlineData("kazuto_deeplabv2_r101_msc_voc", "multi_scale", "0.5,")]
    [InlineData("kazuto_deeplabv2_r101_msc_voc", "multi_scale", "-1")]
    [InlineData("kazuto_deeplabv2_r101_msc_voc", "recompute_scale_factor", "yes")]
    [InlineData("mmseg_deeplabv3plus_r50-d8_cityscapes", "align_corners", "1")]
    [InlineData("yassouali_resnet101", "dataset", "kitti")]
    [InlineData(Smp, "align_corners", "true")]
    public void A_switch_with_an_impossible_value_or_name_is_refused(string manifest, string name, string value) =>
        Assert.Contains(
            name, Assert.Throws<UnavailableException>(() => Describe(manifest, null, Choice(name, value))).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Detectron2_pools_over_the_training_crop()
    {
        const string manifest = "detectron2_deeplabv3plus_R103_cityscapes";
        Assert.Equal((32, 64), Window(Describe(manifest)));
        Assert.Equal((64, 128), Window(Describe(manifest, null, new DialectChoice(8))));
        Assert.Equal((6, 8), Window(Describe(manifest, null, Choice("image_pool", "6x8"))));
        Assert.Null(Window(Describe(manifest, null, Choice("image_pool", "global"))));
    }

    [Fact]
    public void The_769_configurations_of_mmsegmentation_align_corners()
    {
        NetworkSpec network =
            Describe("mmseg_deeplabv3plus_r50-d8_cityscapes", null, Choice("align_corners", "true")).Network;
        var head = Assert.IsType<DeepLabV3PlusHeadSpec>(network.Head);
        Assert.Equal(
            (Sampling.AlignCorners, Sampling.AlignCorners, Sampling.AlignCorners),
            (network.FinalSampling, head.Sampling, head.Aspp.ImagePooling!.Sampling));
    }

    [Fact]
    public void The_data_set_of_yassouali_sets_the_normalisation()
    {
        ModelDescription voc = Describe("yassouali_resnet101");
        Assert.Equal("voc", Assert.Single(voc.Switches, row => row.Name == "dataset").Value);
        Assert.Equal(0.45734706f, voc.Preprocessing.Mean[0]);
        Assert.Contains("0.75,1,1.25,1.5,1.75,2", Assert.Single(voc.Notes));
        Assert.Equal("aeroplane", voc.ClassNames[1]);
        ModelDescription cityscapes = Describe("yassouali_resnet101", null, Choice("dataset", "cityscapes"));
        Assert.Equal(0.28689529f, cityscapes.Preprocessing.Mean[0]);
        // 21 classes are not Cityscapes' 19: statistics can be borrowed, names cannot.
        Assert.Empty(cityscapes.ClassNames);
    }

    [Theory]
    [InlineData("torchvision_deeplabv3_r50_aux", 16, 12)]
    [InlineData("jfzhang_resnet101", 8, 12)]
    [InlineData("bubbliiiing_xception", 8, 12)]
    public void The_output_stride_can_be_overridden(string manifest, int outputStride, int firstRate)
    {
        NetworkSpec network = Describe(manifest, null, new DialectChoice(outputStride)).Network;
        Assert.Equal(outputStride, network.OutputStride);
        AsppSpec aspp = network.Head is DeepLabV3HeadSpec v3 ? v3.Aspp : ((DeepLabV3PlusHeadSpec)network.Head).Aspp;
        Assert.Equal(firstRate, aspp.Rates[0]);
    }

    [Theory]
    [InlineData("torchvision_deeplabv3_r50_aux", "classifier.0.convs.{0}.0.weight")]
    [InlineData("mmseg_deeplabv3plus_r50-d8_cityscapes", "decode_head.aspp_modules.{0}.depthwise_conv.conv.weight")]
    public void Rates_are_those_of_the_saved_modules_or_given(string manifest, string kernel)
    {
        Assert.Equal(Switch.Assumed, Row(Describe(manifest)).Source);
        using var saved = new NamedWeights(NamedWeights.Manifest(manifest));
        for (int branch = 1; branch <= 3; branch++)
            saved.State(string.Format(CultureInfo.InvariantCulture, kernel, branch), 5 * branch);
        Switch stated = Row(Dialect.Describe(saved, null, new DialectChoice()));
        Assert.Equal(("5,10,15", Switch.Modules), (stated.Value, stated.Source));
        Switch given = Row(Describe(manifest, null, Choice("rates", "6,12,18")));
        Assert.Equal(("6,12,18", Switch.Given), (given.Value, given.Source));

        static Switch Row(ModelDescription model) => model.Switches.Single(row => row.Name == "rates");
    }

    /// <summary>Forks change them, and no weight tells it.</summary>
    [Theory]
    [InlineData("vainf_v3_r50", "6,12,18", "1,2,3")]
    [InlineData("vainf_v3plus_mobilenet", "6,12,18", "1,2,3")]
    [InlineData("jfzhang_resnet101", "6,12,18", "1,2,3")]
    [InlineData("yassouali_xception", "6,12,18", "1,2,3")]
    [InlineData("arronhzg_resnet101", "6,12,18", "1,2,3")]
    [InlineData("bubbliiiing_xception", "6,12,18", "1,2,3")]
    [InlineData("detectron2_deeplabv3plus_R103_cityscapes", "6,12,18", "1,2,3")]
    [InlineData("kazuto_deeplabv2_r101_msc_voc", "6,12,18,24", "1,2,3,4")]
    [InlineData("denseaspp_161", "3,6,12,18,24", "1,2,3,4,5")]
    [InlineData("denseaspp_mobilenet", "3,6,12,18,24", "1,2,3,4,5")]
    public void Every_head_s_rates_are_a_switch(string manifest, string standard, string other)
    {
        Assert.Equal((standard, Switch.Assumed), RatesRow(Describe(manifest)));
        ModelDescription given = Describe(manifest, null, Choice("rates", other));
        Assert.Equal((other, Switch.Given), RatesRow(given));
        IReadOnlyList<int> rates = given.Network.Head switch
        {
            DeepLabV3HeadSpec head => head.Aspp.Rates,
            DeepLabV3PlusHeadSpec head => head.Aspp.Rates,
            DenseAsppHeadSpec head => head.Rates,
            var head => Assert.IsType<DeepLabV2HeadSpec>(head).Rates,
        };
        Assert.Equal(other, string.Join(',', rates));
    }

    [Theory]
    [InlineData("jfzhang_resnet101")]
    [InlineData("detectron2_deeplabv3plus_R103_cityscapes")]
    public void Multi_grid_is_a_switch(string manifest)
    {
        Assert.Equal([1, 2, 4], Grid(Describe(manifest)));
        Assert.Equal([1, 1, 1], Grid(Describe(manifest, null, Choice("multi_grid", "1,1,1"))));

        static IReadOnlyList<int>? Grid(ModelDescription model) =>
            Assert.IsType<ResNetSpec>(model.Network.Backbone).MultiGrid;
    }

    /// <summary>Those of saved modules, unless they follow the output stride that is asked for.</summary>
    [Theory]
    [InlineData("5,10,15", null, "5,10,15", Switch.Modules)]
    [InlineData("5,10,15", 8, "5,10,15", Switch.Modules)]
    [InlineData("6,12,18", 8, "12,24,36", Switch.Assumed)]
    [InlineData("12,24,36", null, "12,24,36", Switch.Modules)]
    public void Rates_of_saved_modules_go_before_the_repository_s(
        string saved, int? outputStride, string rates, string source)
    {
        using var weights = new NamedWeights(NamedWeights.Manifest("jfzhang_resnet101"));
        int[] stated = [.. saved.Split(',').Select(int.Parse)];
        for (int branch = 0; branch < 3; branch++)
            weights.State($"aspp.aspp{branch + 2}.atrous_conv.weight", stated[branch]);
        Assert.Equal((rates, source), RatesRow(Dialect.Describe(weights, null, new DialectChoice(outputStride))));
    }

    /// <summary>A head and a sigmoid in a Sequential, saved whole.</summary>
    [Theory]
    [InlineData("Sigmoid", true, 0)]
    [InlineData("Softmax", false, 0)]
    [InlineData("Tanh", false, 1)]
    public void What_saved_modules_apply_to_the_scores_is_heard(string function, bool labels, int notes)
    {
        using var weights = new NamedWeights(NamedWeights.Manifest("torchvision_deeplabv3_r50_aux"));
        weights.State("classifier.4.weight", new LayerFacts { Activation = function });
        ModelDescription model = Dialect.Describe(weights, null, new DialectChoice());
        Assert.Equal(labels, model.MultiLabel);
        Assert.Equal(notes, model.Notes.Count(note => note.Contains(function, StringComparison.Ordinal)));
        Assert.False(Dialect.Describe(weights, null, Choice("multilabel", "false")).MultiLabel);
    }

    /// <summary>detectron2's own statistics are of bytes; the larger mean is red's.</summary>
    [Fact]
    public void Detectron2_s_statistics_are_the_file_s()
    {
        const string manifest = "detectron2_deeplabv3plus_R103_cityscapes";
        ModelDescription plain = Describe(manifest);
        Assert.Equal((ChannelOrder.Rgb, 1f / 255), (plain.Preprocessing.Order, plain.Preprocessing.Scale));
        using var published = new NamedWeights(NamedWeights.Manifest(manifest));
        published.Add("pixel_mean", 123.675f, 116.28f, 103.53f);
        published.Add("pixel_std", 58.395f, 57.12f, 57.375f);
        ModelDescription rgb = Dialect.Describe(published, null, new DialectChoice());
        Assert.Equal(
            (ChannelOrder.Rgb, 1f, Switch.File),
            (rgb.Preprocessing.Order, rgb.Preprocessing.Scale, rgb.PreprocessingSource));
        // The same as ImageNet's on 0 to 1, so that published files keep their masks.
        for (int c = 0; c < 3; c++)
        {
            Assert.Equal(plain.Preprocessing.Mean[c] * 255, rgb.Preprocessing.Mean[c], 1e-3f);
            Assert.Equal(plain.Preprocessing.Std[c] * 255, rgb.Preprocessing.Std[c], 1e-3f);
        }
        using var own = new NamedWeights(NamedWeights.Manifest(manifest));
        own.Add("pixel_mean", 103.53f, 116.28f, 123.675f);
        own.Add("pixel_std", 1, 1, 1);
        PreprocessingSpec bgr = Dialect.Describe(own, null, new DialectChoice()).Preprocessing;
        Assert.Equal((ChannelOrder.Bgr, 103.53f, 1f), (bgr.Order, bgr.Mean[0], bgr.Std[0]));
        Assert.Equal(
            ChannelOrder.Rgb,
            Dialect.Describe(own, null, Choice("channel_order", "rgb")).Preprocessing.Order);
        Assert.Equal(
            (ChannelOrder.Bgr, 0.406f),
            Describe(manifest, null, Choice("channel_order", "bgr")).Preprocessing is var given
                ? (given.Order, given.Mean[0]) : default);
    }

    /// <summary>What a training module keeps beside its network, in dialects that take ImageNet's otherwise.</summary>
    [Theory]
    [InlineData("torchvision_deeplabv3_r50_aux", 1f, 1f / 255)]
    [InlineData("vainf_v3plus_r50", 255f, 1f)]
    [InlineData("jfzhang_mobilenet", 1f, 1f / 255)]
    public void Statistics_beside_the_network_are_the_pictures(string manifest, float factor, float scale)
    {
        using var weights = new NamedWeights(NamedWeights.Manifest(manifest)) { StrippedPrefix = "model." };
        weights.Add("mean", 0.3f * factor, 0.4f * factor, 0.5f * factor);
        weights.Add("std", 0.2f * factor, 0.2f * factor, 0.2f * factor);
        ModelDescription model = Dialect.Describe(weights, null, new DialectChoice());
        Assert.Equal((scale, Switch.File), (model.Preprocessing.Scale, model.PreprocessingSource));
        Assert.Equal(0.4f * factor, model.Preprocessing.Mean[1]);
        Assert.Equal(Describe(manifest).Preprocessing.Resize, model.Preprocessing.Resize);
        Assert.Contains("mean", Assert.Single(model.Notes));
        Assert.Empty(Model.Compare(model, weights).Unexpected);
        Assert.Equal(1f, Dialect.Describe(weights, null, Choice("pixels", "0..255")).Preprocessing.Scale);
    }

    /// <summary>torchvision dilates no basic blocks, so that who puts its head on ResNet-18 has strides.</summary>
    [Fact]
    public void Torchvision_s_basic_blocks_are_not_dilated()
    {
        using var basic = new NamedWeights(NamedWeights.Manifest("torchvision_deeplabv3_r50_aux")
            .Where(key => !key.Name.Contains(".conv3.", StringComparison.Ordinal)));
        ModelDescription model = Dialect.Describe(basic, null, new DialectChoice());
        Assert.Equal((32, Switch.Assumed), (model.Network.OutputStride, model.OutputStrideSource));
        Assert.All(Assert.IsType<ResNetSpec>(model.Network.Backbone).Stages, stage => Assert.Equal(1, stage.Dilation));
        Assert.Equal(8, Describe("torchvision_deeplabv3_r50_aux").Network.OutputStride);
        Assert.Equal(16, Dialect.Describe(basic, null, new DialectChoice(16)).Network.OutputStride);
    }

    [Fact]
    public void MobileNetV3_has_the_output_stride_that_it_was_published_with_alone() =>
        Assert.Throws<UnavailableException>(
            () => Describe("torchvision_deeplabv3_mobilenet_v3_large_aux", null, new DialectChoice(8)));

    [Fact]
    public void Bubbliiiing_letterboxes_and_resizes_probabilities()
    {
        ModelDescription model = Describe("bubbliiiing_mobilenetv2");
        Assert.Equal(new ResizePolicy.Letterbox(512, 512, 128), model.Preprocessing.Resize);
        Assert.True(model.Network.SoftmaxBeforeResize);
    }

    private static ModelDescription Describe(string manifest, string? config = null, DialectChoice? choice = null)
    {
        using var checkpoint = new NamedWeights(NamedWeights.Manifest(manifest), config);
        return Dialect.Describe(checkpoint, null, choice ?? new DialectChoice());
    }

    private static (string, string) RatesRow(ModelDescription model)
    {
        Switch row = Assert.Single(model.Switches, row => row.Name == "rates");
        return (row.Value, row.Source);
    }

    private static DialectChoice Choice(string name, string value) =>
        new(options: new Dictionary<string, string> { [name] = value });

    private static IReadOnlyList<int> Rates(NetworkSpec network) =>
        Assert.IsType<DeepLabV3PlusHeadSpec>(network.Head).Aspp.Rates;

    private static (int, int)? Window(ModelDescription model) =>
        Assert.IsType<DeepLabV3PlusHeadSpec>(model.Network.Head).Aspp.ImagePooling!.Window;
}
