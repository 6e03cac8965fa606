using Atrous.Hosting;
using Atrous.Server;
using Atrous.Tests.Cli;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Serving;

/// <summary>The server as a whole, in this process.</summary>
public sealed class ServerTests(GeneratedModel model)
{
    [Fact]
    public async Task A_model_loads_and_segments_a_file()
    {
        await using var server = AtrousServer.Create(new ServerOptions { Port = 0, Models = options => options.AddModel("street", model.Path) });
        await server.StartAsync();
        await server.Models.WhenLoadedAsync();
        Assert.True(server.Models.IsReady);
        using SegmentedPhoto result = await server.Models.Default.SegmentAsync(Workplace.Photo());
        Assert.Equal(33 * 37, result.Mask.Labels.Length);
        using var client = new HttpClient { BaseAddress = server.Address };
        Assert.Equal(System.Net.HttpStatusCode.NotFound, (await client.GetAsync("nothing")).StatusCode);
    }
}
