using System.Text;
using Atrous.Hosting;
using Atrous.Hosting.Configuration;
using Atrous.Postprocessing;
using Atrous.Server;
using Atrous.Server.Configuration;
using Atrous.Tests.House;
using Atrous.Tests.Segmenters;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Atrous.Tests.Serving.Configuration;

/// <summary>Options from a configuration: all that there are, and nothing passed by.</summary>
public sealed class ConfigurationTests(GeneratedModel model)
{
    [Fact]
    public void Every_setting_arrives()
    {
        AtrousOptions options = new AtrousOptions().Configure(Section(
            ("DefaultModel", "b"), ("MaxPixels", "1000"), ("MaxNetworkPixels", "2000"), ("MaxPictureBytes", "3000"),
            ("LoadInBackground", "true"), ("Models:a:Path", model.Path), ("models:b:path", model.Path),
            ("Models:b:Weight", "2.5"), ("Models:b:WarmUp:0", "20x30"), ("Models:b:WarmUp:1", "40x50"),
            ("Models:b:Batching:MaxBatch", "7"), ("Models:b:Batching:MaxDelay", "00:00:00.005"),
            ("Models:b:Batching:QueueLimit", "9"), ("Models:b:Batching:Timeout", "00:00:11"),
            ("Models:b:Batching:PriorityLevels", "5"), ("Models:b:Batching:DefaultPriority", "4"),
            ("Models:b:Segmenter:Device", "cpu"), ("Models:b:Segmenter:Precision", "bf16"),
            ("Models:b:Segmenter:Threads", "3"), ("Models:b:Segmenter:OutputStride", "16"),
            ("Models:b:Segmenter:Dialect", "smp"), ("Models:b:Segmenter:Switches:threshold", "0.4"),
            ("Models:b:Segmenter:ClassNames:0", "sky"), ("Models:b:Segmenter:Crf", "pydensecrf"),
            ("Models:b:Segmenter:Window:Size", "320"), ("Models:b:Segmenter:Window:Overlap", "0.25"),
            ("Models:b:Segmenter:Augmentation:Scales:0", "0.5"), ("Models:b:Segmenter:Augmentation:Flip", "true"),
            ("Models:b:Segmenter:CachedShapes", "2")));
        Assert.Equal(
            ("b", 1000, 2000, 3000L, true),
            (options.DefaultModel, options.MaxPixels, options.MaxNetworkPixels, options.MaxPictureBytes,
                options.LoadInBackground));
        Assert.Equal(["a", "b"], options.Models.Keys);
        ModelOptions b = options.Models["b"];
        Assert.Equal((model.Path, 2.5), (b.Path, b.Weight));
        Assert.Equal([(20, 30), (40, 50)], b.WarmUp);
        Assert.Equal(
            new BatchingOptions
            {
                MaxBatch = 7,
                MaxDelay = TimeSpan.FromMilliseconds(5),
                QueueLimit = 9,
                Timeout = TimeSpan.FromSeconds(11),
                PriorityLevels = 5,
                DefaultPriority = 4,
            },
            b.Batching);
        SegmenterOptions segmenter = b.Segmenter;
        Assert.Equal(
            ("cpu", Precision.Bf16, 3, 16, "smp", 2),
            (segmenter.Device, segmenter.Precision, segmenter.Threads, segmenter.OutputStride, segmenter.Dialect,
                segmenter.CachedShapes));
        Assert.Equal("0.4", Assert.Single(segmenter.Switches).Value);
        Assert.Equal("sky", Assert.Single(segmenter.ClassNames!));
        Assert.Equal(DenseCrfParameters.PyDenseCrf, segmenter.Crf);
        Assert.Equal((320, 0.25), (segmenter.Window!.Size, segmenter.Window.Overlap));
        Assert.Equal(0.5, Assert.Single(segmenter.Augmentation!.Scales));
        Assert.True(segmenter.Augmentation.Flip);
        // What is not said stays as it was.
        Assert.Equal(new BatchingOptions(), options.Models["a"].Batching);
    }

    [Fact]
    public void JSON_says_nothing_and_none_apart()
    {
        using var json = new MemoryStream("""
            {"Models": {"a": {"Path": "a.pth", "WarmUp": [], "Segmenter": {"Threads": null}}}, "DefaultModel": null}
            """u8.ToArray());
        AtrousOptions options = new AtrousOptions { DefaultModel = "a" }.Configure(
            new ConfigurationBuilder().AddJsonStream(json).Build());
        Assert.Empty(options.Models["a"].WarmUp);
        Assert.Equal((0, "a"), (options.Models["a"].Segmenter.Threads, options.DefaultModel));
    }

    [Fact]
    public void Every_setting_of_a_server_arrives()
    {
        var before = new ServerOptions { Models = _ => { }, GrpcPort = 5 };
        ServerOptions options = before.Configured(Section(
            ("Host", "*"), ("Port", "81"), ("GrpcPort", "82"), ("TlsCertificate", "c.pem"), ("TlsKey", "k.pem"),
            ("TlsClientCa", "ca.pem"), ("TlsClientForAdminAlone", "true"), ("Token", "0123456789abcdef"), ("TokenForAdminAlone", "true"), ("CorsOrigins:0", "https://a.example"),
            ("Admin", "true"), ("AdminHosts:0", "a"), ("AdminHosts:1", "b"), ("DrainDelay", "00:00:07"),
            ("DrainTimeout", "00:00:08"), ("OtlpEndpoint", "http://c:1"), ("OtlpProtocol", "grpc"), ("JsonLogs", "true"), ("LogLevel", "Warning"),
            ("Limits:MaxBodyBytes", "1"), ("Limits:MaxBufferedBytes", "2"), ("Limits:BodyTimeout", "00:00:03"),
            ("Limits:MinBodyBytesPerSecond", "4"), ("Limits:MinAnswerBytesPerSecond", "5"),
            ("Limits:MaxJsonDepth", "6"), ("Limits:MaxConnections", "7"), ("Limits:HeaderTimeout", "00:00:08"),
            ("Limits:KeepAliveTimeout", "00:00:09"), ("Limits:MinBytesPerSecond", "10")));
        Assert.Equal(
            ("*", 81, 82, "c.pem", "k.pem", "0123456789abcdef", true),
            (options.Host, options.Port, options.GrpcPort, options.TlsCertificate, options.TlsKey, options.Token,
                options.TokenForAdminAlone));
        Assert.Equal(["https://a.example"], options.CorsOrigins);
        Assert.Equal(("ca.pem", true), (options.TlsClientCa, options.TlsClientForAdminAlone));
        Assert.Equal(("http://c:1", "grpc"), (options.OtlpEndpoint, options.OtlpProtocol));
        Assert.Equal(["a", "b"], options.AdminHosts);
        Assert.Equal(
            (true, TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(8), true, LogLevel.Warning),
            (options.Admin, options.DrainDelay, options.DrainTimeout, options.JsonLogs, options.LogLevel));
        Assert.Equal(
            new ServerLimits
            {
                MaxBodyBytes = 1,
                MaxBufferedBytes = 2,
                BodyTimeout = TimeSpan.FromSeconds(3),
                MinBodyBytesPerSecond = 4,
                MinAnswerBytesPerSecond = 5,
                MaxJsonDepth = 6,
                MaxConnections = 7,
                HeaderTimeout = TimeSpan.FromSeconds(8),
                KeepAliveTimeout = TimeSpan.FromSeconds(9),
                MinBytesPerSecond = 10,
            },
            options.Limits);
        Assert.Equal(before with { Port = 83 }, before.Configured(Section(("Port", "83"))));
    }

    /// <summary>What the page for users shows is read, name by name.</summary>
    [Fact]
    public void The_page_shows_settings_that_there_are()
    {
        string text = Assert.Single(Page.Of("docs/serving.md").Blocks(), block => block.Language == "json").Code;
        using var json = new MemoryStream(Encoding.UTF8.GetBytes(text));
        IConfigurationSection section = new ConfigurationBuilder().AddJsonStream(json).Build().GetSection("Atrous");
        AtrousOptions options = new AtrousOptions().Configure(section);
        Assert.Equal(("street", 2), (options.DefaultModel, options.Models.Count));
        ServerOptions server = new ServerOptions { Models = _ => { } }.Configured(section.GetSection("Server"));
        Assert.Equal((8080, 8081), (server.Port, server.GrpcPort));
    }

    /// <summary>A new option is a setting too, or is named here with the reason.</summary>
    [Fact]
    public void No_option_is_forgotten()
    {
        AssertSame<AtrousOptions, AtrousSettings>();
        AssertSame<ModelOptions, ModelSettings>();
        AssertSame<BatchingOptions, BatchingSettings>();
        AssertSame<ServerLimits, LimitSettings>();
        // A delegate: they are named in the section itself.
        AssertSame<ServerOptions, ServerSettings>(nameof(ServerOptions.Models));
        // Objects, and what the service's own batching decides.
        AssertSame<SegmenterOptions, SegmenterSettings>(
            nameof(SegmenterOptions.Backend), nameof(SegmenterOptions.Logger), nameof(SegmenterOptions.CrfProgress),
            nameof(SegmenterOptions.Preprocessing), nameof(SegmenterOptions.MaxBatch));
    }

    [Theory]
    [InlineData("MaxPixel", "1", "There is no setting Atrous:MaxPixel; did you mean MaxPixels?")]
    [InlineData("Colour", "1", "There is no setting Atrous:Colour; there are Models, DefaultModel,")]
    [InlineData("Models:a:Pth", "x", "There is no setting Atrous:Models:a:Pth; did you mean Path?")]
    [InlineData("Models:a:Segmenter:Devise", "x", "Atrous:Models:a:Segmenter:Devise; did you mean Device?")]
    [InlineData("Models:a:Segmenter:Window:Sise", "1", "Atrous:Models:a:Segmenter:Window:Sise; did you mean Size?")]
    [InlineData("Models:a:Segmenter:Augmentation:Flop", "1", "did you mean Flip?")]
    [InlineData("Models:a:Batching:MaxBach", "1", "did you mean MaxBatch?")]
    [InlineData("MaxPixels", "many", "Failed to convert configuration value 'many' at 'Atrous:MaxPixels'")]
    [InlineData("MaxPixels:0", "1", "The setting Atrous:MaxPixels is a value, and has no parts.")]
    [InlineData("Models", "a", "The setting Atrous:Models has parts, and not the value 'a'.")]
    [InlineData("Models:a", "x", "The setting Atrous:Models:a has parts, and not the value 'x'.")]
    [InlineData("Models:a:Batching", "x", "The setting Atrous:Models:a:Batching has parts, and not the value 'x'.")]
    [InlineData("Models:a:Segmenter:Switches", "x", "Atrous:Models:a:Segmenter:Switches has parts, and not the value 'x'.")]
    [InlineData("Models:a:WarmUp", "20x20", "The setting Atrous:Models:a:WarmUp is a list:")]
    [InlineData("Models:a:WarmUp:0", "20", "HEIGHTxWIDTH, such as 512x768, and not '20'.")]
    [InlineData("Models:a:Segmenter:Crf", "sharp", "There is no CRF named 'sharp'")]
    [InlineData("Models:a:Segmenter:Precision", "fp7", "Failed to convert configuration value 'fp7'")]
    [InlineData("Models:a:Segmenter:Precision", "77", "The setting Atrous:Models:a:Segmenter:Precision is '77';")]
    [InlineData("Models:a:Segmenter:Window:Size", "3", "A Window's Size is 3; it is a number from 32 to 16384.")]
    [InlineData("Models:a:Segmenter:Window:Overlap", "0.5", "A Window has a Size, in pixels; give it.")]
    [InlineData("Models:a:Segmenter:Augmentation:Scales:0", "9", "An Augmentation has 1 to 16 Scales")]
    public void What_is_no_setting_is_refused(string name, string value, string sentence)
    {
        UnavailableException e = Assert.Throws<UnavailableException>(
            () => new AtrousOptions().Configure(Section((name, value))));
        Assert.Contains(sentence, e.Message);
    }

    [Theory]
    [InlineData("Prt", "1", "There is no setting Atrous:Prt; did you mean Port?")]
    [InlineData("Port", "65536", "The setting Port is 65536; it is a whole number from 0 to 65535.")]
    [InlineData("Token", "short", "The setting Token is a token of at least 16 characters without spaces.")]
    [InlineData("TlsCertificate", "", "The setting TlsCertificate is empty; give it a value, or leave it out")]
    [InlineData("TlsKey", "", "The setting TlsKey is empty;")]
    [InlineData("TlsClientCa", " ", "The setting TlsClientCa is empty;")]
    [InlineData("Host", "", "The setting Host is empty;")]
    [InlineData("CorsOrigins:0", "a.example", "The setting CorsOrigins has 'a.example'; an origin is")]
    [InlineData("DrainDelay", "-00:00:01", "The setting DrainDelay is -00:00:01;")]
    [InlineData("LogLevel", "loud", "Failed to convert configuration value 'loud'")]
    [InlineData("Limits:MaxBodyBites", "1", "There is no setting Atrous:Limits:MaxBodyBites; did you mean MaxBodyBytes?")]
    [InlineData("Limits:MaxBodyBytes", "0", "The setting Limits:MaxBodyBytes is 0, which is too little or too much.")]
    [InlineData("Limits:BodyTimeout", "00:00:00", "The setting Limits:BodyTimeout is 00:00:00,")]
    public void What_is_no_setting_of_a_server_is_refused(string name, string value, string sentence)
    {
        UnavailableException e = Assert.Throws<UnavailableException>(
            () => new ServerOptions { Models = _ => { } }.Configured(Section((name, value))));
        Assert.Contains(sentence, e.Message);
    }

    [Theory]
    [InlineData("TokenForAdminAlone", "true", "The server has no token,")]
    [InlineData("TlsClientForAdminAlone", "true", "The server asks clients for no certificates,")]
    [InlineData("TlsKey", "key.pem", "no certificate; give both")]
    public void What_is_about_something_that_is_not_there_is_refused(string name, string value, string sentence)
    {
        ServerOptions options = new ServerOptions { Models = _ => { } }.Configured(Section((name, value)));
        Assert.Contains(
            sentence, Assert.Throws<UnavailableException>(() => AtrousServer.Create(options)).Message);
    }

    [Fact]
    public async Task A_host_serves_what_its_configuration_says()
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Atrous:Models:one:Path"] = model.Path,
            ["Atrous:Models:one:Batching:QueueLimit"] = "9",
            ["Atrous:Models:one:WarmUp:0"] = "32x32",
            ["Atrous:Server:Port"] = "81",
        });
        builder.Services.AddAtrous(builder.Configuration.GetSection("Atrous"), options => options.MaxPixels = 4000);
        using IHost host = builder.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        IServedModel served = host.Services.GetRequiredService<IServedModel>();
        Assert.Equal(("one", 9), (served.Name, served.Batching.QueueLimit));
        AtrousOptions options = host.Services.GetRequiredService<IOptions<AtrousOptions>>().Value, copy = new();
        Assert.Equal(4000, options.MaxPixels);
        // A copy has every option, those that come later too.
        options.MaxNetworkPixels = 5000;
        (options.MaxPictureBytes, options.LoadInBackground, options.DefaultModel) = (6000, true, "one");
        options.CopyTo(copy);
        Assert.All(typeof(AtrousOptions).GetProperties(), property => Assert.Equal(
            property.GetValue(options), property.GetValue(copy)));
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_host_does_not_start_with_a_misspelt_setting()
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddAtrous(Section(("Models:one:Path", model.Path), ("Defaultmodle", "one")));
        using IHost host = builder.Build();
        UnavailableException e = await Assert.ThrowsAsync<UnavailableException>(
            () => host.StartAsync(TestContext.Current.CancellationToken));
        Assert.Contains("did you mean DefaultModel?", e.Message);
    }

    private static void AssertSame<TOptions, TSettings>(params string[] without) => Assert.Equal(
        typeof(TOptions).GetProperties().Where(property => property.CanWrite || property.Name == "Models")
            .Select(property => property.Name).Except(without).Order(),
        typeof(TSettings).GetProperties().Select(property => property.Name).Order());

    private static IConfigurationSection Section(params (string Name, string Value)[] settings) =>
        new ConfigurationBuilder()
            .AddInMemoryCollection(settings.Select(setting =>
                KeyValuePair.Create($"Atrous:{setting.Name}", (string?)setting.Value)))
            .Build().GetSection("Atrous");
}
