using System.Reflection;
using System.Text.RegularExpressions;
using Atrous.Checkpoints.Dialects;
using Atrous.Models;
using Atrous.Specs;
using Atrous.Tests.Models;
using Atrous.Tests.Support;

namespace Atrous.Tests.Checkpoints.Dialects;

/// <summary>The keys of published models: who recognises them, and what a network makes of them.</summary>
public sealed class DialectManifestTests
{
    public static TheoryData<string> Goldens => Golden.Of();

    [Theory]
    [InlineData("arronhzg_resnet101", "ArronHZG", "DeepLabV3+", "ResNet-101", 16, 21)]
    [InlineData("arronhzg_xception", "ArronHZG", "DeepLabV3+", "Xception-65", 16, 21)]
    [InlineData("bubbliiiing_mobilenetv2", "bubbliiiing", "DeepLabV3+", "MobileNetV2", 16, 21)]
    [InlineData("bubbliiiing_xception", "bubbliiiing", "DeepLabV3+", "Xception-65", 16, 21)]
    [InlineData("jfzhang_mobilenet", "jfzhang95", "DeepLabV3+", "MobileNetV2", 16, 21)]
    [InlineData("jfzhang_resnet101", "jfzhang95", "DeepLabV3+", "ResNet-101", 16, 21)]
    [InlineData("jfzhang_xception", "jfzhang95", "DeepLabV3+", "Xception-65", 16, 21)]
    [InlineData(
        "torchvision_deeplabv3_mobilenet_v3_large_aux", "torchvision", "DeepLabV3", "MobileNetV3-Large", 16, 21)]
    [InlineData("torchvision_deeplabv3_r101_aux", "torchvision", "DeepLabV3", "ResNet-101", 8, 21)]
    [InlineData("torchvision_deeplabv3_r50_aux", "torchvision", "DeepLabV3", "ResNet-50", 8, 21)]
    [InlineData("vainf_v3_mobilenet", "VainF", "DeepLabV3", "MobileNetV2", 16, 21)]
    [InlineData("vainf_v3_r101", "VainF", "DeepLabV3", "ResNet-101", 16, 21)]
    [InlineData("vainf_v3_r50", "VainF", "DeepLabV3", "ResNet-50", 16, 21)]
    [InlineData("vainf_v3plus_mobilenet", "VainF", "DeepLabV3+", "MobileNetV2", 16, 21)]
    [InlineData("vainf_v3plus_r101", "VainF", "DeepLabV3+", "ResNet-101", 16, 21)]
    [InlineData("vainf_v3plus_r50", "VainF", "DeepLabV3+", "ResNet-50", 16, 21)]
    [InlineData("vainf_v3plus_xception", "VainF", "DeepLabV3+", "Xception", 16, 21)]
    [InlineData("yassouali_resnet101", "yassouali", "DeepLabV3+", "ResNet-101", 16, 21)]
    [InlineData("yassouali_xception", "yassouali", "DeepLabV3+", "Xception-65", 16, 21)]
    [InlineData("smp_deeplabv3_r50_1class", "segmentation_models.pytorch", "DeepLabV3", "ResNet-50", 8, 1)]
    [InlineData("smp_deeplabv3_r101_1class", "segmentation_models.pytorch", "DeepLabV3", "ResNet-101", 8, 1)]
    [InlineData("smp_deeplabv3plus_r50_1class", "segmentation_models.pytorch", "DeepLabV3+", "ResNet-50", 16, 1)]
    [InlineData("smp_deeplabv3plus_r101_1class", "segmentation_models.pytorch", "DeepLabV3+", "ResNet-101", 16, 1)]
    [InlineData("mmseg_deeplabv3plus_r50-d8_cityscapes", "mmsegmentation", "DeepLabV3+", "ResNet-50", 8, 19)]
    [InlineData("mmseg_deeplabv3plus_r101-d8_cityscapes", "mmsegmentation", "DeepLabV3+", "ResNet-101", 8, 19)]
    [InlineData("detectron2_deeplabv3plus_R103_cityscapes", "detectron2", "DeepLabV3+", "ResNet-103", 16, 19)]
    [InlineData("kazuto_deeplabv2_r101_msc_voc", "kazuto1011", "DeepLabV2", "ResNet-101 (Caffe)", 8, 21)]
    [InlineData("hf_mobilenetv2_deeplabv3_voc", "HuggingFace", "DeepLabV3", "MobileNetV2", 8, 21)]
    [InlineData("denseaspp_121", "DenseASPP", "DenseASPP", "DenseNet-121", 8, 19)]
    [InlineData("denseaspp_161", "DenseASPP", "DenseASPP", "DenseNet-161", 8, 19)]
    [InlineData("denseaspp_169", "DenseASPP", "DenseASPP", "DenseNet-169", 8, 19)]
    [InlineData("denseaspp_mobilenet", "DenseASPP", "DenseASPP", "MobileNetV2", 8, 19)]
    public void A_published_model_is_of_one_dialect_and_complete(
        string manifest, string dialect, string head, string backbone, int outputStride, int classes)
    {
        using var checkpoint = new NamedWeights(NamedWeights.Manifest(manifest));
        Assert.Equal([dialect], Dialect.All.Where(d => d.Recognise(checkpoint) is not null).Select(d => d.Name));
        ModelDescription description = Dialect.Describe(checkpoint, null, new DialectChoice());
        NetworkSpec network = description.Network;
        Assert.Equal(
            (head, backbone, outputStride, classes, 3),
            (network.Head.Name, network.Backbone.Name, network.OutputStride, network.Classes, network.InputChannels));
        Assert.Equal(3, description.Preprocessing.Channels);
        (IReadOnlyList<string> missing, IReadOnlyList<string> unexpected) = Model.Compare(description, checkpoint);
        Assert.Empty(missing);
        Assert.Empty(unexpected);
    }

    [Theory]
    [MemberData(nameof(Goldens))]
    public void A_golden_is_of_one_dialect_and_complete(string name)
    {
        Golden golden = Golden.Load(name);
        using var checkpoint = new NamedWeights(golden.Keys);
        string dialect = golden.Dialect switch
        {
            "HF MobileNetV2" => "HuggingFace",
            "HF MobileViT" or "HF MobileViTV2" => "HuggingFaceMobileViT",
            "kazuto1011 V2" => "kazuto1011",
            "VainF V3" or "VainF V3+" => "VainF",
            "AdaptSegNet V2" => "AdaptSegNet",
            "UniMatch V3+" => "UniMatch",
            string smp when smp.StartsWith("SMP ", StringComparison.Ordinal) => "segmentation_models.pytorch",
            string same => same,
        };
        Assert.Equal([dialect], Dialect.All.Where(d => d.Recognise(checkpoint) is not null).Select(d => d.Name));
        (IReadOnlyList<string> missing, IReadOnlyList<string> unexpected) =
            Model.Compare(GoldenNetworks.Describe(golden, checkpoint), checkpoint);
        Assert.Empty(missing);
        Assert.Empty(unexpected);
    }

    [Fact]
    public void Every_manifest_is_in_the_list()
    {
        string[] listed =
        [
            .. typeof(DialectManifestTests).GetMethod(nameof(A_published_model_is_of_one_dialect_and_complete))!
                .GetCustomAttributes<InlineDataAttribute>().Select(row => (string)row.Data[0]!),
        ];
        Assert.Equal(
            Directory.GetFiles(Shared.Require("goldens/manifests"), "*.json").Select(Path.GetFileNameWithoutExtension)
                .Where(name => name != "_summary").Order(StringComparer.Ordinal),
            listed.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_names_of_older_segmentation_models_files_are_read_too()
    {
        Assert.Empty(Compare("smp_deeplabv3_r50_1class", name => name
            .Replace("decoder.aspp.", "decoder.0.", StringComparison.Ordinal)
            .Replace("decoder.conv.", "decoder.1.", StringComparison.Ordinal)
            .Replace("decoder.bn.", "decoder.2.", StringComparison.Ordinal)));
    }

    [Fact]
    public void The_names_of_older_jfzhang95_files_are_read_too()
    {
        // They lack the dropout between the decoder's convolutions.
        Assert.Empty(Compare("jfzhang_resnet101", name => Regex.Replace(
            name, @"(?<=last_conv\.)[458](?=\.)", match => match.Value switch { "4" => "3", "5" => "4", _ => "7" })));
    }

    [Theory]
    [InlineData("denseaspp_121")]
    [InlineData("denseaspp_mobilenet")]
    public void DenseASPP_without_dots_in_module_names_is_read_too(string manifest)
    {
        // MobileNetV2's own "conv.1" has no meaning beyond a place in a sequence.
        Assert.Empty(Compare(manifest, name => name.StartsWith("features.features.", StringComparison.Ordinal)
            ? name
            : Regex.Replace(name, @"(norm|conv)\.([12])\.", "$1$2.")));
    }

    [Fact]
    public void DeepLabV2_without_its_wrapper_is_read_too_and_has_one_scale()
    {
        using var checkpoint = new NamedWeights(NamedWeights.Manifest("kazuto_deeplabv2_r101_msc_voc")
            .Select(key => (key.Name["base.".Length..], key.Shape)));
        ModelDescription description = Dialect.Describe(checkpoint, null, new DialectChoice());
        Assert.Null(description.Network.MultiScale);
        Assert.Empty(Model.Compare(description, checkpoint).Missing);
        using var wrapped = new NamedWeights(NamedWeights.Manifest("kazuto_deeplabv2_r101_msc_voc"));
        Assert.Equal([0.5, 0.75], Dialect.Describe(wrapped, null, new DialectChoice()).Network.MultiScale!.Scales);
    }

    [Fact]
    public void Detectron2_s_separable_option_is_read_too()
    {
        const string head = "sem_seg_head.decoder.";
        IEnumerable<(string, int[])> Separable(string name, int inputs, int kernel) =>
        [
            ($"{name}.depthwise.weight", [inputs, 1, kernel, kernel]), .. Norm($"{name}.depthwise.norm", inputs),
            ($"{name}.pointwise.weight", [256, inputs, 1, 1]), .. Norm($"{name}.pointwise.norm", 256),
        ];
        IEnumerable<(string, int[])> Norm(string name, int channels) =>
            ((string[])["weight", "bias", "running_mean", "running_var"])
            .Select(part => ($"{name}.{part}", new[] { channels }));
        string[] replaced =
            [.. Enumerable.Range(1, 3).Select(i => $"{head}res5.project_conv.convs.{i}."), $"{head}res2.fuse_conv."];
        using var checkpoint = new NamedWeights(
        [
            .. NamedWeights.Manifest("detectron2_deeplabv3plus_R103_cityscapes")
                .Where(key => !replaced.Any(key.Name.StartsWith)),
            .. Enumerable.Range(1, 3).SelectMany(i => Separable($"{head}res5.project_conv.convs.{i}", 2048, 3)),
            .. Separable($"{head}res2.fuse_conv", 304, 5),
        ]);
        ModelDescription description = Dialect.Describe(checkpoint, null, new DialectChoice());
        (IReadOnlyList<string> missing, IReadOnlyList<string> unexpected) = Model.Compare(description, checkpoint);
        Assert.Empty(missing);
        Assert.Empty(unexpected);
    }

    [Fact]
    public void Auxiliary_parts_are_not_missed_and_not_unexpected()
    {
        using var checkpoint = new NamedWeights(
        [
            .. NamedWeights.Manifest("smp_deeplabv3plus_r50_1class"),
            ("classification_head.3.weight", [4, 2048]), ("extra.weight", [1]),
        ]);
        checkpoint.Add("mean", 0.5f, 0.5f, 0.5f);
        checkpoint.Add("std", 0.5f, 0.5f, 0.5f);
        Assert.Equal(["extra.weight"],
            Model.Compare(Dialect.Describe(checkpoint, null, new DialectChoice()), checkpoint).Unexpected);
    }

    /// <summary>Fine-tuning appends layers, so that what was the last is no longer.</summary>
    [Theory]
    [InlineData("torchvision_deeplabv3_r50_aux", "classifier.5")]
    [InlineData("torchvision_deeplabv3_r101_aux", "backbone.layer4.0.conv4")]
    [InlineData("smp_deeplabv3plus_r50_1class", "segmentation_head.2")]
    [InlineData("smp_deeplabv3_r50_1class", "segmentation_head.2")]
    [InlineData("vainf_v3_r50", "classifier.classifier.5")]
    [InlineData("vainf_v3plus_r50", "classifier.classifier.4")]
    [InlineData("denseaspp_121", "classification.3")]
    [InlineData("jfzhang_resnet101", "decoder.last_conv.9")]
    [InlineData("bubbliiiing_xception", "cat_conv.8")]
    [InlineData("yassouali_resnet101", "decoder.output.8")]
    [InlineData("arronhzg_resnet101", "decoder.output.8")]
    [InlineData("kazuto_deeplabv2_r101_msc_voc", "base.aspp.c4")]
    [InlineData("detectron2_deeplabv3plus_R103_cityscapes", "sem_seg_head.decoder.res2.fuse_conv.2")]
    [InlineData("hf_mobilenetv2_deeplabv3_voc", "segmentation_head.classifier2.convolution")]
    [InlineData("mmseg_deeplabv3plus_r50-d8_cityscapes", "decode_head.sep_bottleneck.2.conv")]
    public void A_layer_of_the_head_that_would_stay_unread_is_refused(string manifest, string layer)
    {
        IReadOnlyList<(string, int[])> keys = NamedWeights.Manifest(manifest);
        using var published = new NamedWeights(keys);
        Assert.Empty(new Model(Dialect.Describe(published, null, new DialectChoice()), published).Unexpected);
        AssertRefused([.. keys, ($"{layer}.weight", [5, 21, 1, 1])], $"{layer}.weight");
    }

    /// <summary>Sequential(classifier, Conv2d): the second makes the scores from those of the first.</summary>
    [Fact]
    public void A_whole_head_before_another_layer_is_not_taken_for_the_network_s() => AssertRefused(
        [
            .. NamedWeights.Manifest("torchvision_deeplabv3_r50_aux").Select(key => (
                Regex.Replace(key.Name, @"^classifier\.", "classifier.0."), key.Shape)),
            ("classifier.1.weight", [5, 21, 1, 1]), ("classifier.1.bias", [5]),
        ],
        "classifier.1.weight");

    [Theory]
    [InlineData("torchvision_deeplabv3_r50_aux")]
    [InlineData("vainf_v3plus_r50")]
    public void A_backbone_that_still_has_its_image_classifier_is_read(string manifest)
    {
        using var checkpoint = new NamedWeights(
        [
            .. NamedWeights.Manifest(manifest),
            ("backbone.fc.weight", [1000, 2048]), ("backbone.fc.bias", [1000]),
        ]);
        Assert.Empty(new Model(Dialect.Describe(checkpoint, null, new DialectChoice()), checkpoint).Unexpected);
    }

    /// <summary>Counters of operations, which thop leaves on modules with and without weights.</summary>
    [Theory]
    [InlineData("torchvision_deeplabv3_r50_aux", "backbone.conv1")]
    [InlineData("vainf_v3plus_r50", "classifier.aspp.convs.0.0")]
    [InlineData("mmseg_deeplabv3plus_r50-d8_cityscapes", "decode_head.sep_bottleneck.0")]
    public void Bookkeeping_on_layers_is_no_layer(string manifest, string layer)
    {
        using var checkpoint = new NamedWeights(
        [
            .. NamedWeights.Manifest(manifest),
            ($"{layer}.total_ops", [1]), ($"{layer}.total_params", [1]), ($"{layer}._running_iter", [1]),
        ]);
        Assert.Empty(new Model(Dialect.Describe(checkpoint, null, new DialectChoice()), checkpoint).Unexpected);
    }

    private static void AssertRefused(IEnumerable<(string, int[])> keys, string left)
    {
        using var checkpoint = new NamedWeights(keys);
        ModelDescription description = Dialect.Describe(checkpoint, null, new DialectChoice());
        Assert.Contains(
            $"has no place for its tensor '{left}'",
            Assert.Throws<ModelException>(() => new Model(description, checkpoint)).Message, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Compare(string manifest, Func<string, string> rename)
    {
        using var checkpoint = new NamedWeights(
            NamedWeights.Manifest(manifest).Select(key => (rename(key.Name), key.Shape)));
        ModelDescription description = Dialect.Describe(checkpoint, null, new DialectChoice());
        (IReadOnlyList<string> missing, IReadOnlyList<string> unexpected) = Model.Compare(description, checkpoint);
        return missing.Concat(unexpected);
    }
}
