using Atrous.Checkpoints.Dialects;
using Atrous.Specs;

namespace Atrous.Tests.Checkpoints.Dialects;

/// <summary>
/// The buffers mean and std that training modules keep beside networks of segmentation_models.pytorch.
/// </summary>
public sealed class StatisticsBuffersTests
{
    private static readonly float[] Mean = [0.485f, 0.456f, 0.406f], Std = [0.229f, 0.224f, 0.225f];

    [Theory]
    // The notebooks' own: a module that has the network as "model.".
    [InlineData("mean", "std", "model.", 1f, "0..255", 1f)]
    // All of it inside a wrapper.
    [InlineData("module.mean", "module.std", "module.model.", 1f, "0..255", 1f)]
    // Statistics of bytes.
    [InlineData("mean", "std", "model.", 255f, "0..255", 1f)]
    [InlineData("pixel_mean", "pixel_std", "model.", 255f, "0..255", 1f)]
    // A module of its own before the network, for pictures from 0 to 1, or for bytes.
    [InlineData("0.mean", "0.std", "1.", 1f, "0..1", 1f / 255)]
    [InlineData("normalize._mean", "normalize._std", "net.", 1f, "0..1", 1f / 255)]
    [InlineData("normalize.mean", "normalize.std", "net.", 255f, "0..255", 1f)]
    public void The_buffers_mean_and_std_are_taken(
        string mean, string std, string prefix, float factor, string pixels, float scale)
    {
        using NamedWeights weights = Weights(prefix);
        weights.Add(std, [.. Std.Select(value => value * factor)]);
        weights.Add(mean, [.. Mean.Select(value => value * factor)]);
        ModelDescription model = Dialect.Describe(weights, null, new DialectChoice());
        Assert.Equal((pixels, "assumed"), Row(model, "pixels"));
        Assert.Equal(scale, model.Preprocessing.Scale);
        Assert.Equal(Mean.Select(value => value * factor), model.Preprocessing.Mean);
        Assert.Equal(Std.Select(value => value * factor), model.Preprocessing.Std);
        Assert.Contains(mean, Assert.Single(model.Notes));
        Assert.Contains(mean, model.TrainingOnly);
        Assert.Equal(1f / 255, Dialect.Describe(weights, null, new DialectChoice(
            options: new Dictionary<string, string> { ["pixels"] = "0..1" })).Preprocessing.Scale);
    }

    [Fact]
    public void One_of_them_alone_says_nothing_and_a_note_says_so()
    {
        using NamedWeights weights = Weights();
        weights.Add("mean", 0.5f, 0.5f, 0.5f);
        ModelDescription model = Dialect.Describe(weights, null, new DialectChoice());
        Assert.Equal(Normalisation.ImageNet(3), model.Preprocessing);
        Assert.Contains("'mean'", Assert.Single(model.Notes));
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(-1f)]
    [InlineData(float.NaN)]
    public void A_std_that_cannot_be_divided_by_is_refused(float value)
    {
        using NamedWeights weights = Weights();
        weights.Add("mean", 0.5f);
        weights.Add("std", value);
        Assert.Contains("'std'", Assert.Throws<ModelException>(
            () => Dialect.Describe(weights, null, new DialectChoice())).Message);
    }

    private static NamedWeights Weights(string prefix = "") =>
        new(NamedWeights.Manifest("smp_deeplabv3plus_r50_1class")) { StrippedPrefix = prefix };

    private static (string, string) Row(ModelDescription model, string name)
    {
        Switch row = Assert.Single(model.Switches, row => row.Name == name);
        return (row.Value, row.Source);
    }
}
