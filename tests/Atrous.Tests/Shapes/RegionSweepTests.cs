using Atrous.Shapes;

namespace Atrous.Tests.Shapes;

/// <summary>Regions of a mask whose rows come one after the other are those of the whole mask.</summary>
public sealed class RegionSweepTests
{
    [Theory]
    [MemberData(nameof(RegionTests.RandomMasks), MemberType = typeof(RegionTests))]
    public void They_are_those_of_the_whole_mask(int seed)
    {
        Segmentation mask = RegionTests.RandomMask(seed);
        foreach (RegionOptions options in (RegionOptions[])[new(), new() { MinArea = 4 }, new() { Labels = [1] }])
        {
            var found = new List<Region>();
            var sweep = new RegionSweep(mask.Width, options, row => row, (region, weight) =>
            {
                found.Add(region);
                int[] rows = [.. region.RunLengths(mask.Height, mask.Width).Counts];
                if (options.MinArea == 1)
                    Assert.Equal(SumOfRows(rows, mask.Height), weight);
            });
            // In pieces of a few rows.
            int piece = (1 + seed % 3) * mask.Width;
            for (int at = 0; at < mask.Labels.Length; at += piece)
                sweep.Add(mask.Labels[at..Math.Min(at + piece, mask.Labels.Length)]);
            sweep.End();
            Assert.Equal(
                mask.Regions(options).Select(Text).Order(StringComparer.Ordinal),
                found.Select(Text).Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public void They_are_told_as_soon_as_they_end()
    {
        var told = new List<int>();
        var sweep = new RegionSweep(4, new RegionOptions(), _ => 0, (region, _) => told.Add(region.Label));
        sweep.Add([0, 0, 1, 2, 0, 0, 2, 2]);
        Assert.Equal([1], told);
        sweep.Add([3, 3, 2, 2]);
        Assert.Equal([1, 0], told);
        sweep.End();
        Assert.Equal([1, 0, 3, 2], told);
    }

    /// <summary>A map without an end of small regions takes what its width does.</summary>
    [Fact]
    public void What_has_ended_takes_no_memory()
    {
        const int Width = 300, Rows = 3000;
        long pixels = 0;
        var sweep = new RegionSweep(
            Width, new RegionOptions(), _ => 0, (region, _) => pixels += region.Pixels,
            mostBytes: 5L * Width * OpenRings.BytesOfCorner);
        var row = new ushort[Width];
        for (int y = 0; y < Rows; y++)
        {
            for (int x = 0; x < Width; x++)
                row[x] = (ushort)(((x / 2 + y / 2) % 2 << 1) + (y / 2 % 2));
            sweep.Add(row);
        }
        sweep.End();
        Assert.Equal((long)Width * Rows, pixels);
    }

    [Fact]
    public void Outlines_without_an_end_are_refused_by_a_sentence()
    {
        const int Width = 100;
        var sweep = new RegionSweep(Width, new RegionOptions { Labels = [0] }, _ => 0, (_, _) => { }, 1 << 20);
        // A comb of holes in a region that goes on.
        ushort[] holes = [.. Enumerable.Range(0, Width).Select(x => (ushort)(x % 2))], between = new ushort[Width];
        var refused = Assert.Throws<MemoryException>(() =>
        {
            for (int i = 0; i < 10_000; i++)
            {
                sweep.Add(holes);
                sweep.Add(between);
            }
        });
        Assert.Matches("go on below row \\d+ take more than 1 MiB; leave out the class", refused.Message);
    }

    [Fact]
    public void Simplified_lines_need_the_whole_mask() => Assert.Throws<ArgumentException>(
        () => new RegionSweep(4, new RegionOptions { Simplify = 1 }, _ => 0, (_, _) => { }));

    private static double SumOfRows(int[] runs, int height)
    {
        double sum = 0;
        for (int run = 0, at = 0; run < runs.Length; at += runs[run++])
        {
            for (int i = at; run % 2 == 1 && i < at + runs[run]; i++)
                sum += i % height;
        }
        return sum;
    }

    private static string Text(Region region) =>
        $"{region.Label} {region.Pixels} {Line(region.Outline)} "
        + string.Join(" ", region.Holes.Select(Line).Order(StringComparer.Ordinal));

    private static string Line(Ring ring) => string.Join(' ', RegionTests.Turned(ring));
}
