using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Specs;
using Atrous.Tests.Cli;
using Atrous.Tests.Support;

namespace Atrous.Tests.Segmenters;

/// <summary>What lies beside the weights, in the file or in its folder, decides the mask.</summary>
public sealed class SaidByTheFileTests : IDisposable
{
    private static readonly float[] Mean = [0.485f, 0.456f, 0.406f], Std = [0.229f, 0.224f, 0.225f];

    private readonly string _folder = Directory.CreateTempSubdirectory("atrous-").FullName;

    private static string Small => Shared.Require("cases/01-one-class-mask/smp_c1.pth");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_checkpoint_of_the_notebooks_takes_bytes()
    {
        string file = Shared.Require("cases/07-smp-notebook-bytes/lit255.ckpt");
        AssertAgrees(0.9995, LabelsOf("cases/07-smp-notebook-bytes/ref.png"), Labels(file));
        ToolResult info = Tool.Run("info", file).Exits(0);
        Assert.Contains("pixels=0..255", info.Output);
        Assert.Contains("RGB from 0 to 255, ImageNet's mean and std", info.Output);
        string[] segment = ["segment", Shared.Require("cases/07-smp-notebook-bytes/photo.png"), "-m", file, "-o"];
        string first = Tool.Run([.. segment, Path.Combine(_folder, "a.png")]).Exits(0).ErrorLines[0];
        Assert.Contains("assumed: output stride 16, rates=12,24,36", first);
        Assert.Contains("pixels=0..255", first);
        Assert.DoesNotContain("input RGB", first);
        string given = Tool.Run([.. segment, Path.Combine(_folder, "b.png"), "--option", "pixels=0..1"]).Exits(0)
            .ErrorLines[0];
        Assert.DoesNotContain("pixels", given);
    }

    /// <summary>
    /// The statistics of this file's first batch norm are those of pixels from 0 to 1, whatever notebooks do with
    /// bytes.
    /// </summary>
    [Theory]
    [InlineData("model.", "", 1f, 1f / 255)]
    [InlineData("model.", "", 255f, 1f)]
    public void Buffers_are_what_pictures_are_normalised_with(
        string prefix, string bufferPrefix, float factor, float scale)
    {
        string file = Path.Combine(_folder, "notebook.safetensors");
        Resaved.Write(
            Small, file, name => prefix + name, (bufferPrefix + "std", [.. Std.Select(value => value * factor)]),
            (bufferPrefix + "mean", [.. Mean.Select(value => value * factor)]));
        var preprocessing = new PreprocessingSpec
        {
            Scale = scale,
            Mean = [.. Mean.Select(value => value * factor)],
            Std = [.. Std.Select(value => value * factor)],
        };
        AssertAgrees(1, Labels(Small, new SegmenterOptions { Preprocessing = preprocessing }), Labels(file));
        Assert.Empty(ModelInfo.Read(file).Unexpected);
    }

    [Fact]
    public void The_rates_of_a_state_dict_are_a_switch_and_those_of_a_folder_are_read()
    {
        const string cases = "cases/10-smp-arguments/";
        string file = Shared.Require(cases + "rates.pth");
        ushort[] expected = LabelsOf(cases + "hub_rates_ref.png");
        AssertAgrees(0.9995, expected, Labels(file, Switches(("rates", "6,12,18"))));
        AssertDiffers(0.9, expected, Labels(file));

        Resaved.Write(file, Path.Combine(_folder, "model.safetensors"));
        File.WriteAllText(Path.Combine(_folder, "config.json"), """{"decoder_atrous_rates": [6, 12, 18]}""");
        AssertAgrees(0.9995, expected, Labels(_folder));
        // The folder's file of weights is read with what lies beside it.
        AssertAgrees(0.9995, expected, Labels(Path.Combine(_folder, "model.safetensors")));
        AssertDiffers(0.9, expected, Labels(_folder, Switches(("rates", "12,24,36"))));
        Assert.Contains("config.json: decoder_atrous_rates", Tool.Run("info", _folder).Exits(0).Output);
    }

    [Fact]
    public void A_folder_s_sigmoid_of_one_class_is_the_one_that_is_taken()
    {
        Resaved.Write(Small, Path.Combine(_folder, "model.safetensors"));
        string config = Path.Combine(_folder, "config.json");
        File.WriteAllText(config, """{"activation": "sigmoid", "classes": 1}""");
        AssertAgrees(0.9995, LabelsOf("cases/01-one-class-mask/ref.png"), Labels(_folder));
        File.WriteAllText(config, """{"activation": "tanh", "classes": 1}""");
        Tool.Run("info", _folder).Refuses(3, _folder, "activation", "tanh");
    }

    /// <summary>Folders whose networks are narrower than their config.json says.</summary>
    [Fact]
    public void A_folder_of_narrow_weights_has_the_mask_of_its_weights()
    {
        string hub = Shared.Require("cases/01-one-class-mask/hub"), alone = Path.Combine(_folder, "alone.safetensors");
        File.Copy(Path.Combine(hub, "model.safetensors"), alone);
        // Everything else that its config.json says is what the library takes by itself.
        AssertAgrees(1, Labels(alone), Labels(hub));
        Assert.Equal(0.5, ModelInfo.Read(hub).Threshold);
        ModelInfo shallow = ModelInfo.Read(Shared.Require("cases/10-smp-arguments/hub_depth4"));
        Assert.Empty(shallow.Missing);
        Assert.Equal(("ResNet-18", 3), (shallow.Backbone, shallow.Classes));
        Assert.Contains("decoder_channels", Assert.Single(shallow.Notes));
    }

    [Fact]
    public void Scores_of_another_size_become_the_picture_s()
    {
        Resaved.Write(Small, Path.Combine(_folder, "model.safetensors"));
        ushort[] usual = Labels(_folder);
        File.WriteAllText(Path.Combine(_folder, "config.json"), """{"upsampling": 2}""");
        ushort[] half = Labels(_folder);
        AssertAgrees(0.97, usual, half);
        AssertDiffers(1, usual, half);
    }

    [Fact]
    public void The_image_processor_of_a_folder_is_read()
    {
        string folder = Shared.Require("cases/11-hf-preprocessor-config/hf");
        ModelInfo info = ModelInfo.Read(folder);
        Assert.Equal(
            PreprocessingSpec.ImageNet with { Resize = new ResizePolicy.ShortSide(256) }, info.Preprocessing);
        Assert.Equal((16, "config.json"), (info.OutputStride, info.OutputStrideSource));
        Assert.Equal(["bg", "leaf"], info.ClassNames);
    }

    private static SegmenterOptions Switches(params (string Name, string Value)[] switches) =>
        new() { Switches = switches.ToDictionary(row => row.Name, row => row.Value) };

    private static ushort[] Labels(string model, SegmenterOptions? options = null)
    {
        using Segmenter segmenter = Segmenter.Load(model, (options ?? new()) with { Device = "cpu", Threads = 2 });
        using Image photo = Image.Load(Shared.Require("cases/01-one-class-mask/photo.png"));
        return segmenter.Segment(photo).Labels.ToArray();
    }

    private static ushort[] LabelsOf(string mask)
    {
        ushort[] labels = LabelImage.Load(Shared.Require(mask)).Labels.ToArray();
        // Some references store the foreground as 255.
        return labels.Max() == 255 ? [.. labels.Select(label => (ushort)(label / 255))] : labels;
    }

    private static void AssertAgrees(double least, ushort[] expected, ushort[] actual) =>
        Assert.InRange(Agreement(expected, actual), least, 1);

    private static void AssertDiffers(double most, ushort[] expected, ushort[] actual) =>
        Assert.True(Agreement(expected, actual) < most);

    private static double Agreement(ushort[] expected, ushort[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        return expected.Zip(actual).Count(pair => pair.First == pair.Second) / (double)expected.Length;
    }
}
