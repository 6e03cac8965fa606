using Atrous.Imaging;
using Atrous.Tests.Cli;
using Atrous.Tests.Segmenters;
using Atrous.Verification;

namespace Atrous.Tests.Verification;

/// <summary>Two devices, one model, one picture.</summary>
public sealed class VerifierTests(GeneratedModel model) : IDisposable
{
    private readonly Image _photo = Image.Load(Workplace.Photo(97, 129));

    public void Dispose() => _photo.Dispose();

    [Fact]
    public void The_cpu_is_judged_by_the_reference_and_is_right()
    {
        using var verifier = Verifier.Load(model.Path, new SegmenterOptions { Device = "cpu" });
        Assert.Equal(("cpu", "reference"), (verifier.Tested.Device, verifier.Judge.Device));
        PictureVerification result = verifier.Compare(_photo);
        Assert.True(verifier.Tolerance.Allows(result.Scores), $"{result.Scores}");
        Assert.True(verifier.Tolerance.Allows(result.Labels), $"{result.Labels}");
        Assert.Equal(97 * 129, result.Labels.Pixels);
        Assert.InRange(result.Labels.Decided, 97 * 129 * 9 / 10, 97 * 129);
    }

    [Fact]
    public void Another_network_is_not()
    {
        using var verifier = new Verifier(
            Segmenter.Load(model.Path, new SegmenterOptions { Device = "cpu", OutputStride = 8 }),
            Segmenter.Load(model.Path, new SegmenterOptions { Device = "cpu" }),
                VerificationTolerance.For(Precision.Fp32));
        PictureVerification result = verifier.Compare(_photo);
        Assert.False(verifier.Tolerance.Allows(result.Scores), $"{result.Scores}");
        Assert.False(verifier.Tolerance.Allows(result.Labels), $"{result.Labels}");
    }
}
