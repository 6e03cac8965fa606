using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Atrous.Hosting;
using Atrous.Imaging;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Atrous.Bench;

/// <summary>
/// What queueing and batching cost: pictures a second of the library's own batches, and of the same pictures as single
/// requests at saturation, in turns within one run.
/// </summary>
internal static class ServingCommand
{
    public static Command Create()
    {
        var model = new Option<string>("--model") { Description = "The checkpoint", Required = true };
        var image = new Option<string>("--image") { Description = "A JPEG or PNG", Required = true };
        var batch = new Option<int>("--batch") { Description = "Pictures of a run", DefaultValueFactory = _ => 4 };
        var clients = new Option<int>("--clients")
        {
            Description = "Requests under way",
            DefaultValueFactory = _ => 16,
        };
        var rounds = new Option<int>("--rounds") { Description = "Turns of both", DefaultValueFactory = _ => 5 };
        var seconds = new Option<double>("--seconds") { Description = "Of each turn", DefaultValueFactory = _ => 4 };
        var command = new Command("serving", "The library's own batches beside requests at saturation.")
        {
            model, image, batch, clients, rounds, seconds,
        };
        command.SetAction((result, cancellationToken) => Run(
            result.GetRequiredValue(model), result.GetRequiredValue(image), result.GetValue(batch),
            result.GetValue(clients),
            result.GetValue(rounds), TimeSpan.FromSeconds(result.GetValue(seconds))));
        return command;
    }

    private static async Task Run(string model, string image, int batch, int clients, int rounds, TimeSpan turn)
    {
        using Segmenter library = Segmenter.Load(model, new SegmenterOptions { MaxBatch = batch });
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        var batching = new BatchingOptions
        {
            MaxBatch = batch,
            QueueLimit = Math.Max(2 * clients, batch),
            Timeout = null,
        };
        builder.Services.AddAtrous(options => options.AddModel("m", model, batching: batching));
        using IHost host = builder.Build();
        await host.StartAsync();
        IServedModel served = host.Services.GetRequiredService<IServedModel>();
        using Image photo = Image.Load(image);
        byte[] file = await File.ReadAllBytesAsync(image);

        Image[] pictures = [.. Enumerable.Repeat(photo, batch)];
        library.Segment(pictures);
        var rates = new List<(double Library, double Pixels, double Files)>();
        Console.WriteLine("round  library  requests (pixels)  requests (files)   pictures a second");
        for (int round = 0; round < rounds; round++)
        {
            double own = await Rate(turn, 1, () =>
            {
                library.Segment(pictures);
                return Task.FromResult(batch);
            });
            double pixels = await Rate(turn, clients, async () =>
            {
                await served.SegmentAsync(photo);
                return 1;
            });
            double files = await Rate(turn, clients, async () =>
            {
                (await served.SegmentAsync(file)).Dispose();
                return 1;
            });
            rates.Add((own, pixels, files));
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture, $"{round,5}  {own,7:0.00}  {pixels,17:0.00}  {files,16:0.00}"));
        }
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"median of requests / library: {Medians.Of(rates.Select(rate => rate.Pixels / rate.Library)):0.000} " +
            $"(pixels), {Medians.Of(rates.Select(rate => rate.Files / rate.Library)):0.000} (files, decoded as well)"));
        Console.WriteLine(
            string.Join(
                ", ", served.Statistics.Batches.Select(size => $"{size.Network.Count} batches of {size.BatchSize}")));
        await host.StopAsync();
    }

    private static async Task<double> Rate(TimeSpan turn, int clients, Func<Task<int>> call)
    {
        long start = Stopwatch.GetTimestamp();
        int[] done = await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(async () =>
        {
            int pictures = 0;
            while (Stopwatch.GetElapsedTime(start) < turn)
                pictures += await call();
            return pictures;
        })));
        return done.Sum() / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
