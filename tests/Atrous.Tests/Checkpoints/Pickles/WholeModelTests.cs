using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Atrous.Checkpoints;
using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Specs;
using Atrous.Tests.Support;

namespace Atrous.Tests.Checkpoints.Pickles;

/// <summary>
/// Networks that were saved whole are read as their state_dict(); tests/cases/03-whole-model says what it is.
/// </summary>
public sealed class WholeModelTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".pkl");

    public static TheoryData<string> Files => [.. Expected().Select(file => file.Name)];

    public void Dispose() => File.Delete(_path);

    [Theory]
    [MemberData(nameof(Files))]
    public void A_whole_model_is_its_state_dict(string name)
    {
        JsonProperty[] expected = [.. Expected().Single(file => file.Name == name).Value.EnumerateObject()];
        using Checkpoint checkpoint = Checkpoint.Open(Case(name));
        Assert.Equal(
            expected.Select(tensor => tensor.Name).Order(StringComparer.Ordinal),
            checkpoint.Weights.Keys.Select(key => checkpoint.StrippedPrefix + key).Order(StringComparer.Ordinal));
        foreach (JsonProperty tensor in expected)
        {
            string key = tensor.Name[checkpoint.StrippedPrefix.Length..];
            var values = new float[checkpoint.Weights[key].Elements];
            checkpoint.Read(key, values);
            Assert.Equal(tensor.Value.GetDouble(), values.Sum(value => (double)value), 1e-5);
        }
    }

    [Theory]
    [InlineData("03-whole-model/whole.pth", "01-one-class-mask")]
    [InlineData("03-whole-model/whole_dataparallel.pth", "09-pickle-getattr-called-hostile")]
    [InlineData("09-pickle-getattr-called-hostile/bound.ckpt", "09-pickle-getattr-called-hostile")]
    [InlineData("09-pickle-getattr-called-hostile/dataclass.ckpt", "09-pickle-getattr-called-hostile")]
    [InlineData("09-pickle-getattr-called-hostile/enum.ckpt", "09-pickle-getattr-called-hostile")]
    [InlineData("09-pickle-getattr-called-hostile/interpolation.ckpt", "09-pickle-getattr-called-hostile")]
    public void The_mask_is_the_original_s(string file, string expected)
    {
        using Segmenter segmenter = Segmenter.Load(Shared.Require($"cases/{file}"));
        using Image photo = Image.Load(Shared.Require($"cases/{expected}/photo.png"));
        ReadOnlySpan<ushort> reference = LabelImage.Load(Shared.Require($"cases/{expected}/ref.png")).Labels;
        ReadOnlySpan<ushort> labels = segmenter.Segment(photo).Labels;
        Assert.Equal(reference.Length, labels.Length);
        int same = 0;
        for (int i = 0; i < labels.Length; i++)
            same += labels[i] == reference[i] ? 1 : 0;
        Assert.InRange(same, 0.9999 * labels.Length, labels.Length);
    }

    /// <summary>The weights fit any output stride; the modules say which it is.</summary>
    [Fact]
    public void The_output_stride_is_what_the_modules_say()
    {
        ModelInfo stated = ModelInfo.Read(Case("smp_os8.pth"));
        Assert.Equal((8, "the saved modules"), (stated.OutputStride, stated.OutputStrideSource));
        var chosen = new SegmenterOptions { OutputStride = 16 };
        Assert.Equal(16, ModelInfo.Read(Case("smp_os8.pth"), chosen).OutputStride);
    }

    /// <summary>The weights fit any atrous rates; the modules say which they are.</summary>
    [Fact]
    public void The_rates_are_what_the_modules_say()
    {
        Switch rates = ModelInfo.Read(Case("smp_rates.pth")).Switches.Single(row => row.Name == "rates");
        Assert.Equal(("6,12,18", "the saved modules"), (rates.Value, rates.Source));
    }

    /// <summary>
    /// Lightning keeps the network that a module was made with among its hyper-parameters: the same tensors as those of
    /// its state_dict, and modules that say what they do.
    /// </summary>
    [Fact]
    public void A_network_among_the_hyper_parameters_says_what_that_of_the_state_dict_does()
    {
        ModelInfo info = ModelInfo.Read(Case("smp_arguments.ckpt"));
        Switch rates = info.Switches.Single(row => row.Name == "rates");
        Assert.Equal(("6,12,18", "the saved modules"), (rates.Value, rates.Source));
        // It is one network, of which there is nothing to choose.
        Assert.DoesNotContain(info.Switches, row => row.Name == "weights");
        Assert.Empty(info.Beside);
    }

    /// <summary>Neither is in the weights: what the scores go through, and by what they are enlarged.</summary>
    [Fact]
    public void What_comes_behind_the_scores_is_what_the_modules_say()
    {
        ModelInfo sigmoid = ModelInfo.Read(Case("smp_sigmoid.pth"));
        Assert.True(sigmoid.IsMultiLabel);
        Assert.Contains(
            sigmoid.Switches, row => (row.Name, row.Value, row.Source) == ("multilabel", "true", "the saved modules"));
        ModelInfo plain = ModelInfo.Read(Case("smp_upsampling8.pth"));
        Assert.False(plain.IsMultiLabel);
        Assert.Contains(
            plain.Switches, row => (row.Name, row.Value, row.Source) == ("upsampling", "8", "the saved modules"));
        ModelException tanh = Assert.Throws<ModelException>(() => ModelInfo.Read(Case("smp_tanh.pth")));
        Assert.Contains("'activation' of the saved modules (\"tanh\")", tanh.Message, StringComparison.Ordinal);
    }

    /// <summary>Where it makes an output of one size, no factor is said, whatever comes behind it.</summary>
    [Theory]
    [InlineData(1.0, "Identity")]
    [InlineData(1.0, "Identity", "Identity")]
    [InlineData(8.0, "8.0", "Identity")]
    [InlineData(8.0, "Identity", "8.0")]
    [InlineData(8.0, "2.0", "4.0", "Identity")]
    [InlineData(null, "size", "Identity")]
    [InlineData(null, "2.0", "size", "Identity")]
    [InlineData(null, "size", "2.0")]
    public void A_layer_s_output_is_enlarged_by_all_that_comes_behind_it(double? factor, params string[] behind)
    {
        IEnumerable<string> modules = behind.Select(name => name switch
        {
            "Identity" => Module("linear", "Identity", ""),
            "size" => Module("upsampling", "Upsample", "S'scale_factor'\nNs"),
            _ => Module("upsampling", "UpsamplingBilinear2d", $"S'scale_factor'\nF{name}\ns"),
        });
        string children = string.Concat(modules
            .Prepend(Convolution())
            .Select((module, i) => $"S'{i}'\n{module}s"));
        using Checkpoint checkpoint = Saved(Module("container", "Sequential", "", modules: children));
        Assert.Equal(factor, checkpoint.Weights["0.weight"].Layer!.Enlargement);
    }

    /// <summary>A block of timm's without a stride: what stands for it is behind the activation.</summary>
    [Theory]
    [InlineData("AvgPool2d", "AvgPool2d")]
    [InlineData("BlurPool2d", "BlurPool2d")]
    [InlineData("Identity", null)]
    public void What_stands_for_a_layer_s_stride_is_kept(string module, string? smoother)
    {
        string none = Module("linear", "Identity", ""), smooth = Module("pooling", module, "");
        string children = $"S'conv1'\n{Convolution()}sS'conv2'\n{Convolution()}sS'act2'\n{none}s"
            + $"S'aa'\n{smooth}sS'conv3'\n{Convolution()}s";
        using Checkpoint checkpoint = Saved(Module("container", "Bottleneck", "", modules: children));
        Assert.Equal(
            [null, smoother, null],
            new[] { "conv1", "conv2", "conv3" }.Select(name => checkpoint.Weights[$"{name}.weight"].Layer!.Smoother));
    }

    /// <summary>An mmsegmentation model's own attributes are what its configuration would say.</summary>
    [Fact]
    public void What_modules_say_beside_their_layers_is_kept()
    {
        const string array = "cnumpy\nndarray\n)R(I1\n(I1\ntcnumpy\ndtype\n(S'f4'\ntRI00\nS'abcd'\ntb";
        string head = Module("S'align_corners'\nI01\nsS'threshold'\nF0.4\nsS'num_classes'\nI2\nsS'in_channels'\nI9\ns");
        string backbone = Module("S'strides'\n(I1\nI2\nI2\nI1\ntsS'contract_dilation'\nI01\ns", $"S'w'\n{array}s");
        string model = Module(
            "S'test_cfg'\ncmmcv.utils.config\nConfigDict\n)R(S'mode'\nS'whole'\nusS'CLASSES'\n(S'road'\nS'other'\ntsS'x'\nI1\ns",
            modules: $"S'backbone'\n{backbone}sS'decode_head'\n{head}s");
        File.WriteAllText(_path, $"(dS'model'\n{model}s.");
        using Checkpoint checkpoint = Checkpoint.Open(_path);
        Assert.Equal(
            """{"CLASSES":["road","other"],"modules":{"model":{"decode_head":{"align_corners":true,"threshold":0.4,"num_classes":2},"backbone":{"strides":[1,2,2,1],"contract_dilation":true},"test_cfg":{"mode":"whole"}}}}""",
            checkpoint.Meta!.Value.GetRawText());

        static string Module(string attributes, string parameters = "", string modules = "") =>
            $"cm\nM\n)R(dS'_parameters'\n(d{parameters}sS'_modules'\n(d{modules}s{attributes}b";
    }

    /// <summary>Its numbers are buffers that no state_dict() has; without a mean it normalises nothing.</summary>
    [Theory]
    [InlineData(true, """{"pad_val":0,"type":"SegDataPreProcessor","bgr_to_rgb":true,"mean":[123.675],"std":[57.12]}""")]
    [InlineData(false, """{"pad_val":0,"type":"SegDataPreProcessor","bgr_to_rgb":true}""")]
    public void What_an_mmsegmentation_preprocessor_does_is_kept(bool normalises, string expected)
    {
        string buffers = normalises ? $"S'mean'\n{Tensor(0)}sS'std'\n{Tensor(1)}s" : "";
        string preprocessor = Module(
            "module", "SegDataPreProcessor", $"S'_buffers'\n(d{buffers}sS'channel_conversion'\nI01\nsS'pad_val'\nI0\n"
                + "sS'_non_persistent_buffers_set'\nc__builtin__\nset\n((lS'mean'\naS'std'\natRs");
        string model = Module(
            "module", "EncoderDecoder", "",
            modules: $"S'data_preprocessor'\n{preprocessor}sS'decode_head'\n{Convolution()}s");
        using Checkpoint checkpoint = Saved(model, 123.675f, 57.12f);
        Assert.Equal(
            expected, checkpoint.Meta!.Value.GetProperty("modules").GetProperty("model").GetProperty("data_preprocessor")
                .GetRawText());
        Assert.Equal(["decode_head.weight"], checkpoint.Weights.Keys);
    }

    /// <summary>The arguments that a constructor was given, as huggingface_hub's mixin keeps them.</summary>
    [Fact]
    public void The_arguments_of_a_saved_model_are_kept()
    {
        const string array = "cnumpy\nndarray\n)R(I1\n(I1\ntcnumpy\ndtype\n(S'f4'\ntRI00\nS'abcd'\ntb";
        File.WriteAllText(_path, $"cm\nM\n)R(dS'_parameters'\n(dS'w'\n{array}ssS'_modules'\n(ds"
            + "S'_hub_mixin_config'\n(dS'encoder_name'\nS'resnet34'\nssb.");
        using Checkpoint checkpoint = Checkpoint.Open(_path);
        Assert.Equal(
            """{"encoder_name":"resnet34"}""", checkpoint.Arguments[Switch.Modules].GetRawText());
    }

    [Fact]
    public void Modules_that_are_another_network_are_refused()
    {
        ModelException error = Assert.Throws<ModelException>(() => ModelInfo.Read(Case("smp_other.pth")));
        Assert.Contains("'encoder.layer1.0.conv1.weight' has dilation 3", error.Message, StringComparison.Ordinal);
        Assert.Contains("has dilation 1 there", error.Message, StringComparison.Ordinal);
        // Neither another output stride nor a switch of something else makes it the network that it is not.
        Assert.Throws<ModelException>(
            () => ModelInfo.Read(Case("smp_other.pth"), new SegmenterOptions { OutputStride = 8 }));
        foreach ((string name, string value) in new[] { ("pixels", "0..255"), ("rates", "6,12,18") })
        {
            var options = new SegmenterOptions { Switches = new Dictionary<string, string> { [name] = value } };
            Assert.Throws<ModelException>(() => ModelInfo.Read(Case("smp_other.pth"), options));
        }
    }

    /// <summary>Layer norms have no buffers; their modules say what they add all the same.</summary>
    [Fact]
    public void Layer_norms_that_add_something_else_are_refused()
    {
        Assert.Contains("ConvNeXt", ModelInfo.Read(Case("smp_convnext.pth")).Backbone, StringComparison.Ordinal);
        ModelException error = Assert.Throws<ModelException>(() => ModelInfo.Read(Case("smp_convnext_other.pth")));
        Assert.Contains(
            "'encoder.model.stem_1.weight' has an epsilon of 1E-05", error.Message, StringComparison.Ordinal);
        Assert.Contains("has an epsilon of 1E-06 there", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_frozen_program_is_refused_in_a_sentence()
    {
        ModelException error = Assert.Throws<ModelException>(() => Checkpoint.Open(Case("frozen.pt")));
        Assert.Contains("a TorchScript program whose weights have no names", error.Message, StringComparison.Ordinal);
    }

    // Each module has itself, or twice the one before, among its modules.
    [Theory]
    [InlineData("cm\nM\n)Rp0\n(dS'_parameters'\n(dsS'_modules'\n(dS'a'\ng0\nssb.")]
    [InlineData("TWICE")]
    public void Modules_without_end_are_refused(string pickle)
    {
        if (pickle == "TWICE")
        {
            var text = new StringBuilder("cm\nM\n)R(dS'_parameters'\n(dsS'_modules'\n(dsbp0\n0");
            for (int i = 0; i < 60; i++)
                text.Append($"cm\nM\n)R(dS'_parameters'\n(dsS'_modules'\n(dS'a'\ng{i}\nsS'b'\ng{i}\nssbp{i + 1}\n0");
            pickle = text.Append("g60\n.").ToString();
        }
        File.WriteAllText(_path, "(dS'model'\n" + pickle.TrimEnd('.') + "s.");
        ModelException error = Assert.Throws<ModelException>(() => Checkpoint.Open(_path));
        Assert.Contains("modules are nested without end", error.Message, StringComparison.Ordinal);
    }

    /// <summary>A few modules that share one dictionary of what are no modules are as much work as many.</summary>
    [Fact]
    public void Modules_that_share_what_is_none_are_counted()
    {
        var text = new StringBuilder("(dS'x'\n(d");
        for (int i = 0; i < 5000; i++)
            text.Append($"I{i}\nI1\ns");
        text.Append("p0\ns");
        for (int i = 0; i < 300; i++)
            text.Append($"I{i}\ncm\nM\n)R(dS'_parameters'\n(dsS'_modules'\ng0\nsbs");
        File.WriteAllText(_path, text.Append('.').ToString());
        ModelException error = Assert.Throws<ModelException>(() => Checkpoint.Open(_path));
        Assert.Contains("more of them than any network has", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Others could be a million, for every object anew.</summary>
    [Theory]
    [InlineData("", true)]
    [InlineData("NN", true)]
    [InlineData("NNN", false)]
    public void Only_the_first_parts_of_a_state_may_be_a_module_s(string before, bool isModule)
    {
        const string array = "cnumpy\nndarray\n)R(I1\n(I1\ntcnumpy\ndtype\n(S'f4'\ntRI00\nS'abcd'\ntb";
        File.WriteAllText(_path, "(dS'model'\ncm\nM\n)R(" + before
            + $"(dS'_parameters'\n(dS'w'\n{array}ssS'_modules'\n(dsNtbsS'other'\n{array}s.");
        using Checkpoint checkpoint = Checkpoint.Open(_path);
        Assert.Equal(isModule ? "w" : "other", Assert.Single(checkpoint.Weights.Keys));
    }

    private static string Case(string name) => Path.Combine(Repository.Root, "tests", "cases", "03-whole-model", name);

    private static JsonProperty[] Expected()
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Case("expected.json")));
        return [.. document.RootElement.Clone().EnumerateObject()];
    }

    private static string Convolution() => Module("conv", "Conv2d", "", $"S'weight'\n{Tensor(0)}s");

    /// <summary>One number of a storage of two.</summary>
    private static string Tensor(int offset) =>
        "ctorch._utils\n_rebuild_tensor_v2\n((S'storage'\nctorch\nFloatStorage\nS'0'\nS'cpu'\nI2\ntQ"
        + $"I{offset}\n(I1\nI1\nI1\nI1\nt(I1\nI1\nI1\nI1\ntI00\nNtR";

    private static string Module(
        string file, string name, string attributes, string parameters = "", string modules = "") =>
        $"ctorch.nn.modules.{file}\n{name}\n)R"
        + $"(dS'_parameters'\n(d{parameters}sS'_modules'\n(d{modules}s{attributes}b";

    private Checkpoint Saved(string module, float first = 0, float second = 0)
    {
        using (var zip = new ZipArchive(File.Create(_path), ZipArchiveMode.Create))
        {
            using (Stream pickle = zip.CreateEntry("m/data.pkl").Open())
                pickle.Write(Encoding.Latin1.GetBytes($"(dS'model'\n{module}s."));
            using (Stream storage = zip.CreateEntry("m/data/0").Open())
                storage.Write(MemoryMarshal.AsBytes<float>([first, second]));
        }
        return Checkpoint.Open(_path);
    }
}
