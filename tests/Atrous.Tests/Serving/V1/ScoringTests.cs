using System.Net;
using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Scoring;
using Atrous.Tests.Cli;

namespace Atrous.Tests.Serving.V1;

/// <summary>POST /v1/segment: windows, scales and the CRF of a request.</summary>
public sealed class ScoringTests(SegmentServer server) : IClassFixture<SegmentServer>
{
    private static readonly byte[] Photo = Workplace.Photo(61, 64);

    public static TheoryData<string, SegmenterOptions> Ways => new()
    {
        { "tile=32", new() { Window = new SlidingWindow(32) } },
        { "tile=48&overlap=0.5", new() { Window = new SlidingWindow(48, 0.5) } },
        { "scales=0.5,1.25", new() { Augmentation = new TestTimeAugmentation([0.5, 1.25], flip: false) } },
        { "flip=true", new() { Augmentation = new TestTimeAugmentation([1], flip: true) } },
        { "crf=deeplabv2", new() { Crf = DenseCrfParameters.DeepLabV2 } },
        {
            "crf=pydensecrf&scales=0.75&flip=true",
            new()
            {
                Crf = DenseCrfParameters.PyDenseCrf,
                Augmentation = new TestTimeAugmentation([0.75], flip: true),
            }
        },
        {
            "tile=32&scales=1.5&flip=false",
            new()
            {
                Window = new SlidingWindow(32),
                Augmentation = new TestTimeAugmentation([1.5], flip: false),
            }
        },
        { "crf=none", new() },
    };

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_request_is_scored_as_a_model_that_was_loaded_so(string query, SegmenterOptions options)
    {
        using HttpResponseMessage response = await server.PostAsync($"?{query}", Photo);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using Image photo = Image.Load(Photo);
        using var expected = new MemoryStream();
        // Gone before the server's last run, whose memory it would else take along.
        using (var segmenter = Segmenter.Load(server.ModelPath, options))
            segmenter.Segment(photo).SaveMask(expected);
        Assert.Equal(expected.ToArray(), await response.Content.ReadAsByteArrayAsync());
        await SettleAsync();
    }

    /// <summary>Otherwise the tests above would pass without any of it.</summary>
    [Theory]
    [InlineData("tile=32")]
    [InlineData("scales=0.5,1.25")]
    [InlineData("flip=true")]
    [InlineData("crf=deeplabv2")]
    public async Task It_makes_another_mask(string query)
    {
        using HttpResponseMessage plain = await server.PostAsync("", Photo);
        using HttpResponseMessage other = await server.PostAsync($"?{query}", Photo);
        Assert.NotEqual(await plain.Content.ReadAsByteArrayAsync(), await other.Content.ReadAsByteArrayAsync());
        using HttpResponseMessage again = await server.PostAsync("", Photo);
        Assert.Equal(await plain.Content.ReadAsByteArrayAsync(), await again.Content.ReadAsByteArrayAsync());
        await SettleAsync();
    }

    [Fact]
    public async Task Its_confidence_is_its_own()
    {
        using HttpResponseMessage plain = await server.PostAsync("?format=confidence", Photo);
        using HttpResponseMessage refined = await server.PostAsync("?format=confidence&crf=deeplabv2", Photo);
        Assert.Equal(HttpStatusCode.OK, refined.StatusCode);
        Assert.NotEqual(await plain.Content.ReadAsByteArrayAsync(), await refined.Content.ReadAsByteArrayAsync());
        await SettleAsync();
    }

    [Theory]
    [InlineData("tile=31", "The tile '31' is not a whole number from 32 to 16384.")]
    [InlineData("tile=", "The parameter tile has no value.")]
    [InlineData("crf=", "The parameter crf has no value.")]
    [InlineData("overlap=0.5", "The parameter overlap is that of tile; give both.")]
    [InlineData("tile=32&overlap=0.95", "The overlap '0.95' is not a number from 0 to 0.9.")]
    [InlineData("scales=1,,2", "The scale '' is not a number from 0.1 to 4;")]
    [InlineData("scales=5", "The scale '5' is not a number from 0.1 to 4;")]
    [InlineData("scales=NaN", "The scale 'NaN' is not a number")]
    [InlineData("scales=1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1", "There are 17 scales; at most 16 are taken.")]
    [InlineData("flip=yes", "The flip 'yes' is unknown; use true, false.")]
    [InlineData("crf=sharp", "The crf 'sharp' is unknown; use none, deeplabv2, pydensecrf.")]
    [InlineData("tile=32&crf=deeplabv2", "which a sliding window never has; leave out one of them.")]
    [InlineData("scales=4", "The network would see 256 x 244 pixels at a time, and 22500 are the most;")]
    public async Task What_cannot_be_is_refused(string query, string sentence)
    {
        using HttpResponseMessage response = await server.PostAsync($"?{query}", Photo);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(sentence, await SegmentServer.ProblemOf(response));
        await SettleAsync();
    }

    [Fact]
    public async Task It_has_no_more_time_than_others()
    {
        using HttpResponseMessage response =
            await server.PostAsync("?timeout=0.1&tile=32&overlap=0.9&scales=0.5,0.6,0.7,0.8,0.9,1&flip=true", Photo);
        Assert.Equal(HttpStatusCode.GatewayTimeout, response.StatusCode);
        using HttpResponseMessage next = await server.PostAsync("", Photo);
        Assert.Equal(HttpStatusCode.OK, next.StatusCode);
        await SettleAsync();
    }

    /// <summary>The server keeps the network of one size and output: that of before.</summary>
    private async Task SettleAsync() => (await server.PostAsync("", Workplace.Photo())).Dispose();
}
