using Atrous.Tests.Support;

namespace Atrous.Tests.Cli.Options;

/// <summary>What the tool says of files that hold more than one network's tensors.</summary>
public sealed class SelectionTests : IDisposable
{
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public void Segment_says_which_network_it_takes_and_what_it_does_not_use()
    {
        string photo = _place.AddPhoto("photo.png"), mask = _place["mask.png"];
        string line = Assert.Single(
            Tool.Run("segment", photo, "--model", Case("lightning"), "-o", mask).Exits(0).ErrorLines);
        Assert.EndsWith(
            ", weights=state_dict.model of several networks, not used: criterion.weight, train_metrics.iou.confmat, " +
            "ema_model.*", line);
        line = Assert.Single(Tool.Run(
            "segment", photo, "--model", Case("two_keys"), "-o", mask, "--option", "weights=state_dict_ema")
            .Exits(0).ErrorLines);
        Assert.EndsWith(", weights=state_dict_ema of several networks", line);
    }

    [Fact]
    public void Info_lists_networks_and_tensors_beside_them()
    {
        string info = Tool.Run("info", Case("lightning")).Exits(0).Output;
        Assert.Contains("weights=state_dict.model", info);
        Assert.Contains("(state_dict.model, state_dict.ema_model)", info);
        Assert.Contains("beside it      183 tensor(s), not used", info);
        Assert.Contains("state_dict.ema_model.* (181)", info);
        Assert.Contains("\"optimizer.state.a.exp_avg\": 1", Tool.Run("info", Case("gan"), "--json").Exits(0).Output);
    }

    [Fact]
    public void Convert_says_it_too()
    {
        string converted = _place["one.safetensors"];
        string[] lines = Tool.Run("convert", Case("two_keys"), "-o", converted).Exits(0).ErrorLines;
        Assert.EndsWith(", weights=state_dict of several networks", lines[0]);
        Assert.Equal(2, lines.Length);
    }

    [Fact]
    public void A_network_that_is_not_there_is_a_usage_error() => Assert.Contains(
        "has no network 'none'; it has state_dict, state_dict_ema.",
        Tool.Run("info", Case("two_keys"), "--option", "weights=none").Exits(2).Error);

    private static string Case(string name) => Repository.PathOf($"tests/cases/04-06-wrapped/{name}.pth");
}
