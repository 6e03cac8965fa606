using Atrous.Imaging;
using Atrous.Preprocessing;
using Atrous.Tensors;

namespace Atrous.Verification;

/// <summary>What a picture's scores and mask are like on the two devices.</summary>
/// <param name="Scores">
/// The error of every class's score for every pixel, from the picture on: pre-processing and upsampling included.
/// </param>
/// <param name="Labels">How far the mask that the device makes agrees with the exact scores.</param>
public sealed record PictureVerification(TensorError Scores, LabelAgreement Labels);

/// <summary>
/// One model on two devices: the one in question, and one that is trusted and judges it, which computes in fp32. Both
/// see the same pictures.
/// </summary>
public sealed class Verifier : IDisposable
{
    internal Verifier(Segmenter tested, Segmenter judge, VerificationTolerance tolerance) =>
        (Tested, Judge, Tolerance) = (tested, judge, tolerance);

    /// <summary>The model on the device in question.</summary>
    public Segmenter Tested { get; }

    /// <summary>The model on the device that is trusted.</summary>
    public Segmenter Judge { get; }

    /// <summary>What the precision may cost.</summary>
    public VerificationTolerance Tolerance { get; }

    /// <summary>Makes a model ready on both devices.</summary>
    /// <param name="path">
    /// The path of a model, as <see cref="Segmenter.Load(string, SegmenterOptions?)"/> takes it.
    /// </param>
    /// <param name="options">The options of the model, and the device and the precision in question.</param>
    /// <param name="judge">
    /// "cpu" or "reference"; null for the CPU, and for the reference's plain loops where the CPU's fp32 is in question.
    /// </param>
    /// <inheritdoc cref="Segmenter.Load(string, SegmenterOptions?)" path="/exception"/>
    public static Verifier Load(string path, SegmenterOptions options, string? judge = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        Segmenter tested = Segmenter.Load(path, options);
        if (tested.Info.IsMultiLabel)
        {
            // Scores are compared, and which is the highest; they are the same either way.
            tested.Dispose();
            options = options with
            {
                Switches = new Dictionary<string, string>(options.Switches) { ["multilabel"] = "false" },
            };
            tested = Segmenter.Load(path, options);
        }
        try
        {
            judge ??= tested.Device == "cpu" && tested.Precision == Precision.Fp32 ? "reference" : "cpu";
            Segmenter trusted =
                Segmenter.Load(path, options with { Device = judge, Backend = null, Precision = Precision.Fp32 });
            return new Verifier(tested, trusted, VerificationTolerance.For(tested.Precision));
        }
        catch
        {
            tested.Dispose();
            throw;
        }
    }

    /// <summary>Compares a picture's scores and its mask.</summary>
    /// <inheritdoc cref="Segmenter.Segment(Image, bool, CancellationToken)" path="/exception"/>
    public PictureVerification Compare(Image photo, CancellationToken cancellationToken = default)
    {
        Segmentation mask = Tested.Segment(photo, cancellationToken: cancellationToken);
        using Tensor actual = Tested.Scores(photo, cancellationToken),
            expected = Judge.Scores(photo, cancellationToken);
        TensorError error = TensorError.Of(actual.Image<float>(0), expected.Image<float>(0));
        return new PictureVerification(error, LabelAgreement.Of(mask.Labels, expected, Tolerance.Lead * error.Std));
    }

    /// <summary>Compares every layer, in the order in which they run, on the same pre-processed picture.</summary>
    /// <inheritdoc cref="Segmenter.Segment(Image, bool, CancellationToken)" path="/exception"/>
    public IEnumerable<LayerVerification> CompareLayers(Image photo, CancellationToken cancellationToken = default)
    {
        using NetworkInput input = Judge.Prepare(photo);
        foreach (
            LayerVerification layer in LayerComparison.Of(
                (Tested.Backend, Tested.Model), (Judge.Backend, Judge.Model), input.Tensor,
                LayerComparison.UsualBudget, cancellationToken))
            yield return layer;
    }

    /// <summary>Gives both models back.</summary>
    public void Dispose()
    {
        Tested.Dispose();
        Judge.Dispose();
    }
}
