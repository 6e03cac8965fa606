using System.Text.Json;
using Atrous.Hosting;
using Atrous.Postprocessing;
using Atrous.Server;
using Atrous.Tests.Support;
using Microsoft.Extensions.Logging;

namespace Atrous.Tests.Serving.V1;

/// <summary>A network of one class behind HTTP has the mask of the original code.</summary>
public sealed class OneClassServerTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_answers_with_background_and_foreground()
    {
        string folder = Shared.Require("cases/01-one-class-mask");
        await using AtrousServer server = AtrousServer.Create(new ServerOptions
        {
            Port = 0,
            LogLevel = LogLevel.Error,
            Models = options => options.AddModel("one", Path.Combine(folder, "smp_c1.pth")),
        });
        await server.StartAsync(Token);
        await server.Models.WhenLoadedAsync(Token);
        using var client = new HttpClient { BaseAddress = server.Address };
        byte[] photo = await File.ReadAllBytesAsync(Path.Combine(folder, "photo.png"), Token);

        string mask = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(mask, await Post(""), Token);
            ushort[] labels = LabelImage.Load(mask).Labels.ToArray();
            ushort[] expected = LabelImage.Load(Path.Combine(folder, "ref.png")).Labels.ToArray();
            int same = labels.Zip(expected).Count(pair => pair.First == Math.Min(pair.Second, (ushort)1));
            Assert.InRange(same / (double)expected.Length, 0.9995, 1);
        }
        finally
        {
            File.Delete(mask);
        }
        using JsonDocument report = JsonDocument.Parse(await Post("?format=json"));
        Assert.Equal(
            ["background", "foreground"],
            report.RootElement.GetProperty("classes").EnumerateArray()
                .Select(entry => entry.GetProperty("name").GetString()!).Order());

        async Task<byte[]> Post(string query)
        {
            using HttpResponseMessage response =
                await client.PostAsync("v1/segment" + query, new ByteArrayContent(photo), Token);
            response.EnsureSuccessStatusCode();
            return await response.Content.ReadAsByteArrayAsync(Token);
        }
    }
}
