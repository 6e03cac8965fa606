using System.Reflection;
using Xunit.v3;

// The counters are those of the whole process.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
[assembly: Atrous.Cuda.Tests.Support.DeviceCheck]

namespace Atrous.Cuda.Tests.Support;

/// <summary>
/// Fails a test that leaves anything alive on the software device, or that made it find a wrong access. A test that
/// provokes one reads the report and calls <see cref="SoftwareDevice.Reset"/> itself.
/// </summary>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class DeviceCheckAttribute : BeforeAfterTestAttribute
{
    // Tests run one at a time, and the same instance serves Before and After of each.
    private long[] _before = [];

    public override void Before(MethodInfo methodUnderTest, IXunitTest test)
    {
        if (SoftwareDevice.Used)
            _before = Counts();
    }

    public override void After(MethodInfo methodUnderTest, IXunitTest test)
    {
        if (!SoftwareDevice.Used)
            return;
        int wrong = SoftwareDevice.Check();
        string reports = SoftwareDevice.Reports;
        SoftwareDevice.Reset();
        Assert.True(wrong == 0, $"{test.TestDisplayName}: {reports}");
        long[] after = Counts();
        foreach (Live kind in Enum.GetValues<Live>())
        {
            long leaked = after[(int)kind] - _before[(int)kind];
            Assert.True(leaked <= 0, $"{test.TestDisplayName} left {leaked} {kind} behind.");
        }
    }

    private static long[] Counts() => [.. Enum.GetValues<Live>().Select(SoftwareDevice.Count)];
}
