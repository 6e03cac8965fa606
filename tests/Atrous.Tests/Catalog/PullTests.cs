using Atrous.Catalog;
using Microsoft.AspNetCore.Http;

namespace Atrous.Tests.Catalog;

/// <summary>Pulls that come to a good end, some of them in the end only.</summary>
public sealed class PullTests
{
    private const int Bytes = 3_000_000, Part = 1_000_000;

    private static readonly byte[] Content = FileServer.Content(Bytes);

    [Fact]
    public async Task A_file_comes_whole_and_once()
    {
        await using var server = new FileServer(Content);
        using var place = new PullPlace(server, Content);
        long last = 0;
        place.OnReceived = received => last = received;
        Assert.Equal(1, await place.Pull());
        place.AssertPulled(Content);
        Assert.Equal(Bytes, last);
        Assert.Equal(0, await place.Pull());
        ServedRequest request = Assert.Single(server.Requests);
        Assert.Null(request.Range);
        Assert.Empty(place.Notes);
    }

    [Fact]
    public async Task A_truncated_body_is_continued_where_it_broke_off()
    {
        await using var server = new FileServer((context, number) =>
            number == 1 ? FileServer.Truncate(context, Content, Part) : FileServer.Send(context, Content));
        using var place = new PullPlace(server, Content);
        await place.Pull();
        place.AssertPulled(Content);
        AssertContinued(server.Requests, Part);
        Assert.Contains("try 2 of 3", Assert.Single(place.Notes));
    }

    [Fact]
    public async Task An_interrupted_pull_is_continued_by_the_next_one()
    {
        await using var server = new FileServer((context, number) => number == 1
            ? FileServer.Begin(context, Content, Part, () => Task.Delay(Timeout.Infinite, context.RequestAborted))
            : FileServer.Send(context, Content));
        using var place = new PullPlace(server, Content);
        using var interruption = new CancellationTokenSource();
        place.OnReceived = received =>
        {
            if (received == Part)
                interruption.Cancel();
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => place.Pull(cancellationToken: interruption.Token));
        Assert.Equal(PullState.Partial, place.Cache.StateOf(place.Entry));
        Assert.Equal(Part, place.Cache.BytesOf(place.Entry));
        Assert.False(File.Exists(place.Target));

        long first = -1;
        place.OnReceived = received => first = first < 0 ? received : first;
        await place.Pull();
        place.AssertPulled(Content);
        AssertContinued(server.Requests, Part);
        Assert.Equal(Part, first);
    }

    [Fact]
    public async Task A_server_without_ranges_sends_all_of_it_again()
    {
        await using var server = new FileServer((context, number) => number == 1
            ? FileServer.Truncate(context, Content, Part)
            : FileServer.Begin(context, Content, Bytes, () => Task.CompletedTask));
        using var place = new PullPlace(server, Content);
        await place.Pull();
        place.AssertPulled(Content);
        Assert.Equal([200, 200], server.Requests.Select(request => request.Status));
        Assert.Contains(place.Notes, note => note.Contains("from the beginning"));
    }

    [Fact]
    public async Task Two_editions_are_never_mixed()
    {
        byte[] changed = FileServer.Content(Bytes, seed: 2);
        await using var server = new FileServer((context, number) =>
            number == 1 ? FileServer.Truncate(context, Content, Part, "v1") : FileServer.Send(context, changed, "v2"));
        using var place = new PullPlace(server);
        await place.Pull();
        place.AssertPulled(changed);
        Assert.Equal($"bytes={Part}-", server.Requests[1].Range);
        Assert.Equal("\"v1\"", server.Requests[1].IfRange);
        Assert.Equal(200, server.Requests[1].Status);
    }

    [Fact]
    public async Task What_has_no_edition_is_fetched_from_the_beginning()
    {
        await using var server = new FileServer((context, number) =>
            number == 1
                ? FileServer.Truncate(context, Content, Part, tag: null)
                : FileServer.Send(context, Content, tag: null));
        using var place = new PullPlace(server, Content);
        await place.Pull();
        place.AssertPulled(Content);
        Assert.All(server.Requests, request => Assert.Null(request.Range));
    }

    [Fact]
    public async Task A_redirect_is_followed_and_continued()
    {
        await using var server = new FileServer((context, number) =>
        {
            if (context.Request.Path == "/weights.pth")
            {
                context.Response.Redirect("/elsewhere");
                return Task.CompletedTask;
            }
            return number == 2 ? FileServer.Truncate(context, Content, Part) : FileServer.Send(context, Content);
        });
        using var place = new PullPlace(server, Content);
        await place.Pull();
        place.AssertPulled(Content);
        Assert.Equal(["/weights.pth", "/elsewhere", "/weights.pth", "/elsewhere"],
            server.Requests.Select(request => request.Path));
        Assert.Equal($"bytes={Part}-", server.Requests[3].Range);
        Assert.Equal(206, server.Requests[3].Status);
    }

    [Fact]
    public async Task A_file_that_had_all_come_gets_its_name_alone()
    {
        await using var server = new FileServer(Content);
        using var place = new PullPlace(server, Content);
        Leave(place, Content);
        await place.Pull();
        place.AssertPulled(Content);
        Assert.Equal([416], server.Requests.Select(request => request.Status));
    }

    [Fact]
    public async Task More_than_there_is_is_thrown_away()
    {
        await using var server = new FileServer(Content);
        using var place = new PullPlace(server, Content);
        Leave(place, [.. Content, 0]);
        await place.Pull();
        place.AssertPulled(Content);
        Assert.Equal([416, 200], server.Requests.Select(request => request.Status));
    }

    [Fact]
    public async Task Another_part_than_was_asked_for_is_not_added()
    {
        await using var server = new FileServer(async (context, number) =>
        {
            if (number != 1)
            {
                await FileServer.Send(context, Content);
                return;
            }
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = $"bytes 0-9/{Bytes}";
            context.Response.ContentLength = 10;
            await context.Response.Body.WriteAsync(Content.AsMemory(0, 10));
        });
        using var place = new PullPlace(server, Content);
        Leave(place, Content[..Part]);
        await place.Pull();
        place.AssertPulled(Content);
        Assert.Equal([$"bytes={Part}-", null], server.Requests.Select(request => request.Range));
    }

    [Fact]
    public async Task What_a_server_cannot_do_now_it_may_do_later()
    {
        await using var server = new FileServer((context, number) =>
        {
            if (number == 3)
                return FileServer.Send(context, Content);
            context.Response.StatusCode = number == 1 ? 503 : 429;
            // Bounded by the longest wait, or this test would take hours.
            context.Response.Headers.RetryAfter = "10000";
            return Task.CompletedTask;
        });
        using var place = new PullPlace(server, Content);
        await place.Pull();
        place.AssertPulled(Content);
        Assert.Equal([503, 429, 200], server.Requests.Select(request => request.Status));
    }

    [Fact]
    public async Task A_server_that_falls_silent_is_asked_again()
    {
        await using var server = new FileServer((context, number) => number == 1
            ? FileServer.Begin(context, Content, Part, () => Task.Delay(Timeout.Infinite, context.RequestAborted))
            : FileServer.Send(context, Content));
        using var place = new PullPlace(server, Content);
        await place.Pull(PullPlace.Options with { Inactivity = TimeSpan.FromSeconds(2) });
        place.AssertPulled(Content);
        AssertContinued(server.Requests, Part);
        Assert.Contains("nothing came for 2 s", Assert.Single(place.Notes));
    }

    [Fact]
    public async Task A_slow_server_has_all_the_time_it_needs()
    {
        const int Pieces = 8;
        await using var server = new FileServer(async (context, _) =>
        {
            context.Response.ContentLength = Bytes;
            for (int i = 0; i < Pieces; i++)
            {
                await context.Response.Body.WriteAsync(Content.AsMemory(i * Bytes / Pieces, Bytes / Pieces));
                await context.Response.Body.FlushAsync();
                await Task.Delay(500);
            }
        });
        using var place = new PullPlace(server, Content);
        await place.Pull(PullPlace.Options with { Attempts = 1, Inactivity = TimeSpan.FromSeconds(2) });
        place.AssertPulled(Content);
    }

    [Fact]
    public async Task Pulls_of_one_model_wait_for_each_other()
    {
        await using var server = new FileServer(async (context, _) =>
        {
            await Task.Delay(1000);
            await FileServer.Send(context, Content);
        });
        using var place = new PullPlace(server, Content);
        int[] fetched = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() => place.Pull())));
        Assert.Equal([0, 0, 1], fetched.Order());
        Assert.Single(server.Requests);
        place.AssertPulled(Content);
        Assert.Contains(place.Notes, note => note.Contains("waiting"));
    }

    [Fact]
    public async Task A_damaged_file_is_fetched_anew()
    {
        await using var server = new FileServer(Content);
        using var place = new PullPlace(server, Content);
        await place.Pull();
        File.WriteAllBytes(place.Target, Content[..Part]);
        Assert.Equal(1, await place.Pull());
        place.AssertPulled(Content);
        Assert.Contains("not the file that the catalog means", Assert.Single(place.Notes));
    }

    [Fact]
    public async Task The_files_of_a_folder_come_one_by_one()
    {
        await using var server =
            new FileServer((context, number) => FileServer.Send(context, Content[..(number * 100)]));
        using var place =
            new PullPlace(($"{server.Address}/config.json", null), ($"{server.Address}/model.safetensors", Hash(200)));
        Assert.Equal(2, await place.Pull());
        Assert.Equal(["config.json", "model.safetensors"], place.Files);
        Assert.Equal(Path.GetDirectoryName(place.Target), place.Cache.PathOf(place.Entry));
        Assert.Equal(300, place.Cache.BytesOf(place.Entry));

        static string Hash(int bytes) => PullPlace.Hash(Content[..bytes]);
    }

    /// <summary>The second request asked for the rest of the same edition, and got only that.</summary>
    private static void AssertContinued(IReadOnlyList<ServedRequest> requests, int from)
    {
        Assert.Equal(2, requests.Count);
        Assert.Null(requests[0].Range);
        Assert.Equal($"bytes={from}-", requests[1].Range);
        Assert.Equal("\"v1\"", requests[1].IfRange);
        Assert.Equal(StatusCodes.Status206PartialContent, requests[1].Status);
    }

    /// <summary>What an interrupted pull of the edition v1 leaves.</summary>
    private static void Leave(PullPlace place, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(place.Target)!);
        File.WriteAllBytes(place.Target + ".partial", content);
        File.WriteAllLines(place.Target + ".partial.from", [place.Entry.Files[0].Url.AbsoluteUri, "\"v1\""]);
    }
}
