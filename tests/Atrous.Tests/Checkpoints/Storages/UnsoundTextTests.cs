using System.Text;
using Atrous.Catalog;
using Atrous.Checkpoints;
using Atrous.Tests.Cli;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Checkpoints.Storages;

/// <summary>Texts that are none, wherever a model's files have texts: one sentence each.</summary>
public sealed class UnsoundTextTests(GeneratedModel model) : IDisposable
{
    private readonly Workplace _place = new();

    [Theory]
    [InlineData("{\"id2label\": {\"0\": \"\\ud800\"}}", "no sound UTF-8")]
    [InlineData("{\"\\udc00\": 1}", "no sound UTF-8")]
    [InlineData("{\"a\": [{\"b\": \"aero\u0093plane\"}]}", "no sound UTF-8|not valid JSON")]
    [InlineData("{\"a\": \"{long}\"}", "more than 65536 characters")]
    [InlineData("{\"a\": [{many}0]}", "more than 500000 values")]
    [InlineData("{\"a\": \"\0\"}", "not valid JSON")]
    public void A_configuration_is_refused(string json, string words)
    {
        json = json.Replace("{long}", new string('x', 100_000), StringComparison.Ordinal)
            .Replace("{many}", string.Concat(Enumerable.Repeat("0,", 600_000)), StringComparison.Ordinal);
        foreach (string document in new[] { "config.json", "preprocessor_config.json" })
        {
            string folder = _place[document];
            File.Copy(model.Path, Path.Combine(Directory.CreateDirectory(folder).FullName, "model.safetensors"));
            _place.Add($"{document}/{document}", Encoding.Latin1.GetBytes(json));
            ModelException error = Assert.Throws<ModelException>(() => Checkpoint.Open(folder));
            Assert.Matches(words, error.Message);
            Assert.Contains(document, error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("\\u0000", "control character")]
    [InlineData("road\\u001b[2J", "control character")]
    [InlineData("\\ufffd", "no sound Unicode")]
    [InlineData("\\ud800", "")]
    [InlineData("{long}", "has 1001 characters")]
    public void A_class_s_name_is_refused(string name, string words)
    {
        name = name.Replace("{long}", new string('x', 1001), StringComparison.Ordinal);
        ModelException error = Assert.Throws<ModelException>(() => Resaved(name));
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
        Assert.Matches("class 1 |class_names", error.Message);
    }

    [Fact]
    public void A_class_s_name_may_be_of_any_script() =>
        Assert.Equal("\u8def \U0001f6e3", Resaved("\u8def \ud83d\udee3"));

    [Theory]
    [InlineData("V\\ud800\n")]
    [InlineData("V\\U0000dfff\n")]
    public void A_pickle_s_text_is_refused(string text)
    {
        string path = _place.Add("a.pkl", $"(d{text}I1\ns.");
        ModelException error = Assert.Throws<ModelException>(() => Checkpoint.Open(path));
        Assert.Contains("malformed", error.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _place.Dispose();

    /// <summary>The name of class 1 of the model in the box, written into its metadata and read again.</summary>
    private string Resaved(string name)
    {
        byte[] bytes = File.ReadAllBytes(DefaultModel.Path);
        int length = (int)BitConverter.ToInt64(bytes);
        string header = Encoding.UTF8.GetString(bytes, 8, length);
        int names = header.IndexOf("class_names\":\"[", StringComparison.Ordinal);
        Assert.True(names > 0, header[..500]);
        int first = header.IndexOf(',', names), second = header.IndexOf("\\\"", first + 3, StringComparison.Ordinal);
        string escaped = name.Replace("\\", "\\\\", StringComparison.Ordinal);
        string changed = header[..first] + ",\\\"" + escaped + header[second..];
        byte[] text = Encoding.UTF8.GetBytes(changed);
        string path = _place.Add(
            "named.safetensors", [.. BitConverter.GetBytes((long)text.Length), .. text, .. bytes.AsSpan(8 + length)]);
        return ModelInfo.Read(path).ClassNames[1];
    }
}
