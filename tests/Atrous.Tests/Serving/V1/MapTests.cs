using System.Net;
using System.Text.Json;
using Atrous.Imaging.Maps;
using Atrous.Postprocessing;
using Atrous.Tests.Cli;
using Atrous.Tests.Imaging.Maps;
using Atrous.Tests.Serving.OpenInference;

namespace Atrous.Tests.Serving.V1;

/// <summary>POST /v1/segment of GeoTIFFs: answers lie on the map where the picture does.</summary>
public sealed class MapTests(SegmentServer server) : IClassFixture<SegmentServer>, IDisposable
{
    private const int Height = 33, Width = 37, NoData = 255;
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Theory]
    [InlineData(typeof(byte))]
    [InlineData(typeof(ushort))]
    public async Task Outlines_are_in_the_map_s_coordinates_and_leave_out_what_has_no_data(Type sample)
    {
        using HttpResponseMessage response = await server.PostAsync("?format=geojson", Map(sample));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Contains("32 pixels have no data, and are 255", response.Headers.GetValues("Atrous-Warning").Single());
        JsonElement json = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync()).RootElement;
        Assert.Contains("EPSG::32633", json.GetProperty("crs").GetRawText());
        long pixels = 0;
        double metres = 0;
        foreach (JsonElement feature in json.GetProperty("features").EnumerateArray())
        {
            pixels += feature.GetProperty("properties").GetProperty("pixels").GetInt64();
            metres += feature.GetProperty("properties").GetProperty("squareMetres").GetDouble();
            JsonElement outline = feature.GetProperty("geometry").GetProperty("coordinates")[0];
            foreach (JsonElement point in outline.EnumerateArray())
            {
                Assert.InRange(point[0].GetDouble(), 400_000, 400_000 + Width / 2.0);
                Assert.InRange(point[1].GetDouble(), 5_800_000 - Height / 2.0, 5_800_000);
            }
        }
        Assert.Equal(Height * Width - 32, pixels);
        Assert.Equal(pixels / 4.0, metres, 6);
    }

    [Fact]
    public async Task The_mask_is_a_map_too()
    {
        using HttpResponseMessage response = await server.PostAsync("?format=tiff", Map(typeof(byte)));
        Assert.Equal("image/tiff", response.Content.Headers.ContentType?.MediaType);
        File.WriteAllBytes(_place["mask.tif"], await response.Content.ReadAsByteArrayAsync());
        Dictionary<int, byte[]> before = GeoTiffFile.TagsOf(_place["a.tif"]),
            after = GeoTiffFile.TagsOf(_place["mask.tif"]);
        foreach (int tag in new[] { 33550, 33922, 34735 })
            Assert.Equal(before[tag], after[tag]);
        Assert.Equal("255\0"u8, after[42113]);
        LabelImage mask = LabelImage.Load(_place["mask.tif"]);
        for (int i = 0; i < mask.Labels.Length; i++)
            Assert.Equal(i / Width < 4 && i % Width < 8, mask.Labels[i] == NoData);

        // The same labels as a PNG, and of a plain picture a TIFF without a place.
        using HttpResponseMessage png = await server.PostAsync("?format=png", Map(typeof(byte)));
        File.WriteAllBytes(_place["mask.png"], await png.Content.ReadAsByteArrayAsync());
        Assert.Equal(mask.Labels, LabelImage.Load(_place["mask.png"]).Labels);
        using HttpResponseMessage plain = await server.PostAsync("?format=tiff", Workplace.Photo());
        File.WriteAllBytes(_place["plain.tif"], await plain.Content.ReadAsByteArrayAsync());
        Assert.False(TiffFacts.Of(_place["plain.tif"])!.IsPlaced);
    }

    [Fact]
    public async Task What_has_no_data_counts_for_no_class()
    {
        using HttpResponseMessage response = await server.PostAsync("?format=json", Map(typeof(byte)));
        JsonElement json = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync()).RootElement;
        Assert.Equal(
            Height * Width - 32,
            json.GetProperty("classes").EnumerateArray().Sum(row => row.GetProperty("pixels").GetInt64()));
        Assert.Equal(
            1, json.GetProperty("classes").EnumerateArray().Sum(row => row.GetProperty("share").GetDouble()), 3);
        Assert.Contains("no data", json.GetProperty("warning").GetString());
        // A batch of pictures with and without data has each its own.
        byte[] map = Map(typeof(byte)), photo = Workplace.Photo();
        HttpResponseMessage[] answers = await Task.WhenAll(
            Enumerable.Range(0, 6).Select(i => server.PostAsync("?format=json", i % 2 == 0 ? map : photo)));
        for (int i = 0; i < answers.Length; i++)
        {
            JsonElement each = JsonDocument.Parse(await answers[i].Content.ReadAsByteArrayAsync()).RootElement;
            Assert.Equal(
                Height * Width - (i % 2 == 0 ? 32 : 0),
                each.GetProperty("classes").EnumerateArray().Sum(row => row.GetProperty("pixels").GetInt64()));
            answers[i].Dispose();
        }
    }

    [Fact]
    public async Task Bands_that_are_left_out_are_told()
    {
        new GeoTiffFile { Height = Height, Width = Width, Bands = 5, IsRgb = true, NoData = "0" }.Write(
            _place["five.tif"], [.. Enumerable.Range(0, Height * Width * 5).Select(i => (float)(1 + i * 7 % 250))]);
        using HttpResponseMessage response = await server.PostAsync("", File.ReadAllBytes(_place["five.tif"]));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Contains("only the first", response.Headers.GetValues("Atrous-Warning").Single());
    }

    /// <summary>Over the protocol for several pictures too, each of which has a part without data of its own.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task The_protocol_s_masks_have_no_class_where_there_is_no_data(int pictures)
    {
        byte[] map = Map(typeof(byte));
        byte[] tensor = Protocol.Bytes([.. Enumerable.Repeat(map, pictures)]);
        string input = Protocol.Input("BYTES", [pictures], $"\"parameters\":{{\"binary_data_size\":{tensor.Length}}}");
        using HttpRequestMessage request =
            Protocol.Binary($"{input[..^1]},\"outputs\":[{{\"name\":\"labels\"}}]}}", tensor);
        request.RequestUri = new Uri("/v2/models/first/infer", UriKind.Relative);
        using HttpResponseMessage response = await server.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        JsonElement json = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync()).RootElement;
        int[] labels =
        [
            .. json.GetProperty("outputs")[0].GetProperty("data").EnumerateArray().Select(label => label.GetInt32()),
        ];
        Assert.Equal(pictures * Height * Width, labels.Length);
        for (int i = 0; i < labels.Length; i++)
        {
            int pixel = i % (Height * Width);
            Assert.Equal(pixel / Width < 4 && pixel % Width < 8, labels[i] == NoData);
        }
    }

    private byte[] Map(Type sample)
    {
        float[] samples = [.. Enumerable.Range(0, Height * Width * 3).Select(i => (float)(1 + i * 7 % 250))];
        for (int y = 0; y < 4; y++)
            Array.Clear(samples, y * Width * 3, 8 * 3);
        new GeoTiffFile { Height = Height, Width = Width, Bands = 3, IsRgb = true, Sample = sample, NoData = "0" }
            .Write(_place["a.tif"], samples);
        return File.ReadAllBytes(_place["a.tif"]);
    }
}
