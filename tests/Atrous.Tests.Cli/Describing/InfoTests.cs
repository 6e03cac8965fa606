using System.Text.Json;
using Atrous.Tests.Segmenters;
using Atrous.Tests.Support;

namespace Atrous.Tests.Cli.Describing;

/// <summary>`atrous info`, on sound files and on others.</summary>
public sealed class InfoTests(GeneratedModel model)
{
    [Fact]
    public void A_model_is_described_for_people()
    {
        ToolResult result = Tool.Run("info", model.Path).Exits(0);
        Assert.Contains("DeepLabV3+", result.Output);
        Assert.Contains("MobileNetV2", result.Output);
        Assert.Contains("VainF", result.Output);
        Assert.Contains("513x513", result.Output);
        Assert.Empty(result.Error);
    }

    [Fact]
    public void A_model_is_described_for_programs()
    {
        JsonElement small = Tool.Run("info", model.Path, "--json", "--size", "65x129").Exits(0).Json;
        Assert.Equal("safetensors", small.GetProperty("container").GetString());
        Assert.Equal("VainF", small.GetProperty("dialect").GetString());
        Assert.Equal(16, small.GetProperty("outputStride").GetInt32());
        Assert.Equal(3, small.GetProperty("inputChannels").GetInt32());
        Assert.Equal(5, small.GetProperty("classes").GetInt32());
        Assert.Equal(129, small.GetProperty("atSize").GetProperty("width").GetInt32());
        Assert.Equal(3, small.GetProperty("preprocessing").GetProperty("mean").GetArrayLength());
        Assert.Equal(0, small.GetProperty("missing").GetArrayLength());
        Assert.Equal(0, small.GetProperty("unexpected").GetArrayLength());

        JsonElement dense = Tool.Run("info", model.Path, "--json", "--size", "65x129", "--output-stride", "8")
            .Exits(0).Json;
        Assert.Equal(8, dense.GetProperty("outputStride").GetInt32());
        Assert.True(dense.GetProperty("multiplyAdds").GetInt64() > small.GetProperty("multiplyAdds").GetInt64());
    }

    [Fact]
    public void Mean_and_std_are_printed_as_they_are_typed()
    {
        string[] lines = Tool.Run("info", model.Path).Exits(0).Output.Split('\n');
        Assert.Contains("mean           0.485,0.456,0.406", lines);
        Assert.Contains("std            0.229,0.224,0.225", lines);

        using var place = new Workplace();
        place.AddPhoto("a.png");
        string[] segment = ["segment", place["a.png"], "--model", model.Path, "-q", "-o"];
        Tool.Run([.. segment, place["plain.png"]]).Exits(0);
        Tool.Run([.. segment, place["typed.png"], "--mean", Typed("mean"), "--std", Typed("std")]).Exits(0);
        Assert.Equal(File.ReadAllBytes(place["plain.png"]), File.ReadAllBytes(place["typed.png"]));

        string Typed(string label) => Assert.Single(lines, line => line.StartsWith(label + " "))[label.Length..].Trim();
    }

    [Fact]
    public void A_folder_with_a_configuration_is_a_model()
    {
        using var place = new Workplace();
        place.Add("model/config.json", "{}");
        File.CreateSymbolicLink(place["model/model.safetensors"], model.Path);
        place.AddPhoto("a.png");
        Tool.Run("info", place["model"]).Exits(0);
        Tool.Run("segment", place["a.png"], "--model", place["model"], "-q").Exits(0);
        place.AssertMask("a.mask.png");
    }

    [Fact]
    public void Missing_tensors_are_listed_and_mean_exit_code_3()
    {
        using var place = new Workplace();
        const string lost = "classifier.project.1.bias";
        GeneratedModel.Write(Golden.Load(GeneratedModel.Name), place["lost.safetensors"], name => name != lost);
        ToolResult text = Tool.Run("info", place["lost.safetensors"]).Refuses(3, "1 of its tensors");
        Assert.Contains(lost, text.Output);
        JsonElement json = Tool.Run("info", place["lost.safetensors"], "--json").Refuses(3).Json;
        Assert.Equal(lost, Assert.Single(json.GetProperty("missing").EnumerateArray()).GetString());
        Assert.Equal(JsonValueKind.Null, json.GetProperty("multiplyAdds").ValueKind);

        place.AddPhoto("a.png");
        Tool.Run("segment", place["a.png"], "--model", place["lost.safetensors"]).Refuses(3, lost);
        Assert.Equal(["a.png", "lost.safetensors"], place.Files);
    }

    [Theory]
    [InlineData("--dialect", "nonesuch")]
    [InlineData("--option", "nonesuch=1")]
    [InlineData("--output-stride", "32")]
    public void What_the_model_does_not_have_is_wrong_usage(string option, string value) =>
        Tool.Run("info", model.Path, option, value).Refuses(2, value.Split('=')[0]);

    [Theory]
    [InlineData("g_empty.pth")]
    [InlineData("g_html.pth")]
    [InlineData("g_lfs_pointer.safetensors")]
    [InlineData("g_st_7bytes.safetensors")]
    [InlineData("g_os_system_zip.pth")]
    [InlineData("g_os_system_legacy.pth")]
    [InlineData("g_pkl_billion_laughs_zip.pth")]
    [InlineData("g_pkl_deep_nesting_zip.pth")]
    public void A_hostile_file_is_refused_in_a_sentence(string name)
    {
        string path = Path.Combine(Repository.Goldens, "containers", name);
        ToolResult result = Tool.Run("info", path).Refuses(3, name);
        Assert.DoesNotContain("ATROUS_PICKLE_EXECUTED", result.Output);
    }

    [Fact]
    public void A_missing_and_a_truncated_file_are_bad_models()
    {
        using var place = new Workplace();
        Tool.Run("info", place["nothing.pth"]).Refuses(3, "nothing.pth", "does not exist");
        place.Add("half.safetensors", File.ReadAllBytes(model.Path)[..1_000_000]);
        Tool.Run("info", place["half.safetensors"]).Refuses(3, "half.safetensors");
    }
}
