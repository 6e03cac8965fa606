using System.Text.Json;
using Atrous.Specs;

namespace Atrous.Cli.Output;

/// <summary>What a command says of how a model was quantised.</summary>
internal static class DescribedQuantization
{
    /// <summary>"58 convolutions in 8 bits, 2 in float32, 17 with equalised channels; ..."</summary>
    public static string Line(QuantizationFacts facts) =>
        $"{facts.QuantizedLayers} convolutions in 8 bits, {facts.Float32Layers} in float32"
        + (facts.EqualizedLayers > 0 ? $", {facts.EqualizedLayers} with equalised channels" : "")
        + $"; measured on {facts.CalibrationPictures} pictures; masks agree with float32's on "
        + $"{Numbers.Percent(facts.Agreement)} of the pixels of {facts.CheckPictures} others, "
        + $"at least {Numbers.Percent(facts.WorstAgreement)}";

    /// <summary>The facts as properties of the object that is being written.</summary>
    public static void WriteFacts(this Utf8JsonWriter json, QuantizationFacts facts)
    {
        json.WriteNumber("calibrationPictures", facts.CalibrationPictures);
        json.WriteNumber("checkPictures", facts.CheckPictures);
        json.WriteNumber("agreement", facts.Agreement);
        json.WriteNumber("worstAgreement", facts.WorstAgreement);
        json.WriteNumber("quantizedLayers", facts.QuantizedLayers);
        json.WriteNumber("float32Layers", facts.Float32Layers);
        json.WriteNumber("equalizedLayers", facts.EqualizedLayers);
    }
}
