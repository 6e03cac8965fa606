using System.Text.Json;

namespace Atrous.Tests.Cli.Helping;

/// <summary>Help, wrong usage, devices.</summary>
public sealed class UsageTests
{
    [Theory]
    [InlineData]
    [InlineData("segment")]
    [InlineData("eval")]
    [InlineData("info")]
    [InlineData("infer")]
    [InlineData("export")]
    [InlineData("convert")]
    [InlineData("models")]
    [InlineData("pull")]
    [InlineData("devices")]
    [InlineData("verify")]
    [InlineData("bench")]
    [InlineData("serve")]
    [InlineData("completion")]
    [InlineData("version")]
    [InlineData("help")]
    public void Help_documents_usage_and_exit_codes(params string[] command)
    {
        ToolResult result = Tool.Run([.. command, "--help"]).Exits(0);
        Assert.Contains(string.Join(' ', ["atrous", .. command]), result.Output);
        Assert.Contains("Exit codes:", result.Output);
        Assert.Contains("130", result.Output);
        Assert.Empty(result.Error);
    }

    [Theory]
    [InlineData("help", "--help")]
    [InlineData("help segment", "segment --help")]
    [InlineData("help help", "help --help")]
    [InlineData("version", "--version")]
    public void A_word_does_what_the_option_does(string word, string option)
    {
        ToolResult result = Tool.Run(word.Split(' ')).Exits(0);
        Assert.NotEmpty(result.Output);
        Assert.Equal(Tool.Run(option.Split(' ')).Exits(0).Output, result.Output);
        Assert.Empty(result.Error);
    }

    [Theory]
    [InlineData("", "--help")]
    [InlineData("help frob", "no command 'frob'")]
    [InlineData("help segment info", "atrous help --help")]
    [InlineData("version frob", "frob")]
    [InlineData("frob", "frob")]
    [InlineData("devices --frob", "--frob")]
    [InlineData("segment --model m", "atrous segment --help")]
    [InlineData("segment a.png --model=", "--model")]
    [InlineData("segment a.png --model m --opacity 1.5", "--opacity takes a number from 0 to 1")]
    [InlineData("segment a.png --model m --opacity much", "much")]
    [InlineData("segment a.png --model m --threads 0", "--threads takes a number from 1")]
    [InlineData("segment a.png --model m --precision fp8", "fp32|tf32|fp16|bf16")]
    [InlineData("segment a.png --model m --precision 1", "fp32|tf32|fp16|bf16")]
    [InlineData("segment a.png --model m --output-stride x", "--output-stride")]
    [InlineData("segment a.png --model m --option bn", "NAME=VALUE")]
    [InlineData("segment a.png --model m --option bn=1 --option bn=2", "twice")]
    [InlineData("segment a.png --model m --classes /nowhere/classes.txt", "/nowhere/classes.txt")]
    [InlineData("segment - a.png --model m", "standard input")]
    [InlineData("segment - --model m --json", "--json")]
    [InlineData("segment - --model m --overlay", "-o")]
    [InlineData("convert", "atrous convert --help")]
    [InlineData("pull", "atrous pull --help")]
    [InlineData("completion fish", "no script for 'fish'; there are bash, zsh and pwsh")]
    [InlineData("completion", "atrous completion --help")]
    [InlineData("pull some-model", "atrous models")]
    [InlineData("pull some-model --timeout 0", "--timeout takes a number of seconds")]
    [InlineData("info m --size 513", "HEIGHTxWIDTH")]
    [InlineData("info m --size 0x5", "HEIGHTxWIDTH")]
    [InlineData("bench m --runs -1", "--runs takes a number from 0")]
    [InlineData("bench m --batch 0", "--batch takes a number from 1 to 256")]
    [InlineData("bench m --size 513", "HEIGHTxWIDTH")]
    [InlineData("infer m", "--input")]
    public void Wrong_usage_is_one_line_and_exit_code_2(string line, string words)
    {
        ToolResult result = Tool.Run(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Refuses(2, words);
        Assert.Empty(result.Output);
    }

    [Theory]
    [InlineData("segment --modell=m a.png", "There is no option --modell; did you mean --model?")]
    [InlineData("segment --modell m a.png", "There is no option --modell; did you mean --model?")]
    [InlineData("segment a.png --ovrelay", "There is no option --ovrelay; did you mean --overlay?")]
    [InlineData("segment a.png --overlay --Jsn", "There is no option --Jsn; did you mean --json?")]
    [InlineData("segment a.png -z", "There is no option -z; `atrous segment --help`")]
    [InlineData("segment a.png --frobnicate", "There is no option --frobnicate; `atrous segment --help`")]
    [InlineData("info --sise=65x65", "There is no option --sise; did you mean --size?")]
    [InlineData("pull some-model --timout 3", "There is no option --timout; did you mean --timeout?")]
    [InlineData("devices --jsno", "There is no option --jsno; did you mean --json?")]
    [InlineData("segment --overlay=a.png", "--overlay takes no value 'a.png'")]
    [InlineData("segment -qz a.png", "-q takes no value 'z'")]
    [InlineData("--versoin", "There is no option --versoin; did you mean --version?")]
    public void A_misspelt_option_is_wrong_usage_and_no_argument(string line, string words)
    {
        ToolResult result = Tool.Run(line.Split(' ')).Refuses(2, words);
        Assert.Empty(result.Output);
    }

    [Fact]
    public void After_two_dashes_everything_is_an_argument() =>
        Tool.Run("info", "--", "--modell.pth").Refuses(3, "--modell.pth", "does not exist");

    [Theory]
    [InlineData("infer --input -in.safetensors --output out.safetensors", "-in.safetensors")]
    [InlineData("bench m --runs -1", "--runs takes a number from 0")]
    public void The_value_of_an_option_may_begin_with_a_dash(string line, string words)
    {
        ToolResult result = Tool.Run(line.Split(' '));
        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains(words, result.Error);
        Assert.DoesNotContain("There is no option", result.Error);
    }

    [Fact]
    public void Devices_are_listed_for_people_and_for_programs()
    {
        ToolResult text = Tool.Run("devices").Exits(0);
        Assert.Contains("reference", text.Output);
        Assert.Empty(text.Error);

        JsonElement devices = Tool.Run("devices", "--json").Exits(0).Json.GetProperty("devices");
        Assert.All(devices.EnumerateArray(), device => Assert.NotEmpty(device.GetProperty("detail").GetString()!));
        JsonElement cpu = devices.EnumerateArray().Single(device => device.GetProperty("name").GetString() == "cpu");
        Assert.True(cpu.GetProperty("available").GetBoolean());
        Assert.Contains(devices.EnumerateArray(), device => device.GetProperty("name").GetString()!.StartsWith("cuda"));
    }
}
