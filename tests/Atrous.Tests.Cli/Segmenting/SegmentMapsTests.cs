using System.Text.Json;
using Atrous.Imaging;
using Atrous.Imaging.Maps;
using Atrous.Postprocessing;
using Atrous.Tests.Imaging.Maps;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Cli.Segmenting;

/// <summary>`atrous segment` of GeoTIFFs with a network of four bands.</summary>
public sealed class SegmentMapsTests : IDisposable
{
    private const int Height = 90, Width = 83, Bands = 4, NoData = 255;

    private readonly Workplace _place = new();

    public SegmentMapsTests() => BandModel.Write(_place["four.safetensors"], Bands);

    public void Dispose() => _place.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_mask_lies_where_the_picture_does(bool isTiled)
    {
        Assert.Equal(32, WriteOrtho("ortho.tif", isTiled));
        JsonElement report = Segment("ortho.tif", "--format", "geojson").Json;
        Assert.Equal(["four.safetensors", "ortho.geojson", "ortho.mask.tif", "ortho.tif"], _place.Files);
        Dictionary<int, byte[]> before = GeoTiffFile.TagsOf(_place["ortho.tif"]),
            after = GeoTiffFile.TagsOf(_place["ortho.mask.tif"]);
        foreach (int tag in new[] { 33550, 33922, 34735 })
            Assert.Equal(before[tag], after[tag]);
        Assert.Equal("255\0"u8, after[42113]);
        LabelImage mask = LabelImage.Load(_place["ortho.mask.tif"]);
        Assert.Equal((Height, Width), (mask.Height, mask.Width));
        for (int y = 0; y < Height; y++)
        {
            for (int x = 0; x < Width; x++)
                Assert.Equal(y < 4 && x < 8, mask.Labels[y * Width + x] == NoData);
        }

        // Half a metre a pixel.
        JsonElement picture = report.GetProperty("results")[0];
        Assert.Equal(32, picture.GetProperty("noData").GetProperty("pixels").GetInt64());
        Assert.Equal(NoData, picture.GetProperty("noData").GetProperty("label").GetInt32());
        double metres = 0;
        foreach (JsonElement row in picture.GetProperty("classes").EnumerateArray())
        {
            Assert.Equal(row.GetProperty("pixels").GetInt64() * 0.25, row.GetProperty("squareMetres").GetDouble());
            metres += row.GetProperty("squareMetres").GetDouble();
        }
        Assert.Equal((Height * Width - 32) * 0.25, metres, 6);
        AssertFills(mask, JsonDocument.Parse(File.ReadAllBytes(_place["ortho.geojson"])).RootElement);
    }

    [Fact]
    public void Where_there_are_no_data_no_class_has_a_colour()
    {
        WriteOrtho("ortho.tif", isTiled: true);
        Segment("ortho.tif", "--format", "rgb");
        Segment("ortho.tif", "--tile", "64", "-o", _place["banded.tif"]);
        foreach (string file in new[] { "ortho.rgb.png", "ortho.mask.tif", "banded.tif" })
        {
            using Image colours = Image.Load(_place[file]);
            Assert.Equal(new byte[3], colours.Row(0)[..3]);
            Assert.True(colours.Row(Height - 1)[^3..].ContainsAnyExcept((byte)0), file);
        }
    }

    /// <summary>The network saw nothing there, and answered something all the same.</summary>
    [Fact]
    public void Where_there_are_no_data_there_are_no_probabilities()
    {
        WriteOrtho("ortho.tif", isTiled: true);
        Segment("ortho.tif", "--format", "floattiff");
        Assert.Equal("nan\0"u8, GeoTiffFile.TagsOf(_place["ortho.probabilities.tif"])[42113]);
        using var raster = new TiffRaster(_place["ortho.probabilities.tif"], new RasterReading
        {
            Channels = 5,
            Nothing = count => new float[count],
            White = 1,
        });
        bool[] missing = new bool[Height * Width];
        raster.FindMissing(0, missing);
        ushort[] mask = LabelImage.Load(_place["ortho.mask.tif"]).Labels.ToArray();
        Assert.Equal(mask.Select(label => label == NoData), missing);
    }

    [Fact]
    public void Bands_of_standard_input_cannot_be_chosen()
    {
        WriteOrtho("ortho.tif", isTiled: true);
        Tool.Pipe(
            File.ReadAllBytes(_place["ortho.tif"]), "segment", "-", "-m", _place["four.safetensors"], "--bands",
            "4,1,2,3", "-q", "-o", _place["mask.png"]).Refuses(3, "standard input", "--bands");
    }

    [Fact]
    public void A_map_of_a_system_without_a_number_says_so_in_geojson()
    {
        (Ortho(isTiled: true) with { Keys = [1, 1, 0, 0] }).Write(_place["ortho.tif"], Samples());
        Segment("ortho.tif", "--format", "geojson");
        JsonElement json = JsonDocument.Parse(File.ReadAllBytes(_place["ortho.geojson"])).RootElement;
        Assert.Equal(JsonValueKind.Null, json.GetProperty("crs").ValueKind);
    }

    [Fact]
    public void In_windows_of_the_file_it_is_what_it_is_of_the_whole()
    {
        WriteOrtho("ortho.tif", isTiled: true);
        Segment("ortho.tif", "--tile", "64", "--overlay", "-o", _place["whole.tif"]);
        Segment("ortho.tif", "--tile", "64", "-o", _place["banded.tif"]);
        JsonElement small = Segment("ortho.tif", "--tile", "64", "-o", _place["banded.png"]).Json;
        Assert.Equal(File.ReadAllBytes(_place["whole.tif"]), File.ReadAllBytes(_place["banded.tif"]));
        Assert.Equal(
            LabelImage.Load(_place["banded.tif"]).Labels, LabelImage.Load(_place["banded.png"]).Labels);
        Assert.Equal(
            32, small.GetProperty("results")[0].GetProperty("noData").GetProperty("pixels").GetInt64());
    }

    /// <summary>Its regions are written as they end, without the mask being held.</summary>
    [Fact]
    public void Polygons_of_a_map_that_is_read_in_bands_are_those_of_the_whole()
    {
        WriteOrtho("ortho.tif", isTiled: true);
        Segment("ortho.tif", "--tile", "64", "--format", "geojson", "--simplify", "0.5", "-o", _place["whole.tif"]);
        ToolResult banded = Segment(
            "ortho.tif", "--tile", "64", "--format", "geojson", "--skip-existing", "-o", _place["banded.tif"]);
        Assert.Equal(
            0, banded.Json.GetProperty("results")[0].GetProperty("milliseconds").GetProperty("decode").GetDouble());
        Assert.Equal(LabelImage.Load(_place["whole.tif"]).Labels, LabelImage.Load(_place["banded.tif"]).Labels);
        JsonElement shapes = JsonDocument.Parse(File.ReadAllBytes(_place["banded.geojson"])).RootElement;
        AssertFills(LabelImage.Load(_place["banded.tif"]), shapes);
        JsonElement whole = JsonDocument.Parse(File.ReadAllBytes(_place["whole.geojson"])).RootElement;
        Assert.Equal(Properties(whole), Properties(shapes));
        Assert.Equal(1, Segment(
            "ortho.tif", "--tile", "64", "--format", "geojson", "--skip-existing", "-o", _place["banded.tif"])
            .Json.GetProperty("skipped").GetInt32());

        static IEnumerable<string> Properties(JsonElement collection) => collection.GetProperty("features")
            .EnumerateArray().Select(feature => feature.GetProperty("properties").GetRawText()).Order();
    }

    /// <summary>A map that is read in bands has no time of reading of its own, and keeps others waiting.</summary>
    [Fact]
    public void A_small_map_is_held_whole()
    {
        WriteOrtho("ortho.tif", isTiled: true);
        Assert.Equal(0, Decode(Segment("ortho.tif", "--tile", "64", "-o", _place["banded.tif"])));
        ToolResult whole = Tool.RunIn(
            _place.Folder, "segment", "ortho.tif", "-m", "four.safetensors", "--json", "-q", "--tile", "64");
        Assert.True(Decode(whole.Exits(0)) > 0);
        Assert.Equal(File.ReadAllBytes(_place["banded.tif"]), File.ReadAllBytes(_place["ortho.mask.tif"]));

        static double Decode(ToolResult result) => result.Json.GetProperty("results")[0].GetProperty("milliseconds")
            .GetProperty("decode").GetDouble();
    }

    /// <summary>
    /// What TIFFs are decides the names of their masks, but those of other parts are others' to open.
    /// </summary>
    [Fact]
    public void A_part_opens_no_maps_of_others()
    {
        var before = new DateTime(2000, 1, 1);
        string[] names = [.. Enumerable.Range(0, 8).Select(i => $"in/{i}.tif")];
        Directory.CreateDirectory(_place["in"]);
        foreach (string name in names)
        {
            WriteOrtho(name, isTiled: true);
            File.SetLastAccessTime(_place[name], before);
        }
        JsonElement done = Segment("in", "--shard", "0/3", "-o", "out").Json.GetProperty("results");
        string[] ours = [.. done.EnumerateArray().Select(picture => picture.GetProperty("input").GetString()!)];
        Assert.InRange(ours.Length, 1, names.Length - 1);
        Assert.SkipUnless(
            ours.All(name => File.GetLastAccessTime(_place[name]) > before), "this file system keeps no such times");
        Assert.Equal(
            names.Except(ours), names.Where(name => File.GetLastAccessTime(_place[name]) == before));
        Assert.Equal(ours.Length, _place.Files.Count(file => file.StartsWith("out/") && file.EndsWith(".mask.tif")));
    }

    [Fact]
    public void Bands_are_chosen_and_ordered()
    {
        float[] samples = Samples(), turned = new float[samples.Length];
        for (int i = 0; i < samples.Length; i++)
            turned[i / Bands * Bands + (Bands - 1 - i % Bands)] = samples[i] * 10;
        GeoTiffFile file = Ortho(isTiled: false) with { NoData = null };
        file.Write(_place["a.tif"], samples);
        (file with { Sample = typeof(short) }).Write(_place["b.tif"], turned);
        Segment("a.tif");
        Segment("b.tif", "--bands", "4,3,2,1", "--white", "2550");
        Assert.Equal(
            LabelImage.Load(_place["a.mask.tif"]).Labels, LabelImage.Load(_place["b.mask.tif"]).Labels);
        // Other bands are another picture.
        Segment("b.tif", "--white", "2550");
        ushort[] before = LabelImage.Load(_place["a.mask.tif"]).Labels.ToArray();
        Assert.NotEqual(before, LabelImage.Load(_place["b.mask.tif"]).Labels.ToArray());
        Run("segment", "b.tif", "-m", "four.safetensors", "-q").Refuses(3, "--white");
        Run("segment", "b.tif", "-m", "four.safetensors", "-q", "--bands", "1,2,9,3", "--white", "1")
            .Refuses(3, "no band 9");
        _place.AddPhoto("c.png");
        Run("segment", "c.png", "-m", "four.safetensors", "-q", "--bands", "1,2,3,4")
            .Refuses(3, "c.png", "leave them out");
        Run("segment", "b.tif", "--bands", "0").Refuses(2, "--bands");
        Run("segment", "b.tif", "--white", "-1").Refuses(2, "--white");
    }

    [Fact]
    public void Gdal_finds_the_mask_in_the_same_place()
    {
        const string Script = """
            import sys
            from osgeo import gdal
            gdal.UseExceptions()
            a, m = gdal.Open(sys.argv[1]), gdal.Open(sys.argv[2])
            assert a.GetGeoTransform() == m.GetGeoTransform() == (400000.0, 0.5, 0.0, 5800000.0, 0.0, -0.5)
            assert a.GetProjection() == m.GetProjection() and '32633' in m.GetProjection()
            band = m.GetRasterBand(1)
            assert band.GetNoDataValue() == 255 and band.GetColorTable().GetCount() == 256
            left, step, _, top, _, down = m.GetGeoTransform()
            for shapes in sys.argv[3:]:
                filled = gdal.Rasterize(
                    '', shapes, format='MEM', attribute='class', outputType=gdal.GDT_Byte, initValues=[255],
                    width=m.RasterXSize, height=m.RasterYSize,
                    outputBounds=(left, top + down * m.RasterYSize, left + step * m.RasterXSize, top))
                polygons = gdal.OpenEx(shapes)
                assert '32633' in polygons.GetLayer().GetSpatialRef().ExportToWkt()
                print((filled.ReadAsArray() != band.ReadAsArray()).sum())
            print((band.ReadAsArray() == 255).sum())
            """;
        Python.Require("osgeo.gdal_array");
        WriteOrtho("ortho.tif", isTiled: true);
        Segment("ortho.tif", "--tile", "64", "--format", "geojson", "-o", _place["banded.tif"]);
        Segment("ortho.tif", "--tile", "64", "--overlay", "--format", "geojson");
        Assert.Equal("0\n0\n32\n", Python.Run(
            "-c", Script, _place["ortho.tif"], _place["ortho.mask.tif"], _place["ortho.geojson"],
            _place["banded.geojson"]).Exits(0).Output);
    }

    [Fact]
    public void A_later_run_takes_no_mask_for_a_picture()
    {
        WriteOrtho("ortho.tif", isTiled: true);
        Segment(".");
        Segment(".");
        Assert.Equal(["four.safetensors", "ortho.mask.tif", "ortho.tif"], _place.Files);
    }

    [Theory]
    [InlineData]
    [InlineData("--tile", "64")]
    public void A_mask_that_is_there_is_not_made_again(params string[] options)
    {
        WriteOrtho("ortho.tif", isTiled: true);
        JsonElement first = Segment("ortho.tif", ["--skip-existing", .. options]).Json;
        byte[] mask = File.ReadAllBytes(_place["ortho.mask.tif"]);
        JsonElement again = Segment("ortho.tif", ["--skip-existing", .. options]).Json;
        Assert.Equal((0, 1), (Skipped(first), Skipped(again)));
        Assert.Equal(mask, File.ReadAllBytes(_place["ortho.mask.tif"]));
        Assert.Equal(Of(first, "noData"), Of(again, "noData"));
        Assert.Equal(0, Skipped(Segment("ortho.tif", ["--skip-existing", "--bands", "4,3,2,1", .. options]).Json));

        static int Skipped(JsonElement report) => report.GetProperty("skipped").GetInt32();
        static string Of(JsonElement report, string name) =>
            report.GetProperty("results")[0].GetProperty(name).GetRawText();
    }

    private static GeoTiffFile Ortho(bool isTiled) =>
        new() { Height = Height, Width = Width, Bands = Bands, IsTiled = isTiled, NoData = "0" };

    private static float[] Samples() =>
        [.. Enumerable.Range(0, Height * Width * Bands).Select(i => (float)(1 + (i * 7 % 251 + i / 97) % 250))];

    /// <summary>How many of its pixels, in the upper left corner, have no data.</summary>
    private int WriteOrtho(string name, bool isTiled)
    {
        float[] samples = Samples();
        for (int y = 0; y < 4; y++)
            Array.Clear(samples, y * Width * Bands, 8 * Bands);
        Ortho(isTiled).Write(_place[name], samples);
        return 4 * 8;
    }

    private ToolResult Segment(string picture, params string[] options) =>
        Run(["segment", picture, "-m", "four.safetensors", "--json", "--quiet", .. options]).Exits(0);

    private ToolResult Run(params string[] arguments) =>
        Tool.Finish(Tool.Start(_place.Folder, [new("ATROUS_BANDS_FROM", "1000")], arguments), []);

    /// <summary>The polygons, on the map, cover the pixels of their classes and no others.</summary>
    private static void AssertFills(LabelImage mask, JsonElement collection)
    {
        Assert.Equal(
            "urn:ogc:def:crs:EPSG::32633", collection.GetProperty("crs").GetProperty("properties").GetProperty("name")
                .GetString());
        ushort[] filled = new ushort[mask.Labels.Length];
        Array.Fill(filled, (ushort)NoData);
        foreach (JsonElement feature in collection.GetProperty("features").EnumerateArray())
        {
            JsonElement properties = feature.GetProperty("properties");
            Assert.Equal(
                properties.GetProperty("pixels").GetInt64() * 0.25, properties.GetProperty("squareMetres").GetDouble());
            bool[] inside = new bool[filled.Length];
            bool isOutline = true;
            foreach (JsonElement ring in feature.GetProperty("geometry").GetProperty("coordinates").EnumerateArray())
            {
                (double X, double Y)[] map =
                    [.. ring.EnumerateArray().Select(point => (point[0].GetDouble(), point[1].GetDouble()))];
                double twice = map.Zip(map.Skip(1)).Sum(line =>
                    line.First.X * line.Second.Y - line.Second.X * line.First.Y);
                Assert.Equal(isOutline, twice > 0);
                isOutline = false;
                foreach (((double x, double y), (double toX, double toY)) in map.Zip(map.Skip(1)))
                {
                    int row = (int)((5_800_000 - Math.Max(y, toY)) * 2);
                    int end = (int)((5_800_000 - Math.Min(y, toY)) * 2);
                    int column = (int)((x - 400_000) * 2);
                    for (; x == toX && row < end; row++)
                    {
                        for (int at = column; at < Width; at++)
                            inside[row * Width + at] ^= true;
                    }
                }
            }
            for (int i = 0; i < filled.Length; i++)
                filled[i] = inside[i] ? (ushort)properties.GetProperty("class").GetInt32() : filled[i];
        }
        Assert.Equal(mask.Labels.ToArray(), filled);
    }
}
