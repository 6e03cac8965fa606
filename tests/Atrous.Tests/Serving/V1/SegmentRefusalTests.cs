using System.Net;
using System.Text;
using Atrous.Imaging;
using Atrous.Tests.Cli;

namespace Atrous.Tests.Serving.V1;

/// <summary>POST /v1/segment: what it refuses, with one sentence each; the server goes on.</summary>
public sealed class SegmentRefusalTests(SegmentServer server) : IClassFixture<SegmentServer>
{
    private static readonly byte[] Photo = Workplace.Photo();

    [Theory]
    [InlineData("?format=gif", 400, "The format 'gif' is unknown; use png, overlay, json, rle, polygons,")]
    [InlineData("?format=png&format=json", 400, "comes 2 times")]
    [InlineData("?formt=json", 400, "There is no parameter 'formt'")]
    [InlineData("?opacity=1.5", 400, "The opacity '1.5' is not a number from 0 to 1.")]
    [InlineData("?opacity=NaN", 400, "is not a number")]
    [InlineData("?quality=0", 400, "is not a whole number from 1 to 100")]
    [InlineData("?encoding=webp", 400, "use png, jpeg")]
    [InlineData("?palette=pink", 400, "use default, cityscapes, voc")]
    [InlineData("?counts=some", 400, "use compressed, uncompressed")]
    [InlineData("?timeout=-1", 400, "is not a number from 0.001")]
    [InlineData("?priority=7", 400, "The priority 7 is none of 1 to 3.")]
    [InlineData("?model=third", 404, "There is no model 'third'; there are first, second.")]
    [InlineData("?format=%0d%0a%00", 400, "The format '???' is unknown")]
    public async Task Parameters_are_checked(string query, int status, string sentence)
    {
        using HttpResponseMessage response = await server.PostAsync(query, Photo);
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Contains(sentence, await SegmentServer.ProblemOf(response));
    }

    [Fact]
    public async Task The_list_of_models_checks_its_parameters()
    {
        using HttpResponseMessage response = await server.Client.GetAsync("v1/models?model=first");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains("there are palette", await SegmentServer.ProblemOf(response));
    }

    public static TheoryData<string, byte[], int, string> Bodies => new()
    {
        { "nothing", [], 400, "There is no picture" },
        { "text", "Hello"u8.ToArray(), 415, "no JPEG, PNG, WebP, GIF, BMP or TIFF; convert" },
        { "a cut gif", "GIF89a\x01\x00\x01\x00"u8.ToArray(), 400, "GIF" },
        { "a cut header", Photo[..20], 400, "PNG" },
        { "a cut file", Photo[..^40], 400, "ends early" },
        { "a broken header", [.. Photo[..16], 0xff, 0xff, 0xff, 0xff, .. Photo[20..]], 400, "PNG" },
        { "two bytes of a JPEG", [0xff, 0xd8], 400, "JPEG" },
        { "too many pixels", Workplace.Photo(65, 64), 413, "64 x 65 pixels; at most 4096 are taken" },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task Bodies_are_checked(string what, byte[] body, int status, string sentence)
    {
        using HttpResponseMessage response = await server.PostAsync("", body);
        Assert.True(status == (int)response.StatusCode, $"{what}: {response.StatusCode}");
        Assert.Contains(sentence, await SegmentServer.ProblemOf(response));
        await StillServes();
    }

    [Fact]
    public async Task A_body_of_too_many_bytes_is_refused()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "v1/segment")
        {
            Content = new ByteArrayContent(new byte[SegmentServer.MaxBodyBytes + 1]),
        };
        // The answer comes before the body; a client that still sends it would race with the end of the connection.
        request.Headers.ExpectContinue = true;
        using HttpResponseMessage response = await server.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        await SegmentServer.ProblemOf(response);
        await StillServes();
    }

    public static TheoryData<string, string, string> Forms => new()
    {
        { "multipart/form-data", "--x--\r\n", "no sound boundary" },
        { "multipart/form-data; boundary=" + new string('x', 71), "--x--\r\n", "no sound boundary" },
        { "multipart/form-data; boundary=x", "", "broken or cut off" },
        { "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\ncut",
            "broken or cut off" },
        { "multipart/form-data; boundary=x",
            "--x\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\ntext\r\n--x--\r\n", "There is no picture" },
        { "multipart/form-data; boundary=x", "--x\r\nno header\r\n\r\ntext\r\n--x--\r\n", "broken or cut off" },
        { "multipart/form-data; boundary=x", "--x\r\n" + string.Concat(
            Enumerable.Range(0, 100).Select(i => $"A{i}: b\r\n")) + "\r\ntext\r\n--x--\r\n", "broken or cut off" },
        {
            "multipart/form-data; boundary=x",
            string.Concat(
                Enumerable.Repeat(
                    "--x\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a\"\r\n\r\npixels\r\n", 2))
                    + "--x--\r\n",
            "several pictures"
        },
        // Two files whose names are not there, or cannot be decoded.
        {
            "multipart/form-data; boundary=x",
            "--x\r\nContent-Disposition: form-data; name=\"image\"; filename*\r\n\r\npixels\r\n"
                + "--x\r\nContent-Disposition: form-data; filename*=UTF-8''%ZZ\r\n\r\npixels\r\n--x--\r\n",
            "several pictures"
        },
    };

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Forms_are_checked(string contentType, string body, string sentence)
    {
        using HttpResponseMessage response = await server.PostAsync("", Encoding.ASCII.GetBytes(body), contentType);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(sentence, await SegmentServer.ProblemOf(response));
        await StillServes();
    }

    [Fact]
    public async Task Another_method_is_refused()
    {
        using HttpResponseMessage response = await server.Client.GetAsync("v1/segment");
        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
        Assert.Contains("/v1/segment does not take GET; use POST", await SegmentServer.ProblemOf(response));
    }

    private async Task StillServes()
    {
        using HttpResponseMessage response = await server.PostAsync("", Photo);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using Image mask = Image.Load(await response.Content.ReadAsByteArrayAsync());
        Assert.Equal((37, 33), (mask.Width, mask.Height));
    }
}
