using Atrous.Checkpoints.Dialects;
using Atrous.Specs;
using Atrous.Tensors;
using Atrous.Tests.Support;

namespace Atrous.Tests.Checkpoints.Dialects;

/// <summary>
/// The arguments of segmentation_models.pytorch's networks, where a file says them: config.json, hyper-parameters, the
/// buffers mean and std.
/// </summary>
public sealed class SegmentationModelsConfigTests
{
    private const string OneClass = "smp_deeplabv3plus_r50_1class";

    /// <summary>As save_pretrained writes it for these weights.</summary>
    private const string Config =
        """
        {"_model_class": "DeepLabV3Plus", "activation": null, "aux_params": null, "classes": 1,
         "decoder_aspp_dropout": 0.5, "decoder_aspp_separable": true, "decoder_atrous_rates": [6, 12, 18],
         "decoder_channels": 256, "encoder_depth": 5, "encoder_name": "resnet50", "encoder_output_stride": 8,
         "encoder_weights": "imagenet", "in_channels": 3, "upsampling": 4}
        """;

    [Fact]
    public void A_whole_config_is_believed_and_named()
    {
        ModelDescription model = Describe(Config);
        Assert.Equal(8, model.Network.OutputStride);
        Assert.Equal("config.json", model.OutputStrideSource);
        Assert.Equal(("6,12,18", "config.json"), Row(model, "rates"));
        Assert.Equal(("4", "config.json"), Row(model, "upsampling"));
        Assert.Equal(ForwardResult.InputSize, model.Network.Forward);
    }

    [Fact]
    public void Without_one_the_library_s_own_are_assumed()
    {
        ModelDescription model = Describe(null);
        Assert.Equal((16, "assumed"), (model.Network.OutputStride, model.OutputStrideSource));
        Assert.Equal(("12,24,36", "assumed"), Row(model, "rates"));
        Assert.Equal(("0..1", "assumed"), Row(model, "pixels"));
        ModelDescription given = Describe(null, new DialectChoice(8, new Dictionary<string, string>
        {
            ["rates"] = "6,12,18",
            ["upsampling"] = "2",
            ["pixels"] = "0..255",
        }));
        Assert.Equal("given", given.OutputStrideSource);
        Assert.Equal(("6,12,18", "given"), Row(given, "rates"));
        Assert.Equal(new ForwardResult(2), given.Network.Forward);
        Assert.Equal(1, given.Preprocessing.Scale);
        Assert.Equal(Normalisation.ImageNet(3).Mean, given.Preprocessing.Mean);
    }

    [Theory]
    [InlineData("_model_class", "\"Unet\"", "DeepLabV3Plus")]
    [InlineData("_model_class", "\"DeepLabV3\"", "DeepLabV3Plus")]
    [InlineData("encoder_name", "\"resnet34\"", "ResNet-50")]
    [InlineData("encoder_name", "\"mobilenet_v2\"", "ResNet-50")]
    [InlineData("in_channels", "4", "3")]
    [InlineData("classes", "21", "1")]
    [InlineData("decoder_aspp_separable", "false", "true")]
    [InlineData("encoder_output_stride", "32", "8")]
    [InlineData("decoder_atrous_rates", "[6, 12]", "three")]
    [InlineData("decoder_atrous_rates", "[6, 12, -18]", "positive")]
    [InlineData("decoder_atrous_rates", "12", "list")]
    [InlineData("upsampling", "0", "factor")]
    [InlineData("upsampling", "\"4\"", "whole number")]
    [InlineData("activation", "\"softmax2d\"", "one class")]
    [InlineData("activation", "\"argmax2d\"", "one class")]
    [InlineData("activation", "\"tanh\"", "one class")]
    [InlineData("activation", "{\"name\": \"x\"}", "text")]
    [InlineData("classes", "\"three\"", "whole number")]
    public void What_contradicts_the_weights_is_refused(string entry, string value, string reason)
    {
        string config = System.Text.RegularExpressions.Regex.Replace(
            Config, $"(\"{entry}\": )(\\[.*?\\]|[^,}}]+)", $"${{1}}{value}");
        ModelException refusal = Assert.Throws<ModelException>(() => Describe(config));
        Assert.Contains($"names.pth': the entry '{entry}' of config.json", refusal.Message);
        Assert.Contains(reason, refusal.Message);
    }

    [Theory]
    [InlineData("identity", 5)]
    [InlineData("softmax", 5)]
    [InlineData("softmax2d", 5)]
    [InlineData("logsoftmax", 5)]
    [InlineData("argmax2d", 5)]
    [InlineData("identity", 1)]
    [InlineData("sigmoid", 1)]
    public void An_activation_that_leaves_the_mask_is_honoured(string activation, int classes) =>
        Assert.Equal(classes, Describe($$"""{"activation": "{{activation}}"}""", classes: classes).Network.Classes);

    [Theory]
    [InlineData("sigmoid", null, true, "config.json")]
    [InlineData("sigmoid", "false", false, Switch.Given)]
    [InlineData("softmax2d", "true", true, Switch.Given)]
    [InlineData("identity", "true", true, Switch.Given)]
    public void Several_classes_with_a_sigmoid_each_are_several_labels(
        string activation, string? given, bool several, string source)
    {
        Dictionary<string, string> switches = given is null ? [] : new() { ["multilabel"] = given };
        ModelDescription model = Describe(
            $$"""{"activation": "{{activation}}"}""", new DialectChoice(null, switches), classes: 5);
        Assert.Equal(several, model.MultiLabel);
        Assert.Equal((several ? "true" : "false", source), Row(model, "multilabel"));
        Assert.Equal(several ? 6 : 5, model.MaskClasses);
        Assert.Equal(several ? 0.5 : null, model.Threshold);
    }

    [Fact]
    public void A_width_that_the_weights_tell_is_theirs_and_noted() => Assert.Contains(
        "config.json says decoder_channels 128, and the weights have 256",
        Assert.Single(Describe("""{"decoder_channels": 128}""").Notes));

    [Fact]
    public void More_labels_than_can_be_kept_are_refused() => Assert.Contains(
        "up to 64", Assert.Throws<UnavailableException>(
            () => Describe("""{"activation": "sigmoid"}""", classes: 65)).Message);

    [Fact]
    public void Nothing_is_assumed_of_several_labels() => Assert.DoesNotContain(
        Describe("""{"activation": "identity"}""", classes: 5).Switches, row => row.Name == "multilabel");

    [Theory]
    [InlineData("tanh")]
    [InlineData("clamp")]
    public void An_activation_that_changes_the_mask_is_refused(string activation) => Assert.Contains(
        "activation", Assert.Throws<ModelException>(
            () => Describe($$"""{"activation": "{{activation}}"}""", classes: 5)).Message);

    [Theory]
    [InlineData(
        """{"arch": "deeplabv3plus", "encoder_name": "resnet50", "classes": 1, "decoder_atrous_rates": [6, 12, 18], "lr": 0.1, "activation": "relu"}""")]
    [InlineData("""{"lr": 0.1, "config": {"encoder_name": "resnet50", "decoder_atrous_rates": [6, 12, 18]}}""")]
    [InlineData("""{"hparams": {"model": {"decoder_atrous_rates": [6, 12, 18]}}, "data": {"classes": 7}}""")]
    // One network's arguments in several objects, one inside another.
    [InlineData("""{"encoder_name": "resnet50", "model_kwargs": {"decoder_atrous_rates": [6, 12, 18]}}""")]
    [InlineData(
        """{"decoder_channels": 256, "a": {"encoder_name": "resnet50", "b": {"c": {"decoder_atrous_rates": [6,12,18]}}}}""")]
    [InlineData(
        """{"encoder_name": "resnet50", "decoder_atrous_rates": [6, 12, 18], "model": {"encoder_name": "resnet50"}}""")]
    // Of another network.
    [InlineData(
        """{"encoder_name": "resnet50", "decoder_atrous_rates": [6, 12, 18], "teacher": {"encoder_name": "resnet101"}}""")]
    // As command lines leave them.
    [InlineData(
        """{"encoder_name": "resnet50", "encoder_depth": "5", "classes": "1", "decoder_atrous_rates": "[6, 12, 18]"}""")]
    [InlineData("""{"encoder_name": "resnet50", "in_channels": "3", "decoder_atrous_rates": ["6", "12", "18"]}""")]
    [InlineData("""{"arch": "DeepLabV3+", "decoder_channels": 256, "decoder_atrous_rates": [6, 12, 18]}""")]
    [InlineData("""{"arch": "smp.DeepLabV3Plus", "decoder_channels": 256, "decoder_atrous_rates": [6, 12, 18]}""")]
    [InlineData("""{"arch": "DeepLabV3_plus", "decoder_channels": 256, "decoder_atrous_rates": [6, 12, 18]}""")]
    [InlineData("""{"arch": "deeplab_v3_plus", "decoder_channels": 256, "decoder_atrous_rates": [6, 12, 18]}""")]
    public void Hyper_parameters_of_the_library_are_believed(string parameters)
    {
        ModelDescription model = Describe(null, parameters: parameters);
        Assert.Equal(("6,12,18", "hyper_parameters"), Row(model, "rates"));
        Assert.Contains("are believed: ", Assert.Single(model.Notes));
        Assert.Contains("decoder_atrous_rates", model.Notes[0]);
    }

    [Fact]
    public void A_name_that_is_no_architecture_is_left_out_and_noted()
    {
        ModelDescription model = Describe(
            null,
            parameters: """{"arch": "my-net", "encoder_name": "resnet50", "decoder_atrous_rates": [6, 12, 18]}""");
        Assert.Equal(("6,12,18", "hyper_parameters"), Row(model, "rates"));
        Assert.Equal(2, model.Notes.Count);
        Assert.Contains("'my-net', which is no architecture's name", model.Notes[0]);
        Assert.DoesNotContain("arch", model.Notes[1][model.Notes[1].IndexOf("believed", StringComparison.Ordinal)..]);
    }

    /// <summary>An object and one inside it that say different things of one network.</summary>
    [Fact]
    public void Nested_arguments_that_contradict_each_other_are_not_believed()
    {
        ModelDescription model = Describe(null, parameters: """
            {"encoder_name": "resnet50", "decoder_atrous_rates": [1, 2, 3], "m": {"decoder_atrous_rates": [6, 12, 18]}}
            """);
        Assert.Equal(("12,24,36", "assumed"), Row(model, "rates"));
        Assert.Contains("contradict each other in decoder_atrous_rates", Assert.Single(model.Notes));
    }

    [Theory]
    [InlineData("""{"encoder_name": "resnet34", "decoder_atrous_rates": [6, 12, 18]}""", "encoder_name")]
    [InlineData(
        """{"encoder_name": "resnet50", "classes": ["a", "b"], "decoder_atrous_rates": [6, 12, 18]}""", "classes")]
    [InlineData("""{"arch": "Unet", "decoder_channels": [256, 128], "decoder_atrous_rates": [6, 12, 18]}""", "arch")]
    [InlineData("""{"decoder_atrous_rates": "6;12;18"}""", "decoder_atrous_rates")]
    [InlineData("""{"encoder_name": "resnet50", "encoder_depth": 4, "decoder_atrous_rates": [6, 12, 18]}""",
        "encoder_depth")]
    [InlineData("""{"encoder_name": "resnet50", "encoder_depth": [5], "decoder_atrous_rates": [6, 12, 18]}""",
        "encoder_depth")]
    public void Those_that_contradict_the_weights_are_not_believed(string parameters, string entry)
    {
        ModelDescription model = Describe(null, parameters: parameters);
        Assert.Equal(("12,24,36", "assumed"), Row(model, "rates"));
        Assert.Contains($"not believed. 'names.pth': the entry '{entry}'", Assert.Single(model.Notes));
    }

    [Theory]
    [InlineData("""{"arch": "DeepLabV3Plus", "lr": 0.1}""")]
    [InlineData("[1, 2]")]
    [InlineData("null")]
    public void Other_hyper_parameters_say_nothing(string parameters) =>
        Assert.Empty(Describe(null, parameters: parameters).Notes);

    [Fact]
    public void Those_in_several_places_are_not_believed_and_a_note_says_so() => Assert.Contains(
        "in several places", Assert.Single(Describe(
            null, parameters: """{"first": {"encoder_name": "resnet50"}, "second": {"encoder_name": "resnet34"}}""")
            .Notes));

    [Fact]
    public void One_and_the_same_in_several_places_is_believed() => Assert.Equal(
        ("6,12,18", "hyper_parameters"), Row(Describe(
            null,
            parameters: """{"a": {"decoder_atrous_rates": [6,12,18]}, "b": {"decoder_atrous_rates": [6,12,18]}}"""),
            "rates"));

    /// <summary>Each of two networks has the library's default where it says nothing, and not the other's.</summary>
    [Fact]
    public void What_one_of_two_networks_leaves_open_the_other_does_not_say()
    {
        ModelDescription model = Describe(
            null,
            parameters: """
            {"first": {"encoder_name": "resnet50", "decoder_atrous_rates": [6,12,18]},
             "second": {"encoder_name": "resnet50"}}
            """);
        Assert.Equal(("12,24,36", "assumed"), Row(model, "rates"));
        Assert.Contains("contradict each other in decoder_atrous_rates", Assert.Single(model.Notes));
    }

    [Theory]
    [InlineData("""{"encoder_name": "resnet50", "teacher": {"decoder_atrous_rates": [6,12,18]}}""")]
    [InlineData(
        """
        {"encoder_name": "resnet50", "ema_model": {"encoder_name": "resnet50", "decoder_atrous_rates": [6,12,18]}}
        """)]
    [InlineData("""{"student": {"encoder_name": "resnet50"}, "teacher_kwargs": {"decoder_atrous_rates": [6,12,18]}}""")]
    public void What_is_said_of_a_teacher_is_not_said_of_its_student(string parameters) =>
        Assert.Equal(("12,24,36", "assumed"), Row(Describe(null, parameters: parameters), "rates"));

    /// <summary>A script's `config` repeats what Lightning keeps, among entries of its own.</summary>
    [Theory]
    [InlineData(
        """{"encoder_name": "resnet50", "decoder_atrous_rates": [6,12,18], "lr": 0.1}""",
        """{"encoder_name": "resnet50", "decoder_atrous_rates": [6, 12, 18], "lr": 0.01}""", "hyper_parameters")]
    [InlineData(
        """{"encoder_name": "resnet50", "lr": 0.1}""",
        """{"decoder_atrous_rates": [6, 12, 18], "classes": 1}""", "hyper_parameters and config")]
    [InlineData(
        """{"encoder_name": "resnet50", "decoder_atrous_rates": null}""",
        """{"encoder_name": "resnet50", "decoder_atrous_rates": [6, 12, 18]}""", "hyper_parameters and config")]
    public void Arguments_in_two_places_that_do_not_contradict_each_other_are_believed(
        string first, string second, string source)
    {
        ModelDescription model = Describe(null, parameters: first, beside: second);
        Assert.Equal(("6,12,18", source), Row(model, "rates"));
        Assert.Contains("are believed: ", Assert.Single(model.Notes));
    }

    [Theory]
    [InlineData("""{"decoder_atrous_rates": [1, 2, 3]}""", "decoder_atrous_rates")]
    [InlineData("""{"encoder_name": "resnet50", "activation": null}""", "activation")]
    [InlineData("""{"encoder_name": "resnet50", "upsampling": 8}""", "upsampling")]
    [InlineData("""{"encoder_name": "resnet50", "encoder_weights": "ssl"}""", "encoder_weights")]
    public void Arguments_in_two_places_that_contradict_each_other_are_not(string beside, string entry)
    {
        const string parameters =
            """
            {"encoder_name": "resnet50", "decoder_atrous_rates": [6, 12, 18], "activation": "sigmoid",
             "upsampling": 4, "encoder_weights": "imagenet"}
            """;
        ModelDescription model = Describe(null, parameters: parameters, beside: beside);
        Assert.Equal(("12,24,36", "assumed"), Row(model, "rates"));
        Assert.Contains($"contradict each other in {entry}; none is believed", Assert.Single(model.Notes));
    }

    /// <summary>What the network does itself goes before what its training was told.</summary>
    [Theory]
    [InlineData("Softmax", "sigmoid", null)]
    [InlineData("Sigmoid", "softmax", Switch.Modules)]
    [InlineData(null, "sigmoid", "hyper_parameters")]
    [InlineData(null, "softmax", null)]
    public void The_saved_activation_goes_before_the_stated(string? saved, string stated, string? source)
    {
        using NamedWeights weights = Weights(
            null, $$"""{"encoder_name": "resnet50", "activation": "{{stated}}"}""", classes: 5);
        weights.State("segmentation_head.0.weight", new LayerFacts { Enlargement = 4, Activation = saved });
        ModelDescription model = Dialect.Describe(weights, null, new DialectChoice());
        Assert.Equal(source is not null, model.MultiLabel);
        Assert.Equal(source, model.Switches.SingleOrDefault(row => row.Name == "multilabel")?.Source);
    }

    /// <summary>Hyper-parameters are somebody's own words, which may mean something else.</summary>
    [Fact]
    public void An_activation_that_is_no_text_refuses_no_file() => Assert.False(Describe(
        null, parameters: """{"encoder_name": "resnet50", "activation": {"name": "relu"}}""", classes: 5).MultiLabel);

    [Theory]
    [InlineData(0)]
    [InlineData(-4)]
    [InlineData(65)]
    [InlineData(1_000_000)]
    public void A_saved_factor_that_no_network_has_is_refused(double factor)
    {
        using NamedWeights weights = Weights(null);
        weights.State("segmentation_head.0.weight", new LayerFacts { Enlargement = factor });
        Assert.Contains("is not a factor from 1 to 64", Assert.Throws<ModelException>(
            () => Dialect.Describe(weights, null, new DialectChoice())).Message);
    }

    /// <summary>What tells networks of alike tensors apart does so wherever it is said.</summary>
    [Fact]
    public void The_encoder_hears_hyper_parameters_as_it_hears_a_config()
    {
        IReadOnlyList<(string, int[])> keys = Golden.Load("smp_deeplabv3plus_tu-efficientnet_b0_os8_96x128").Keys;
        using var tensorFlow = new NamedWeights(keys)
        {
            HyperParameters = NamedWeights.Parse("""{"encoder_name": "tu-tf_efficientnet_b0"}"""),
        };
        ModelDescription model = Dialect.Describe(tensorFlow, null, new DialectChoice());
        Assert.Equal(("true", "hyper_parameters"), Row(model, "timm_tf"));
        Assert.Equal(PaddingStyle.TensorFlowSame, model.Network.Padding);
        using var blurred = new NamedWeights(keys)
        {
            HyperParameters = NamedWeights.Parse("""{"encoder_name": "tu-efficientnet_blur_b0"}"""),
        };
        Assert.Equal(
            ("blur", "hyper_parameters"),
            Row(Dialect.Describe(blurred, null, new DialectChoice()), "anti_aliasing"));
    }

    [Fact]
    public void Hyper_parameters_may_name_the_classes()
    {
        const string parameters = """{"encoder_name": "resnet50", "classes": ["crack"]}""";
        Assert.Equal(["background", "crack"], Describe(null, parameters: parameters).MaskClassNames);
    }

    [Fact]
    public void Numbers_of_classes_are_no_names()
    {
        const string parameters = """{"encoder_name": "resnet50", "classes": [0, 1, 2]}""";
        ModelDescription model = Describe(null, parameters: parameters, classes: 3);
        Assert.Contains("classes", Assert.Single(model.Notes));
        Assert.Empty(model.ClassNames);
    }

    [Fact]
    public void A_config_goes_before_hyper_parameters() => Assert.Equal(
        ("6,12,18", "config.json"),
        Row(Describe(Config, parameters: """{"decoder_atrous_rates": [1, 2, 3]}"""), "rates"));

    private static ModelDescription Describe(
        string? config, DialectChoice? choice = null, int classes = 1, string? parameters = null,
        string? beside = null)
    {
        using NamedWeights weights = Weights(config, parameters, classes: classes, beside: beside);
        return Dialect.Describe(weights, null, choice ?? new DialectChoice());
    }

    private static NamedWeights Weights(
        string? config, string? parameters = null, int classes = 1, string? beside = null) =>
        new(NamedWeights.Manifest(OneClass).Select(key =>
            key.Name == "segmentation_head.0.weight" ? (key.Name, [classes, .. key.Shape[1..]]) : key), config)
        {
            HyperParameters = NamedWeights.Parse(parameters),
            Beside = NamedWeights.Parse(beside),
        };

    private static (string, string) Row(ModelDescription model, string name)
    {
        Switch row = Assert.Single(model.Switches, row => row.Name == name);
        return (row.Value, row.Source);
    }
}
