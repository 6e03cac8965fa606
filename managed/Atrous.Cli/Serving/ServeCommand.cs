using System.CommandLine;
using Atrous.Catalog;
using Atrous.Cli.Options;
using Atrous.Cli.Output;
using Atrous.Hosting;
using Atrous.Server;
using Atrous.Server.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Atrous.Cli.Serving;

/// <summary>`atrous serve`: the inference API over HTTP.</summary>
internal static class ServeCommand
{
    private const string Description =
        "Serve models over HTTP. There is a page at /, POST /v1/segment, the Open Inference Protocol at /v2, " +
        "/metrics, /livez and /readyz. SIGTERM drains and exits with 0 (a second one exits at once), SIGHUP " +
        "loads the models anew.";

    private const int UsualMegapixels = 32;

    /// <summary>For what comes after the requests: freeing models takes a moment.</summary>
    private static readonly TimeSpan Reserve = TimeSpan.FromSeconds(5);

    private static readonly Option<string[]> Models = new("--model", "-m")
    {
        Description =
            "A checkpoint or a model of `atrous models`, and the name that requests call it by (its own unless " +
            "given). " +
            $"May be repeated; the first is the default. {DefaultModel.Name} ({DefaultModel.Summary}) unless given " +
            "here or in the configuration",
        HelpName = "[NAME=]MODEL",
        Arity = ArgumentArity.OneOrMore,
    };

    private static readonly Option<string> Host = new("--host")
    {
        Description = "The address to listen on: an IP address, localhost, or * for every one",
        HelpName = "ADDRESS",
        DefaultValueFactory = _ => "127.0.0.1",
    };

    private static readonly Option<int?> Port =
        Whole("--port", "PORT", "The port to listen on; 0 takes a free one", 8080, 0, 65535);
    private static readonly Option<int?> GrpcPort = new("--grpc-port")
    {
        Description = "The port for gRPC (the Open Inference Protocol); 0 takes a free one. No gRPC unless given",
        HelpName = "PORT",
        CustomParser = result => Numbers.Parse(result, 0, 65535, "a whole number from 0 to 65535"),
    };

    private static readonly Option<string?> TlsCertificate = new("--tls-cert")
    {
        Description =
            "The PEM file of a certificate, and of those behind it: TLS on all ports, with gRPC on --port too. A " +
            "changed file is taken up",
        HelpName = "FILE",
    };

    private static readonly Option<string?> TlsKey = new("--tls-key")
    {
        Description = "The PEM file of its key, without a password; that of the certificate unless given",
        HelpName = "FILE",
    };

    private static readonly Option<string?> TlsClientCa = new("--tls-client-ca")
    {
        Description =
            "The PEM file of the certificates that vouch for clients' own (mutual TLS). A changed file is taken up",
        HelpName = "FILE",
    };

    private static readonly Option<string> TlsClientFor = OneOf(
        "--tls-client-for", "What a client's certificate is needed for: everything, or loading and unloading models",
        "all", "admin");

    private static readonly Option<string[]> CorsOrigins = new("--cors-origin")
    {
        Description =
            "An origin whose web pages may read answers, such as https://maps.example.org. May be repeated; none " +
            "unless given",
        HelpName = "ORIGIN",
        Arity = ArgumentArity.OneOrMore,
    };

    private static readonly Option<string?> TokenFile = new("--token-file")
    {
        Description = "A file whose one line clients must send as `Authorization: Bearer`; probes of health need none",
        HelpName = "FILE",
    };

    private static readonly Option<string> TokenFor = OneOf(
        "--token-for", "What the token is asked for: everything, or loading and unloading models", "all", "admin");

    private static readonly Option<int?> MaxBatch =
        Whole("--max-batch", "N", "Most pictures of equal size in one run", 4, 1, 1024);
    private static readonly Option<int?> MaxDelay = Whole(
        "--max-delay", "MS", "Milliseconds that a request waits for company while the device is idle", 0, 0, 60_000);
    private static readonly Option<int?> Queue =
        Whole("--queue", "N", "Requests of a model that may wait; one more gets 503", 64, 1, 1_000_000);
    private static readonly Option<int?> Timeout =
        Whole("--timeout", "SECONDS", "From a request to its result; then it gets 504", 60, 1, 86_400);
    private static readonly Option<int?> DrainDelay =
        Whole("--drain-delay", "SECONDS",
        "How long requests are still taken after SIGTERM, when /readyz says 503 already", 2, 0, 3600);
    private static readonly Option<int?> Drain =
        Whole("--drain", "SECONDS", "The longest time after that for requests under way", 30, 1, 3600);
    private static readonly Option<int?> MaxBody =
        Whole("--max-body", "MIB", "Largest body, as sent and decompressed", 64, 1, 1024);
    private static readonly Option<int?> MaxPixels =
        Whole("--max-pixels", "MILLIONS", "Most pixels of a picture, by its header", UsualMegapixels, 1, 500);

    private static readonly Option<bool> Admin = new("--admin") { Description = "Let clients load and unload models" };

    private static readonly Option<string[]> AdminHosts = new("--admin-host")
    {
        Description =
            "A name by which clients that load and unload models may address the server, beside IP addresses, " +
            "localhost and this machine's name. May be repeated",
        HelpName = "NAME",
        Arity = ArgumentArity.OneOrMore,
    };

    private static readonly Option<string?> OtlpEndpoint = new("--otlp-endpoint")
    {
        Description =
            "A collector of OpenTelemetry for metrics, traces and logs, such as http://localhost:4317; that of " +
            "OTEL_EXPORTER_OTLP_ENDPOINT unless given, else none",
        HelpName = "URL",
    };

    private static readonly Option<string> Logs = OneOf("--log", "Form of the log on standard error", "text", "json");

    private static readonly Option<string> Level =
        OneOf("--log-level", "What is logged at least", "information", "debug", "warning", "error");

    public static Command Create(Interruption interruption)
    {
        var deviceOptions = new DeviceOptions();
        var checkpointOptions = new CheckpointOptions();
        var scoring = new ScoringOptions();
        var command = new ToolCommand("serve", Description)
        {
            Examples =
            [
                ("atrous serve",
                    "The model in the box at http://127.0.0.1:8080, with a page to try it"),
                ("atrous serve --config serve.json --port 9000",
                    "What a file says, on another port"),
                ("atrous serve --model street=roads.pth --model rooms=ade20k.safetensors --host 0.0.0.0",
                    "Two models, by name, for every machine that reaches this one"),
            ],
        };
        command.Add(ToolCommand.Model, Models);
        checkpointOptions.AddTo(command);
        scoring.AddTo(command);
        command.Add("Configuration", ServeConfiguration.File);
        command.Add("Connections", Host, Port, GrpcPort, MaxBody, MaxPixels, Admin, AdminHosts);
        command.Add("Connections", TlsCertificate, TlsKey, TlsClientCa, TlsClientFor, TokenFile, TokenFor, CorsOrigins);
        command.Add("Queue", MaxBatch, MaxDelay, Queue, Timeout);
        command.Add("Shutdown", DrainDelay, Drain);
        command.Add("Log", Logs, Level, OtlpEndpoint);
        deviceOptions.AddTo(command);
        command.SetAction(result =>
        {
            Serve(
                Read(result, options => scoring.Read(
                    result, deviceOptions.Read(result, checkpointOptions.Read(result, options)))),
                interruption).GetAwaiter().GetResult();
            return ExitCode.Done;
        });
        return command;
    }

    private static async Task Serve(ServerOptions options, Interruption interruption)
    {
        // Decoding takes up to a thread per core; answers must not wait until the pool grows.
        ThreadPool.GetMinThreads(out int workers, out int completion);
        ThreadPool.SetMinThreads(Math.Max(workers, 2 * Environment.ProcessorCount + 2), completion);
        await using AtrousServer server = AtrousServer.Create(options);
        interruption.LeaveToService(
            () => Task.Run(server.ReloadAsync), options.DrainDelay + options.DrainTimeout + Reserve);
        await server.RunAsync(
            address => Terminal.Message(
                $"serving on {address}{(server.GrpcAddress is { } grpc ? $", gRPC on {grpc}" : "")}"),
            interruption.Token);
    }

    /// <summary>What the options say over what the configuration says.</summary>
    /// <param name="result">The options as they were parsed.</param>
    /// <param name="segmenter">A model's options with what the command line says in their place.</param>
    private static ServerOptions Read(ParseResult result, Func<SegmenterOptions, SegmenterOptions> segmenter)
    {
        IConfigurationSection configuration = ServeConfiguration.Read(result);
        AtrousOptions models = ReadModels(result, configuration, segmenter);
        ServerOptions server = new ServerOptions { Models = models.CopyTo }.Configured(
            configuration.GetSection("Server"));
        server = server with
        {
            Host = IsGiven(Host) ? result.GetRequiredValue(Host) : server.Host,
            Port = Number(Port) ?? server.Port,
            GrpcPort = result.GetValue(GrpcPort) ?? server.GrpcPort,
            TlsCertificate = result.GetValue(TlsCertificate) ?? server.TlsCertificate,
            TlsKey = result.GetValue(TlsKey) ?? (IsGiven(TlsCertificate) ? null : server.TlsKey),
            TlsClientCa = result.GetValue(TlsClientCa) ?? server.TlsClientCa,
            TlsClientForAdminAlone = IsGiven(TlsClientFor)
                ? result.GetValue(TlsClientFor) == "admin"
                : server.TlsClientForAdminAlone,
            Token = result.GetValue(TokenFile) is { } token ? TokenOf(token) : server.Token,
            CorsOrigins = result.GetValue(CorsOrigins) is { Length: > 0 } origins
                ? [.. origins.Select(Origin)]
                : server.CorsOrigins,
            TokenForAdminAlone = IsGiven(TokenFor)
                ? result.GetValue(TokenFor) == "admin"
                : server.TokenForAdminAlone,
            Admin = result.GetValue(Admin) || server.Admin,
            AdminHosts = result.GetValue(AdminHosts) is { Length: > 0 } hosts ? hosts : server.AdminHosts,
            DrainDelay = Number(DrainDelay) is { } delay ? TimeSpan.FromSeconds(delay) : server.DrainDelay,
            DrainTimeout = Number(Drain) is { } drain ? TimeSpan.FromSeconds(drain) : server.DrainTimeout,
            Limits = Number(MaxBody) is { } body
                ? server.Limits with { MaxBodyBytes = (long)body << 20 }
                : server.Limits,
            OtlpEndpoint = result.GetValue(OtlpEndpoint) ?? server.OtlpEndpoint,
            JsonLogs = IsGiven(Logs) ? result.GetValue(Logs) == "json" : server.JsonLogs,
            LogLevel = IsGiven(Level)
                ? Enum.Parse<LogLevel>(result.GetValue(Level)!, ignoreCase: true)
                : server.LogLevel,
        };
        if (IsGiven(TokenFor) && server.Token is null)
            throw CommandException.Usage("--token-for is about the token of --token-file; give both.");
        if (IsGiven(TlsClientFor) && server.TlsClientCa is null)
            throw CommandException.Usage("--tls-client-for is about the clients of --tls-client-ca; give both.");
        if (IsGiven(TlsKey) && server.TlsCertificate is null)
            throw CommandException.Usage("--tls-key is that of --tls-cert; give both.");
        return server;

        bool IsGiven(Option option) => result.IsGiven(option);
        int? Number(Option<int?> option) => ServeCommand.Number(result, option);
    }

    private static AtrousOptions ReadModels(
        ParseResult result, IConfigurationSection configuration, Func<SegmenterOptions, SegmenterOptions> segmenter)
    {
        (string Name, string Path)[] given = [.. (result.GetValue(Models) ?? []).Select(Parse)];
        if (given.GroupBy(model => model.Name).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw CommandException.Usage(
                $"--model {twice.Key} is given twice; give each model a name of its own, NAME=MODEL.");
        // All of its settings are looked at, but models that others take the place of need not be there.
        AtrousOptions options = new AtrousOptions { MaxPixels = UsualMegapixels * 1_000_000L }.Configure(
            given.Length > 0 ? ServeConfiguration.WithoutModelPaths(configuration) : configuration);
        options.MaxPixels = Number(result, MaxPixels) * 1_000_000L ?? options.MaxPixels;
        if (given.Length > 0)
        {
            options.Models.Clear();
            options.DefaultModel = null;
        }
        foreach ((string name, string path) in given)
            options.AddModel(name, path);
        if (options.Models.Count == 0)
            options.AddDefaultModel();
        foreach ((string name, ModelOptions model) in options.Models.ToArray())
        {
            options.Models[name] = model with
            {
                Segmenter = segmenter(model.Segmenter),
                Batching = ReadBatching(result, model.Batching),
            };
        }
        return options;
    }

    private static BatchingOptions ReadBatching(ParseResult result, BatchingOptions options)
    {
        int batch = Number(result, MaxBatch) ?? options.MaxBatch, queue = Number(result, Queue) ?? options.QueueLimit;
        return options with
        {
            MaxBatch = batch,
            MaxDelay = Number(result, MaxDelay) is { } delay ? TimeSpan.FromMilliseconds(delay) : options.MaxDelay,
            QueueLimit = result.IsGiven(MaxBatch) || result.IsGiven(Queue) ? Math.Max(queue, batch) : queue,
            Timeout = Number(result, Timeout) is { } timeout ? TimeSpan.FromSeconds(timeout) : options.Timeout,
        };
    }

    /// <summary>Null where the option is not given: its default is that of help.</summary>
    private static int? Number(ParseResult result, Option<int?> option) =>
        result.IsGiven(option) ? result.GetValue(option) : null;

    private static string Origin(string given) => SoundAccess.IsOrigin(given)
        ? given
        : throw CommandException.Usage(
            $"--cors-origin takes a scheme and a host, such as https://maps.example.org, not '{given}'.");

    /// <summary>From a file, since whoever lists a machine's processes sees their arguments.</summary>
    private static string TokenOf(string path)
    {
        string token = TextFile.Read(path, "--token-file", "a token", 4096, ExitCode.Usage).Trim();
        return token.Length == 0 ? throw CommandException.Usage($"{path}: the file of the token is empty.")
            : !SoundAccess.IsOneWord(token)
                ? throw CommandException.Usage($"{path}: a token is one line without spaces.")
            : token.Length < SoundAccess.LeastToken
                ? throw CommandException.Usage($"{path}: a token has at least {SoundAccess.LeastToken} characters.")
            : token;
    }

    private static (string Name, string Path) Parse(string given)
    {
        int equals = given.IndexOf('=', StringComparison.Ordinal);
        // A path may have an equals sign; what stands before it in a NAME=MODEL is no path.
        if (equals > 0 && !given[..equals].Contains('/', StringComparison.Ordinal))
            return (given[..equals], ModelPath.Resolve(given[(equals + 1)..]));
        string path = ModelPath.Resolve(given);
        return (
            NameOf(path == given ? Path.GetFileNameWithoutExtension(Path.TrimEndingDirectorySeparator(given)) : given),
            path);
    }

    /// <summary>What may stand in an address.</summary>
    private static string NameOf(string file)
    {
        string name = string.Concat(file.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '-'))
            .TrimStart('.', '-', '_');
        return name.Length > 0 ? name : "model";
    }

    private static Option<int?> Whole(string name, string unit, string description, int usual, int least, int most) =>
        new(name)
        {
            Description = description,
            HelpName = unit,
            DefaultValueFactory = _ => usual,
            CustomParser = result => Numbers.Parse(result, least, most, $"a whole number from {least} to {most}"),
        };

    private static Option<string> OneOf(string name, string description, params string[] values)
    {
        var option = new Option<string>(name)
        {
            Description = description,
            HelpName = string.Join('|', values),
            DefaultValueFactory = _ => values[0],
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !values.Contains(result.Tokens[0].Value))
                result.AddError($"{name} takes {string.Join(" or ", values)}, not '{result.Tokens[0].Value}'.");
        });
        return option;
    }
}
