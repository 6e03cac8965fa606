using Atrous.Imaging.Maps;

namespace Atrous.Tests.Imaging.Maps;

/// <summary>Where pixels lie, and how many square metres they show.</summary>
public sealed class GeoReferenceTests
{
    [Fact]
    public void A_scale_and_a_tie_point_place_pixels()
    {
        GeoReference place = Of(GeoTiffFile.Utm, [0.5, 0.25, 0], [10, 20, 0, 1000, 2000, 0]);
        Assert.Equal((1000.0, 2000.0), place.Place(10, 20));
        Assert.Equal((1005.0, 1997.5), place.Place(20, 30));
        Assert.Equal((32633, 0.125, false), (place.Epsg, place.PixelArea(7), place.IsMirrored));
    }

    [Fact]
    public void A_matrix_places_pixels_and_goes_before_a_scale()
    {
        double[] turned = [0, 2, 0, 100, -3, 0, 0, 500, 0, 0, 0, 0, 0, 0, 0, 1];
        GeoReference place = Of(GeoTiffFile.Utm, [1, 1, 0], [0, 0, 0, 9, 9, 0], turned);
        Assert.Equal((108.0, 494.0), place.Place(2, 4));
        Assert.Equal((6.0, true), (place.PixelArea(0), place.IsMirrored));
    }

    [Fact]
    public void Numbers_of_a_pixel_s_middle_are_moved_to_its_corner()
    {
        ushort[] keys = [.. GeoTiffFile.Utm];
        keys[11] = 2;
        GeoReference place = Of(keys, [2, 2, 0], [0, 0, 0, 101, 199, 0]);
        Assert.Equal((100.0, 200.0), place.Place(0, 0));
    }

    [Theory]
    [InlineData(9002, 0.3048 * 0.3048)]
    [InlineData(9003, 1200.0 / 3937 * 1200 / 3937)]
    public void Feet_are_counted_in_metres(ushort unit, double expected)
    {
        ushort[] keys = [1, 1, 0, 3, 1024, 0, 1, 1, 3072, 0, 1, 2263, 3076, 0, 1, unit];
        Assert.Equal(expected, Of(keys, [1, 1, 0], [0, 0, 0, 0, 0, 0]).PixelArea(0)!.Value, 12);
    }

    [Fact]
    public void A_unit_that_nobody_names_has_no_square_metres()
    {
        ushort[] unnamed = [1, 1, 0, 2, 1024, 0, 1, 1, 3072, 0, 1, 2263], none = [1, 1, 0, 0];
        Assert.Null(Of(unnamed, [1, 1, 0], [0, 0, 0, 0, 0, 0]).PixelArea(0));
        Assert.Null(Of(none, [1, 1, 0], [0, 0, 0, 0, 0, 0]).PixelArea(0));
    }

    /// <summary>The earth has 510,065,621,724,089 square metres (Moritz, WGS 84).</summary>
    [Fact]
    public void Degrees_add_up_to_the_earth()
    {
        ushort[] keys = [1, 1, 0, 2, 1024, 0, 1, 2, 2048, 0, 1, 4326];
        GeoReference place = Of(keys, [1, 1, 0], [0, 0, 0, -180, 90, 0]);
        double earth = Enumerable.Range(0, 180).Sum(row => place.PixelArea(row)!.Value) * 360;
        Assert.Equal(1, earth / 510_065_621_724_089, 9);
        Assert.Equal(4326, place.Epsg);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(60, 0.25)]
    public void The_web_s_map_shows_the_north_larger(double latitude, double expected)
    {
        ushort[] keys = [1, 1, 0, 3, 1024, 0, 1, 1, 3072, 0, 1, 3857, 3076, 0, 1, 9001];
        double y = 6378137 * Math.Log(Math.Tan(Math.PI / 4 + latitude * Math.PI / 360));
        double area = Of(keys, [1, 1, 0], [0, 0, 0, 0, y, 0]).PixelArea(0)!.Value;
        Assert.InRange(area / expected, 0.99, 1.01);
    }

    /// <summary>
    /// World and Brazil Mercator, equidistant cylindrical, plate carree by their numbers, and such projections as
    /// systems of the file's own: at 60 degrees north a square metre of theirs is a quarter or a half of one.
    /// </summary>
    [Theory]
    [InlineData(3395, 0)]
    [InlineData(5641, 0)]
    [InlineData(4087, 0)]
    [InlineData(32662, 0)]
    [InlineData(32767, 7)]
    [InlineData(32767, 12)]
    [InlineData(32767, 17)]
    public void Maps_that_distort_have_no_square_metres(ushort system, ushort method)
    {
        ushort[] keys = [1, 1, 0, 4, 1024, 0, 1, 1, 3072, 0, 1, system, 3075, 0, 1, method, 3076, 0, 1, 9001];
        Assert.Null(Of(keys, [1, 1, 0], [0, 0, 0, 0, 0, 0]).PixelArea(0));
    }

    /// <summary>Albers' map as a system of the file's own, and Lambert's of Europe.</summary>
    [Theory]
    [InlineData(32767, 11)]
    [InlineData(3035, 0)]
    public void Maps_of_equal_areas_have_square_metres(ushort system, ushort method)
    {
        ushort[] keys = [1, 1, 0, 4, 1024, 0, 1, 1, 3072, 0, 1, system, 3075, 0, 1, method, 3076, 0, 1, 9001];
        Assert.Equal(4, Of(keys, [2, 2, 0], [0, 0, 0, 0, 0, 0]).PixelArea(0));
    }

    [Fact]
    public void What_is_not_linear_has_no_place()
    {
        Assert.Null(GeoReference.Of(Tags(GeoTiffFile.Utm, [], [0, 0, 0, 1, 1, 0, 9, 9, 0, 5, 5, 0], [])));
        Assert.Null(GeoReference.Of(Tags(GeoTiffFile.Utm, [0, 0, 0], [0, 0, 0, 1, 1, 0], [])));
        Assert.Null(GeoReference.Of(Tags(GeoTiffFile.Utm, [double.NaN, 1, 0], [0, 0, 0, 1, 1, 0], [])));
    }

    private static GeoReference Of(ushort[] keys, double[] scale, double[] tie, double[]? matrix = null) =>
        GeoReference.Of(Tags(keys, scale, tie, matrix ?? []))!;

    private static GeoTags Tags(ushort[] keys, double[] scale, double[] tie, double[] matrix) =>
        new(scale, tie, matrix, keys, [], "", null);
}
