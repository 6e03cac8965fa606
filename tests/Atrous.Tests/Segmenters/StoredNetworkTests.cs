using Atrous.Checkpoints;
using Atrous.Checkpoints.Containers;
using Atrous.Exporting;
using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Specs;
using Atrous.Tensors;
using Atrous.Tests.Support;

namespace Atrous.Tests.Segmenters;

/// <summary>
/// Which tensors of a file are the network: beside loss weights and copies, under any prefix, dictionary key or list.
/// </summary>
public sealed class StoredNetworkTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("atrous-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("averaged", "", "module.", "n_averaged 1")]
    [InlineData("inside", "", "0.", "")]
    [InlineData("gan", "generator", "", "discriminator.* 20, optimizer.state.a.exp_avg 1")]
    [InlineData("deep_list", "nets.0.weights.seg", "", "")]
    [InlineData("parts", "", "", "")]
    [InlineData("mmcv_ema", "", "", "ema_* 94")]
    [InlineData("lightning", "state_dict", "model.",
        "state_dict.criterion.weight 1, state_dict.train_metrics.iou.confmat 1, state_dict.ema_model.* 181")]
    [InlineData("two_keys", "state_dict", "module.", "state_dict_ema.* 181")]
    [InlineData("student_teacher", "", "student.", "teacher.* 181")]
    public void The_network_is_found_and_the_rest_is_named(string file, string path, string prefix, string beside)
    {
        using Segmenter segmenter = Load(file);
        ModelInfo info = segmenter.Info;
        Assert.Equal((path, prefix), (info.WeightsPath, info.StrippedPrefix));
        Assert.Equal(beside, string.Join(", ", info.Beside.Select(row => $"{row.Key} {row.Value}")));
        Assert.Empty(info.Missing);
        Assert.Empty(info.Unexpected);
        AssertMask("plain", segmenter);
    }

    [Theory]
    [InlineData("04-tensors-beside-the-network", "lit_criterion.ckpt")]
    [InlineData("04-tensors-beside-the-network", "lit_posweight.ckpt")]
    [InlineData("05-wrapper-prefixes", "compiled.pth")]
    [InlineData("05-wrapper-prefixes", "compiled_ddp.pth")]
    [InlineData("05-wrapper-prefixes", "lit_compiled.ckpt")]
    [InlineData("05-wrapper-prefixes", "wrap_features.pth")]
    [InlineData("06-unknown-dictionary-key", "key_state_dict_ema.pth")]
    [InlineData("06-unknown-dictionary-key", "timm_ema.pth", "state_dict_ema")]
    public void The_mask_is_the_original_s(string folder, string file, string? weights = null)
    {
        // The files of all three folders hold one network.
        const string reference = "cases/04-tensors-beside-the-network";
        using Segmenter segmenter = Segmenter.Load(
            Shared.Require($"cases/{folder}/{file}"), weights is null ? null : Choose(weights));
        using Image photo = Image.Load(Shared.Require($"{reference}/photo.png"));
        LabelImage expected = LabelImage.Load(Shared.Require($"{reference}/ref.png"));
        Assert.Equal(expected.Labels.ToArray(), segmenter.Segment(photo).Labels.ToArray());
    }

    [Theory]
    [InlineData("lightning", "state_dict.model", "state_dict.ema_model", "ema_model")]
    [InlineData("two_keys", "state_dict", "state_dict_ema", "state_dict_ema.module")]
    [InlineData("student_teacher", "student", "teacher", "teacher")]
    public void A_switch_chooses_among_complete_networks(string file, string standard, string other, string alias)
    {
        Switch row = Assert.Single(ModelInfo.Read(Case(file)).Switches, row => row.Name == "weights");
        Assert.Equal(standard, row.Value);
        Assert.Contains($"({standard}, {other})", row.Meaning);
        foreach (string name in new[] { other, alias })
        {
            using Segmenter segmenter = Load(file, name);
            Assert.Equal(other, segmenter.Info.Switches.Single(one => one.Name == "weights").Value);
            AssertMask("ema_alone", segmenter);
        }
        using Segmenter named = Load(file, standard);
        AssertMask("plain", named);
    }

    [Fact]
    public void A_name_that_is_no_network_of_the_file_lists_those_that_are()
    {
        Assert.Contains(
            "no network 'ema'; it has state_dict, state_dict_ema.", Refusal("two_keys", "ema"));
        Assert.Contains("several networks under 'state_dict'", Refusal("lightning", "state_dict"));
        Assert.Contains("under 'discriminator' is no network that Atrous knows; it has generator.",
            Refusal("gan", "discriminator"));
    }

    [Fact]
    public void What_is_alone_has_no_switch_and_may_be_named()
    {
        Assert.DoesNotContain(ModelInfo.Read(Case("gan")).Switches, row => row.Name == "weights");
        using Segmenter segmenter = Load("gan", "generator");
        Assert.DoesNotContain(segmenter.Info.Switches, row => row.Name == "weights");
        AssertMask("plain", segmenter);
    }

    [Fact]
    public void A_converted_file_holds_the_network_that_was_chosen()
    {
        string converted = Path.Combine(_folder, "one.safetensors");
        ModelConverter.Convert(Case("two_keys"), converted, Choose("state_dict_ema"));
        using Segmenter segmenter = Segmenter.Load(converted);
        Assert.Empty(segmenter.Info.Beside);
        AssertMask("ema_alone", segmenter);
    }

    [Fact]
    public void Of_very_many_networks_the_first_are_looked_at()
    {
        string path = Copies(110, _ => true);
        Switch row = Assert.Single(ModelInfo.Read(path).Switches, row => row.Name == "weights");
        Assert.Equal("n0", row.Value);
        Assert.Contains("n98", row.Meaning);
        Assert.EndsWith("; only the first 100 were looked at)", row.Meaning);
        Assert.Contains("only the first 100", Assert.Throws<UnavailableException>(
            () => ModelInfo.Read(path, Choose("n109"))).Message);
    }

    [Fact]
    public void Very_many_that_are_incomplete_are_refused()
    {
        string path = Copies(110, name => !name.EndsWith("layer1.0.bn1.weight", StringComparison.Ordinal));
        Assert.Contains("has more than 100 sets of tensors that look like a network",
            Assert.Throws<ModelException>(() => ModelInfo.Read(path)).Message);
    }

    /// <summary>One network many times under prefixes of its own.</summary>
    private string Copies(int count, Func<string, bool> isKept)
    {
        string path = Path.Combine(_folder, "many.safetensors");
        using Checkpoint checkpoint = Checkpoint.Open(Case("plain"));
        WeightInfo[] kept = [.. checkpoint.Weights.Values.Where(weight => isKept(weight.Name))];
        Assert.Equal(kept.Length < checkpoint.Weights.Count, !isKept("encoder.layer1.0.bn1.weight"));
        using var writer = new SafetensorsWriter(path, [.. Enumerable.Range(0, count)
            .SelectMany(i => kept.Select(weight => weight with { Name = $"n{i}.{weight.Name}" }))]);
        for (int i = 0; i < count; i++)
        {
            foreach (WeightInfo weight in kept)
                writer.Write($"n{i}.{weight.Name}", new float[weight.Elements]);
        }
        writer.Complete();
        return path;
    }

    private static string Case(string file) => Repository.PathOf($"tests/cases/04-06-wrapped/{file}.pth");

    private static SegmenterOptions Choose(string weights) =>
        new() { Threads = 2, Switches = new Dictionary<string, string> { ["weights"] = weights } };

    private static Segmenter Load(string file, string? weights = null) =>
        Segmenter.Load(Case(file), weights is null ? new SegmenterOptions { Threads = 2 } : Choose(weights));

    private static string Refusal(string file, string weights) =>
        Assert.Throws<UnavailableException>(() => Load(file, weights)).Message;

    /// <summary>The same mask as another file gives, in which no class takes everything.</summary>
    private static void AssertMask(string expected, Segmenter actual)
    {
        using Image photo = Photo();
        using Segmenter plain = Load(expected);
        Segmentation right = plain.Segment(photo);
        Assert.True(right.Shares[0].Share < 0.9, $"{expected} takes {right.Shares[0].Share:P0}");
        Assert.Equal(right.Labels.ToArray(), actual.Segment(photo).Labels.ToArray());
    }

    private static Image Photo() => Image.Load(Repository.PathOf("tests/cases/01-one-class-mask/photo.png"));
}
