using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.RegularExpressions;
using Atrous.Imaging;

namespace Atrous.Tests.Serving.V1;

/// <summary>
/// The page at /, the reader at /docs and the OpenAPI document, without a browser (tests/web has one).
/// </summary>
public sealed partial class PageTests(SegmentServer server) : IClassFixture<SegmentServer>
{
    [Theory]
    [InlineData("")]
    [InlineData("docs")]
    public async Task A_page_and_all_that_it_names_come_from_here(string page)
    {
        using HttpResponseMessage response = await server.Client.GetAsync(page);
        string html = await response.Content.ReadAsStringAsync();
        Assert.Equal("text/html", response.Content.Headers.ContentType?.MediaType);
        string[] addresses = [.. Address().Matches(html).Select(match => match.Groups[1].Value)];
        Assert.NotEmpty(addresses);
        foreach (string address in addresses.Where(address => !address.StartsWith('#')))
        {
            Assert.StartsWith("/", address, StringComparison.Ordinal);
            Assert.Equal(HttpStatusCode.OK, (await server.Client.GetAsync(address)).StatusCode);
        }
        Assert.DoesNotMatch(@"<style|style=|<script(?! type=""module"" src=)|\son\w+=", html);
    }

    [Theory]
    [InlineData("", "text/html")]
    [InlineData("docs", "text/html")]
    [InlineData("web/app.js", "text/javascript")]
    [InlineData("web/page.css", "text/css")]
    [InlineData("web/favicon.svg", "image/svg+xml")]
    [InlineData("samples/street.png", "image/png")]
    public async Task Files_come_with_strict_headers_and_a_tag(string path, string type)
    {
        using HttpResponseMessage response = await server.Client.GetAsync(path);
        Assert.Equal(type, response.Content.Headers.ContentType?.MediaType);
        string policy = Assert.Single(response.Headers.GetValues("Content-Security-Policy"));
        Assert.StartsWith("default-src 'none';", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy);
        Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));

        using var again = new HttpRequestMessage(HttpMethod.Get, path);
        again.Headers.IfNoneMatch.Add(response.Headers.ETag!);
        Assert.Equal(HttpStatusCode.NotModified, (await server.Client.SendAsync(again)).StatusCode);
    }

    [Fact]
    public async Task Samples_are_listed_and_are_pictures()
    {
        JsonElement names = await SegmentServer.JsonOf(await server.Client.GetAsync("samples"));
        Assert.Contains("street.png", names.EnumerateArray().Select(name => name.GetString()));
        foreach (JsonElement name in names.EnumerateArray())
            Assert.True(Image.Probe(await server.Client.GetByteArrayAsync($"samples/{name.GetString()}")).Width > 0);
    }

    [Theory]
    [InlineData("web/nothing.js")]
    [InlineData("samples/nothing.png")]
    [InlineData("web/..%2fsamples%2fstreet.png")]
    public async Task Other_files_are_not_there(string path)
    {
        using HttpResponseMessage response = await server.Client.GetAsync(path);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task The_document_describes_the_endpoints_as_they_are()
    {
        JsonElement document = await SegmentServer.JsonOf(await server.Client.GetAsync("openapi/v1.json"));
        Assert.StartsWith("3.1", document.GetProperty("openapi").GetString(), StringComparison.Ordinal);
        JsonElement segment = document.GetProperty("paths").GetProperty("/v1/segment").GetProperty("post");
        string[] parameters =
            [.. segment.GetProperty("parameters").EnumerateArray()
            .Select(parameter => parameter.GetProperty("name").GetString()!)];
        using HttpResponseMessage refusal = await server.PostAsync("?unknown=1", []);
        Assert.EndsWith($"there are {string.Join(", ", parameters)}.", await SegmentServer.ProblemOf(refusal),
            StringComparison.Ordinal);
        Assert.Equal(
            ["200", "400", "404", "413", "415", "503", "504"], segment.GetProperty("responses").EnumerateObject()
            .Select(entry => entry.Name));
        Assert.Equal(
            ["application/json", "image/jpeg", "image/png"],
            segment.GetProperty("responses").GetProperty("200").GetProperty("content").EnumerateObject()
                .Select(entry => entry.Name).Order(StringComparer.Ordinal));
        Assert.True(document.GetProperty("paths").TryGetProperty("/v1/models", out _));
        Assert.False(document.GetProperty("paths").TryGetProperty("/samples", out _));
        // Numbers are numbers, and not "integer or string".
        JsonElement pixels = document.GetProperty("components").GetProperty("schemas").GetProperty("ClassReport")
            .GetProperty("properties").GetProperty("pixels");
        Assert.Equal("integer", pixels.GetProperty("type").GetString());
    }

    [GeneratedRegex("(?:href|src)=\"([^\"]*)\"")]
    private static partial Regex Address();
}
