using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Text.Json;
using Atrous.Formats;
using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Server.V1;
using Atrous.Shapes;
using Atrous.Tests.Cli;
using Atrous.Tests.Support;

namespace Atrous.Tests.Serving.V1;

/// <summary>POST /v1/segment: what it answers.</summary>
public sealed class SegmentTests(SegmentServer server) : IClassFixture<SegmentServer>
{
    private static readonly byte[] Photo = Workplace.Photo();

    [Theory]
    [InlineData("")]
    [InlineData("?format=png&model=second")]
    [InlineData("?palette=voc")]
    public async Task The_mask_is_the_librarys_own(string query)
    {
        using HttpResponseMessage response = await server.PostAsync(query, Photo);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("image/png", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal("inline; filename=\"mask.png\"", response.Content.Headers.ContentDisposition?.ToString());
        using var expected = new MemoryStream();
        Expected().SaveMask(expected, query.Contains("voc", StringComparison.Ordinal) ? Palette.Voc : null);
        Assert.Equal(expected.ToArray(), await response.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData("?format=overlay", "image/png", 0.6)]
    [InlineData("?format=overlay&opacity=0.25", "image/png", 0.25)]
    [InlineData("?format=overlay&opacity=1&encoding=jpeg&quality=95", "image/jpeg", 1)]
    public async Task The_overlay_is_the_picture_under_the_classes_colours(string query, string type, double opacity)
    {
        using HttpResponseMessage response = await server.PostAsync(query, Photo);
        Assert.Equal(type, response.Content.Headers.ContentType?.MediaType);
        using Image photo = Image.Load(Photo);
        using Image overlay = Expected().Overlay(photo, opacity);
        using var expected = new MemoryStream();
        if (type == "image/jpeg")
            overlay.SaveJpeg(expected, quality: 95);
        else
            overlay.SavePng(expected);
        Assert.Equal(expected.ToArray(), await response.Content.ReadAsByteArrayAsync());
    }

    /// <summary>What the tool writes, byte for byte.</summary>
    [Theory]
    [InlineData("geojson", "application/geo+json", "picture.geojson")]
    [InlineData("svg", "image/svg+xml", "picture.svg")]
    [InlineData("yolo", "text/plain", "picture.txt")]
    [InlineData("labelme", "application/json", "picture.json")]
    [InlineData("coco", "application/json", "picture.coco.json")]
    [InlineData("cvat", "application/xml", "picture.cvat.xml")]
    [InlineData("labelstudio", "application/json", "picture.labelstudio.json")]
    [InlineData("rgb", "image/png", "picture.rgb.png")]
    [InlineData("cutout", "image/png", "picture.cutout.png")]
    [InlineData("legend", "image/png", "picture.legend.png")]
    [InlineData("outlines", "image/png", "picture.outlines.png")]
    [InlineData("sidebyside", "image/png", "picture.sidebyside.png")]
    [InlineData("confidence", "image/png", "picture.confidence.png")]
    [InlineData("confidence8", "image/png", "picture.confidence8.png")]
    public async Task A_file_of_every_format_is_answered(string format, string type, string name)
    {
        using HttpResponseMessage response = await server.PostAsync($"?format={format}&only=1,2&name=a.png", Photo);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(type, response.Content.Headers.ContentType?.MediaType);
        Assert.Equal($"attachment; filename=\"{name}\"", response.Content.Headers.ContentDisposition?.ToString());
        using var segmenter = Segmenter.Load(server.ModelPath);
        using Image photo = Image.Load(Photo);
        Segmentation mask = segmenter.Segment(photo, confidence: true);
        var picture = new AnnotatedPicture(
            "a.png", photo, mask, mask.Palette, new RegionOptions { Labels = [1, 2] });
        using var expected = new MemoryStream();
        FileFormat.All.Single(one => one.Name == format).Write(expected, picture);
        Assert.Equal(expected.ToArray(), await response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task A_class_that_is_none_is_refused()
    {
        using HttpResponseMessage response = await server.PostAsync("?format=polygons&only=1,cat", Photo);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains("'cat' is no class", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("jpeg_420_progressive.jpg")]
    [InlineData("png_grey16.png")]
    [InlineData("webp_lossy.webp")]
    [InlineData("gif_palette.gif")]
    [InlineData("bmp_rgb.bmp")]
    [InlineData("tiff_tiff_lzw.tif")]
    public async Task A_picture_of_every_format_is_taken(string file)
    {
        byte[] bytes = File.ReadAllBytes(Repository.PathOf($"tests/Atrous.Tests/Imaging/pictures/{file}"));
        using HttpResponseMessage response = await server.PostAsync("?format=png", bytes);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using var segmenter = Segmenter.Load(server.ModelPath);
        using Image photo = Image.Load(bytes);
        using var expected = new MemoryStream();
        segmenter.Segment(photo).SaveMask(expected);
        Assert.Equal(expected.ToArray(), await response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Json_tells_classes_shares_and_times()
    {
        JsonElement report = await SegmentServer.JsonOf(await server.PostAsync("?format=json&palette=voc", Photo));
        Segmentation expected = Expected();
        Assert.Equal("first", report.GetProperty("model").GetString());
        Assert.Equal("cpu", report.GetProperty("device").GetString());
        Assert.Equal((37, 33), (report.GetProperty("width").GetInt32(), report.GetProperty("height").GetInt32()));
        Assert.Equal(expected.Shares, report.GetProperty("classes").EnumerateArray().Select(entry => new ClassShare(
            entry.GetProperty("index").GetInt32(), entry.GetProperty("pixels").GetInt64(), entry.GetProperty("share")
            .GetDouble())));
        Assert.All(report.GetProperty("classes").EnumerateArray(), entry =>
        {
            int label = entry.GetProperty("index").GetInt32();
            Assert.Equal(expected.NameOf(label), entry.GetProperty("name").GetString());
            Assert.Equal(Palette.Voc[label].ToString(), entry.GetProperty("colour").GetString());
            Assert.False(entry.TryGetProperty("segmentation", out _));
        });
        Assert.Equal(
            ["queue", "decode", "preprocess", "network", "postprocess"], report.GetProperty("milliseconds")
            .EnumerateObject().Select(time => time.Name));
    }

    [Theory]
    [InlineData("")]
    [InlineData("?format=overlay")]
    [InlineData("?format=json")]
    [InlineData("?format=rle")]
    public async Task A_file_that_lacks_its_end_is_answered_with_a_warning(string query)
    {
        const int end = 12; // IEND's length, name and checksum
        using HttpResponseMessage cut = await server.PostAsync(query, Photo[..^end]);
        using HttpResponseMessage whole = await server.PostAsync(query, Photo);
        Assert.Equal(HttpStatusCode.OK, cut.StatusCode);
        string warning = Assert.Single(cut.Headers.GetValues("Atrous-Warning"));
        Assert.Contains("end", warning, StringComparison.Ordinal);
        Assert.False(whole.Headers.Contains("Atrous-Warning"));
        if (query is "" or "?format=overlay")
        {
            Assert.Equal(await whole.Content.ReadAsByteArrayAsync(), await cut.Content.ReadAsByteArrayAsync());
            return;
        }
        Assert.Equal(warning, (await SegmentServer.JsonOf(cut)).GetProperty("warning").GetString());
        Assert.False((await SegmentServer.JsonOf(whole)).TryGetProperty("warning", out _));
    }

    [Theory]
    [InlineData("")]
    [InlineData("&counts=uncompressed")]
    public async Task Rle_adds_the_run_lengths_of_each_class(string query)
    {
        JsonElement report = await SegmentServer.JsonOf(await server.PostAsync("?format=rle" + query, Photo));
        Dictionary<int, CocoRle> expected = Expected().RunLengths().ToDictionary(run => run.Label);
        JsonElement[] classes = [.. report.GetProperty("classes").EnumerateArray()];
        Assert.Equal(expected.Keys.Order(), classes.Select(entry => entry.GetProperty("index").GetInt32()).Order());
        Assert.All(classes, entry =>
        {
            CocoRle run = expected[entry.GetProperty("index").GetInt32()];
            JsonElement segmentation = entry.GetProperty("segmentation"), counts = segmentation.GetProperty("counts");
            Assert.Equal([33, 37], segmentation.GetProperty("size").EnumerateArray().Select(side => side.GetInt32()));
            if (query.Length == 0)
                Assert.Equal(run.Compress(), counts.GetString());
            else
                Assert.Equal(run.Counts, counts.EnumerateArray().Select(count => count.GetInt32()));
        });
    }

    [Theory]
    [InlineData("", 0, 1)]
    [InlineData("&simplify=1.5&min-area=4", 1.5, 4)]
    public async Task Polygons_adds_the_regions_of_each_class(string query, double simplify, int area)
    {
        JsonElement report = await SegmentServer.JsonOf(await server.PostAsync("?format=polygons" + query, Photo));
        ILookup<int, Region> expected = Expected().Regions(new() { Simplify = simplify, MinArea = area })
            .ToLookup(region => region.Label);
        Assert.All(report.GetProperty("classes").EnumerateArray(), entry => Assert.Equal(
            expected[entry.GetProperty("index").GetInt32()].Select(region => (region.Pixels, Corners(region))),
            entry.GetProperty("regions").EnumerateArray().Select(region => (
                region.GetProperty("pixels").GetInt64(), region.GetProperty("polygon").GetRawText()))));

        static string Corners(Region region) => JsonSerializer.Serialize(
            region.Holes.Prepend(region.Outline)
                .Select(ring => ring.Points.Select(point => new[] { point.X, point.Y })));
    }

    [Fact]
    public async Task Times_come_in_a_header()
    {
        using HttpResponseMessage response = await server.PostAsync("", Photo);
        string[] times = Assert.Single(response.Headers.GetValues("Server-Timing")).Split(", ");
        Assert.Equal(["queue", "decode", "preprocess", "network", "postprocess", "encode"],
            times.Select(time => time.Split(";dur=")[0]));
        Assert.All(times, time => Assert.True(double.Parse(time.Split('=')[1], CultureInfo.InvariantCulture) >= 0));
    }

    [Theory]
    [InlineData("image/png")]
    [InlineData("image/jpeg")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("nonsense")]
    public async Task A_body_that_is_a_picture_is_taken_whatever_it_is_called(string contentType)
    {
        using HttpResponseMessage response = await server.PostAsync("", Photo, contentType);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("image", null)]
    [InlineData("anything", "photo.png")]
    public async Task A_part_of_a_form_is_taken(string name, string? fileName)
    {
        using var form = new MultipartFormDataContent { { new StringContent("a text that is no picture"), "note" } };
        if (fileName is null)
            form.Add(new ByteArrayContent(Photo), name);
        else
            form.Add(new ByteArrayContent(Photo), name, fileName);
        using HttpResponseMessage response = await server.Client.PostAsync("v1/segment?format=json", form);
        Assert.Equal(37, (await SegmentServer.JsonOf(response)).GetProperty("width").GetInt32());
    }

    [Fact]
    public async Task A_compressed_body_is_taken()
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(Photo);
        var content = new ByteArrayContent(bytes.ToArray());
        content.Headers.ContentEncoding.Add("gzip");
        using HttpResponseMessage response = await server.Client.PostAsync("v1/segment?format=json", content);
        Assert.Equal(37, (await SegmentServer.JsonOf(response)).GetProperty("width").GetInt32());
    }

    [Fact]
    public async Task The_models_are_listed_with_their_classes_and_limits()
    {
        JsonElement report = await SegmentServer.JsonOf(await server.Client.GetAsync("v1/models?palette=cityscapes"));
        Assert.Equal("first", report.GetProperty("default").GetString());
        Assert.Equal(SegmentServer.MaxPixels, report.GetProperty("limits").GetProperty("pixels").GetInt64());
        Assert.Equal(SegmentServer.MaxBodyBytes, report.GetProperty("limits").GetProperty("bodyBytes").GetInt64());
        JsonElement[] models = [.. report.GetProperty("models").EnumerateArray()];
        Assert.Equal(["first", "second"], models.Select(model => model.GetProperty("name").GetString()));
        Assert.All(models, model =>
        {
            Assert.Equal(
                ("ready", "cpu"), (model.GetProperty("state").GetString(), model.GetProperty("device").GetString()));
            Assert.Equal("fp32", model.GetProperty("precision").GetString());
            Assert.Equal("DeepLabV3+", model.GetProperty("architecture").GetString());
            Assert.Contains(
                "output stride 16", model.GetProperty("assumed").EnumerateArray().Select(entry => entry.GetString()));
            JsonElement[] classes = [.. model.GetProperty("classes").EnumerateArray()];
            Assert.Equal([0, 1, 2, 3, 4], classes.Select(entry => entry.GetProperty("index").GetInt32()));
            Assert.Equal("class 3", classes[3].GetProperty("name").GetString());
            Assert.Equal("#464646", classes[2].GetProperty("colour").GetString());
        });
    }

    [Fact]
    public async Task Requests_beside_each_other_get_their_own_masks()
    {
        byte[][] photos = [.. Enumerable.Range(0, 12).Select(i => Workplace.Photo(20 + i % 3, 24 + i))];
        JsonElement[] reports = await Task.WhenAll(photos.Select(async photo =>
            await SegmentServer.JsonOf(await server.PostAsync("?format=json", photo))));
        Assert.Equal(
            Enumerable.Range(0, 12).Select(i => (20 + i % 3, 24 + i)),
            reports.Select(
                report => (report.GetProperty("height").GetInt32(), report.GetProperty("width").GetInt32())));
    }

    private Segmentation Expected()
    {
        using var segmenter = Segmenter.Load(server.ModelPath);
        using Image photo = Image.Load(Photo);
        return segmenter.Segment(photo);
    }
}
