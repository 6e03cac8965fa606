using Atrous.Imaging;
using Atrous.Native;
using Atrous.Tensors;

namespace Atrous.Postprocessing;

/// <summary>The CRF as a step of a segmentation, on threads that are there already or on its own.</summary>
/// <param name="parameters">The kernels and iterations of the CRF.</param>
/// <param name="engine">The threads that it runs on; null for its own.</param>
/// <param name="threads">How many threads of its own it has; 0 means one per core.</param>
/// <param name="progress">Is told how far it is, on the thread that refines; null for nobody.</param>
/// <param name="mostBytes">What the CRF of one picture may reserve, the network's scores included.</param>
internal sealed class CrfStep(
    DenseCrfParameters parameters, EngineHandle? engine, int threads, IProgress<CrfProgress>? progress,
    long mostBytes = CrfSize.MaxBytes) : IDisposable
{
    private readonly EngineHandle _engine = engine ?? new EngineHandle(threads);
    private readonly bool _ownsEngine = engine is null;

    /// <summary>
    /// The labels of a picture and, where asked for, the CRF's belief in each: then the scores become the beliefs, for
    /// which there is no other memory.
    /// </summary>
    /// <param name="photo">The picture, whose edges the mask is to follow; alpha is not looked at.</param>
    /// <param name="scores">NHWC, of the picture's size, with a channel per label.</param>
    /// <param name="form">What the scores are.</param>
    /// <param name="index">Which picture of the batch it is.</param>
    /// <param name="confidence">Also give the CRF's belief in every label.</param>
    /// <param name="cancellationToken">Is looked at between two iterations.</param>
    /// <exception cref="MemoryException">The CRF would take more than it may, as that of noise does.</exception>
    public (ushort[] Labels, float[] Confidence) Refine(
        Image photo, Tensor scores, CrfScores form, int index, bool confidence, CancellationToken cancellationToken)
    {
        int classes = scores.Shape.Channels;
        using DenseCrf crf = Infer(photo, scores, form, index, mostBytes, cancellationToken);
        var labels = new ushort[photo.Width * photo.Height];
        crf.CopyLabels(labels);
        if (!confidence)
            return (labels, []);
        crf.WriteBeliefs(scores, index);
        ReadOnlySpan<float> q = scores.Image<float>(index);
        var winners = new float[labels.Length];
        for (int i = 0; i < winners.Length; i++)
            winners[i] = q[i * classes + labels[i]];
        return (labels, winners);
    }

    /// <summary>
    /// As <see cref="Refine"/>, of a picture that was made smaller: the beliefs, which the scores become, are resized
    /// to the picture's own size.
    /// </summary>
    /// <param name="photo">The picture that was made smaller.</param>
    /// <param name="scores">NHWC, of that size, of one picture.</param>
    /// <param name="form">What the scores are.</param>
    /// <param name="size">The picture's own height and width.</param>
    /// <param name="confidence">Also give the CRF's belief in every label.</param>
    /// <param name="cancellationToken">Is looked at between two iterations.</param>
    /// <exception cref="MemoryException">The CRF would take more than it may, as that of noise does.</exception>
    public unsafe (ushort[] Labels, float[] Confidence) RefineTo(
        Image photo, Tensor scores, CrfScores form, (int Height, int Width) size, bool confidence,
        CancellationToken cancellationToken)
    {
        int classes = scores.Shape.Channels;
        using (DenseCrf crf = Infer(photo, scores, form, 0, mostBytes, cancellationToken))
            crf.WriteBeliefs(scores, 0);
        // Of the logarithms the softmax is the beliefs themselves, and what lies between two pixels is theirs too.
        Span<float> logits = scores.Image<float>(0);
        for (int i = 0; i < logits.Length; i++)
            logits[i] = MathF.Log(MathF.Max(logits[i], 1e-20f));
        var labels = new ushort[size.Height * size.Width];
        float[] certain = confidence ? new float[labels.Length] : [];
        using var held = new TensorLease([scores]);
        var view = new NativeTensor(scores.Pointer, classes, 1, photo.Height, photo.Width, classes);
        fixed (ushort* to = labels)
        fixed (float* certainty = certain)
        {
            LibAtrous.ThrowIfFailed(
                LibAtrous.ResizeArgmax(_engine, in view, new NativeResize(), size.Height, size.Width, to, certainty));
        }
        return (labels, certain);
    }

    public void Dispose()
    {
        if (_ownsEngine)
            _engine.Dispose();
    }

    private DenseCrf Infer(
        Image photo, Tensor scores, CrfScores form, int index, long most, CancellationToken cancellationToken)
    {
        int classes = scores.Shape.Channels, iterations = parameters.Iterations;
        var told = new CrfProgress(
            photo.Height, photo.Width, CrfSize.BytesAt(photo.Height, photo.Width, classes), 0, iterations);
        progress?.Report(told);
        var crf = new DenseCrf(
            _engine, photo.Height, photo.Width, classes,
            CrfSize.LimitAt(photo.Height, photo.Width, classes, most));
        try
        {
            crf.SetUnary(scores, form, parameters.Clip, index: index);
            parameters.AddTo(crf, photo);
            crf.Start();
            for (int done = 1; done <= iterations; done++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                crf.Step();
                progress?.Report(told with { Iteration = done });
            }
            return crf;
        }
        catch
        {
            crf.Dispose();
            throw;
        }
    }
}
