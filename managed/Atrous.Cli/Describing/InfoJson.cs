using System.Text.Json;
using Atrous.Cli.Output;
using Atrous.Specs;

namespace Atrous.Cli.Describing;

/// <summary>A model for programs.</summary>
internal static class InfoJson
{
    public static void Write(ModelInfo info) => JsonOutput.Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("path", info.Path);
        json.WriteString("container", info.Container);
        json.WriteString("weightsPath", info.WeightsPath);
        json.WriteString("strippedPrefix", info.StrippedPrefix);
        json.WriteString("dialect", info.Dialect);
        json.WriteString("evidence", info.Evidence);
        json.WriteString("architecture", info.Architecture);
        json.WriteString("backbone", info.Backbone);
        json.WriteNumber("outputStride", info.OutputStride);
        json.WriteString("outputStrideSource", info.OutputStrideSource);
        json.WriteNumber("inputChannels", info.InputChannels);
        json.WriteNumber("classes", info.Classes);
        json.WriteNames("classNames", info.ClassNames);
        json.WriteNumber("parameters", info.Parameters);
        WriteMultiplyAdds(json, info);
        WritePreprocessing(json, info);
        if (info.Quantization is { } facts)
        {
            json.WriteStartObject("quantization");
            json.WriteFacts(facts);
            json.WriteEndObject();
        }
        WriteSwitches(json, info.Switches);
        json.WriteNames("notes", info.Notes);
        json.WriteNames("missing", info.Missing);
        json.WriteNames("unexpected", info.Unexpected);
        json.WriteStartObject("beside");
        foreach ((string name, int tensors) in info.Beside)
            json.WriteNumber(name, tensors);
        json.WriteEndObject();
        json.WriteStartObject("storedValues");
        foreach ((string key, string value) in info.Extras)
            json.WriteString(key, value);
        json.WriteEndObject();
        json.WriteEndObject();
    });

    private static void WriteMultiplyAdds(Utf8JsonWriter json, ModelInfo info)
    {
        if (info.MultiplyAdds is { } count)
            json.WriteNumber("multiplyAdds", count);
        else
            json.WriteNull("multiplyAdds");
        json.WriteStartObject("atSize");
        json.WriteNumber("height", info.AtSize.Height);
        json.WriteNumber("width", info.AtSize.Width);
        json.WriteEndObject();
    }

    private static void WritePreprocessing(Utf8JsonWriter json, ModelInfo info)
    {
        PreprocessingSpec spec = info.Preprocessing;
        json.WriteStartObject("preprocessing");
        json.WriteString("description", spec.Description);
        json.WriteString("order", spec.Order == ChannelOrder.Bgr ? "bgr" : "rgb");
        json.WriteNumber("scale", spec.Scale);
        json.WriteNumbers("mean", spec.Mean);
        json.WriteNumbers("std", spec.Std);
        json.WriteString("resize", spec.Resize.ToString());
        json.WriteString("source", info.PreprocessingSource);
        json.WriteEndObject();
    }

    private static void WriteSwitches(Utf8JsonWriter json, IReadOnlyList<Switch> switches)
    {
        json.WriteStartArray("switches");
        foreach (Switch row in switches)
        {
            json.WriteStartObject();
            json.WriteString("name", row.Name);
            json.WriteString("value", row.Value);
            json.WriteString("meaning", row.Meaning);
            json.WriteString("source", row.Source);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}
