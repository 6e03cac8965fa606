using System.Text.Json.Nodes;
using Atrous.Checkpoints.Dialects;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Tests.Exporting;

/// <summary>
/// A file that was written before a member of a spec existed leaves it out, and means its default.
/// </summary>
public sealed class SpecDefaultsTests
{
    [Fact]
    public void Preprocessing_without_a_size_is_of_the_picture_as_it_is()
    {
        PreprocessingSpec spec = DescriptionJson.ReadPreprocessing(
            """{"scale":1,"mean":[0,0,0],"std":[1,1,1]}""", channels: 3);
        Assert.IsType<ResizePolicy.None>(spec.Resize);
    }

    [Fact]
    public void A_network_that_leaves_members_out_has_their_defaults()
    {
        NetworkSpec network = Network();
        JsonNode json = JsonNode.Parse(DescriptionJson.Write(network))!;
        JsonObject backbone = json["backbone"]!.AsObject();
        foreach (string name in new[] { "poolPadding", "scales", "shortcutKernel", "bottleneck", "stemConvolutions" })
            Assert.True(backbone.Remove(name), name);
        Assert.True(json.AsObject().Remove("padding"));
        NetworkSpec read = DescriptionJson.ReadNetwork(json.ToString());
        Assert.Equal(DescriptionJson.Write(network), DescriptionJson.Write(read));
    }

    /// <summary>Enums are written by name: a number would mean another thing once a name is put between.</summary>
    [Fact]
    public void Enums_are_names()
    {
        string json = DescriptionJson.Write(Network());
        Assert.Contains("\"finalSampling\":\"alignCorners\"", json);
        Assert.Contains("\"padding\":\"symmetric\"", json);
        Assert.Contains("\"window\":\"convolution\"", json);
        Assert.Throws<System.Text.Json.JsonException>(() =>
            DescriptionJson.ReadNetwork(json.Replace("\"alignCorners\"", "1", StringComparison.Ordinal)));
        Assert.Contains("\"antiAliasing\":\"none\"", json);
    }

    private static NetworkSpec Network() => new()
    {
        Backbone = new ResNetSpec { Name = "ResNet-50", Blocks = [3, 4, 6, 3], Stages = [] },
        Head = new DeepLabV3HeadSpec { Aspp = new AsppSpec { Rates = [6, 12] } },
        OutputStride = 16,
        InputChannels = 3,
        Classes = 2,
        FinalSampling = Sampling.AlignCorners,
    };
}
