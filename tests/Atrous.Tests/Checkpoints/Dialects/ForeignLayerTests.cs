using Atrous.Checkpoints.Dialects;
using Atrous.Models;
using Atrous.Specs;
using Atrous.Tests.Support;

namespace Atrous.Tests.Checkpoints.Dialects;

/// <summary>Files of changed networks: what they have more would be missing from the mask.</summary>
public sealed class ForeignLayerTests
{
    /// <summary>Squeeze-and-excitation in a block, of which forks have many.</summary>
    [Theory]
    [InlineData("arronhzg_resnet101", "backbone.layer1.0.se.fc.0")]
    [InlineData("yassouali_xception", "backbone.block4.se.fc.0")]
    [InlineData("jfzhang_resnet101", "backbone.layer1.0.se.fc.0")]
    [InlineData("jfzhang_mobilenet", "backbone.features.3.conv.9.fc.0")]
    [InlineData("bubbliiiing_mobilenetv2", "backbone.features.3.conv.9.fc.0")]
    [InlineData("bubbliiiing_xception", "backbone.block4.se.fc.0")]
    [InlineData("kazuto_deeplabv2_r101_msc_voc", "base.layer3.block1.se.fc.0")]
    [InlineData("detectron2_deeplabv3plus_R103_cityscapes", "backbone.res3.0.se.fc.0")]
    [InlineData("denseaspp_121", "features.denseblock1.denselayer1.se.fc.0")]
    [InlineData("denseaspp_mobilenet", "features.features.3.conv.9.fc.0")]
    [InlineData("hf_mobilenetv2_deeplabv3_voc", "mobilenet_v2.layer.0.se.fc.0")]
    [InlineData("vainf_v3plus_r50", "backbone.layer1.0.se.fc.0")]
    [InlineData("torchvision_deeplabv3_r50_aux", "backbone.layer1.0.se.fc.0")]
    [InlineData("smp_deeplabv3plus_r50_1class", "encoder.layer1.0.cbam.fc.0")]
    [InlineData("mmseg_deeplabv3plus_r50-d8_cityscapes", "backbone.layer1.0.se.fc.0")]
    public void A_layer_inside_the_backbone_that_would_stay_unread_is_refused(string manifest, string layer) =>
        AssertRefused(manifest, $"{layer}.weight", ($"{layer}.weight", [16, 256]));

    [Theory]
    [InlineData("conv1.se.fc.0")]
    [InlineData("layer3.5.se.fc.0")]
    public void The_same_of_AdaptSegNet_whose_backbone_has_no_prefix(string layer)
    {
        using var checkpoint = new NamedWeights(
            [.. Golden.Load("adaptsegnet_deeplab_multi_resnet101_97x129").Keys, ($"{layer}.weight", [16, 256])]);
        Refused(checkpoint, $"{layer}.weight");
    }

    /// <summary>Modules of their own beside backbone and head, which a fork's forward calls between them.</summary>
    [Theory]
    // Channel attention, with convolutions and with linear layers.
    [InlineData("jfzhang_resnet101", "cbam.ca.fc2", "cbam.ca.fc1:128,2048,1,1 cbam.ca.fc2:2048,128,1,1")]
    [InlineData("bubbliiiing_mobilenetv2", "se.fc.2", "se.fc.0:20,320 se.fc.2:320,20")]
    // Non-local attention over the backbone's features.
    [InlineData("vainf_v3_r50", "pam.value_conv", "pam.query_conv:256,2048,1,1 pam.value_conv:2048,2048,1,1")]
    // Spatial attention and ECA have no channels.
    [InlineData("torchvision_deeplabv3_r50_aux", "sa.conv1", "sa.conv1:1,2,7,7")]
    [InlineData("smp_deeplabv3plus_r50_1class", "eca.conv", "eca.conv:1,1,5")]
    // A refinement of the scores, a separable convolution over the low-level features, colours that are mixed first.
    [InlineData("yassouali_resnet101", "crf.compat", "crf.spatial:21,1,3,3 crf.compat:21,21,1,1")]
    [InlineData("vainf_v3plus_r50", "edge.point", "edge.depth:256,1,3,3 edge.point:256,256,1,1")]
    [InlineData("vainf_v3plus_r50", "pre", "pre:3,3,1,1")]
    // Not a copy of the weights, but EMA attention.
    [InlineData("vainf_v3plus_r50", "ema.conv1x1", "ema.conv1x1:256,256,1,1")]
    // Depthwise alone, in groups, and of groups that are cut apart before.
    [InlineData("vainf_v3plus_r50", "lka.conv0", "lka.conv0:256,1,5,5 lka.spatial:256,1,7,7")]
    [InlineData("jfzhang_resnet101", "mix", "mix:256,8,1,1")]
    [InlineData("vainf_v3plus_r50", "emsa.conv1", "emsa.conv1:32,32,1,1 emsa.conv3:32,32,3,3")]
    // The order of the tensors says nothing.
    [InlineData("jfzhang_resnet101", "cbam.z", "cbam.a:2048,128,1,1 cbam.z:128,2048,1,1")]
    public void A_module_between_the_layers_is_refused(string manifest, string left, string kernels)
    {
        AssertRefused(manifest, $"{left}.weight", Kernels(kernels));
    }

    /// <summary>What training keeps beside a network.</summary>
    [Theory]
    [InlineData("jfzhang_resnet101", "auxiliary.0:256,1024,3,3 auxiliary.3:21,256,1,1")]
    // Without a name that tells: from features to scores.
    [InlineData("vainf_v3plus_r50", "head2.0:512,1024,3,3 head2.4:21,512,1,1")]
    [InlineData("vainf_v3plus_r50", "D.0:64,21,4,4 D.2:128,64,4,4 D.4:256,128,4,4 D.6:512,256,4,4 D.8:1,512,4,4")]
    [InlineData("torchvision_deeplabv3_r50_aux", "proj_head.0:2048,2048,1,1 proj_head.2:128,2048,1,1")]
    [InlineData("smp_deeplabv3plus_r50_1class", "D.0:64,1,4,4 D.2:128,64,4,4 D.4:1,128,4,4")]
    [InlineData("vainf_v3plus_r50", "netG.a:64,3,7,7 netG.b:64,64,3,3 netG.c:3,64,7,7")]
    [InlineData("torchvision_deeplabv3_r50_aux", "representation.0:256,256,3,3")]
    [InlineData("smp_deeplabv3plus_r50_1class", "discriminator.0:256,256,3,3")]
    [InlineData(
        "smp_deeplabv3plus_r50_1class", "net2.a:64,3,7,7 net2.b:64,64,3,3 net2.c:256,64,1,1 net2.d:256,256,3,3")]
    [InlineData("yassouali_resnet101", "criterion.vgg.0:64,64,3,3")]
    // A decoder to a picture, whose kernels are transposed.
    [InlineData("vainf_v3plus_r50", "restore.0:256,128,4,4 restore.2:128,64,4,4 restore.4:64,3,4,4")]
    [InlineData("vainf_v3plus_r50", "restore.0:256,128,4,4 restore.2:128,64,4,4")]
    // Another network whose tensors are sorted by name.
    [InlineData(
        "torchvision_deeplabv3_r50_aux",
        "net2.fc:1000,2048 net2.layer1:256,64,1,1 net2.layer2:2048,256,1,1 net2.stem:64,3,7,7")]
    [InlineData("vainf_v3plus_r50", "aux1.0:256,256,3,3")]
    [InlineData("vainf_v3plus_r50", "auxHead.0:256,256,3,3")]
    [InlineData("vainf_v3plus_r50", "edge_head.0:256,256,3,3 edge_head.1:1,256,1,1")]
    // Depthwise or in groups, and then to scores; the windows of a loss.
    [InlineData("vainf_v3plus_r50", "side.0:256,1,3,3 side.1:21,256,1,1")]
    [InlineData("jfzhang_resnet101", "side.0:256,8,3,3 side.1:21,256,1,1")]
    [InlineData("vainf_v3plus_r50", "sobel_x:21,1,3,3")]
    // Features are made of others before they are kept.
    [InlineData("vainf_v3_r50", "extra.0:512,2048,3,3 extra.1:512,512,3,3 extra.2:21,512,1,1")]
    public void What_only_training_needs_is_left_unread(string manifest, string kernels)
    {
        using var checkpoint = new NamedWeights([.. NamedWeights.Manifest(manifest), .. Kernels(kernels)]);
        Assert.Equal(
            Kernels(kernels).Select(kernel => kernel.Item1),
            new Model(Dialect.Describe(checkpoint, null, new DialectChoice()), checkpoint).Unexpected);
    }

    [Theory]
    [InlineData("jfzhang_resnet101", "backbone.fc")]
    [InlineData("arronhzg_resnet101", "backbone.fc")]
    [InlineData("yassouali_xception", "backbone.fc")]
    [InlineData("bubbliiiing_mobilenetv2", "backbone.classifier.1")]
    [InlineData("bubbliiiing_mobilenetv2", "backbone.features.18.0")]
    [InlineData("jfzhang_mobilenet", "backbone.features.18.0")]
    [InlineData("hf_mobilenetv2_deeplabv3_voc", "mobilenet_v2.conv_1x1.convolution")]
    public void The_image_classifier_of_a_backbone_is_left_unread(string manifest, string layer)
    {
        using var checkpoint = new NamedWeights(
            [.. NamedWeights.Manifest(manifest).Where(key => key.Name != layer + ".weight"),
                ($"{layer}.weight", [1000, 320])]);
        Assert.Empty(new Model(Dialect.Describe(checkpoint, null, new DialectChoice()), checkpoint).Unexpected);
    }

    [Fact]
    public void Messages_name_the_file()
    {
        using var lacks = new NamedWeights(NamedWeights.Manifest("vainf_v3_r50").Where(
            key => key.Name != "backbone.layer4.2.conv3.weight"));
        ModelDescription description = Dialect.Describe(lacks, null, new DialectChoice());
        Assert.StartsWith(
            "'names.pth' was recognised as VainF",
            Assert.Throws<ModelException>(() => new Model(description, lacks)).Message, StringComparison.Ordinal);
    }

    /// <summary>"name:1,2,3,3 other:..." as tensors.</summary>
    private static (string, int[])[] Kernels(string text) =>
    [
        .. text.Split(' ').Select(kernel => kernel.Split(':')).Select(parts => (
            parts[0] + ".weight", parts[1].Split(',').Select(int.Parse).ToArray())),
    ];

    private static void AssertRefused(string manifest, string left, params (string, int[])[] added)
    {
        IReadOnlyList<(string, int[])> keys = NamedWeights.Manifest(manifest);
        using var checkpoint = new NamedWeights([.. keys, .. added]);
        Refused(checkpoint, left);
    }

    private static void Refused(NamedWeights checkpoint, string left)
    {
        ModelDescription description = Dialect.Describe(checkpoint, null, new DialectChoice());
        string message = Assert.Throws<ModelException>(() => new Model(description, checkpoint)).Message;
        Assert.Contains($"has no place for its tensor '{left}'", message, StringComparison.Ordinal);
        Assert.StartsWith("'names.pth' was recognised", message, StringComparison.Ordinal);
    }
}
