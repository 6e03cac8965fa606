using Atrous.Checkpoints;
using Atrous.Checkpoints.Containers;
using Atrous.Tensors;
using Atrous.Tests.Imaging.Maps;
using Atrous.Tests.Cli.Videos;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Cli.Helping;

/// <summary>What --help shows beside usage and exit codes: examples that work, and options by section.</summary>
public sealed class HelpTests(GeneratedModel model) : IDisposable
{
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    /// <summary>Every example of these commands, with the files that it names; those of a GPU need one.</summary>
    [Theory]
    [InlineData("segment", 8)]
    [InlineData("merge", 4)]
    [InlineData("eval", 5)]
    [InlineData("info", 2)]
    [InlineData("infer", 2)]
    [InlineData("export", 3)]
    [InlineData("convert", 2)]
    [InlineData("models", 2)]
    [InlineData("devices", 2)]
    [InlineData("verify", 2)]
    [InlineData("bench", 3)]
    [InlineData("completion", 2)]
    [InlineData("help", 2)]
    public void Examples_work(string command, int count)
    {
        File.CreateSymbolicLink(_place["roads.pth"], model.Path);
        File.CreateSymbolicLink(_place["old.pth"], model.Path);
        foreach (string picture in new[] { "street.jpg", "photo.jpg", "aerial.png", "photos/a.png", "photos/b.png" })
            _place.AddPhoto(picture);
        var ortho = new GeoTiffFile { Height = 33, Width = 37, Bands = 5 };
        ortho.Write(_place["ortho.tif"], new float[33 * 37 * 5]);
        Tool.RunIn(_place.Folder, "segment", "photos", "--model", "roads.pth", "-o", "truth", "-q").Exits(0);
        foreach (string name in new[] { "a", "b" })
            File.Move(_place[$"truth/{name}.mask.png"], _place[$"truth/{name}.png"]);
        Tool.RunIn(_place.Folder, "segment", "photos", "--jsonl", "lines/0.jsonl", "-q").Exits(0);
        foreach (string part in new[] { "0/2", "1/2" })
        {
            Tool.RunIn(
                _place.Folder, "segment", "photos", "-o", "masks", "--format", "coco", "--shard", part, "-q").Exits(0);
        }
        using (var writer = new SafetensorsWriter(
            _place["input.safetensors"], [new WeightInfo("input", DType.Float32, [1, 3, 33, 33])]))
        {
            writer.Write("input", new float[3 * 33 * 33]);
            writer.Complete();
        }

        File.Copy(Clip.Path, _place["clip.mp4"]);
        string[] examples = Examples(command);
        Assert.Equal(count, examples.Length);
        // A GPU, a minute and a public data set are not at hand; EvalLayoutTests have small ones of the last kind.
        foreach (string line in examples.Where(
            line => line != "atrous bench" && !line.Contains("cuda") && !line.Contains("--dataset")
                && (Clip.HasFfmpeg || !line.Contains("clip.mp4"))))
            Tool.RunIn(_place.Folder, line.Split(' ')[1..]).Exits(0);
    }

    [Fact]
    public void Commands_that_do_not_end_by_themselves_have_examples_too()
    {
        Assert.All(Examples("serve"), line => Assert.StartsWith("atrous serve", line));
        Assert.All(Examples("pull"), line => Assert.Contains("atrous pull deeplabv3_resnet50", line));
    }

    [Fact]
    public void Nothing_is_told_in_the_words_of_the_code()
    {
        foreach (string command in new[] { "segment", "eval", "serve", "bench", "merge", "convert", "export" })
            Assert.DoesNotContain("System.", Tool.Run(command, "--help").Exits(0).Output);
    }

    [Theory]
    [InlineData("segment", "Arguments", "Input", "Model", "Output", "Video", "Processing", "Device", "Other")]
    [InlineData("bench", "Arguments", "Input", "Model", "Runs", "Output", "Device", "Other")]
    [InlineData("serve", "Model", "Processing", "Configuration", "Connections", "Queue", "Shutdown", "Log", "Device", "Other")]
    [InlineData("convert", "Arguments", "Output", "Model", "Other")]
    [InlineData("devices", "Options")]
    public void Many_options_stand_in_sections(string command, params string[] sections) => Assert.Equal(
        ["Usage:", "Examples:", .. sections.Select(section => section + ":"), "Exit codes:"],
        Tool.Run(command, "--help").Exits(0).Output.Split('\n')
            .Where(line => line.EndsWith(':') && !line.StartsWith(' ')));

    private static string[] Examples(string command)
    {
        string[] lines = Tool.Run(command, "--help").Exits(0).Output.Split('\n');
        string[] examples =
        [
            .. lines.SkipWhile(line => line != "Examples:").Skip(1).TakeWhile(line => line.Length > 0)
                .Where(line => !line.StartsWith("   ", StringComparison.Ordinal)).Select(line => line.Trim()),
        ];
        Assert.NotEmpty(examples);
        return examples;
    }
}
