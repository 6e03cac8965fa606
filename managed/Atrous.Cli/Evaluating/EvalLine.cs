using System.Globalization;
using System.Text.Json;
using Atrous.Evaluation;

namespace Atrous.Cli.Evaluating;

/// <summary>What a line of `atrous eval --jsonl` tells of a picture: its part of the confusion matrix.</summary>
/// <param name="Classes">How many classes the model has.</param>
/// <param name="Ignored">Pixels that are not scored.</param>
/// <param name="Counts">Pixels by true class and the mask's, those that there are.</param>
/// <param name="Names">The names of the classes that occur.</param>
internal sealed record EvalLine(
    int Classes, long Ignored, IReadOnlyList<(int Truth, int Mask, long Pixels)> Counts,
    IReadOnlyDictionary<int, string> Names)
{
    private const string Member = "confusion", Assumed = "ignoreAssumed";

    /// <summary>So many that their square can be held.</summary>
    private const int MostClasses = 4096;

    /// <summary>Nobody asked for a label to be left out, so that 255 was by itself.</summary>
    public bool IsIgnoreAssumed { get; private init; }

    public static EvalLine Of(ConfusionMatrix one, Func<int, string> nameOf, bool isIgnoreAssumed)
    {
        (int, int, long)[] counts =
        [
            .. Enumerable.Range(0, one.Classes).SelectMany(truth => Enumerable.Range(0, one.Classes)
                .Select(mask => (truth, mask, one[truth, mask]))).Where(count => count.Item3 > 0),
        ];
        return new EvalLine(one.Classes, one.Ignored, counts, counts.SelectMany(
            count => new[] { count.Item1, count.Item2 }).Distinct().Order().ToDictionary(label => label, nameOf))
        {
            IsIgnoreAssumed = isIgnoreAssumed,
        };
    }

    /// <summary>Null for the line of a picture that failed, or was segmented only.</summary>
    public static EvalLine? Parse(string line)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            if (!document.RootElement.TryGetProperty(Member, out JsonElement told))
                return null;
            int classes = told.GetProperty("classes").GetInt32();
            var read = new EvalLine(
                classes, told.GetProperty("ignored").GetInt64(),
                [
                    .. told.GetProperty("counts").EnumerateArray().Select(
                        row => (row[0].GetInt32(), row[1].GetInt32(), row[2].GetInt64())),
                ],
                told.GetProperty("names").EnumerateObject().ToDictionary(
                    name => int.Parse(name.Name, NumberStyles.None, CultureInfo.InvariantCulture),
                    name => name.Value.GetString() ?? ""))
            {
                IsIgnoreAssumed = told.TryGetProperty(Assumed, out JsonElement assumed)
                    && assumed.ValueKind == JsonValueKind.True,
            };
            bool isSound = classes is > 0 and <= MostClasses && read.Ignored >= 0 && read.Counts.All(count =>
                count.Truth >= 0 && count.Truth < classes && count.Mask >= 0 && count.Mask < classes
                && count.Pixels > 0);
            return isSound ? read : null;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException
            or FormatException or OverflowException or IndexOutOfRangeException or ArgumentException)
        {
            return null;
        }
    }

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject(Member);
        json.WriteNumber("classes", Classes);
        json.WriteNumber("ignored", Ignored);
        if (IsIgnoreAssumed)
            json.WriteBoolean(Assumed, true);
        json.WriteStartArray("counts");
        foreach ((int truth, int mask, long pixels) in Counts)
        {
            json.WriteStartArray();
            json.WriteNumberValue(truth);
            json.WriteNumberValue(mask);
            json.WriteNumberValue(pixels);
            json.WriteEndArray();
        }
        json.WriteEndArray();
        json.WriteStartObject("names");
        foreach ((int label, string name) in Names)
            json.WriteString(label.ToString(CultureInfo.InvariantCulture), name);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
