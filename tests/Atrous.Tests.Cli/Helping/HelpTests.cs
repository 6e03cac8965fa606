using Atrous.Tests.Cli.Videos;

namespace Atrous.Tests.Cli.Helping;

/// <summary>What --help shows beside usage and exit codes: examples that work, and options by section.</summary>
public sealed class HelpTests(ExampleFiles files) : IClassFixture<ExampleFiles>
{
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
        using var place = new Workplace();
        files.CopyTo(place.Folder);
        string[] examples = Examples(command);
        Assert.Equal(count, examples.Length);
        // A GPU, a minute and a public data set are not at hand; EvalLayoutTests have small ones of the last kind.
        foreach (string line in examples.Where(
            line => line != "atrous bench" && !line.Contains("cuda") && !line.Contains("--dataset")
                && (Clip.HasFfmpeg || !line.Contains("clip.mp4"))))
            Tool.RunIn(place.Folder, line.Split(' ')[1..]).Exits(0);
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
