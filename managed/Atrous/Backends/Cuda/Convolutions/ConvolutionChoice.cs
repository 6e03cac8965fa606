using System.Text.Json.Serialization;
using Atrous.ManagedCuda.CUDNN;

namespace Atrous.Backends.Cuda.Convolutions;

/// <summary>
/// Which algorithm computes a convolution: what is kept on disk. Engine numbers and algorithms are those of one library
/// version.
/// </summary>
/// <param name="Kind">
/// "fused" (the residual first), "fused, bias first" or "plain" for cuDNN, "product" for cuBLASLt; "copy" for what is
/// no convolution, but a time that choices are made by.
/// </param>
/// <param name="Engine">The index that cuDNN gives its engine; 0 for a product.</param>
/// <param name="Knobs">The type and value of each of the engine's knobs, after each other.</param>
/// <param name="Algorithm">The bytes that cuBLASLt describes its algorithm with; null for cuDNN.</param>
/// <param name="Milliseconds">What a run took on the device; null where it was not timed.</param>
internal sealed record ConvolutionChoice(
    [property: JsonPropertyName("kind")] string Kind,
    [property: JsonPropertyName("engine")] long Engine = 0,
    [property: JsonPropertyName("knobs")] long[]? Knobs = null,
    [property: JsonPropertyName("algorithm")] byte[]? Algorithm = null,
    [property: JsonPropertyName("ms")] double? Milliseconds = null)
{
    public const string Fused = "fused", FusedBiasFirst = "fused, bias first", Plain = "plain", Product = "product",
        Copy = "copy";

    public static ConvolutionChoice OfEngine(string kind, EngineChoice engine) =>
        new(kind, engine.Engine, [.. engine.Knobs.SelectMany(knob => new[] { knob.Key, knob.Value })]);

    public static ConvolutionChoice OfProduct(byte[] algorithm) => new(Product, Algorithm: algorithm);

    /// <summary>The engine as cuDNN takes it.</summary>
    public EngineChoice ToEngine() =>
        new(Engine,
        [.. (Knobs ?? []).Chunk(2).Where(pair => pair.Length == 2)
        .Select(pair => KeyValuePair.Create((int)pair[0], pair[1]))]);

    /// <summary>All that tells it from others of its problem, as one line.</summary>
    public string ToLine() =>
        $"{Kind} {Engine} {string.Join(' ', Knobs ?? [])} {Convert.ToHexStringLower(Algorithm ?? [])}";

    public override string ToString() =>
        Kind == Product ? "cuBLASLt" : $"cuDNN engine {Engine}" + Kind switch
        {
            FusedBiasFirst => ", bias first",
            Plain => ", with kernels for the rest",
            _ => "",
        };
}
