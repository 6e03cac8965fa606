using System.Diagnostics;
using Atrous.Hosting.Lifecycle;
using Atrous.Hosting.Scheduling;
using Atrous.Imaging;
using Atrous.Tensors;

namespace Atrous.Hosting.Requests;

/// <summary>The probabilities of the caller's picture. Its result is large, and it runs by itself.</summary>
internal sealed class ProbabilityWork(LoadedModel model, Image photo, SegmentRequest request) : Work
{
    public override object Key => this;

    public override bool NeedsPreparation => false;

    /// <summary>The result, the caller's once the work is delivered.</summary>
    public Tensor? Result { get; private set; }

    public override void Prepare()
    {
    }

    public override void Run(IReadOnlyList<Work> batch, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        Result = model.Segmenter.Probabilities(photo, request, cancellationToken);
        Stages = new StageTimes(TimeSpan.Zero, Stopwatch.GetElapsedTime(start), TimeSpan.Zero, 1);
    }

    public override void Release(bool delivered)
    {
        if (!delivered)
            Result?.Dispose();
        model.Release();
    }
}
