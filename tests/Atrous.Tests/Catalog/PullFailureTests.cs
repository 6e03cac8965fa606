using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;

namespace Atrous.Tests.Catalog;

/// <summary>Pulls that cannot succeed: a sentence, and nothing that looks like a model.</summary>
public sealed class PullFailureTests
{
    private const int Part = 100_000;

    private static readonly byte[] Content = FileServer.Content(300_000);

    [Fact]
    public async Task Wrong_contents_are_removed()
    {
        byte[] corrupt = [.. Content];
        corrupt[12345] ^= 1;
        await using var server = new FileServer(corrupt);
        using var place = new PullPlace(server, Content);
        var e = await Assert.ThrowsAsync<DownloadException>(() => place.Pull());
        Assert.Contains(PullPlace.Hash(corrupt), e.Message);
        Assert.Contains(PullPlace.Hash(Content), e.Message);
        Assert.Contains("removed", e.Message);
        Assert.Empty(place.Files);
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task The_digits_of_a_file_name_are_a_check_too()
    {
        await using var server = new FileServer(Content);
        string right = PullPlace.Hash(Content)[..8], wrong = PullPlace.Hash([1])[..8];
        using var good = new PullPlace(($"{server.Address}/weights-{right}.pth", right));
        await good.Pull();
        good.AssertPulled(Content);
        using var bad = new PullPlace(($"{server.Address}/weights-{wrong}.pth", wrong));
        var e = await Assert.ThrowsAsync<DownloadException>(() => bad.Pull());
        Assert.Contains($"not {wrong}...", e.Message);
        Assert.Empty(bad.Files);
    }

    [Theory]
    [InlineData(404)]
    [InlineData(403)]
    [InlineData(410)]
    public async Task What_is_not_there_is_not_asked_for_again(int status)
    {
        await using var server = Answering(status);
        using var place = new PullPlace(server, Content);
        var e = await Assert.ThrowsAsync<ModelException>(() => place.Pull());
        Assert.Contains($"the server answered {status}", e.Message);
        Assert.Contains(place.Entry.Files[0].Url.ToString(), e.Message);
        Assert.Single(server.Requests);
        Assert.Empty(place.Files);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(408)]
    public async Task A_server_that_stays_broken_is_given_up(int status)
    {
        await using var server = Answering(status);
        using var place = new PullPlace(server, Content);
        var e = await Assert.ThrowsAsync<DownloadException>(() => place.Pull());
        Assert.Contains($"answered {status}", e.Message);
        Assert.Contains("3 times", e.Message);
        Assert.Equal(3, server.Requests.Count);
        Assert.Equal(2, place.Notes.Count);
    }

    [Fact]
    public async Task A_server_that_breaks_off_every_time_is_given_up_and_the_part_kept()
    {
        await using var server = new FileServer((context, _) => FileServer.Truncate(context, Content, Part));
        using var place = new PullPlace(server, Content);
        var e = await Assert.ThrowsAsync<DownloadException>(() => place.Pull());
        Assert.Contains("is kept", e.Message);
        Assert.Equal(3, server.Requests.Count);
        Assert.Equal(Part, place.Cache.BytesOf(place.Entry));
        Assert.False(File.Exists(place.Target));
    }

    [Fact]
    public async Task An_unreachable_server_is_named()
    {
        // A port that was free a moment ago.
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        using var place = new PullPlace(($"http://127.0.0.1:{port}/weights.pth", PullPlace.Hash(Content)));
        var e = await Assert.ThrowsAsync<DownloadException>(() => place.Pull());
        Assert.Contains($"http://127.0.0.1:{port}/weights.pth: the connection failed (", e.Message);
        Assert.Contains("check the connection", e.Message);
    }

    [Fact]
    public async Task A_full_disk_is_named()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "this system has no /dev/full");
        await using var server = new FileServer(Content);
        using var place = new PullPlace(server, Content);
        Directory.CreateDirectory(Path.GetDirectoryName(place.Target)!);
        File.CreateSymbolicLink(place.Target + ".partial", "/dev/full");
        var e = await Assert.ThrowsAsync<OutputException>(() => place.Pull());
        Assert.Contains("No space left on device", e.Message);
        Assert.Contains("ATROUS_HOME", e.Message);
        Assert.False(File.Exists(place.Target));
        Assert.Single(server.Requests);
    }

    [Fact]
    public async Task A_folder_that_is_a_file_is_named()
    {
        await using var server = new FileServer(Content);
        using var place = new PullPlace(server, Content);
        place.Place.Add("home", "not a folder");
        var e = await Assert.ThrowsAsync<OutputException>(() => place.Pull());
        Assert.Contains(place.Cache.Folder, e.Message);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task A_web_page_is_no_model()
    {
        await using var server = new FileServer((context, _) =>
        {
            context.Response.ContentType = "text/html; charset=utf-8";
            return context.Response.WriteAsync("<p>Please log in</p>");
        });
        using var place = new PullPlace(server);
        var e = await Assert.ThrowsAsync<DownloadException>(() => place.Pull());
        Assert.Contains("web page", e.Message);
        Assert.Empty(place.Files);
    }

    [Fact]
    public async Task Circling_redirects_end()
    {
        await using var server = new FileServer((context, _) =>
        {
            context.Response.Redirect("/again");
            return Task.CompletedTask;
        });
        using var place = new PullPlace(server, Content);
        var e = await Assert.ThrowsAsync<DownloadException>(() => place.Pull());
        Assert.Contains("redirects", e.Message);
    }

    [Theory]
    [InlineData("file:///etc/passwd", "only https and http are, and this is file")]
    [InlineData("ftp://127.0.0.1/weights.pth", "only https and http are, and this is ftp")]
    [InlineData("ftp://me:secret@127.0.0.1/weights.pth?token=secret", "to ftp://127.0.0.1/weights.pth, which")]
    [InlineData("http://", "an address that is none")]
    [InlineData("", "an address that is none")]
    public async Task A_redirect_that_leads_astray_is_not_followed(string location, string words)
    {
        await using var server = new FileServer((context, _) =>
        {
            context.Response.StatusCode = 302;
            context.Response.Headers.Location = location;
            return Task.CompletedTask;
        });
        using var place = new PullPlace(server, Content);
        var e = await Assert.ThrowsAsync<DownloadException>(() => place.Pull());
        Assert.Contains(words, e.Message);
        Assert.DoesNotContain("secret", e.Message);
        Assert.Single(server.Requests);
        Assert.Empty(place.Files);
    }

    [Theory]
    [InlineData("Wed, 21 Oct 2015 07:28:00 GMT")]
    [InlineData("-5")]
    [InlineData("99999999999999999999")]
    public async Task A_time_to_wait_that_is_none_is_not_waited_for(string retryAfter)
    {
        await using var server = new FileServer((context, number) =>
        {
            if (number > 1)
                return FileServer.Send(context, Content);
            context.Response.StatusCode = 503;
            context.Response.Headers.RetryAfter = retryAfter;
            return Task.CompletedTask;
        });
        using var place = new PullPlace(server, Content);
        await place.Pull();
        place.AssertPulled(Content);
    }

    [Fact]
    public async Task A_body_without_end_stops_at_the_size_of_the_catalog()
    {
        await using var server = new FileServer(async (context, _) =>
        {
            while (!context.RequestAborted.IsCancellationRequested)
                await context.Response.Body.WriteAsync(Content);
        });
        using var place = new PullPlace([($"{server.Address}/weights.pth", null)], size: Content.Length + 1);
        var e = await Assert.ThrowsAsync<DownloadException>(() => place.Pull());
        Assert.Contains("more than the 300,001 bytes that the catalog says", e.Message);
        Assert.Contains("was removed", e.Message);
        Assert.Empty(place.Files);
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData("bytes 100000-299999/300000", true)]
    [InlineData("bytes 0-299999/300000", false)]
    [InlineData("bytes 100000-299999/7", false)]
    [InlineData("bytes 5-2/3", false)]
    [InlineData("lines 100000-299999/300000", false)]
    [InlineData("bytes 100000-18446744073709551615/18446744073709551616", false)]
    [InlineData("nonsense", false)]
    public async Task A_part_that_is_not_the_one_asked_for_is_not_taken(string range, bool taken)
    {
        await using var server = new FileServer((context, number) =>
        {
            if (number == 1)
                return FileServer.Truncate(context, Content, Part);
            if (number > 2)
                return FileServer.Send(context, Content);
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = range;
            return context.Response.Body.WriteAsync(Content.AsMemory(Part)).AsTask();
        });
        using var place = new PullPlace(server, Content);
        await place.Pull();
        place.AssertPulled(Content);
        Assert.Equal(taken ? 2 : 3, server.Requests.Count);
    }

    [Fact]
    public async Task Passwords_and_keys_of_an_address_are_not_told()
    {
        await using var server = Answering(404);
        using var place = new PullPlace(
            ($"{server.Address.Replace("//", "//me:secret@", StringComparison.Ordinal)}/weights.pth?key=hidden", null));
        var e = await Assert.ThrowsAsync<ModelException>(() => place.Pull());
        Assert.Contains($"{server.Address}/weights.pth?...: ", e.Message);
        Assert.DoesNotContain("secret", e.ToString());
        Assert.DoesNotContain("hidden", e.ToString());
    }

    private static FileServer Answering(int status) => new((context, _) =>
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    });
}
