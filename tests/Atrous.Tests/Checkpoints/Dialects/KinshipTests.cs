using Atrous.Checkpoints.Dialects;
using Atrous.Models;
using Atrous.Specs;

namespace Atrous.Tests.Checkpoints.Dialects;

/// <summary>What is said of networks that no dialect has: what they look like, and what to do.</summary>
public sealed class KinshipTests
{
    [Theory]
    [InlineData("a DeepLab (ASPP) ('dec.aspp.0.convs.0.0.weight') on a ResNet ('enc.layer1.0.conv1.weight'), nearest to "
        + "segmentation_models.pytorch ('segmentation_head.0.weight'); rename", "enc.layer1.0.conv1.weight",
        "dec.aspp.0.convs.0.0.weight", "segmentation_head.0.weight")]
    [InlineData("on a Swin transformer ('backbone.layers.0.blocks.0.attn.relative_position_bias_table')",
        "backbone.layers.0.blocks.0.attn.relative_position_bias_table", "head.aspp.b0.weight")]
    [InlineData("by names of their own; rename them", "body.layer1.0.conv1.weight", "head.aspp_b0.weight")]
    [InlineData("a backbone that is not known", "head.aspp_b0.weight")]
    [InlineData("the decoder of a U-Net ('decoder.blocks.0.conv1.0.weight') on a ResNet ('encoder.layer1.0.conv1.weight'), "
        + "which is not of the DeepLab kind", "encoder.layer1.0.conv1.weight", "decoder.blocks.0.conv1.0.weight",
        "segmentation_head.0.weight")]
    [InlineData("a U-Net", "inc.double_conv.0.weight", "down1.maxpool_conv.1.double_conv.0.weight")]
    [InlineData("a SegFormer ('decode_head.linear_c4.proj.weight')", "backbone.patch_embed1.proj.weight",
        "decode_head.linear_c4.proj.weight")]
    [InlineData("the head of an LR-ASPP ('classifier.cbr.0.weight') on a MobileNet",
        "backbone.1.block.0.0.weight", "classifier.cbr.0.weight")]
    [InlineData("look like a ResNet ('layer1.0.conv1.weight') without a head", "layer1.0.conv1.weight", "fc.weight")]
    [InlineData("none of the dialects atrous, ", "a", "b")]
    public void An_unknown_network_is_told_by_its_kin(string expected, params string[] names)
    {
        string message = Refusal(names);
        Assert.Contains(expected, message);
        Assert.StartsWith("'names.pth' is not a checkpoint of a network that Atrous knows: its ", message);
        Assert.EndsWith(".", message);
    }

    [Theory]
    [InlineData("segmentation_models.pytorch", "(it looks like an HRNet: 'encoder.stage2.0.fuse_layers.0.1.0.weight')",
        "encoder.stage2.0.fuse_layers.0.1.0.weight", "decoder.aspp.0.convs.0.0.weight", "segmentation_head.0.weight")]
    [InlineData("VainF", "(it looks like an HRNet: 'backbone.stage2.0.fuse_layers.0.1.0.weight')",
        "backbone.stage2.0.fuse_layers.0.1.0.weight", "classifier.classifier.0.convs.0.0.weight")]
    // An HRNet has a layer1 as ResNets have.
    [InlineData("VainF", "(it looks like an HRNet: 'backbone.stage2.0.fuse_layers.0.1.0.weight')",
        "backbone.stage2.0.fuse_layers.0.1.0.weight", "backbone.layer1.0.conv1.weight",
        "classifier.classifier.0.convs.0.0.weight")]
    public void A_known_head_on_an_unknown_backbone_names_its_kin(string dialect, string kin, params string[] names)
    {
        string message = Refusal(names);
        Assert.Contains(dialect, message);
        Assert.Contains(kin, message);
    }

    /// <summary>As fine-tuning scripts replace the head, or its last layer, by a Sequential.</summary>
    [Theory]
    [InlineData("classifier.4.", "classifier.4.0.")]
    [InlineData("classifier.4.", "classifier.4.1.")]
    [InlineData("classifier.", "classifier.0.")]
    public void Torchvision_s_head_is_found_in_a_sequential(string original, string replaced)
    {
        using var weights = new NamedWeights(NamedWeights.Manifest("torchvision_deeplabv3_r50_aux").Select(key =>
            (key.Name.StartsWith(original) ? replaced + key.Name[original.Length..] : key.Name, key.Shape)));
        ModelDescription model = Dialect.Describe(weights, null, new DialectChoice());
        (IReadOnlyList<string> missing, IReadOnlyList<string> unexpected) = Model.Compare(model, weights);
        Assert.Empty(missing);
        Assert.Empty(unexpected);
    }

    [Fact]
    public void Hostile_names_are_printed_in_one_line()
    {
        string message = Refusal([.. Enumerable.Range(0, 50_000).Select(
            i => $"{new string('a', 40 + i % 2 * 400)}aspp\n{string.Concat(Enumerable.Repeat("blocks.1.", 10))}{i}")]);
        Assert.Contains("they look like", message);
        Assert.DoesNotContain('\n', message);
    }

    private static string Refusal(params string[] names)
    {
        using var checkpoint = new NamedWeights(names.Select(name => (name, new[] { 4, 4, 3, 3 })));
        return Assert.Throws<ModelException>(() => Dialect.Describe(checkpoint, null, new DialectChoice())).Message;
    }
}
