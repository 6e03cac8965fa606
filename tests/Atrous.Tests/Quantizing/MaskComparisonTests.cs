using Atrous.Quantizing;

namespace Atrous.Tests.Quantizing;

/// <summary>When masks in 8 bits agree enough with those of float32.</summary>
public sealed class MaskComparisonTests
{
    [Theory]
    [InlineData(0.99, new[] { 0.991, 0.99 }, new[] { 0.99, 0.986 }, true)]
    [InlineData(0.99, new[] { 0.991, 0.988 }, new[] { 0.999, 0.999 }, false)] // the mean of what was not measured on
    [InlineData(0.99, new[] { 0.999, 0.984 }, new[] { 0.999, 0.999 }, false)] // one of them
    [InlineData(0.99, new[] { 0.999, 0.999 }, new[] { 0.999, 0.984 }, false)] // one that was measured on
    [InlineData(0, new[] { 0.1, 0.2 }, new[] { 0.0, 0.1 }, true)]
    [InlineData(1, new[] { 1.0, 1.0 }, new[] { 1.0, 1.0 }, true)]
    [InlineData(1, new[] { 1.0, 1.0 }, new[] { 1.0, 0.999999 }, false)]
    public void The_mean_and_every_picture_count(double enough, double[] checkedOn, double[] measured, bool expected)
    {
        Dictionary<string, double> shares = checkedOn.Select((share, i) => ($"checked {i}", share))
            .Concat(measured.Select((share, i) => ($"measured {i}", share))).ToDictionary();
        int asked = 0;
        var masks = new MaskComparison(
            enough, [.. shares.Keys.Where(name => name[0] == 'c')], [.. shares.Keys.Where(name => name[0] == 'm')],
            (_, picture) =>
            {
                asked++;
                return shares[picture];
            });
        Assert.Equal(expected, masks.IsEnough(null!));
        Assert.Equal(checkedOn, masks.Agreements(null!));
        asked = 0;
        Assert.Equal(expected, masks.IsEnough(null!));
        Assert.InRange(asked, 2, 4); // none twice
    }
}
