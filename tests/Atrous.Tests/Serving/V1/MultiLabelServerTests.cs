using System.Text.Json;
using Atrous.Hosting;
using Atrous.Imaging;
using Atrous.Server;
using Atrous.Tests.Cli;
using Atrous.Tests.Segmenters;
using Microsoft.Extensions.Logging;

namespace Atrous.Tests.Serving.V1;

/// <summary>A network of several labels a pixel behind HTTP counts a pixel for each of its classes.</summary>
public sealed class MultiLabelServerTests(GeneratedModel model)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_lengths_are_those_of_each_class()
    {
        var options = new SegmenterOptions
        {
            Switches = new Dictionary<string, string> { ["multilabel"] = "true" },
        };
        await using AtrousServer server = AtrousServer.Create(new ServerOptions
        {
            Port = 0,
            LogLevel = LogLevel.Error,
            Models = models => models.Models.Add(
                "several", new ModelOptions { Path = model.Path, Segmenter = options, WarmUp = [] }),
        });
        await server.StartAsync(Token);
        await server.Models.WhenLoadedAsync(Token);
        using var client = new HttpClient { BaseAddress = server.Address };
        byte[] photo = Workplace.Photo();
        using HttpResponseMessage response = await client.PostAsync(
            "v1/segment?format=rle&counts=uncompressed", new ByteArrayContent(photo), Token);
        JsonElement[] classes =
            [.. (await SegmentServer.JsonOf(response)).GetProperty("classes").EnumerateArray()];
        using Segmenter segmenter = Segmenter.Load(model.Path, options);
        using Image picture = Image.Load(photo);
        Segmentation expected = segmenter.Segment(picture);
        Assert.True(expected.Shares.Sum(share => share.Share) > 1);
        Assert.Equal(
            expected.Shares.Select(share => (share.Label, share.Pixels, expected.NameOf(share.Label))),
            classes.Select(entry => (
                entry.GetProperty("index").GetInt32(), entry.GetProperty("pixels").GetInt64(),
                entry.GetProperty("name").GetString()!)));
        Assert.All(classes, entry => Assert.Equal(
            expected.RunLengths().Single(run => run.Label == entry.GetProperty("index").GetInt32()).Counts,
            entry.GetProperty("segmentation").GetProperty("counts").EnumerateArray().Select(run => run.GetInt32())));
    }
}
