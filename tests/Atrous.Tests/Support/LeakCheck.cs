using System.Reflection;
using Atrous.Backends.Cpu;
using Atrous.Native;
using Atrous.Tensors;
using Xunit.v3;

// Two reasons: the kernels use every core by themselves, and the leak check counts what the whole process holds.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
[assembly: Atrous.Tests.Support.LeakCheck]

namespace Atrous.Tests.Support;

/// <summary>
/// Fails a test that leaves more native memory or handles behind than it found. Fixtures and the test class's own
/// fields live around the test and are not counted.
/// </summary>
[AttributeUsage(AttributeTargets.Assembly | AttributeTargets.Class | AttributeTargets.Method)]
public sealed class LeakCheckAttribute : BeforeAfterTestAttribute
{
    private static readonly (string What, Func<long> Count)[] Counters =
    [
        // A server keeps an arena for each run that ever went on beside others, until its model is gone.
        ("native buffers", () => NativeBuffer.LiveCount - Arenas.Shared.Idle),
        ("native handles", LibAtrous.LiveHandles),
    ];

    /// <summary>
    /// A server's client may see the end of a request a moment before the server has freed all of it.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    // Tests run one at a time, and the same instance serves Before and After of each.
    private long[] _before = [];

    public override void Before(MethodInfo methodUnderTest, IXunitTest test) =>
        _before = [.. Counters.Select(counter => counter.Count())];

    public override void After(MethodInfo methodUnderTest, IXunitTest test)
    {
        for (int i = 0; i < Counters.Length; i++)
        {
            (string what, Func<long> count) = Counters[i];
            long before = _before[i];
            Assert.True(
                SpinWait.SpinUntil(() => count() <= before, Patience),
                $"{test.TestDisplayName} left {count() - before} {what} behind.");
        }
    }
}
