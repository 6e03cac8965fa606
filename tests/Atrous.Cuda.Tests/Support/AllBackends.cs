using Atrous.Backends;
using Atrous.Backends.Cuda;
using Atrous.Cuda.Tests.Support;
using Atrous.ManagedCuda;

namespace Atrous.Tests.Support;

/// <summary>
/// The GPU's rows for the tests that every backend must pass: those of tests/Atrous.Tests are of other processes.
/// </summary>
public static class AllBackends
{
    /// <summary>Untimed, so that equal runs use the same algorithms; TuningTests are for the rest.</summary>
    private static readonly CudaOptions Untimed = new() { Tuning = false };

    /// <summary>
    /// A GPU's context stays from one test to the next: making one takes longer than most tests. The software device
    /// counts them.
    /// </summary>
    private static readonly Lazy<PrimaryContext?> Kept = new(() => SoftwareDevice.Used ? null : new PrimaryContext(0));

    private static readonly (string Name, Func<IBackend> Create)[] Rows = [("cuda, fp32", () => Open(Precision.Fp32))];

    public static IReadOnlyList<string> Names { get; } = [.. Rows.Select(row => row.Name)];

    /// <summary>Those of a GPU, which has no 8 bits.</summary>
    public static Precision[] Precisions { get; } =
        [.. Enum.GetValues<Precision>().Where(precision => precision != Precision.Int8)];

    /// <summary>Every row with every name: what a theory over backends and cases needs.</summary>
    public static TheoryData<string, string> With(IEnumerable<string> cases) =>
        [.. Parts.Of(cases).SelectMany(_ => Names, (name, backend) => (backend, name))];

    /// <summary>A new backend, which the caller disposes.</summary>
    public static IBackend Create(string name) => Rows.Single(row => row.Name == name).Create();

    /// <summary>A backend on the first device.</summary>
    internal static CudaBackend Open(Precision precision, CudaOptions? options = null)
    {
        _ = Kept.Value;
        return new CudaBackend(0, precision, options ?? Untimed);
    }
}
