using System.Security.Cryptography;
using System.Text.Json;
using Atrous.Catalog;
using Atrous.Tests.Cli;

namespace Atrous.Tests.Catalog;

/// <summary>A catalog of one model and a cache of its own, both gone after the test.</summary>
public sealed class PullPlace : IPullReport, IDisposable
{
    public const string Name = "some-model";

    /// <summary>Quick enough for tests, with room for a busy machine.</summary>
    public static readonly PullOptions Options = new()
    {
        Attempts = 3,
        FirstWait = TimeSpan.FromMilliseconds(10),
        LongestWait = TimeSpan.FromMilliseconds(50),
        Inactivity = TimeSpan.FromSeconds(20),
    };

    private readonly List<string> _notes = [];

    public PullPlace(params (string Url, string? Sha256)[] files)
        : this(files, size: null)
    {
    }

    public PullPlace((string Url, string? Sha256)[] files, long? size)
    {
        Catalog = Place.Add("catalog.json", JsonSerializer.Serialize(new
        {
            models = new[]
            {
                new
                {
                    name = Name, dialect = "torchvision", classes = 21, licence = "MIT", data = "toys",
                        source = "this test",
                    files = files.Select(file => new { url = file.Url, sha256 = file.Sha256, size }),
                },
            },
        }));
        Entry = PublishedModels.Read(Catalog).Entries.Single();
        Cache = new ModelCache(Place["home/models"]);
    }

    public PullPlace(FileServer server, byte[]? expected = null, string file = "weights.pth")
        : this(($"{server.Address}/{file}", expected is null ? null : Hash(expected)))
    {
    }

    public Workplace Place { get; } = new();

    /// <summary>The catalog's file.</summary>
    public string Catalog { get; }

    public PublishedModel Entry { get; }

    public ModelCache Cache { get; }

    /// <summary>Where the model's first file goes.</summary>
    public string Target => Cache.PathOf(Entry, Entry.Files[0]);

    public IReadOnlyList<string> Notes => _notes;

    /// <summary>Called with every progress.</summary>
    public Action<long>? OnReceived { get; set; }

    /// <summary>For the program: this catalog and this cache.</summary>
    public Dictionary<string, string> Environment => new()
    {
        ["ATROUS_CATALOG"] = Catalog,
        ["ATROUS_HOME"] = Place["home"],
        ["NO_PROXY"] = "127.0.0.1",
    };

    /// <summary>Files of the model, and what is left of unfinished ones.</summary>
    public string[] Files =>
        [.. Directory.EnumerateFiles(Path.GetDirectoryName(Target)!).Select(path => Path.GetFileName(path))
        .Order(StringComparer.Ordinal)];

    public static string Hash(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    public Task<int> Pull(PullOptions? options = null, CancellationToken cancellationToken = default) =>
        new ModelPull(Cache, options ?? Options).RunAsync(Entry, this, cancellationToken);

    /// <summary>The file is there with these bytes, and nothing else is.</summary>
    public void AssertPulled(byte[] content)
    {
        Assert.Equal(PullState.Pulled, Cache.StateOf(Entry));
        Assert.Equal(Hash(content), Hash(File.ReadAllBytes(Target)));
        Assert.Equal([Path.GetFileName(Target)], Files);
    }

    void IPullReport.Received(string file, long received, long? total) => OnReceived?.Invoke(received);

    void IPullReport.Noted(string message) => _notes.Add(message);

    public void Dispose() => Place.Dispose();
}
