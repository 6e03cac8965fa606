using System.Diagnostics;
using Atrous.Hosting.Lifecycle;
using Atrous.Hosting.Scheduling;
using Atrous.Tensors;

namespace Atrous.Hosting.Requests;

/// <summary>A tensor for the network alone. It is a batch already, and runs by itself.</summary>
internal sealed class TensorWork(LoadedModel model, Tensor input) : Work
{
    public override object Key => this;

    public override bool NeedsPreparation => false;

    /// <summary>The result, the caller's once the work is delivered.</summary>
    public NetworkResult? Result { get; private set; }

    public override void Prepare()
    {
    }

    public override void Run(IReadOnlyList<Work> batch, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        Result = model.Segmenter.Infer(input, cancellationToken);
        Stages = new StageTimes(TimeSpan.Zero, Stopwatch.GetElapsedTime(start), TimeSpan.Zero, 1);
    }

    public override void Release(bool delivered)
    {
        if (!delivered)
            Result?.Dispose();
        model.Release();
    }
}
