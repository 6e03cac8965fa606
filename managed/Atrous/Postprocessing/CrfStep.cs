using Atrous.Imaging;
using Atrous.Native;
using Atrous.Tensors;

namespace Atrous.Postprocessing;

/// <summary>The CRF as a step of a segmentation, on threads that are there already or on its own.</summary>
internal sealed class CrfStep(DenseCrfParameters parameters, EngineHandle? engine, int threads) : IDisposable
{
    private readonly EngineHandle _engine = engine ?? new EngineHandle(threads);
    private readonly bool _ownsEngine = engine is null;

    /// <summary>The labels of a picture and, where asked for, the CRF's belief in each.</summary>
    /// <param name="photo">The picture, whose edges the mask is to follow; alpha is not looked at.</param>
    /// <param name="scores">NHWC, of the picture's size, with a channel per label.</param>
    /// <param name="form">What the scores are.</param>
    /// <param name="index">Which picture of the batch it is.</param>
    /// <param name="confidence">Also give the CRF's belief in every label.</param>
    /// <param name="cancellationToken">Looked at between two iterations.</param>
    public (ushort[] Labels, float[] Confidence) Refine(
        Image photo, Tensor scores, CrfScores form, int index, bool confidence, CancellationToken cancellationToken)
    {
        int classes = scores.Shape.Channels;
        using var crf = new DenseCrf(_engine, photo.Height, photo.Width, classes);
        crf.SetUnary(scores, form, parameters.Clip, index: index);
        parameters.AddTo(crf, photo);
        crf.Infer(parameters.Iterations, cancellationToken);
        var labels = new ushort[photo.Width * photo.Height];
        crf.CopyLabels(labels);
        if (!confidence)
            return (labels, []);
        using Tensor beliefs = crf.Beliefs();
        ReadOnlySpan<float> q = beliefs.Image<float>(0);
        var winners = new float[labels.Length];
        for (int i = 0; i < winners.Length; i++)
            winners[i] = q[i * classes + labels[i]];
        return (labels, winners);
    }

    public void Dispose()
    {
        if (_ownsEngine)
            _engine.Dispose();
    }
}
