namespace Atrous.Backends;

/// <summary>A backend that works on several runs at a time better than on one after the other.</summary>
internal interface IParallelRuns
{
    /// <summary>How many it is good for; at least 1. More wait for each other.</summary>
    int RunsAtOnce { get; }

    /// <summary>How many runs, one after the other, leave nothing for the first requests to wait for.</summary>
    int RunsToWarmUp => RunsAtOnce;
}
