using Atrous.Catalog;
using Atrous.Checkpoints.Dialects;
using Atrous.Tests.Cli;

namespace Atrous.Tests.Catalog;

/// <summary>The catalog that comes with Atrous, catalogs of one's own, and where models are kept.</summary>
public sealed class PublishedModelsTests
{
    private const string Sha = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    public static TheoryData<string> Names => [.. PublishedModels.BuiltIn().Entries.Select(entry => entry.Name)];

    [Fact]
    public void The_famous_ones_are_in_it() => Assert.Superset(
        new HashSet<string> { "deeplabv3_resnet50", "deeplabv3_resnet101", "deeplabv3_mobilenet_v3_large",
        "deeplabv3_mobilenet_v2_1.0_513" },
        PublishedModels.BuiltIn().Entries.Select(entry => entry.Name).ToHashSet());

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_entry_can_be_read_and_says_where_its_facts_are_from(string name)
    {
        PublishedModel entry = PublishedModels.BuiltIn().Find(name)!;
        Assert.Contains(entry.Dialect, Dialect.All.Select(dialect => dialect.Name));
        Assert.InRange(entry.Classes, 2, 200);
        Assert.NotEmpty(entry.Source);
        Assert.NotEmpty(entry.Licence);
        Assert.InRange(entry.MeanIoU ?? 0.5, 0.3, 0.9);
        Assert.Equal(entry.MeanIoU is null, entry.MeasuredOn is null);
        Assert.All(entry.Files, file => Assert.Equal("https", file.Url.Scheme));
        // A hash that is not in the file's name would have to come from somewhere else, and none does.
        Assert.All(
            entry.Files, file => Assert.True(file.Sha256 is null || file.FileName.EndsWith($"-{file.Sha256}.pth")));
        if (entry.Files.Count > 1)
            Assert.Contains(entry.Files, file => file.FileName == "config.json");
    }

    [Theory]
    [InlineData("{", "cannot be understood")]
    [InlineData("""{"models":[null]}""", "cannot be understood")]
    [InlineData("""{"models":[{"name":"a"}]}""", "cannot be understood")]
    [InlineData("""{"models":[ENTRY],"more":1}""", "more")]
    [InlineData("""{"models":[ENTRY,ENTRY]}""", "two models called 'toy'")]
    [InlineData("{\"models\":nul\0\u0001\n[ENTRY]}", "cannot be understood")]
    [InlineData("{\"models\":[ENTRY],\"mo\\u0000\\u001b\\nre\":1}", "cannot be understood")]
    [InlineData("{\"models\":nulENTRYENTRYENTRYENTRYENTRYENTRYENTRYENTRY", "cannot be understood")]
    public void A_catalog_that_is_none_is_named(string json, string words) => Refused(json, words);

    [Theory]
    [InlineData("\"toy\"", "\"../toy\"", "'../toy'")]
    [InlineData("\"toy\"", "\"a/b\"", "'a/b'")]
    [InlineData("\"toy\"", "\"\"", "''")]
    [InlineData("\"toy\"", "\"atrous-street\"", "'atrous-street'")]
    [InlineData("weights.pth", "", "url")]
    [InlineData("weights.pth", "..%2fweights.pth", "url")]
    [InlineData("https://example.org/weights.pth", "hhttps:?/weights.pth", "url")]
    [InlineData("\"MIT\"", "\"MIT\",\"mIoU\":1e999", "an mIoU")]
    [InlineData("\"MIT\"", "\"MIT\",\"mIoU\":73.1", "an mIoU")]
    [InlineData("\"classes\":2", "\"classes\":-2", "has -2 classes")]
    [InlineData("https://example.org/", "/", "url")]
    [InlineData("https:", "http:", "use https")]
    [InlineData("https:", "file:", "use https")]
    [InlineData("https://", "ftp://me:secret@", "the url ftp://example.org/weights.pth; use")]
    [InlineData("\"url\"", "\"size\":-1,\"url\"", "a file of -1 bytes")]
    [InlineData("\"url\"", "\"size\":9223372036854775807,\"url\"", "9223372036854775807 bytes")]
    [InlineData("\"url\"", "\"size\":9223372036854775808,\"url\"", "cannot be understood")]
    [InlineData("\"toy\"", "\"\\ud800\"", "cannot be understood")]
    [InlineData("\"MIT\"", "\"\\u0000\"", "control characters")]
    [InlineData("01234567\"", "0123\"", "8 to 64")]
    [InlineData("01234567\"", "0123456X\"", "8 to 64")]
    [InlineData("[{", "[{\"url\":\"https://example.org/b/weights.pth\"},{", "same name")]
    public void An_entry_that_leads_astray_is_refused(string from, string to, string words) =>
        Refused($$"""{"models":[{{Entry.Replace(from, to)}}]}""", words);

    [Theory]
    [InlineData("https://example.org/", "01234567")]
    [InlineData("http://example.org/", Sha)]
    [InlineData("http://127.0.0.1/", "01234567")]
    public void A_mirror_needs_https_or_a_whole_hash(string address, string hash)
    {
        using var place = new Workplace();
        string json = Entry.Replace("https://example.org/", address).Replace("01234567", hash);
        string path = place.Add("catalog.json", $$"""{"models":[{{json}}]}""");
        PublishedModel entry = PublishedModels.Read(path).Find("toy")!;
        Assert.Equal(hash, entry.Files.Single().Sha256);
        Assert.Null(entry.MeanIoU);
        Assert.Null(entry.Size);
    }

    [Fact]
    public void A_missing_catalog_is_named()
    {
        var e = Assert.Throws<UnavailableException>(() => PublishedModels.Read("/nowhere/catalog.json"));
        Assert.Contains("/nowhere/catalog.json", e.Message);
    }

    [Theory]
    [InlineData("/own", "ATROUS_HOME=/own", "HOME=/me", "XDG_CACHE_HOME=/xdg")]
    [InlineData("/xdg/atrous", "HOME=/me", "XDG_CACHE_HOME=/xdg")]
    [InlineData("/me/.cache/atrous", "HOME=/me", "XDG_CACHE_HOME=relative")]
    [InlineData("/me/.cache/atrous", "HOME=/me", "ATROUS_HOME=")]
    [InlineData(null, "ATROUS_HOME=")]
    public void The_cache_is_where_the_platform_has_it(string? folder, params string[] variables)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "these are Linux's folders");
        Dictionary<string, string> environment = variables.Select(variable => variable.Split('='))
            .ToDictionary(pair => pair[0], pair => pair[1]);
        if (folder is null)
            Assert.Contains("ATROUS_HOME",
                Assert.Throws<OutputException>(() => ModelCache.Home(environment.GetValueOrDefault)).Message);
        else
            Assert.Equal(folder, ModelCache.Home(environment.GetValueOrDefault));
    }

    private const string Entry =
        """{"name":"toy","dialect":"VainF","classes":2,"licence":"MIT","data":"toys","source":"me","files":[{"url":"https://example.org/weights.pth","sha256":"01234567"}]}""";

    private static void Refused(string json, string words)
    {
        using var place = new Workplace();
        string path = place.Add("catalog.json", json.Replace("ENTRY", Entry));
        var e = Assert.Throws<UnavailableException>(() => PublishedModels.Read(path));
        Assert.Contains(path, e.Message);
        Assert.Contains(words, e.Message);
        Assert.DoesNotContain(e.Message, char.IsControl);
        Assert.InRange(e.Message.Length, 0, 1000);
    }
}
