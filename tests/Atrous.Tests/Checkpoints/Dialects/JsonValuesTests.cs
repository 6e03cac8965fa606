using System.Text.Json;
using Atrous.Checkpoints.Dialects;

namespace Atrous.Tests.Checkpoints.Dialects;

/// <summary>Values of a configuration are what they are, or nothing.</summary>
public sealed class JsonValuesTests
{
    [Theory]
    [InlineData("[1, 2]", "1,2")]
    [InlineData("3", "3")]
    [InlineData("[]", null)]
    [InlineData("[1, 0]", null)]
    [InlineData("[1, 2.5]", null)]
    [InlineData("[1, \"2\"]", null)]
    [InlineData("{}", null)]
    public void Numbers_are_positive_and_whole(string json, string? expected) =>
        Assert.Equal(expected, JsonValues.Numbers(Parse(json)) is { } all ? string.Join(',', all) : null);

    [Theory]
    [InlineData("[0.5, -2]", "0.5,-2")]
    [InlineData("0.25", "0.25")]
    [InlineData("[]", null)]
    [InlineData("[1e39]", null)]
    [InlineData("[1, null]", null)]
    public void Reals_are_finite(string json, string? expected) =>
        Assert.Equal(expected, JsonValues.Reals(Parse(json)) is { } all
            ? string.Join(',', all.Select(value => value.ToString(System.Globalization.CultureInfo.InvariantCulture)))
            : null);

    [Theory]
    [InlineData("[\"a\", \"\"]", "a,")]
    [InlineData("[]", null)]
    [InlineData("[0, 1, 2]", null)]
    [InlineData("[\"a\", 1]", null)]
    [InlineData("\"a\"", null)]
    public void Texts_are_all_texts(string json, string? expected) =>
        Assert.Equal(expected, JsonValues.Texts(Parse(json)) is { } all ? string.Join(',', all) : null);

    [Fact]
    public void What_is_not_there_is_nothing()
    {
        Assert.Null(JsonValues.Entry(Parse("[1]"), "a"));
        Assert.Null(JsonValues.Entry(Parse("{\"a\": null}"), "a"));
        Assert.Null(JsonValues.Entry(null, "a"));
        Assert.Null(JsonValues.Real(Parse("1e999")));
        Assert.Null(JsonValues.Flag(Parse("1")));
    }

    private static JsonElement Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}
