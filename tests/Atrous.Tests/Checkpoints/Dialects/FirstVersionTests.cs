using Atrous.Checkpoints.Dialects;
using Atrous.Models;
using Atrous.Specs;

namespace Atrous.Tests.Checkpoints.Dialects;

/// <summary>
/// The first version of the self-describing form, whose metadata is many entries: what a stranger can write there.
/// </summary>
public sealed class FirstVersionTests
{
    private const string Blocks =
        """[{"in":8,"hidden":8,"out":8,"expand_kernel":0,"dw_kernel":3,"stride":2,"dilation":1,"residual":false}]""";

    [Fact]
    public void What_is_sound_is_read()
    {
        ModelDescription description = Describe("class_names", "[\"one\",\"two\"]");
        Assert.Equal(["one", "two"], description.ClassNames);
        Assert.Equal(16, description.Network.OutputStride);
        Assert.Single(Assert.IsType<InvertedResidualSpec>(description.Network.Backbone).Blocks);
    }

    [Theory]
    [InlineData("blocks", "[null]", "has a null")]
    [InlineData("class_names", "[null,\"two\"]", "has a null")]
    [InlineData("blocks", "[{\"stride\":2}]", "blocks")]
    [InlineData("blocks", "nul\u001b[31m", "not the JSON")]
    [InlineData("blocks", "{", "not the JSON")]
    [InlineData("aspp_rates", "[1e9]", "no network has")]
    [InlineData("aspp_rates", "[-6]", "no network has")]
    [InlineData("aspp_rates", "null", "null")]
    [InlineData("mean", "[0.5,null,0.5]", "has a null")]
    [InlineData("std", "[0.5,0,0.5]", "none to compute with")]
    [InlineData("std", "[0.5,1e-45,0.5]", "none to compute with")]
    [InlineData("std", "[]", "does not fit")]
    [InlineData("input_size", "[]", "a height and a width")]
    [InlineData("input_size", "[0,513]", "a height and a width")]
    [InlineData("output_stride", "99999999999", "not a number")]
    [InlineData("activation", "tanh\u0000", "Atrous knows")]
    public void What_is_not_is_refused_in_one_sentence(string entry, string value, string words)
    {
        var refused = Assert.Throws<ModelException>(() => Describe(entry, value));
        Assert.Contains(words, refused.Message, StringComparison.Ordinal);
        Assert.Contains(entry, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(refused.Message, char.IsControl);
        Assert.InRange(refused.Message.Length, 0, 1000);
    }

    /// <summary>Each rate would be a branch of a network that is built only to be compared with the weights.</summary>
    [Fact]
    public void More_rates_than_any_network_has_are_refused_before_one_is_built()
    {
        string rates = "[" + string.Join(',', Enumerable.Repeat("1", 1_000_000)) + "]";
        var refused = Assert.Throws<ModelException>(() => Describe("aspp_rates", rates));
        Assert.Contains("longer than any network's", refused.Message, StringComparison.Ordinal);
    }

    private static ModelDescription Describe(string entry, string value)
    {
        var metadata = new Dictionary<string, string>
        {
            ["architecture"] = "deeplabv3",
            ["backbone"] = "mobilenet_v2_1.0",
            ["class_names"] = "[]",
            ["output_stride"] = "16",
            ["input_size"] = "[513, 513]",
            ["mean"] = "[0.5, 0.5, 0.5]",
            ["std"] = "[0.5, 0.5, 0.5]",
            ["activation"] = "relu6",
            ["head_activation"] = "relu",
            ["padding"] = "tf_same",
            ["align_corners"] = "true",
            ["blocks"] = Blocks,
            ["aspp_rates"] = "[]",
        };
        metadata[entry] = value;
        using var checkpoint = new NamedWeights(
            [("backbone.features.0.0.weight", [8, 3, 3, 3]), ("classifier.weight", [2, 8, 1, 1])])
        {
            Metadata = metadata,
        };
        ModelDescription description = Dialect.Describe(checkpoint, null, new DialectChoice());
        _ = Model.Compare(description, checkpoint);
        return description;
    }
}
