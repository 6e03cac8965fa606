using System.Globalization;
using Atrous.ManagedCuda;
using Atrous.ManagedCuda.CUBLAS;
using Atrous.ManagedCuda.CUDNN;
using Atrous.Tensors;

namespace Atrous.Backends.Cuda.Convolutions;

/// <summary>
/// Finds an algorithm for every convolution of a network: one that was kept, the fastest of those that were timed, or
/// the first that the libraries propose. Used by who holds the device's <see cref="CudaDevice.Setup"/>.
/// </summary>
internal sealed class ConvolutionAlgorithms(
    CudaDevice device, Precision precision, CudaOptions options, ChoiceFile choices, PlanFiles plans,
    TuningSession session, CancellationToken cancellationToken) : IDisposable
{
    private readonly ConvolutionCandidates _candidates = new(device, precision, options, session);
    private readonly Dictionary<ConvolutionProblem, ConvolutionAlgorithm?> _algorithms = [];
    private readonly Dictionary<ConvolutionProblem, double> _milliseconds = [];

    /// <summary>The last that a library refused; null for nothing.</summary>
    public string? LastRefusal => _candidates.LastRefusal;

    /// <summary>
    /// An algorithm, which stays this object's; null where neither library has one for tensors that lie like this.
    /// </summary>
    /// <exception cref="OperationCanceledException">Cancelled; what was chosen before is kept.</exception>
    public ConvolutionAlgorithm? Find(ConvolutionProblem problem)
    {
        if (!_algorithms.TryGetValue(problem, out ConvolutionAlgorithm? algorithm))
        {
            cancellationToken.ThrowIfCancellationRequested();
            algorithm = Kept(problem);
            string how = "kept";
            if (algorithm is null)
                (algorithm, how) = Chosen(problem);
            _algorithms.Add(problem, algorithm);
            options.Log?.Invoke($"{problem.Key}: {algorithm?.Choice.ToString() ?? "no algorithm"} ({how})");
        }
        return algorithm;
    }

    /// <summary>
    /// Whether a convolution that reads or writes slices is slower than one of packed tensors and the copies that it
    /// then takes. False where either was not timed.
    /// </summary>
    public bool IsFasterPacked(ConvolutionProblem sliced)
    {
        ConvolutionProblem packed = sliced.Packed();
        if (packed == sliced || !_milliseconds.TryGetValue(sliced, out double together) || Find(packed) is null
            || !_milliseconds.TryGetValue(packed, out double alone) || alone >= together)
        {
            return false;
        }
        double? copies = CopyTime(sliced.Storage, sliced.X, sliced.XPitch)
            + CopyTime(sliced.Storage, sliced.Y, sliced.YPitch);
        if (copies is null)
            return false;
        options.Log?.Invoke(
            $"{sliced.Key}: {Text(together)} ms in slices, {Text(alone)} packed and {Text(copies.Value)} for copies");
        return alone + copies < together;
    }

    public void Dispose()
    {
        foreach (ConvolutionAlgorithm? algorithm in _algorithms.Values)
            algorithm?.Dispose();
        _algorithms.Clear();
    }

    private ConvolutionAlgorithm? Kept(ConvolutionProblem problem)
    {
        if (!options.Tuning || choices.Get(problem.Key) is not { } choice || choice.Kind == ConvolutionChoice.Copy)
            return null;
        try
        {
            ConvolutionAlgorithm? kept = Restored(problem, choice);
            if (kept is not null && choice.Milliseconds is { } time)
                _milliseconds[problem] = time;
            return kept;
        }
        catch (Exception e) when (e is CudaDNNException or CudaBlasException)
        {
            _candidates.Refuse(problem, $"{choice} was kept, but is not to be had any more", e);
            return null;
        }
    }

    private ConvolutionAlgorithm? Restored(ConvolutionProblem problem, ConvolutionChoice choice)
    {
        if (choice.Kind == ConvolutionChoice.Product)
            return ProductAlgorithm.Suits(problem)
                ? ProductAlgorithm.Restore(device, problem, _candidates.Compute, choice)
                : null;
        if (KeptPlan(problem, choice) is { } compiled)
            return new DnnAlgorithm(problem, compiled, choice);
        using OperationGraph graph = DnnAlgorithm.Describe(device.Dnn, problem, choice.Kind);
        using EngineConfig config = graph.CreateEngineConfig(choice.ToEngine());
        return _candidates.IsAllowed(config) ? new DnnAlgorithm(problem, config.Plan(), choice) : null;
    }

    private ExecutionPlan? KeptPlan(ConvolutionProblem problem, ConvolutionChoice choice)
    {
        try
        {
            return plans.Get(problem.Key, choice) is { } json ? ExecutionPlan.FromJson(device.Dnn, json) : null;
        }
        catch (CudaDNNException e)
        {
            _candidates.Refuse(problem, "a plan that was kept is made anew", e);
            return null;
        }
    }

    private (ConvolutionAlgorithm? Algorithm, string How) Chosen(ConvolutionProblem problem)
    {
        if (!options.Tuning)
            return (Proposed(problem), "proposed");
        if (session.IsSpent)
            return (Proposed(problem), "proposed, the time for choosing is spent");
        session.Begin();
        try
        {
            foreach (IEnumerable<ConvolutionAlgorithm> group in _candidates.Of(problem, all: true, cancellationToken))
            {
                if (Fastest(problem, group) is { } fastest)
                    return fastest;
            }
            return (null, "timed");
        }
        finally
        {
            session.End();
        }
    }

    private ConvolutionAlgorithm? Proposed(ConvolutionProblem problem) =>
        _candidates.Of(problem, all: false, cancellationToken).SelectMany(group => Harmless(problem, group))
        .FirstOrDefault();

    /// <summary>Those that have not twice ended what tried them.</summary>
    private IEnumerable<ConvolutionAlgorithm> Harmless(
        ConvolutionProblem problem, IEnumerable<ConvolutionAlgorithm> group)
    {
        foreach (ConvolutionAlgorithm candidate in group)
        {
            if (!choices.Trials.IsSuspect(problem.Key, candidate.Choice))
            {
                yield return candidate;
                continue;
            }
            options.Log?.Invoke(
                $"{problem.Key}: {candidate.Choice} is left out, since what tried it before did not outlive it");
            candidate.Dispose();
        }
    }

    /// <summary>The fastest of some, kept at once; nothing where none of them runs.</summary>
    private (ConvolutionAlgorithm Algorithm, string How)? Fastest(
        ConvolutionProblem problem, IEnumerable<ConvolutionAlgorithm> group)
    {
        var open = new List<ConvolutionAlgorithm>();
        ConvolutionAlgorithm? best = null;
        try
        {
            foreach (ConvolutionAlgorithm candidate in Harmless(problem, group))
                open.Add(candidate);
            if (open.Count == 0)
                return null;
            string how = "timed";
            try
            {
                best = Timed(problem, open, out bool isWhole);
                how = isWhole ? "timed" : "timed in part, the time for choosing is spent";
            }
            catch (AtrousException e)
            {
                // There is no memory to try in.
                options.Log?.Invoke($"{problem.Key}: not timed ({e.Message})");
                (best, how) = (open[0], "proposed");
            }
            if (best is not null && how == "timed")
                Keep(problem, best);
            return best is null ? null : (best, how);
        }
        catch
        {
            best = null;
            throw;
        }
        finally
        {
            foreach (ConvolutionAlgorithm candidate in open.Where(candidate => candidate != best))
                candidate.Dispose();
        }
    }

    private ConvolutionAlgorithm? Timed(
        ConvolutionProblem problem, List<ConvolutionAlgorithm> candidates, out bool isWhole)
    {
        using var timer = new ConvolutionTimer(device, problem, candidates.Max(candidate => candidate.WorkspaceSize));
        ConvolutionAlgorithm? best = null;
        double least = double.PositiveInfinity;
        isWhole = true;
        foreach (ConvolutionAlgorithm candidate in candidates)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (best is not null && session.IsSpent)
            {
                isWhole = false;
                break;
            }
            if (Tried(problem, timer, candidate, least, out string? failure) is not { } time)
            {
                options.Log?.Invoke($"{problem.Key}: {candidate.Choice} is no candidate ({failure})");
                continue;
            }
            options.Log?.Invoke($"{problem.Key}: {candidate.Choice} takes {Text(time)} ms");
            if (time < least)
                (best, least) = (candidate, time);
        }
        if (best is not null)
            _milliseconds[problem] = least;
        return best;
    }

    private double? Tried(
        ConvolutionProblem problem, ConvolutionTimer timer, ConvolutionAlgorithm candidate, double best,
        out string? failure)
    {
        using TrialMarks.Trial trial = choices.Trials.Begin(problem.Key, candidate.Choice);
        try
        {
            return timer.Time(candidate, best, out failure);
        }
        catch (CudaException e) when (CudaFailure.IsLasting(e))
        {
            trial.Fail();
            throw;
        }
    }

    /// <summary>At once: whoever ends the process later loses nothing.</summary>
    private void Keep(ConvolutionProblem problem, ConvolutionAlgorithm algorithm)
    {
        // The plan first: a choice that is there finds it.
        if (Compiled(problem, algorithm) is { } json)
            plans.Set(problem.Key, algorithm.Choice, json);
        choices.Set(problem.Key, algorithm.Choice with { Milliseconds = _milliseconds[problem] });
        choices.Save();
    }

    private byte[]? Compiled(ConvolutionProblem problem, ConvolutionAlgorithm algorithm)
    {
        try
        {
            return algorithm.ToJson();
        }
        catch (CudaDNNException e)
        {
            _candidates.Refuse(problem, "its plan cannot be kept", e);
            return null;
        }
    }

    /// <summary>Milliseconds that a packed tensor takes to be copied into its slice; 0 where it is none.</summary>
    private double? CopyTime(DType storage, Shape shape, long pitch)
    {
        if (pitch == shape.Channels)
            return 0;
        string key = string.Create(CultureInfo.InvariantCulture, $"copy {storage} {shape}/{pitch}");
        if (choices.Get(key)?.Milliseconds is { } known)
            return known;
        try
        {
            if (ConvolutionTimer.TimeCopy(device, storage, shape, pitch, out string? failure) is not { } time)
            {
                options.Log?.Invoke($"{key}: not timed ({failure})");
                return null;
            }
            choices.Set(key, new ConvolutionChoice(ConvolutionChoice.Copy, Milliseconds: time));
            choices.Save();
            return time;
        }
        catch (AtrousException e)
        {
            options.Log?.Invoke($"{key}: not timed ({e.Message})");
            return null;
        }
    }

    private static string Text(double milliseconds) => milliseconds.ToString("0.0000", CultureInfo.InvariantCulture);
}
