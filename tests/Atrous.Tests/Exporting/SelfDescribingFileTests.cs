using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using Atrous.Checkpoints.Containers;
using Atrous.Checkpoints.Dialects;
using Atrous.Graph.Ops;
using Atrous.Specs;
using Atrous.Tensors;
using Atrous.Tests.Models;
using Atrous.Tests.Support;

namespace Atrous.Tests.Exporting;

/// <summary>
/// The second version of the self-describing form: every spec survives it, and no hostile file does harm.
/// </summary>
public sealed class SelfDescribingFileTests
{
    private const string Name = "vainf_deeplabv3plus_mobilenet_os16_97x129";

    [Theory]
    [MemberData(nameof(OnnxExportTests.Families), MemberType = typeof(OnnxExportTests))]
    public void A_network_survives_its_json(string golden)
    {
        Golden loaded = Golden.Load(golden);
        using var checkpoint = new GeneratedCheckpoint(loaded);
        NetworkSpec network = GoldenNetworks.Describe(loaded, checkpoint).Network;
        string json = DescriptionJson.Write(network);
        Assert.Equal(json, DescriptionJson.Write(DescriptionJson.ReadNetwork(json)));
    }

    [Theory]
    [InlineData(typeof(BackboneSpec))]
    [InlineData(typeof(HeadSpec))]
    [InlineData(typeof(ResizePolicy))]
    public void Every_kind_has_a_name_in_json(Type kind) => Assert.Equal(
        kind.Assembly.GetTypes().Where(type => type.IsSubclassOf(kind)).ToHashSet(),
        kind.GetCustomAttributes<JsonDerivedTypeAttribute>().Select(row => row.DerivedType).ToHashSet());

    [Fact]
    public void Members_that_are_no_numbers_survive_too()
    {
        var aspp = new AsppSpec { Rates = [], ImagePooling = new ImagePoolingSpec { Window = (6, 8) } };
        var network = new NetworkSpec
        {
            Backbone = new ResNetSpec { Name = "ResNet", Blocks = [1], Stages = [new(1, 1, 1)], MultiGrid = [1, 2, 4] },
            Head = new DeepLabV3HeadSpec { Aspp = aspp, Hidden = ConvolutionStyle.SeparableNormed },
            OutputStride = 16,
            InputChannels = 3,
            Classes = 2,
            FinalSampling = Sampling.AlignCorners,
        };
        NetworkSpec read = DescriptionJson.ReadNetwork(DescriptionJson.Write(network));
        Assert.Equal((6, 8), ((DeepLabV3HeadSpec)read.Head).Aspp.ImagePooling!.Window);
        Assert.Equal(ConvolutionStyle.SeparableNormed, ((DeepLabV3HeadSpec)read.Head).Hidden);
        Assert.Equal([1, 2, 4], ((ResNetSpec)read.Backbone).MultiGrid!);
    }

    /// <summary>A change to the network's JSON or to another entry, and what the refusal says.</summary>
    public static TheoryData<string, string, string, string> Damages => new()
    {
        { "atrous.version", "\"2\"", "\"3\"", "version '3'" },
        { "network", "\"kind\":\"invertedResidual\"", "\"kind\":\"hrNet\"", "cannot be understood" },
        { "network", "\"kind\":\"invertedResidual\",", "", "cannot be understood" },
        { "network", "\"stride\":2", "\"stride\":0", "cannot be built" },
        { "network", "\"stride\":2", "\"stride\":-1", "the number -1" },
        { "network", "\"stride\":2", "\"stride\":1e9", "the number 1e9" },
        { "network", "\"fuseConvolutions\":1", "\"fuseConvolutions\":4000", "missing" },
        { "network", "\"blocks\":[", "\"blocks\":[null,", "null" },
        { "network", "\"aspp\":{", "\"aspp\":null,\"x\":{", "cannot be understood" },
        { "network", "\"classes\":5", "\"classes\":6", "scores 5 classes" },
        { "network", "\"sampling\":\"halfPixel\"", "\"sampling\":\"cubic\"", "cannot be understood" },
        { "network", "\"sampling\":\"halfPixel\"", "\"sampling\":7", "cannot be understood" },
        { "network", "{", "", "cannot be understood" },
        { "preprocessing", "\"std\":[0.229", "\"std\":[0", "mean, std and scale" },
        { "preprocessing", "\"mean\":[0.485,", "\"mean\":[", "mean, std and scale" },
        { "preprocessing", "{\"kind\":\"none\"}", "{\"kind\":\"stretch\",\"height\":0,\"width\":9}", "size" },
        { "class_names", "[]", "[\"one\"]", "1 names for 5 classes" },
        { "class_names", "[]", "[null]", "null" },
    };

    [Theory]
    [MemberData(nameof(Damages))]
    public void A_damaged_description_is_refused_in_one_sentence(
        string entry, string before, string after, string message)
    {
        using var folder = new ExportFolder(Name);
        string path = folder.PathOf("converted.safetensors"), damaged = folder.PathOf("damaged.safetensors");
        Atrous.Exporting.ModelConverter.Convert(folder.Model, path, new SegmenterOptions());
        Damage(path, damaged, entry, before, after);
        var refused = Assert.Throws<ModelException>(
            () => Segmenter.Load(damaged, new SegmenterOptions { Device = "reference" }).Dispose());
        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
    }

    private static void Damage(string path, string damaged, string entry, string before, string after)
    {
        using var checkpoint = Atrous.Checkpoints.Checkpoint.Open(path);
        var metadata = checkpoint.Metadata.ToDictionary();
        string text = entry == "atrous.version" ? JsonSerializer.Serialize(metadata[entry]) : metadata[entry];
        int at = text.IndexOf(before, StringComparison.Ordinal);
        Assert.True(at >= 0, text);
        text = text[..at] + after + text[(at + before.Length)..];
        metadata[entry] = entry == "atrous.version" ? JsonSerializer.Deserialize<string>(text)! : text;
        WeightInfo[] tensors = [.. checkpoint.Weights.Values];
        using var writer = new SafetensorsWriter(damaged, tensors, metadata);
        foreach (WeightInfo tensor in tensors)
        {
            var values = new float[tensor.Elements];
            checkpoint.Read(tensor.Name, values);
            writer.Write(tensor.Name, values);
        }
        writer.Complete();
    }
}
