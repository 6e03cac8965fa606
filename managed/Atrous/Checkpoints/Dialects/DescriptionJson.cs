using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Atrous.Files;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// Specs as JSON, as version 2 of the self-describing form has them in its metadata: names in camelCase, names of
/// enums, no unknown or missing member. Written by generated code; read by <see cref="NetworkFields"/> and
/// <see cref="BackboneFields"/>, which the runtime need not compile anew in every process (decision 28).
/// </summary>
internal static partial class DescriptionJson
{
    /// <summary>No network has a larger stride, rate, count or factor.</summary>
    private const double Largest = 4096;

    /// <summary>
    /// No network's numbers add up to more. Bounds the time and memory that a hostile file can ask for.
    /// </summary>
    private const double LargestSum = 65536;

    /// <summary>No network has more blocks, rates and channels in its lists; each can stand for many tensors.</summary>
    private const int MostItems = 2048;

    public static string Write<T>(T spec) => JsonSerializer.Serialize(spec, typeof(T), DescriptionMembers.Default);

    /// <summary>The network; never one that takes long to find wrong.</summary>
    /// <exception cref="JsonException">The text is no network.</exception>
    public static NetworkSpec ReadNetwork(string json) =>
        ReadNetwork(json, root => JsonFields.Whole(root, NetworkFields.Network));

    /// <summary>A part of a network, such as its rates; never one that takes long to find wrong.</summary>
    /// <exception cref="JsonException">The text is no such part.</exception>
    public static T ReadNetwork<T>(string json, Func<JsonElement, T> read)
    {
        using JsonDocument document = Parse(json);
        double sum = 0;
        int items = 0;
        Measure(document.RootElement, ref sum, ref items);
        if (items > MostItems)
            throw new JsonException("its lists are longer than any network's");
        if (sum > LargestSum)
            throw new JsonException("its numbers are larger than any network's");
        return read(document.RootElement);
    }

    /// <summary>Values that no network is built from.</summary>
    /// <exception cref="JsonException">The text is no such thing.</exception>
    public static T Read<T>(string json, Func<JsonElement, T> read)
    {
        using JsonDocument document = Parse(json);
        return read(document.RootElement);
    }

    /// <summary>The pre-processing, for pictures of some channels.</summary>
    /// <exception cref="JsonException">The text is no pre-processing, or one for other channels.</exception>
    public static PreprocessingSpec ReadPreprocessing(string json, int channels)
    {
        PreprocessingSpec spec = Read(json, root => JsonFields.Whole(root, NetworkFields.Preprocessing));
        if (spec.Mean.Count != channels || spec.Std.Count != channels)
            throw new JsonException($"its mean, std and scale are not those of {channels} channels");
        return PreprocessingCheck.ComplaintOf(spec) is { } complaint
            ? throw new JsonException($"its {complaint}")
            : spec;
    }

    /// <summary>What the elements of 8-bit values stand for, and how that was found out.</summary>
    /// <exception cref="JsonException">The text is no such thing, or has a step or a zero that none can be.</exception>
    public static QuantizationSpec ReadQuantization(string json)
    {
        QuantizationSpec spec = Read(json, root => JsonFields.Whole(root, NetworkFields.Quantization));
        if (spec.Steps.Values.Any(step => !Quantization.IsStep(step)))
            throw new JsonException("one of its steps is 0, or of a size that no network's has");
        return spec.Zeros.Any(row => row.Value is < 0 or > byte.MaxValue || !spec.Steps.ContainsKey(row.Key))
            ? throw new JsonException("one of its zeros is not from 0 to 255, or has no step")
            : spec;
    }

    public static string[] ReadNames(string json) => Read(json, root => JsonFields.List(root, JsonFields.Text));

    private static JsonDocument Parse(string json)
    {
        JsonDocument document = JsonDocument.Parse(json);
        try
        {
            RejectNullItems(document.RootElement);
            return document;
        }
        catch
        {
            document.Dispose();
            throw;
        }
    }

    private static void RejectNullItems(JsonElement element)
    {
        if (element.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement item in element.EnumerateArray())
            {
                if (item.ValueKind == JsonValueKind.Null)
                    throw new JsonException("a list of it has a null");
                RejectNullItems(item);
            }
        }
        else if (element.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty property in element.EnumerateObject())
                RejectNullItems(property.Value);
        }
    }

    /// <summary>Adds up all numbers, and the lengths of all lists.</summary>
    private static void Measure(JsonElement element, ref double sum, ref int items)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Number:
                double number = element.GetDouble();
                sum += number is >= 0 and <= Largest
                    ? number
                    : throw new JsonException($"it has the number {element}, which no network has");
                break;
            case JsonValueKind.Array:
                items += element.GetArrayLength();
                foreach (JsonElement item in element.EnumerateArray())
                    Measure(item, ref sum, ref items);
                break;
            case JsonValueKind.Object:
                foreach (JsonProperty property in element.EnumerateObject())
                    Measure(property.Value, ref sum, ref items);
                break;
        }
    }

    /// <summary>A height and a width as a list of two.</summary>
    private sealed class SizeConverter : JsonConverter<(int Height, int Width)>
    {
        public override (int Height, int Width) Read(
            ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
            throw new NotSupportedException("Specs are read by hand.");

        public override void Write(Utf8JsonWriter writer, (int Height, int Width) value, JsonSerializerOptions options)
        {
            writer.WriteStartArray();
            writer.WriteNumberValue(value.Height);
            writer.WriteNumberValue(value.Width);
            writer.WriteEndArray();
        }
    }
    private sealed class EnumName<T>()
        : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, allowIntegerValues: false)
        where T : struct, Enum;


    /// <summary>
    /// For writing: generated, without reflection. Every enum of the specs has its converter here.
    /// </summary>
    [JsonSourceGenerationOptions(
        PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
        IgnoreReadOnlyProperties = true,
        Converters =
        [
            typeof(SizeConverter), typeof(EnumName<ActivationKind>), typeof(EnumName<AntiAliasing>),
            typeof(EnumName<ChannelOrder>), typeof(EnumName<ConvolutionStyle>), typeof(EnumName<DilationRule>),
            typeof(EnumName<PaddingStyle>), typeof(EnumName<ResidualWindow>), typeof(EnumName<ResizeFilter>),
            typeof(EnumName<Sampling>), typeof(EnumName<XceptionTap>),
        ])]
    [JsonSerializable(typeof(NetworkSpec))]
    [JsonSerializable(typeof(PreprocessingSpec))]
    [JsonSerializable(typeof(QuantizationSpec))]
    [JsonSerializable(typeof(IReadOnlyList<string>))]
    [JsonSerializable(typeof(string[]))]
    private sealed partial class DescriptionMembers : JsonSerializerContext;
}
