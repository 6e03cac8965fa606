namespace Atrous;

/// <summary>Number format of weights and activations; sums are always float32 at least.</summary>
public enum Precision
{
    /// <summary>IEEE single precision: the framework's own numbers to rounding.</summary>
    Fp32,

    /// <summary>Float32 storage, products rounded to 10 bits of mantissa (GPU).</summary>
    Tf32,

    /// <summary>IEEE half precision storage.</summary>
    Fp16,

    /// <summary>bfloat16 storage; the scores stay float32.</summary>
    Bf16,

    /// <summary>
    /// 8-bit weights and activations, sums in 32-bit integers: of a model that was quantised, on a processor.
    /// </summary>
    Int8,
}
