using Atrous.Tensors;
using Atrous.Verification;

namespace Atrous.Tests.Verification;

/// <summary>What errors and label agreements are, on numbers that can be checked by hand.</summary>
public sealed class MeasureTests
{
    [Fact]
    public void Errors_are_in_standard_deviations_of_what_is_expected()
    {
        // Mean 3, standard deviation 2.
        float[] expected = [1, 5, 1, 5];
        TensorError error = TensorError.Of([1, 5, 2, 2], expected);
        Assert.Equal(2, error.Std);
        Assert.Equal(1.5, error.Max);
        Assert.Equal(0.5, error.Mean);
        Assert.Equal(Math.Sqrt(10.0 / 4) / 2, error.Rms, 12);
        Assert.Equal(new TensorError(0, 0, 0, 2), TensorError.Of(expected, expected));
    }

    [Fact]
    public void A_constant_is_measured_by_its_size() =>
        Assert.Equal(new TensorError(0.25, 0.125, Math.Sqrt(0.5) / 4, 4), TensorError.Of([4, 5], [4, 4]));

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void What_is_no_number_is_never_within_a_tolerance(float value)
    {
        TensorError error = TensorError.Of([1, value, 3], [1, 2, 3]);
        Assert.All(
            Enum.GetValues<Precision>(), precision => Assert.False(VerificationTolerance.For(precision).Allows(error)));
    }

    [Fact]
    public void Lengths_that_differ_are_refused() =>
        Assert.Throws<ArgumentException>(() => TensorError.Of([1, 2], [1, 2, 3]));

    [Fact]
    public void A_pixel_is_decided_where_the_winner_leads()
    {
        using var scores = new Tensor(new Shape(1, 1, 4, 3));
        float[] values =
        [
            9, 1, 1, // decided for 0
            1, 5, 4.5f, // a near tie of 1 and 2
            1, 5, 4.5f,
            1, 2, 9, // decided for 2
        ];
        values.CopyTo(scores.Image<float>(0));
        LabelAgreement labels = LabelAgreement.Of([0, 1, 2, 1], scores, lead: 1);
        Assert.Equal(new LabelAgreement(Pixels: 4, Same: 2, Decided: 2, DecidedSame: 1), labels);
        Assert.Equal(0.5, labels.OfAll);
        Assert.Equal(0.5, labels.OfDecided);
        Assert.Equal(4, LabelAgreement.Of([0, 1, 2, 1], scores, lead: 0.1).Decided);
        // Of equals the lowest index is the label, as argmax has it, and nothing is decided.
        scores.Image<float>(0).Fill(1);
        Assert.Equal(new LabelAgreement(4, 4, 0, 0), LabelAgreement.Of([0, 0, 0, 0], scores, lead: 0));
        Assert.Equal(1, LabelAgreement.Of([1, 1, 1, 1], scores, lead: 0).OfDecided);
    }

    [Fact]
    public void Every_precision_has_a_tolerance_and_a_coarser_one_a_wider() => Assert.Equal(
        [Precision.Fp32, Precision.Tf32, Precision.Fp16, Precision.Bf16, Precision.Int8],
        Enum.GetValues<Precision>().OrderBy(precision => VerificationTolerance.For(precision).Rms));
}
