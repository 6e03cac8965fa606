using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Atrous.Server.Rpc.Wire;
using Google.Protobuf;
using Grpc.Net.Client;

namespace Atrous.Bench;

/// <summary>
/// A server's two transports under the same load: the same file over HTTP (/v2, raw) and over gRPC, by as many clients,
/// in turns within one run.
/// </summary>
internal static class TransportsCommand
{
    public static Command Create()
    {
        Option<Uri> http = Address("--http", "http://localhost:8080");
        Option<Uri> grpc = Address("--grpc", "http://localhost:8081");
        var model = new Option<string>("--model") { Description = "Its name there", Required = true };
        var image = new Option<string>("--image") { Description = "A JPEG or PNG", Required = true };
        var clients = new Option<int[]>("--clients")
        {
            Description = "Requests under way; several numbers for several tables",
            DefaultValueFactory = _ => [1, 4, 16],
            AllowMultipleArgumentsPerToken = true,
        };
        var rounds = new Option<int>("--rounds") { Description = "Turns of both", DefaultValueFactory = _ => 3 };
        var seconds = new Option<double>("--seconds") { Description = "Of each turn", DefaultValueFactory = _ => 30 };
        var command = new Command("transports", "HTTP beside gRPC, at the same server.")
        {
            http, grpc, model, image, clients, rounds, seconds,
        };
        command.SetAction((result, cancellationToken) => Run(
            new Load(result.GetRequiredValue(http), result.GetRequiredValue(grpc), result.GetRequiredValue(model),
                File.ReadAllBytes(result.GetRequiredValue(image))),
            result.GetValue(clients)!, result.GetValue(rounds), TimeSpan.FromSeconds(result.GetValue(seconds)),
            cancellationToken));
        return command;
    }

    private static Option<Uri> Address(string name, string example) => new(name)
    {
        Description = $"Of the server, {example}",
        Required = true,
        CustomParser = result => new Uri(result.Tokens[0].Value),
    };

    private static async Task Run(
        Load load, int[] clients, int rounds, TimeSpan turn, CancellationToken cancellationToken)
    {
        // Once each, so that neither pays for the first connection.
        await load.Http(1, TimeSpan.Zero, cancellationToken);
        await load.Grpc(1, TimeSpan.Zero, cancellationToken);
        Console.WriteLine(
            "| clients | transport | pictures/s | p50 ms | p99 ms | of HTTP's pictures | of HTTP's p99 |");
        Console.WriteLine("|---|---|---|---|---|---|---|");
        foreach (int count in clients)
        {
            var http = new List<Turn>();
            var grpc = new List<Turn>();
            for (int round = 0; round < rounds; round++)
            {
                http.Add(await load.Http(count, turn, cancellationToken));
                grpc.Add(await load.Grpc(count, turn, cancellationToken));
            }
            Write("HTTP", http);
            Write("gRPC", grpc);

            void Write(string name, List<Turn> turns) => Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {count} | {name} | {Median(turns, one => one.Rate):0.0} | {Median(turns, one => one.P50):0.0} | "
                + $"{Median(turns, one => one.P99):0.0} | "
                + $"{Medians.Of(turns.Zip(http, (one, its) => one.Rate / its.Rate)):0.00} | "
                + $"{Medians.Of(turns.Zip(http, (one, its) => one.P99 / its.P99)):0.00} |"));
        }

        static double Median(List<Turn> turns, Func<Turn, double> value) => Medians.Of(turns.Select(value));
    }

    /// <summary>What one turn gave: pictures a second, and the times of requests in milliseconds.</summary>
    private sealed record Turn(double Rate, double P50, double P99);

    private sealed class Load(Uri http, Uri grpc, string model, byte[] photo)
    {
        private readonly HttpClient _http = new() { BaseAddress = http };
        private readonly GrpcChannel _channel =
            GrpcChannel.ForAddress(grpc, new GrpcChannelOptions { MaxReceiveMessageSize = null });

        public Task<Turn> Http(int clients, TimeSpan turn, CancellationToken cancellationToken) =>
            Clients(clients, turn, async () =>
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, $"v2/models/{model}/infer")
                {
                    Content = new ByteArrayContent(photo),
                };
                request.Headers.Add("Inference-Header-Content-Length", "0");
                using HttpResponseMessage response = await _http.SendAsync(request, cancellationToken);
                byte[] answer = await response.Content.ReadAsByteArrayAsync(cancellationToken);
                if (!response.IsSuccessStatusCode || answer.Length < 1000)
                    throw new BenchException($"HTTP answers {(int)response.StatusCode} of {answer.Length} bytes");
            });

        public Task<Turn> Grpc(int clients, TimeSpan turn, CancellationToken cancellationToken)
        {
            var client = new GRPCInferenceService.GRPCInferenceServiceClient(_channel);
            byte[] element = [.. BitConverter.GetBytes(photo.Length), .. photo];
            return Clients(clients, turn, async () =>
            {
                var request = new ModelInferRequest
                {
                    ModelName = model,
                    Inputs =
                    {
                        new ModelInferRequest.Types.InferInputTensor
                        {
                            Name = "image", Datatype = "BYTES", Shape = { 1 },
                        },
                    },
                    RawInputContents = { UnsafeByteOperations.UnsafeWrap(element) },
                };
                ModelInferResponse answer =
                    await client.ModelInferAsync(request, cancellationToken: cancellationToken);
                if (answer.RawOutputContents.Count == 0)
                    throw new BenchException("gRPC answers without contents");
            });
        }

        private static async Task<Turn> Clients(int clients, TimeSpan turn, Func<Task> call)
        {
            long start = Stopwatch.GetTimestamp();
            double[][] each = await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(async () =>
            {
                var times = new List<double>();
                do
                {
                    long began = Stopwatch.GetTimestamp();
                    await call();
                    times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
                }
                while (Stopwatch.GetElapsedTime(start) < turn);
                return times.ToArray();
            })));
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            double[] all = [.. each.SelectMany(times => times).Order()];
            return new Turn(all.Length / seconds, At(0.5), At(0.99));

            double At(double share) => all[Math.Min(all.Length - 1, (int)(share * all.Length))];
        }
    }
}
