using Atrous.Checkpoints.Dialects;
using Atrous.Specs;
using Atrous.Tensors;
using Atrous.Tests.Checkpoints.Dialects;
using Atrous.Tests.Support;

namespace Atrous.Tests.Models;

/// <summary>
/// What files of EfficientNet and of the mobile networks tell, what they cannot, and what is refused.
/// </summary>
public sealed class InvertedResidualEncoderTests
{
    private const string MobileNetV3 = "smp_deeplabv3plus_timm-mobilenetv3_large_100_os8_4ch_1class_96x128",
        EfficientNet = "smp_deeplabv3plus_efficientnet-b0_os8_4ch_1class_96x128";

    [Fact]
    public void Without_a_word_it_is_the_original_s_own_network_of_TensorFlow_s_weights()
    {
        NetworkSpec network = Describe(MobileNetV3);
        InvertedResidualSpec backbone = Backbone(network);
        Assert.Equal(("MobileNetV3-Large", 1e-3), (backbone.Name, backbone.NormEpsilon));
        Assert.Equal(PaddingStyle.TensorFlowSame, network.Padding);
        // Stages of 1, 2, 3, 4, 2 and 3 blocks; the last convolution is one too.
        Assert.Equal([1, 2, 2], backbone.Blocks.Skip(12).Take(3).Select(block => block.Dilation));
    }

    [Fact]
    public void The_version_that_trained_it_decides_how_its_first_dilated_block_is_dilated() => Assert.Equal(
        [2, 2, 2],
        Backbone(Describe(MobileNetV3, Choice("smp", "0.4"))).Blocks.Skip(12).Take(3).Select(block => block.Dilation));

    [Theory]
    [InlineData("timm-mobilenetv3_large_100", true)]
    [InlineData("tu-tf_mobilenetv3_large_100.in1k", true)]
    [InlineData("tu-mobilenetv3_large_100", false)]
    public void The_name_in_the_config_says_whether_its_weights_are_TensorFlow_s(string encoder, bool tensorFlow)
    {
        NetworkSpec said = Describe(MobileNetV3, config: Config(encoder));
        NetworkSpec chosen = Describe(MobileNetV3, Choice("timm_tf", tensorFlow ? "true" : "false"));
        Assert.All([said, chosen], network => Assert.Equal(
            tensorFlow ? (PaddingStyle.TensorFlowSame, 1e-3) : (PaddingStyle.Symmetric, 1e-5),
            (network.Padding, network.Backbone.NormEpsilon)));
    }

    /// <summary>Nothing but what the norms add tells the two apart, and modules say that.</summary>
    [Theory]
    [InlineData(1e-3, true)]
    [InlineData(1e-5, false)]
    public void Saved_modules_say_whether_its_weights_are_TensorFlow_s(double epsilon, bool tensorFlow)
    {
        PaddingStyle padding = tensorFlow ? PaddingStyle.TensorFlowSame : PaddingStyle.Symmetric;
        using var checkpoint = new NamedWeights(Keys(MobileNetV3));
        checkpoint.State("encoder.model.bn1.weight", new LayerFacts { Epsilon = epsilon });
        ModelDescription model = Dialect.Describe(checkpoint, null, new DialectChoice());
        Assert.Equal((padding, epsilon), (model.Network.Padding, model.Network.Backbone.NormEpsilon));
        Assert.Contains(model.Switches, row => (row.Name, row.Source) == ("timm_tf", "the saved modules"));
    }

    /// <summary>Google has published none of this width.</summary>
    [Fact]
    public void The_width_says_that_its_weights_are_not_TensorFlow_s() => Assert.Equal(
        PaddingStyle.Symmetric,
        Describe("smp_deeplabv3plus_tu-mobilenetv3_small_050_os16_48x64").Padding);

    [Theory]
    [InlineData("tu-mobilenetv3_large_100", "smp", "0.4")]
    [InlineData("tu-tf_mobilenetv3_large_100", "smp", "0.4")]
    public void A_version_is_refused_where_it_makes_no_difference(string encoder, string name, string value) =>
        Assert.Throws<UnavailableException>(() => Describe(MobileNetV3, Choice(name, value), Config(encoder)));

    [Theory]
    [InlineData(EfficientNet, "efficientnet-b0", "imagenet", "imagenet")]
    [InlineData(EfficientNet, "efficientnet-b0", "advprop", "0.5")]
    [InlineData(MobileNetV3, "timm-mobilenetv3_large_100", "imagenet", "imagenet")]
    [InlineData(MobileNetV3, "tu-tf_mobilenetv3_large_100", "imagenet", "0.5")]
    [InlineData(MobileNetV3, "tu-mobilenetv3_large_100.ra4_e3600_r224_in1k", "imagenet", "0.5")]
    public void The_statistics_are_those_of_the_first_weights(
        string golden, string encoder, string weights, string expected)
    {
        using var checkpoint = new NamedWeights(Keys(golden), Config(encoder, weights));
        Assert.Equal(
            expected,
            Dialect.Describe(checkpoint, null, new DialectChoice()).Switches
                .Single(choice => choice.Name == "normalisation").Value);
    }

    [Fact]
    public void Half_is_half_for_three_channels()
    {
        (string Name, int[] Shape)[] colour =
        [
            .. Keys(EfficientNet).Select(
                key => key.Name == "encoder._conv_stem.weight" ? (key.Name, [32, 3, 3, 3]) : key),
        ];
        using var checkpoint = new NamedWeights(colour);
        PreprocessingSpec half = Dialect.Describe(checkpoint, null, Choice("normalisation", "0.5")).Preprocessing;
        Assert.Equal([0.5f, 0.5f, 0.5f], half.Mean);
        Assert.Equal([0.5f, 0.5f, 0.5f], half.Std);
        PreprocessingSpec usual = Dialect.Describe(checkpoint, null, new DialectChoice()).Preprocessing;
        Assert.Equal((0.485f, 0.229f), (usual.Mean[0], usual.Std[0]));
    }

    /// <summary>Networks of timm that are nearly alike and have other rules; what makes them so.</summary>
    public static TheoryData<string, string, int> Relatives => new()
    {
        // mobilenetv3_rw: gates of a quarter, not rounded; its first block adds nothing.
        { "encoder.model.blocks.2.0.se.conv_reduce.weight", "shape", 18 },
        // hardcorenas, fbnetv3: other windows.
        { "encoder.model.blocks.1.1.conv_dw.weight", "window", 5 },
        // A stage with a gate less.
        { "encoder.model.blocks.4.1.se.conv_reduce.weight", "gone", 0 },
    };

    [Theory]
    [MemberData(nameof(Relatives))]
    public void A_relative_with_other_rules_is_refused(string key, string change, int value)
    {
        IEnumerable<(string Name, int[] Shape)> keys = Keys(MobileNetV3)
            .Where(entry => change != "gone" || entry.Name != key)
            .Select(entry => entry.Name != key ? entry : (entry.Name, change == "window"
                ? [entry.Shape[0], entry.Shape[1], value, value]
                : [value, .. entry.Shape[1..]]));
        using var checkpoint = new NamedWeights(keys);
        string message =
            Assert.Throws<ModelException>(() => Dialect.Describe(checkpoint, null, new DialectChoice())).Message;
        Assert.Contains("timm-mobilenetv3", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Blocks_of_several_windows_are_refused()
    {
        // mixnet: each of a block's convolutions is a list of them.
        using var checkpoint = new NamedWeights(Keys(MobileNetV3).Select(key => (
            key.Name.Replace("2.0.conv_pw.", "2.0.conv_pw.0.", StringComparison.Ordinal)
                .Replace("2.0.conv_pwl.", "2.0.conv_pwl.0.", StringComparison.Ordinal), key.Shape)));
        Assert.Throws<ModelException>(() => Dialect.Describe(checkpoint, null, new DialectChoice()));
    }

    [Fact]
    public void A_pruned_network_is_TensorFlow_s()
    {
        using var checkpoint = new NamedWeights(Keys("smp_deeplabv3plus_tu-efficientnet_b0_os8_96x128").Select(
            key => key.Name == "encoder.model.blocks.3.1.conv_pw.weight" ? (key.Name, [470, 80, 1, 1]) : key));
        Assert.Equal(
            PaddingStyle.TensorFlowSame, Dialect.Describe(checkpoint, null, new DialectChoice()).Network.Padding);
    }

    [Fact]
    public void An_EfficientNet_of_no_known_size_is_refused()
    {
        using var checkpoint = new NamedWeights(
            Keys(EfficientNet).Where(key => !key.Name.StartsWith("encoder._blocks.15.", StringComparison.Ordinal)));
        Assert.Throws<ModelException>(() => Dialect.Describe(checkpoint, null, new DialectChoice()));
    }

    private static IReadOnlyList<(string Name, int[] Shape)> Keys(string golden) => Golden.Load(golden).Keys;

    private static NetworkSpec Describe(string golden, DialectChoice? choice = null, string? config = null)
    {
        using var checkpoint = new NamedWeights(Keys(golden), config);
        return Dialect.Describe(checkpoint, null, choice ?? new DialectChoice()).Network;
    }

    private static InvertedResidualSpec Backbone(NetworkSpec network) =>
        Assert.IsType<InvertedResidualSpec>(network.Backbone);

    private static DialectChoice Choice(string name, string value) =>
        new(options: new Dictionary<string, string> { [name] = value });

    private static string Config(string encoder, string weights = "imagenet") =>
        $$"""{"encoder_name": "{{encoder}}", "encoder_weights": "{{weights}}"}""";
}
