using Atrous.Checkpoints.Dialects;
using Atrous.Specs;
using Atrous.Tensors;
using Atrous.Tests.Checkpoints.Dialects;
using Atrous.Tests.Support;

namespace Atrous.Tests.Models;

/// <summary>
/// timm's encoders that blur or take means where they would stride have the tensors of those that stride.
/// </summary>
public sealed class SmoothedEncoderTests
{
    private const string ResNet = "smp_deeplabv3plus_tu-resnet50_os16_96x128",
        ResNeXt = "smp_deeplabv3plus_tu-seresnext50_32x4d_os16_96x128",
        EfficientNet = "smp_deeplabv3plus_tu-efficientnet_b0_os8_96x128",
        MobileNet = "smp_deeplabv3plus_tu-mobilenetv4_conv_medium_os16_48x64",
        Regular = "smp_deeplabv3plus_timm-regnety_016_os16_96x128";

    [Theory]
    [InlineData(ResNet, true)]
    [InlineData(ResNeXt, true)]
    [InlineData(EfficientNet, true)]
    [InlineData(MobileNet, true)]
    [InlineData("smp_deeplabv3plus_tu-mobilenetv4_conv_small_os16_96x128", false)]
    [InlineData("smp_deeplabv3plus_efficientnet-b0_os16_112x144", false)]
    [InlineData("smp_deeplabv3plus_resnet34_os16_96x128", false)]
    [InlineData("smp_deeplabv3plus_timm-resnest50d_os16_96x128", false)]
    [InlineData(Regular, false)]
    public void A_state_dict_that_may_be_of_one_has_a_switch(string golden, bool may)
    {
        ModelDescription model = Describe(golden);
        Assert.Equal(
            may, model.Switches.Any(row => (row.Name, row.Value, row.Source) == ("anti_aliasing", "none", "assumed")));
        Assert.Equal(AntiAliasing.None, Of(model));
    }

    [Theory]
    [InlineData(ResNet, "tu-resnetaa50d", AntiAliasing.Mean)]
    [InlineData(ResNet, "tu-resnetblur50", AntiAliasing.Blur)]
    [InlineData(ResNet, "tu-resnet50d", AntiAliasing.None)]
    [InlineData(ResNeXt, "tu-seresnextaa101d_32x8d", AntiAliasing.Mean)]
    [InlineData(EfficientNet, "tu-efficientnet_blur_b0", AntiAliasing.BlurWithZeros)]
    [InlineData(MobileNet, "tu-mobilenetv4_conv_aa_medium", AntiAliasing.Mean)]
    [InlineData(MobileNet, "tu-mobilenetv4_conv_blur_medium.e500_r224_in1k", AntiAliasing.BlurWithZeros)]
    public void Its_name_tells(string golden, string encoder, object kind) =>
        Assert.Equal(kind, Of(Describe(golden, $$"""{"encoder_name": "{{encoder}}"}""")));

    [Theory]
    [InlineData(null, AntiAliasing.None)]
    [InlineData("AvgPool2d", AntiAliasing.Mean)]
    [InlineData("BlurPool2d", AntiAliasing.Blur)]
    public void Saved_modules_tell(string? smoother, object kind)
    {
        using var weights = new NamedWeights(Golden.Load(ResNet).Keys);
        weights.State("encoder.model.layer2.0.conv2.weight", new LayerFacts { Smoother = smoother });
        ModelDescription model = Dialect.Describe(weights, null, new DialectChoice());
        Assert.Equal(kind, Of(model));
        Assert.Contains(model.Switches, row => (row.Name, row.Source) == ("anti_aliasing", "the saved modules"));
    }

    [Fact]
    public void One_that_has_no_such_kin_is_refused() => Assert.Contains(
        "its encoder tu-regnetaa blurs where it strides", Assert.Throws<ModelException>(
            () => Describe(Regular, """{"encoder_name": "tu-regnetaa"}""")).Message);

    private static AntiAliasing Of(ModelDescription model) => model.Network.Backbone switch
    {
        ResNetSpec resNet => resNet.AntiAliasing,
        InvertedResidualSpec blocks => blocks.AntiAliasing,
        BackboneSpec other => throw new InvalidOperationException(other.Name),
    };

    private static ModelDescription Describe(string golden, string? config = null)
    {
        using var weights = new NamedWeights(Golden.Load(golden).Keys, config);
        return Dialect.Describe(weights, null, new DialectChoice());
    }
}
