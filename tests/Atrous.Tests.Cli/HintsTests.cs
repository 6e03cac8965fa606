using Atrous.Backends;
using Atrous.Cli;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Cli;

/// <summary>What the tool adds to the library's sentences: the option or the command that helps.</summary>
public sealed class HintsTests(GeneratedModel model)
{
    public static TheoryData<string> Remedies => [.. Enum.GetNames<Remedy>().Where(name => name != "None")];

    [Theory]
    [MemberData(nameof(Remedies))]
    public void Every_remedy_has_a_hint_that_says_what_to_type(string name)
    {
        var failure = new AtrousException("No.") { Remedy = Enum.Parse<Remedy>(name), ModelName = "some-model" };
        Assert.Matches("^ (?! ).*(--[a-z]|`atrous [a-z]).*[.]$", Hints.Of(failure));
        Assert.DoesNotContain("NAME", Hints.Of(failure));
    }

    [Fact]
    public void Without_a_remedy_there_is_no_hint_and_of_two_there_are_both()
    {
        Assert.Empty(Hints.Of(new ModelException("No.")));
        var failure = new MemoryException("No.") { Remedy = Remedy.SlideWindow | Remedy.UseHalfPrecision };
        Assert.Matches("^ .*--tile.* .*--precision fp16.*$", Hints.Of(failure));
    }

    [Fact]
    public void A_dialect_that_does_not_fit_is_refused_with_the_option_to_leave_out() =>
        Tool.Run("info", model.Path, "--dialect", "torchvision").Refuses(3, "the dialect torchvision uses",
            "Leave out --dialect");

    [Fact]
    public void A_device_that_cannot_be_used_is_refused_with_one_that_can()
    {
        Assert.SkipWhen(
            BackendRegistry.Devices().Any(device => device.Available && device.Name.StartsWith("cuda")),
            "this machine has a GPU");
        Tool.Run("bench", model.Path, "--device", "cuda").Refuses(2, "cannot be used", "--device cpu");
    }
}
