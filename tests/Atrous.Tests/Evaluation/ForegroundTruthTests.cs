using Atrous.Evaluation;
using Atrous.Imaging;
using Atrous.Postprocessing;

namespace Atrous.Tests.Evaluation;

/// <summary>What 255 means in the label maps of a network of one class.</summary>
public sealed class ForegroundTruthTests
{
    [Fact]
    public void It_is_the_foreground_where_there_is_no_1()
    {
        var truth = new ForegroundTruth();
        Assert.Equal<ushort>([0, 1, 1], truth.Read(Map(0, 255, 255)).Labels.ToArray());
        Assert.Equal<ushort>([0, 0, 0], truth.Read(Map(0, 0, 0)).Labels.ToArray());
        Assert.Equal<ushort>([0, 7, 1], truth.Read(Map(0, 7, 255)).Labels.ToArray());
    }

    [Fact]
    public void Maps_of_0_and_1_stay_as_they_are() =>
        Assert.Equal<ushort>([0, 1, 1], new ForegroundTruth().Read(Map(0, 1, 1)).Labels.ToArray());

    [Fact]
    public void Beside_a_1_it_may_be_either_and_the_user_is_asked()
    {
        Assert.Throws<ImageException>(() => new ForegroundTruth().Read(Map(0, 1, 255)));
        var truth = new ForegroundTruth();
        truth.Read(Map(0, 255, 0));
        Assert.Contains("1 and 255", Assert.Throws<ImageException>(() => truth.Read(Map(0, 1, 0))).Message);
        // What was refused says nothing of the maps after it.
        Assert.Equal<ushort>([1, 0, 0], truth.Read(Map(255, 0, 0)).Labels.ToArray());
    }

    private static LabelImage Map(params ushort[] labels) => new(labels, 1, labels.Length);
}
