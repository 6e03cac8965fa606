using Atrous.Postprocessing;
using Atrous.Shapes;
using NetTopologySuite.Geometries;

namespace Atrous.Tests.Shapes;

/// <summary>
/// Regions of a mask: exact, valid by the rules of the Simple Features, and simplified without a crossing.
/// </summary>
public sealed class RegionTests
{
    [Fact]
    public void A_ring_around_a_pixel_has_an_outline_and_a_hole()
    {
        IReadOnlyList<Region> regions = Mask("""
            0000
            0110
            0110
            0000
            """).Regions();
        Assert.Equal([0, 1], regions.Select(region => region.Label));
        Assert.Equal([12L, 4], regions.Select(region => region.Pixels));
        Assert.Equal([new(0, 0), new(4, 0), new(4, 4), new(0, 4)], Turned(regions[0].Outline));
        Assert.Equal([new(1, 1), new(1, 3), new(3, 3), new(3, 1)], Turned(Assert.Single(regions[0].Holes)));
        Assert.Equal((1, 1, 2, 2), regions[1].Bounds);
        Assert.Equal((16, 4), (regions[0].Outline.Area, regions[0].Holes[0].Area));
    }

    [Fact]
    public void What_meets_at_a_corner_is_two_regions_and_a_hole_may_touch_the_outline()
    {
        IReadOnlyList<Region> regions = Mask("""
            110
            101
            111
            """).Regions();
        Assert.Equal([1, 0, 0], regions.Select(region => region.Label));
        Assert.Single(regions[0].Holes);
        Assert.All(regions, region => Assert.True(Polygon(region).IsValid));
    }

    [Theory]
    [MemberData(nameof(RandomMasks))]
    public void Filling_the_polygons_gives_the_mask(int seed)
    {
        Segmentation mask = RandomMask(seed);
        IReadOnlyList<Region> regions = mask.Regions();
        Assert.Equal(mask.Labels, Filled(regions, mask.Height, mask.Width));
        Assert.All(regions, region =>
        {
            Assert.True(Polygon(region).IsValid);
            Assert.Equal(region.Pixels, Polygon(region).Area);
            Assert.Equal(region.Pixels, region.RunLengths(mask.Height, mask.Width).Area);
        });
        Assert.Equal(mask.Height * mask.Width, regions.Sum(region => region.Pixels));
    }

    [Theory]
    [MemberData(nameof(RandomMasks))]
    public void Simplified_polygons_stay_valid_and_share_their_lines(int seed)
    {
        Segmentation mask = RandomMask(seed);
        foreach (double tolerance in (double[])[0.8, 1.5, 4, 50])
        {
            IReadOnlyList<Region> exact = mask.Regions(), simple = mask.Regions(new() { Simplify = tolerance });
            Assert.Equal(exact.Select(region => (region.Label, region.Pixels, region.Holes.Count)),
                simple.Select(region => (region.Label, region.Pixels, region.Holes.Count)));
            Assert.All(simple, region => Assert.True(Polygon(region).IsValid));
            // Without gaps and overlaps they cover the picture.
            Assert.Equal(mask.Height * mask.Width, simple.Sum(region => Polygon(region).Area), 1e-6);
            Assert.True(simple.Sum(Corners) <= exact.Sum(Corners));
        }
    }

    [Fact]
    public void A_slanted_line_needs_few_corners()
    {
        var labels = new ushort[100 * 100];
        for (int i = 0; i < labels.Length; i++)
            labels[i] = (ushort)(i % 100 > i / 100 / 3 ? 1 : 0);
        Segmentation mask = Segmentation.FromLabels(labels, 100, 100, 2);
        Assert.Equal([4, 4], mask.Regions(new() { Simplify = 1 }).Select(Corners));
    }

    [Fact]
    public void Small_regions_and_holes_and_other_classes_are_left_out()
    {
        Segmentation mask = Mask("""
            0000000
            0111102
            0101102
            0111100
            """);
        Assert.Equal([0, 1], mask.Regions(new() { MinArea = 3 }).Select(region => region.Label));
        Assert.All(mask.Regions(new() { MinArea = 3 }), region => Assert.Empty(region.Holes));
        Assert.Single(Assert.Single(mask.Regions(new() { Labels = [1] })).Holes);
        Region only = Assert.Single(mask.Regions(new() { Labels = [2] }));
        Assert.Equal((2, 2L), (only.Label, only.Pixels));
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(double.NaN, 1)]
    [InlineData(double.PositiveInfinity, 1)]
    [InlineData(0, 0)]
    public void Options_are_checked(double simplify, long area) => Assert.Throws<ArgumentOutOfRangeException>(
        () => Mask("01").Regions(new() { Simplify = simplify, MinArea = area }));

    /// <summary>What an answer is refused by before it is made: as much as is allocated, within a factor.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(40)]
    public void Their_memory_is_known_beforehand(int block)
    {
        const int height = 400, width = 500;
        var random = new Random(block);
        ushort[] noise = [.. Enumerable.Range(0, height * width).Select(_ => (ushort)random.Next(5))];
        ushort[] labels =
            [.. noise.Select((_, i) => noise[i / width / block * width + i % width / block])];
        Segmentation mask = Segmentation.FromLabels(labels, height, width, classes: 5);
        long expected = RegionSize.Of(labels, height, width, CancellationToken.None);
        long before = GC.GetAllocatedBytesForCurrentThread();
        GC.KeepAlive(mask.Regions());
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, expected / 4, expected * 2);
    }

    [Fact]
    public void They_can_be_cancelled() => Assert.ThrowsAny<OperationCanceledException>(
        () => Mask("01").Regions(cancellationToken: new CancellationToken(canceled: true)));

    public static TheoryData<int> RandomMasks() => [.. Enumerable.Range(0, 50)];

    /// <summary>Noise of a few classes, blocks of it, or blobs, of odd sizes.</summary>
    internal static Segmentation RandomMask(int seed)
    {
        var random = new Random(seed);
        int height = random.Next(1, 40), width = random.Next(1, 40), classes = random.Next(2, 5);
        int block = random.Next(1, 4), blobs = seed % 2 == 0 ? 0 : random.Next(1, 12);
        var labels = new ushort[height * width];
        ushort[] noise = [.. Enumerable.Range(0, labels.Length).Select(_ => (ushort)random.Next(classes))];
        for (int i = 0; blobs == 0 && i < labels.Length; i++)
            labels[i] = noise[i / width / block * width + i % width / block];
        for (int i = 0; i < blobs; i++)
        {
            (int y, int x, int radius) = (random.Next(height), random.Next(width), random.Next(1, 12));
            for (int at = 0; at < labels.Length; at++)
            {
                if (Math.Pow(at / width - y, 2) + Math.Pow(at % width - x, 2) < radius * radius)
                    labels[at] = (ushort)(i % classes);
            }
        }
        return Segmentation.FromLabels(labels, height, width, classes);
    }

    /// <summary>Every pixel takes the class of the region that its centre lies in; each is in one.</summary>
    private static ushort[] Filled(IReadOnlyList<Region> regions, int height, int width)
    {
        var labels = new ushort[height * width];
        var filled = new bool[height * width];
        foreach (Region region in regions)
        {
            IReadOnlyList<int> counts = region.RunLengths(height, width).Counts;
            for (int run = 0, at = 0; run < counts.Count; at += counts[run++])
            {
                for (int i = at; run % 2 == 1 && i < at + counts[run]; i++)
                {
                    int pixel = i % height * width + i / height;
                    Assert.False(filled[pixel]);
                    (filled[pixel], labels[pixel]) = (true, (ushort)region.Label);
                }
            }
        }
        Assert.DoesNotContain(false, filled);
        return labels;
    }

    private static int Corners(Region region) => region.Rings.Sum(ring => ring.Points.Count);

    private static Polygon Polygon(Region region)
    {
        return new Polygon(Line(region.Outline), [.. region.Holes.Select(Line)]);

        static LinearRing Line(Ring ring) =>
            new([.. ring.Points.Append(ring.Points[0]).Select(point => new Coordinate(point.X, point.Y))]);
    }

    /// <summary>From the corner that comes first in reading order.</summary>
    internal static IEnumerable<GridPoint> Turned(Ring ring)
    {
        GridPoint first = ring.Points.MinBy(point => (point.Y, point.X));
        int at = ring.Points.ToList().IndexOf(first);
        return ring.Points.Skip(at).Concat(ring.Points.Take(at));
    }

    private static Segmentation Mask(string rows)
    {
        string[] lines = rows.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return Segmentation.FromLabels(
            [.. lines.SelectMany(line => line.Select(digit => (ushort)(digit - '0')))], lines.Length, lines[0].Length,
            3);
    }
}
