using System.Text.Json;

namespace Atrous.Tests.Cli;

/// <summary>Help, wrong usage, devices.</summary>
public sealed class UsageTests
{
    [Theory]
    [InlineData]
    [InlineData("segment")]
    [InlineData("eval")]
    [InlineData("info")]
    [InlineData("infer")]
    [InlineData("models")]
    [InlineData("pull")]
    [InlineData("devices")]
    [InlineData("verify")]
    [InlineData("bench")]
    public void Help_documents_usage_and_exit_codes(params string[] command)
    {
        ToolResult result = Tool.Run([.. command, "--help"]).Exits(0);
        Assert.Contains(string.Join(' ', ["atrous", .. command]), result.Output);
        Assert.Contains("Exit codes:", result.Output);
        Assert.Contains("130", result.Output);
        Assert.Empty(result.Error);
    }

    [Theory]
    [InlineData("", "--help")]
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
