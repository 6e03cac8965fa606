using System.Runtime.ExceptionServices;
using Atrous.ManagedCuda.CUBLAS;
using Atrous.ManagedCuda.CUDNN;

namespace Atrous.Backends.Cuda.Convolutions;

/// <summary>
/// The algorithms that the libraries propose for a convolution, ready to be run. Whatever a library answers to a
/// question, other than that the device is lost, means that it has nothing there, and is logged.
/// </summary>
internal sealed class ConvolutionCandidates(
    CudaDevice device, Precision precision, CudaOptions options, TuningSession session)
{
    /// <summary>Engines of cuDNN's best heuristics, those that its others add, algorithms of cuBLASLt's.</summary>
    private const int MostEngines = 8, MostFurther = 4, MostAlgorithms = 8;

    /// <summary>The last that a library refused, for the message where nothing is left; null for none.</summary>
    public string? LastRefusal { get; private set; }

    /// <summary>How products of float32 are computed.</summary>
    public ComputeType Compute =>
        precision == Precision.Tf32 ? ComputeType.Compute32FFastTF32 : ComputeType.Compute32F;

    /// <summary>
    /// Groups of algorithms, each planned when it is asked for. A group counts only where those before it have none
    /// that runs: cuDNN's for the sum alone come last, because each of them writes the result several times.
    /// </summary>
    /// <param name="problem">The convolution to compute.</param>
    /// <param name="all">All shall be tried; otherwise one is enough, and none is planned beside it.</param>
    /// <param name="cancellationToken">Is looked at before plans are made.</param>
    public IEnumerable<IEnumerable<ConvolutionAlgorithm>> Of(
        ConvolutionProblem problem, bool all, CancellationToken cancellationToken)
    {
        IEnumerable<ConvolutionAlgorithm> plain = Engines(problem, ConvolutionChoice.Plain, all, cancellationToken);
        if (DnnAlgorithm.CanFuse(problem))
        {
            IEnumerable<ConvolutionAlgorithm> fused = DnnAlgorithm.FusedKinds(problem)
                .SelectMany(kind => Engines(problem, kind, all, cancellationToken));
            yield return fused.Concat(Products(problem, all));
            yield return plain;
        }
        else
            yield return Products(problem, all).Concat(plain);
    }

    /// <summary>Says that a library has nothing where it was asked; throws where the device is lost.</summary>
    public void Refuse(ConvolutionProblem problem, string what, Exception e)
    {
        device.ThrowIfLost();
        if (e is CudaDNNException
            {
                CudnnError: CudnnStatus.InternalErrorCompilationFailed
                    or CudnnStatus.NotSupportedRuntimePrerequisiteMissing
                    or CudnnStatus.NotSupportedSublibraryUnavailable
            })
        {
            session.WarnOfCompiler(e);
        }
        LastRefusal = $"{what} ({e.Message.TrimEnd('.')})";
        options.Log?.Invoke($"{problem.Key}: {what} ({e.Message})");
    }

    /// <summary>
    /// Engines keep the precision that was asked for: no tensor cores where float32 shall be float32, nowhere sums in
    /// less than float32, and equal inputs give equal bits.
    /// </summary>
    public bool IsAllowed(EngineConfig config) => !config.NumericalNotes.Any(note => note switch
    {
        NumericalNote.TensorCore => precision == Precision.Fp32,
        NumericalNote.DownConvertInputs or NumericalNote.ReducedPrecisionReduction or NumericalNote.Nondeterministic =>
            true,
        NumericalNote.Fft or NumericalNote.Winograd or NumericalNote.WinogradTile4x4 or NumericalNote.WinogradTile6x6
            or NumericalNote.WinogradTile13x13 => true,
        _ => false,
    });

    private IEnumerable<ConvolutionAlgorithm> Products(ConvolutionProblem problem, bool all)
    {
        if (!ProductAlgorithm.Suits(problem))
            yield break;
        ProductAlgorithm[] products = [];
        try
        {
            products = ProductAlgorithm.Candidates(device, problem, Compute, all ? MostAlgorithms : 1);
        }
        catch (CudaBlasException e)
        {
            Refuse(problem, "cuBLASLt refused", e);
        }
        foreach (ProductAlgorithm product in products)
            yield return product;
    }

    private IEnumerable<ConvolutionAlgorithm> Engines(
        ConvolutionProblem problem, string kind, bool all, CancellationToken cancellationToken)
    {
        using OperationGraph? graph = Describe(problem, kind);
        if (graph is null)
            yield break;
        var seen = new HashSet<string>();
        int planned = 0;
        foreach (HeuristicMode mode in new[] { HeuristicMode.A, HeuristicMode.B, HeuristicMode.Fallback })
        {
            // The last list is for what the others left without an engine.
            if (planned > 0 && (mode == HeuristicMode.Fallback || !all))
                yield break;
            EngineConfig[] configs = Proposed(problem, graph, mode);
            try
            {
                var fresh = new Queue<EngineConfig>(configs.Where(IsAllowed).Where(config => seen.Add(
                    $"{config.Choice.Engine} {string.Join(' ', config.Choice.Knobs)}")));
                int most = mode == HeuristicMode.B && planned > 0 ? MostFurther : MostEngines;
                while (most > 0 && fresh.Count > 0)
                {
                    EngineConfig[] next = [.. Enumerable.Range(0, Math.Min(all ? most : 1, fresh.Count))
                        .Select(_ => fresh.Dequeue())];
                    foreach (DnnAlgorithm algorithm in Plan(problem, kind, next, cancellationToken))
                    {
                        planned++;
                        most--;
                        yield return algorithm;
                    }
                }
            }
            finally
            {
                foreach (EngineConfig config in configs)
                    config.Dispose();
            }
        }
    }

    private EngineConfig[] Proposed(ConvolutionProblem problem, OperationGraph graph, HeuristicMode mode)
    {
        try
        {
            return graph.GetEngineConfigs(
                mode, 4 * MostEngines, e => Refuse(problem, "an engine that cuDNN proposes cannot be read", e));
        }
        catch (CudaDNNException e)
        {
            Refuse(problem, $"cuDNN's heuristics {mode} failed", e);
            return [];
        }
    }

    private OperationGraph? Describe(ConvolutionProblem problem, string kind)
    {
        try
        {
            return DnnAlgorithm.Describe(device.Dnn, problem, kind);
        }
        catch (CudaDNNException e)
        {
            Refuse(problem, $"cuDNN does not take it {kind}", e);
            return null;
        }
    }

    /// <summary>Makes plans, on several threads: those of engines that are compiled take seconds each.</summary>
    private List<DnnAlgorithm> Plan(
        ConvolutionProblem problem, string kind, EngineConfig[] configs, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var plans = new ExecutionPlan?[configs.Length];
        try
        {
            Parallel.For(
                0, configs.Length, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount },
                i => plans[i] = cancellationToken.IsCancellationRequested ? null : Plan(problem, configs[i]));
            cancellationToken.ThrowIfCancellationRequested();
        }
        catch (Exception e)
        {
            foreach (ExecutionPlan? plan in plans)
                plan?.Dispose();
            if (e is AggregateException { InnerExceptions: [var first, ..] })
                ExceptionDispatchInfo.Throw(first);
            throw;
        }
        var algorithms = new List<DnnAlgorithm>();
        for (int i = 0; i < plans.Length; i++)
        {
            if (plans[i] is { } plan)
                algorithms.Add(new(problem, plan, ConvolutionChoice.OfEngine(kind, configs[i].Choice)));
        }
        return algorithms;
    }

    private ExecutionPlan? Plan(ConvolutionProblem problem, EngineConfig config)
    {
        try
        {
            return config.Plan();
        }
        catch (CudaDNNException e)
        {
            // Heuristics list engines that fail to build now and then; the next one is as good.
            Refuse(problem, $"cuDNN engine {config.Choice.Engine} cannot be built", e);
            return null;
        }
    }
}
