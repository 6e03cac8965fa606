using Atrous.Checkpoints.Dialects;
using Atrous.Graph;
using Atrous.Specs;
using Atrous.Tests.Support;

namespace Atrous.Tests.Checkpoints.Dialects;

/// <summary>The preprocessor_config.json of Hugging Face's image processors.</summary>
public sealed class HuggingFacePreprocessingTests
{
    private const string Hf = "hf_mobilenetv2_deeplabv3_voc";

    [Fact]
    public void The_published_file_is_what_is_done_without_one()
    {
        const string published =
            """
            {"crop_size": {"height": 513, "width": 513}, "do_center_crop": true, "do_normalize": true,
             "do_rescale": true, "do_resize": true, "image_mean": [0.5, 0.5, 0.5],
             "image_processor_type": "MobileNetV2ImageProcessor", "image_std": [0.5, 0.5, 0.5], "resample": 2,
             "rescale_factor": 0.00392156862745098, "size": {"shortest_edge": 545}}
            """;
        ModelDescription model = Describe(published);
        Assert.Equal(Describe(null).Preprocessing, model.Preprocessing);
        Assert.Contains("centre crop", Assert.Single(model.Notes));
    }

    [Theory]
    [InlineData("""{"size": {"shortest_edge": 256}}""", "short side 256")]
    [InlineData("""{"size": {"shortest_edge": 256, "longest_edge": 300}}""", "short side 256, long side at most 300")]
    [InlineData("""{"size": 224}""", "short side 224")]
    [InlineData("""{"size": {"height": 128, "width": 192}}""", "stretched to 128x192")]
    [InlineData("""{"size": [512, 384]}""", "stretched to 512x384")]
    [InlineData("""{"do_resize": false, "size": {"shortest_edge": 256}, "resample": 0}""", "native size")]
    [InlineData("{}", "short side 256")]
    public void Sizes(string file, string resize) =>
        Assert.Equal(resize, Describe(file).Preprocessing.Resize.ToString());

    [Fact]
    public void Statistics_scale_order_and_filter()
    {
        PreprocessingSpec imageNet = Describe(
            """{"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "resample": 3}""")
            .Preprocessing;
        Assert.Equal(
            (PreprocessingSpec.ImageNet.Mean[2], ResizeFilter.Bicubic), (imageNet.Mean[2], imageNet.Filter));
        PreprocessingSpec bytes = Describe(
            """{"do_rescale": false, "do_normalize": false, "do_flip_channel_order": true}""").Preprocessing;
        Assert.Equal((1f, ChannelOrder.Bgr), (bytes.Scale, bytes.Order));
        Assert.Equal([0f, 0f, 0f], bytes.Mean);
        Assert.Equal([1f, 1f, 1f], bytes.Std);
        Assert.Equal(1 / 127.5f, Describe("""{"rescale_factor": 0.00784313725490196}""").Preprocessing.Scale, 1e-9f);
        Assert.Equal([0.4f, 0.4f, 0.4f], Describe("""{"image_mean": 0.4}""").Preprocessing.Mean);
        Assert.Contains("reduced by one", Assert.Single(Describe("""{"do_reduce_labels": true}""").Notes));
    }

    [Theory]
    [InlineData("""{"resample": 0}""", "resample")]
    [InlineData("""{"resample": 1}""", "resample")]
    [InlineData("""{"size": {"longest_edge": 300}}""", "size")]
    [InlineData("""{"size": {"shortest_edge": 0}}""", "size")]
    [InlineData("""{"size": "large"}""", "size")]
    [InlineData("""{"size": [512]}""", "size")]
    [InlineData("""{"size": [512, 0]}""", "size")]
    [InlineData("""{"image_mean": [0.5, 0.5]}""", "image_mean")]
    [InlineData("""{"image_std": [0.5, 0, 0.5]}""", "image_std")]
    [InlineData("""{"rescale_factor": 0}""", "rescale_factor")]
    [InlineData("""{"do_pad": true}""", "do_pad")]
    [InlineData("""{"do_normalize": "yes"}""", "do_normalize")]
    public void What_cannot_be_done_is_refused(string file, string entry) => Assert.Contains(
        $"the entry '{entry}' of preprocessor_config.json",
        Assert.Throws<ModelException>(() => Describe(file)).Message);

    /// <summary>Numbers that are some, and that no picture can be prepared with.</summary>
    [Theory]
    [InlineData("""{"size": {"shortest_edge": 2147483647}}""", "size")]
    [InlineData("""{"size": {"shortest_edge": 256, "longest_edge": 0}}""", "size")]
    [InlineData("""{"size": {"height": 1, "width": 70000}}""", "size")]
    [InlineData("""{"image_std": [1e-45, 0.5, 0.5]}""", "mean, std and scale")]
    [InlineData("""{"image_mean": [3e38, 0.5, 0.5], "image_std": [0.1, 0.5, 0.5]}""", "mean, std and scale")]
    [InlineData("""{"rescale_factor": 1e300}""", "mean, std and scale")]
    [InlineData("""{"rescale_factor": 1e-300}""", "mean, std and scale")]
    public void What_cannot_be_computed_is_refused(string file, string words) => Assert.Contains(
        $"its {words}", Assert.Throws<ModelException>(() => Describe(file)).Message);

    /// <summary>A root of a variance and a negative number is none, and a mask of that is wrong.</summary>
    [Theory]
    [InlineData("-1")]
    [InlineData("0")]
    [InlineData("1e-60")]
    [InlineData("1e60")]
    public void An_epsilon_is_above_zero(string epsilon) => Assert.Contains(
        "layer_norm_eps",
        Assert.Throws<ModelException>(() => Describe(null, $"{{\"layer_norm_eps\": {epsilon}}}")).Message);

    [Fact]
    public void An_output_stride_that_there_is_not_is_the_file_s_fault() => Assert.Contains(
        "The output stride 2147483647 of config.json",
        Assert.Throws<ModelException>(() => Describe(null, """{"output_stride": 2147483647}""")).Message);

    [Fact]
    public void Another_activation_is_not_taken_for_relu6()
    {
        Assert.Equal(Activation.Relu, Describe(null, """{"hidden_act": "relu"}""").Network.Backbone.Activation);
        Assert.Contains("hidden_act", Assert.Throws<ModelException>(
            () => Describe(null, """{"hidden_act": "gelu"}""")).Message);
    }

    [Fact]
    public void What_MobileViT_s_weights_cannot_tell_is_believed_refused_or_a_switch()
    {
        ModelDescription plain = MobileViT(null);
        Assert.Equal(
            ["rates=6,12,18", "heads=4"],
            plain.Switches.Select(row => $"{row.Name}={row.Value}").Order().Reverse());
        Assert.All(plain.Switches, row => Assert.Equal(Switch.Assumed, row.Source));
        Assert.Equal(8, Assert.IsType<MobileViTSpec>(
            MobileViT("""{"num_attention_heads": 8, "patch_size": 2}""").Network.Backbone).Heads);
        foreach (string entry in new[] { "\"patch_size\": 4", "\"num_attention_heads\": 0", "\"layer_norm_eps\": -1" })
        {
            Assert.Contains(entry.Split('"')[1], Assert.Throws<ModelException>(
                () => MobileViT($"{{{entry}}}")).Message);
        }
    }

    /// <summary>A folder may have the processor of another model, which trains it as well.</summary>
    [Theory]
    [InlineData("""{"do_resize": false}""", ChannelOrder.Bgr, 0f)]
    [InlineData("""{"image_processor_type": "MobileViTImageProcessor"}""", ChannelOrder.Bgr, 0f)]
    [InlineData("""{"feature_extractor_type": "MobileViTFeatureExtractor"}""", ChannelOrder.Bgr, 0f)]
    [InlineData(
        """{"image_processor_type": "SegformerImageProcessor", "image_mean": [0.4, 0.4, 0.4], "image_std": 0.2}""",
        ChannelOrder.Rgb, 0.4f)]
    [InlineData(
        """{"feature_extractor_type": "ViTFeatureExtractor", "do_normalize": false}""", ChannelOrder.Rgb, 0f)]
    [InlineData(
        """{"image_processor_type": "ViTImageProcessor", "do_normalize": false, "do_flip_channel_order": true}""",
        ChannelOrder.Bgr, 0f)]
    public void Only_MobileViT_s_own_processor_flips_the_channels(string file, ChannelOrder order, float mean)
    {
        PreprocessingSpec spec = MobileViT(null, file).Preprocessing;
        Assert.Equal((order, mean), (spec.Order, spec.Mean[0]));
    }

    [Fact]
    public void Another_processor_without_statistics_is_refused() => Assert.Contains(
        "image_mean", Assert.Throws<ModelException>(
            () => MobileViT(null, """{"image_processor_type": "ViTImageProcessor"}""")).Message);

    private static ModelDescription MobileViT(string? config, string? preprocessor = null)
    {
        using var weights = new NamedWeights(Golden.Load("hf_mobilevit_small_os16_96x128").Keys, config)
        {
            Preprocessor = NamedWeights.Parse(preprocessor),
        };
        return Dialect.Describe(weights, null, new DialectChoice());
    }

    private static ModelDescription Describe(string? preprocessor, string? config = null)
    {
        using var weights = new NamedWeights(NamedWeights.Manifest(Hf), config)
        {
            Preprocessor = NamedWeights.Parse(preprocessor),
        };
        return Dialect.Describe(weights, null, new DialectChoice());
    }
}
