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
    CudaDevice device, Precision precision, CudaOptions options, ChoiceFile choices, PlanFiles plans) : IDisposable
{
    /// <summary>Engines of cuDNN's, and algorithms of cuBLASLt's, that are timed.</summary>
    private const int MostEngines = 8, MostAlgorithms = 4;

    private readonly Dictionary<ConvolutionProblem, ConvolutionAlgorithm?> _algorithms = [];

    /// <summary>How products of float32 are computed.</summary>
    private ComputeType Compute =>
        precision == Precision.Tf32 ? ComputeType.Compute32FFastTF32 : ComputeType.Compute32F;

    /// <summary>
    /// An algorithm, which stays this object's; null where neither library has one for tensors that lie like this.
    /// </summary>
    public ConvolutionAlgorithm? Find(ConvolutionProblem problem)
    {
        if (!_algorithms.TryGetValue(problem, out ConvolutionAlgorithm? algorithm))
        {
            algorithm = Kept(problem);
            string how = algorithm is null ? options.Tuning ? "timed" : "proposed" : "kept";
            algorithm ??= Chosen(problem);
            _algorithms.Add(problem, algorithm);
            options.Log?.Invoke($"{problem.Key}: {algorithm?.Choice.ToString() ?? "no algorithm"} ({how})");
        }
        return algorithm;
    }

    public void Dispose()
    {
        foreach (ConvolutionAlgorithm? algorithm in _algorithms.Values)
            algorithm?.Dispose();
        _algorithms.Clear();
    }

    private ConvolutionAlgorithm? Kept(ConvolutionProblem problem)
    {
        if (!options.Tuning || choices.Get(problem.Key) is not { } choice)
            return null;
        try
        {
            if (choice.Kind == ConvolutionChoice.Product)
                return ProductAlgorithm.Suits(problem)
                    ? ProductAlgorithm.Restore(device, problem, Compute, choice.Algorithm)
                    : null;
            if (KeptPlan(problem, choice) is { } compiled)
                return new DnnAlgorithm(problem, compiled, choice);
            using OperationGraph graph =
                DnnAlgorithm.Describe(device.Dnn, problem, choice.Kind == ConvolutionChoice.Fused);
            using EngineConfig config = graph.CreateEngineConfig(choice.ToEngine());
            return IsAllowed(config) && config.TryPlan() is { } plan ? new DnnAlgorithm(problem, plan, choice) : null;
        }
        catch (Exception e) when (e is CudaDNNException or CudaBlasException)
        {
            options.Log?.Invoke($"{problem.Key}: {choice} was kept, but is not to be had any more ({e.Message})");
            return null;
        }
    }

    private ExecutionPlan? KeptPlan(ConvolutionProblem problem, ConvolutionChoice choice)
    {
        try
        {
            return plans.Get(problem.Key, choice) is { } json ? ExecutionPlan.FromJson(device.Dnn, json) : null;
        }
        catch (CudaDNNException e)
        {
            options.Log?.Invoke($"{problem.Key}: a plan that was kept is made anew ({e.Message})");
            return null;
        }
    }

    private ConvolutionAlgorithm? Chosen(ConvolutionProblem problem)
    {
        if (!options.Tuning)
            return Candidates(problem).FirstOrDefault();
        ConvolutionAlgorithm[] candidates = [.. Candidates(problem)];
        if (candidates.Length == 0)
            return null;
        ConvolutionAlgorithm best = candidates[0];
        try
        {
            if (candidates.Length > 1)
                best = Stopwatch.Fastest(device, candidates);
            choices.Set(problem.Key, best.Choice);
            if (best.ToJson() is { } json)
                plans.Set(problem.Key, best.Choice, json);
        }
        catch (Exception e) when (CudaFailure.IsOne(e) && !CudaFailure.IsLasting(e) || e is AtrousException)
        {
            options.Log?.Invoke($"{problem.Key}: not timed ({e.Message})");
        }
        foreach (ConvolutionAlgorithm candidate in candidates.Where(candidate => candidate != best))
            candidate.Dispose();
        return best;
    }

    /// <summary>
    /// Algorithms that can be planned, made as they are asked for. cuDNN's for the sum alone come only where there is
    /// no other, because each of them writes the result several times.
    /// </summary>
    private IEnumerable<ConvolutionAlgorithm> Candidates(ConvolutionProblem problem)
    {
        bool any = false;
        if (DnnAlgorithm.CanFuse(problem))
        {
            foreach (ConvolutionAlgorithm algorithm in Engines(problem, fused: true))
            {
                any = true;
                yield return algorithm;
            }
        }
        if (ProductAlgorithm.Suits(problem))
        {
            foreach (ConvolutionAlgorithm algorithm in Products(problem))
            {
                any = true;
                yield return algorithm;
            }
        }
        if (any && DnnAlgorithm.CanFuse(problem))
            yield break;
        foreach (ConvolutionAlgorithm algorithm in Engines(problem, fused: false))
            yield return algorithm;
    }

    private IEnumerable<ConvolutionAlgorithm> Products(ConvolutionProblem problem)
    {
        try
        {
            return ProductAlgorithm.Candidates(device, problem, Compute, options.Tuning ? MostAlgorithms : 1);
        }
        catch (CudaBlasException e)
        {
            options.Log?.Invoke($"{problem.Key}: cuBLASLt refused ({e.Message})");
            return [];
        }
    }

    private IEnumerable<ConvolutionAlgorithm> Engines(ConvolutionProblem problem, bool fused)
    {
        using OperationGraph? graph = Describe(problem, fused);
        if (graph is null)
            yield break;
        var seen = new HashSet<string>();
        int planned = 0;
        foreach (HeuristicMode mode in new[] { HeuristicMode.A, HeuristicMode.B, HeuristicMode.Fallback })
        {
            // Each further list is for what the ones before it left without an engine.
            if (planned > 0)
                yield break;
            EngineConfig[] configs = graph.GetEngineConfigs(mode, 4 * MostEngines);
            try
            {
                foreach (EngineConfig config in configs)
                {
                    if (planned == MostEngines)
                        break;
                    ConvolutionChoice choice = ConvolutionChoice.OfEngine(fused, config.Choice);
                    if (!seen.Add($"{choice.Engine} {string.Join(' ', choice.Knobs!)}") || !IsAllowed(config)
                        || Plan(problem, config) is not { } plan)
                        continue;
                    planned++;
                    yield return new DnnAlgorithm(problem, plan, choice);
                }
            }
            finally
            {
                foreach (EngineConfig config in configs)
                    config.Dispose();
            }
        }
    }

    private OperationGraph? Describe(ConvolutionProblem problem, bool fused)
    {
        try
        {
            return DnnAlgorithm.Describe(device.Dnn, problem, fused);
        }
        catch (CudaDNNException e) when (!IsOfDevice(e))
        {
            options.Log?.Invoke($"{problem.Key}: cuDNN does not take it {(fused ? "fused" : "alone")} ({e.Message})");
            return null;
        }
    }

    private ExecutionPlan? Plan(ConvolutionProblem problem, EngineConfig config)
    {
        try
        {
            return config.TryPlan();
        }
        catch (CudaDNNException e) when (!IsOfDevice(e))
        {
            // Heuristics list engines that fail to build now and then; the next one is as good.
            options.Log?.Invoke($"{problem.Key}: cuDNN engine {config.Choice.Engine} cannot be built ({e.Message})");
            return null;
        }
    }

    /// <summary>A failure of the device or of memory, which no other engine makes good.</summary>
    private static bool IsOfDevice(CudaDNNException e) =>
        e.CudnnError is CudnnStatus.ExecutionFailed or CudnnStatus.NotInitialized;

    /// <summary>
    /// Engines keep the precision that was asked for: no tensor cores where float32 shall be float32, nowhere sums in
    /// less than float32, and equal inputs give equal bits.
    /// </summary>
    private bool IsAllowed(EngineConfig config) => !config.NumericalNotes.Any(note => note switch
    {
        NumericalNote.TensorCore => precision == Precision.Fp32,
        NumericalNote.DownConvertInputs or NumericalNote.ReducedPrecisionReduction or NumericalNote.Nondeterministic =>
            true,
        NumericalNote.Fft or NumericalNote.Winograd or NumericalNote.WinogradTile4x4 or NumericalNote.WinogradTile6x6
            or NumericalNote.WinogradTile13x13 => true,
        _ => false,
    });
}
