using Atrous.Cuda.Tests.Support;
using Atrous.ManagedCuda.CUDNN;

namespace Atrous.Cuda.Tests.Dnn;

/// <summary>Engines for graphs, as far as this cuDNN has them.</summary>
internal static class Engines
{
    /// <summary>A plan, or nothing where the engine cannot be made after all, as heuristics propose some.</summary>
    public static ExecutionPlan? PlanOf(EngineConfig config)
    {
        try
        {
            return config.Plan();
        }
        catch (CudaDNNException e) when (!SoftwareDevice.Used || e.IsNotSupported)
        {
            return null;
        }
    }

    /// <summary>The same of all engines: a real cuDNN may have no words for a graph, or only these.</summary>
    public static EngineConfig[] ConfigsOf(OperationGraph graph, HeuristicMode mode)
    {
        try
        {
            return graph.GetEngineConfigs(mode);
        }
        catch (CudaDNNException) when (!SoftwareDevice.Used)
        {
            return [];
        }
    }

    /// <summary>Skips the test where this cuDNN has no engine for the graph, which is its own affair.</summary>
    public static ExecutionPlan FirstPlan(OperationGraph graph)
    {
        ExecutionPlan? plan = null;
        foreach (HeuristicMode mode in (HeuristicMode[])[HeuristicMode.A, HeuristicMode.Fallback])
        {
            foreach (EngineConfig config in ConfigsOf(graph, mode))
            {
                using (config)
                    plan ??= PlanOf(config);
            }
        }
        Assert.SkipWhen(plan is null && !SoftwareDevice.Used, "this cuDNN has no engine for the graph");
        return plan!;
    }
}
