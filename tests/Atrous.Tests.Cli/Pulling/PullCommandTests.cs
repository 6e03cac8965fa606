using System.Diagnostics;
using System.Text.Json;
using Atrous.Tests.Catalog;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Cli.Pulling;

/// <summary>`atrous pull` and `atrous models` as processes, against a server on this machine.</summary>
public sealed class PullCommandTests(GeneratedModel model)
{
    private readonly byte[] _content = File.ReadAllBytes(model.Path);

    [Fact]
    public async Task A_pulled_model_has_a_name_in_every_command()
    {
        await using var server = new FileServer(_content);
        using var place = new PullPlace(server, _content, "weights.safetensors");
        string photo = place.Place.AddPhoto("a.png");

        Run(place, "segment", photo, "--model", PullPlace.Name).Refuses(3, "`atrous pull some-model` fetches it");
        Run(place, "info", PullPlace.Name).Refuses(3, "`atrous pull some-model` fetches it");
        Assert.Empty(server.Requests);

        ToolResult pulled = Run(place, "pull", PullPlace.Name).Exits(0);
        Assert.Contains($"weights.safetensors: 0.0 MB of ", pulled.ErrorLines[0]);
        Assert.Contains("--model some-model", pulled.ErrorLines[^1]);
        Assert.Contains("SHA-256 is right", pulled.ErrorLines[^1]);
        Assert.Empty(pulled.Output);
        place.AssertPulled(_content);
        Assert.Contains("was there already", Assert.Single(Run(place, "pull", PullPlace.Name).Exits(0).ErrorLines));
        Assert.Single(server.Requests);

        Run(place, "segment", photo, "--model", PullPlace.Name, "-q").Exits(0);
        place.Place.AssertMask("a.mask.png");
        Assert.Contains("VainF", Run(place, "info", PullPlace.Name).Exits(0).Output);
        Run(place, "convert", PullPlace.Name, "-o", place.Place["converted.safetensors"], "-q").Exits(0);
        Run(place, "export", PullPlace.Name, "-o", place.Place["exported.onnx"], "-q").Exits(0);
        Assert.Contains("exported.onnx", place.Place.Files);
    }

    [Fact]
    public async Task A_file_of_that_name_comes_first()
    {
        await using var server = new FileServer(_content);
        using var place = new PullPlace(server, _content);
        place.Place.Add(PullPlace.Name, _content);
        Assert.Contains("VainF", Run(place, "info", PullPlace.Name).Exits(0).Output);
    }

    [Fact]
    public async Task Models_are_listed_with_their_state()
    {
        await using var server = new FileServer(_content);
        using var place = new PullPlace(server, _content);
        ToolResult before = Run(place, "models").Exits(0);
        Assert.Contains("atrous-street", before.Output);
        Assert.Contains("in the box", before.Output);
        Assert.Contains("not pulled", Line(before));
        Assert.Contains("unknown", Line(before));

        Run(place, "pull", PullPlace.Name, "-q").Exits(0);
        Assert.DoesNotContain("not pulled", Line(Run(place, "models").Exits(0)));

        JsonElement json = Run(place, "models", "--json").Exits(0).Json;
        Assert.Equal(place.Catalog, json.GetProperty("catalog").GetString());
        Assert.Equal(place.Cache.Folder, json.GetProperty("cache").GetString());
        JsonElement box = json.GetProperty("models")[0], pulled = json.GetProperty("models")[1];
        Assert.True(File.Exists(box.GetProperty("path").GetString()));
        Assert.Equal("pulled", pulled.GetProperty("state").GetString());
        Assert.Equal(place.Target, pulled.GetProperty("path").GetString());
        Assert.Equal(PullPlace.Hash(_content), pulled.GetProperty("files")[0].GetProperty("sha256").GetString());

        static string Line(ToolResult result) =>
            result.Output.Split('\n').Single(line => line.Contains(PullPlace.Name));
    }

    [Theory]
    [InlineData(2, 130)]
    [InlineData(15, 143)]
    public async Task A_signal_keeps_the_part_and_says_so(int signal, int code)
    {
        const int Part = 1_500_000;
        await using var server = new FileServer((context, number) => number == 1
            ? FileServer.Begin(context, _content, Part, () => Task.Delay(Timeout.Infinite, context.RequestAborted))
            : FileServer.Send(context, _content));
        using var place = new PullPlace(server, _content);
        Process process = Tool.Start(place.Place.Folder, place.Environment, "pull", PullPlace.Name);
        for (long start = Stopwatch.GetTimestamp(); place.Cache.BytesOf(place.Entry) < Part;)
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromMinutes(2), "nothing came");
            await Task.Delay(20);
        }
        Signals.Send(process.Id, signal);
        ToolResult stopped = Tool.Finish(process, []).Exits(code);
        Assert.Equal("atrous: interrupted; 1.5 MB are kept, and `atrous pull some-model` goes on from there.",
            stopped.ErrorLines[^1]);
        Assert.Contains("partly pulled", Run(place, "models").Exits(0).Output);

        Run(place, "pull", PullPlace.Name).Exits(0);
        place.AssertPulled(_content);
        Assert.Equal($"bytes={Part}-", server.Requests[1].Range);
        Assert.Equal(206, server.Requests[1].Status);
    }

    [Fact]
    public async Task Two_processes_fetch_once()
    {
        await using var server = new FileServer(async (context, _) =>
        {
            await Task.Delay(1500);
            await FileServer.Send(context, _content);
        });
        using var place = new PullPlace(server, _content);
        Process[] processes =
            [.. Enumerable.Range(0, 2)
            .Select(_ => Tool.Start(place.Place.Folder, place.Environment, "pull", PullPlace.Name))];
        ToolResult[] results =
            await Task.WhenAll(processes.Select(process => Task.Run(() => Tool.Finish(process, []))));
        Assert.All(results, result => result.Exits(0));
        Assert.Single(server.Requests);
        place.AssertPulled(_content);
    }

    [Fact]
    public async Task What_goes_wrong_is_one_sentence_and_the_right_code()
    {
        await using var server = new FileServer((context, number) =>
        {
            context.Response.StatusCode = 404;
            return Task.CompletedTask;
        });
        using var place = new PullPlace(server, _content);
        Run(place, "pull", PullPlace.Name).Refuses(3, "404", server.Address);
        Run(place, "pull", "other-model").Refuses(2, "'other-model'", "atrous models");
        Run(place, "segment", place.Place.AddPhoto("a.png"), "--model", "other-model")
            .Refuses(3, "'other-model'", "atrous models");
        Run(place, "info", "other-model.pth").Refuses(3, "'other-model.pth' does not exist");
        place.Place.Add("catalog.json", "{}");
        Run(place, "models").Refuses(2, place.Catalog);

        await using var corrupt = new FileServer([1, 2, 3]);
        using var wrong = new PullPlace(corrupt, _content);
        Assert.Contains("removed", Run(wrong, "pull", PullPlace.Name).Exits(1).ErrorLines[^1]);
        Assert.Empty(wrong.Files);
    }

    private static ToolResult Run(PullPlace place, params string[] arguments) =>
        Tool.Finish(Tool.Start(place.Place.Folder, place.Environment, arguments), []);
}
