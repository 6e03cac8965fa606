using Atrous.Checkpoints.Dialects;
using Atrous.Specs;
using Atrous.Tests.Checkpoints.Dialects;
using Atrous.Tests.Support;

namespace Atrous.Tests.Models;

/// <summary>timm's encoders that blur where they stride have the tensors of those that do not.</summary>
public sealed class BlurredEncoderTests
{
    [Theory]
    [InlineData("smp_deeplabv3plus_tu-resnet50_os16_96x128", true)]
    [InlineData("smp_deeplabv3plus_tu-seresnext50_32x4d_os16_96x128", true)]
    [InlineData("smp_deeplabv3plus_tu-efficientnet_b0_os8_96x128", true)]
    [InlineData("smp_deeplabv3plus_tu-mobilenetv4_conv_medium_os16_48x64", true)]
    [InlineData("smp_deeplabv3plus_tu-mobilenetv4_conv_small_os16_96x128", false)]
    [InlineData("smp_deeplabv3plus_efficientnet-b0_os16_112x144", false)]
    [InlineData("smp_deeplabv3plus_resnet34_os16_96x128", false)]
    [InlineData("smp_deeplabv3plus_timm-resnest50d_os16_96x128", false)]
    [InlineData("smp_deeplabv3plus_timm-regnety_016_os16_96x128", false)]
    public void A_state_dict_that_may_be_of_one_says_so(string golden, bool may)
    {
        Assert.Equal(may, Notes(golden).Any(note => note.Contains("blur", StringComparison.Ordinal)));
        Assert.DoesNotContain(
            Notes(golden, """{"encoder_name": "tu-resnet50d"}"""),
            note => note.Contains("blur", StringComparison.Ordinal));
    }

    [Fact]
    public void One_that_says_its_name_is_refused() => Assert.Contains(
        "tu-resnetaa50d blurs", Assert.Throws<ModelException>(() => Notes(
            "smp_deeplabv3plus_tu-resnet50_os16_96x128", """{"encoder_name": "tu-resnetaa50d"}""")).Message);

    private static IReadOnlyList<string> Notes(string golden, string? config = null)
    {
        using var weights = new NamedWeights(Golden.Load(golden).Keys, config);
        ModelDescription model = Dialect.Describe(weights, null, new DialectChoice());
        return model.Notes;
    }
}
