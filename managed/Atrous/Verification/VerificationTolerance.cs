namespace Atrous.Verification;

/// <summary>What a precision may cost, in standard deviations of the exact values.</summary>
/// <param name="Max">The largest difference allowed; infinite where the root mean square is the measure.</param>
/// <param name="Rms">The largest root of the mean squared difference allowed.</param>
/// <param name="Lead">
/// The lead that the winning class's score must have for the pixel to count as decided: two scores that are closer may
/// change places within the tolerance, so the label of such a pixel says nothing.
/// </param>
/// <param name="Labels">The share of the decided pixels that must get the same label.</param>
public sealed record VerificationTolerance(double Max, double Rms, double Lead, double Labels)
{
    /// <summary>
    /// fp32 differs in the order of summation alone: 1e-4 is ten times the worst that two float32 runs of the original
    /// frameworks show. Products of fp16 and tf32 have 11 bits, those of bf16 have 8; through a hundred layers that is
    /// a root mean square of up to 5e-3 and 4e-2. Activations of 8 bits show up to 7e-2 on real networks, on pictures
    /// that their ranges were not measured on; three times that is allowed. Five times as much is what the difference
    /// of two scores may move.
    /// </summary>
    /// <param name="precision">The precision that is verified.</param>
    public static VerificationTolerance For(Precision precision) => precision switch
    {
        Precision.Fp32 => new(Max: 1e-4, Rms: 1e-4, Lead: 2e-4, Labels: 1),
        Precision.Tf32 or Precision.Fp16 => new(Max: double.PositiveInfinity, Rms: 5e-3, Lead: 2.5e-2, Labels: 0.995),
        Precision.Bf16 => new(Max: double.PositiveInfinity, Rms: 4e-2, Lead: 2e-1, Labels: 0.995),
        Precision.Int8 => new(Max: double.PositiveInfinity, Rms: 2e-1, Lead: 1, Labels: 0.995),
        _ => throw new ArgumentOutOfRangeException(nameof(precision), precision, "There is no such precision."),
    };

    /// <summary>Whether a tensor is near enough; one that is not a number never is.</summary>
    /// <param name="error">How far the numbers are from those that they should be.</param>
    public bool Allows(TensorError error) => error.Max <= Max && error.Rms <= Rms;

    /// <summary>Whether enough labels are the same.</summary>
    /// <param name="labels">How many labels are the same.</param>
    public bool Allows(LabelAgreement labels) => labels.OfDecided >= Labels;
}
