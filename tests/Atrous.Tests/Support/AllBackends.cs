using System.Runtime.InteropServices;
using Atrous.Backends;
using Atrous.Backends.Cpu;
using Atrous.Backends.Reference;

namespace Atrous.Tests.Support;

/// <summary>
/// The one list of backends that the tests run. A theory takes a name and makes the backend for itself.
/// </summary>
public static partial class AllBackends
{
    private static readonly (string Name, Func<IBackend> Create)[] Rows =
    [
        ("reference", () => new ReferenceBackend()),
        ("cpu", () => new CpuBackend()),
        ("cpu, one thread", () => new CpuBackend(1)),
        ("cpu, three threads", () => new CpuBackend(3)),
        ("cpu, baseline", () => Forced("baseline")),
        ("cpu, avx2", () => Forced("avx2")),
        ("cpu, avx512", () => Forced("avx512")),
    ];

    public static IReadOnlyList<string> Names { get; } = [.. Rows.Select(row => row.Name)];

    /// <summary>Every row with every name: what a theory over backends and cases needs.</summary>
    public static TheoryData<string, string> With(IEnumerable<string> cases) =>
        [.. cases.SelectMany(_ => Names, (name, backend) => (backend, name))];

    /// <summary>
    /// A new backend, which the caller disposes; skips the test with the reason where this machine has it not.
    /// </summary>
    public static IBackend Create(string name)
    {
        try
        {
            return Rows.Single(row => row.Name == name).Create();
        }
        catch (UnavailableException unavailable)
        {
            Assert.Skip(unavailable.Message);
            throw;
        }
    }

    /// <summary>
    /// The CPU backend with everything stored as bfloat16; skips the test with the reason where this machine has it
    /// not.
    /// </summary>
    internal static CpuBackend OfBFloat16()
    {
        try
        {
            return new CpuBackend(precision: Precision.Bf16);
        }
        catch (UnavailableException unavailable)
        {
            Assert.Skip(unavailable.Message);
            throw;
        }
    }

    /// <summary>
    /// What is made while an environment variable has a value. The kernels look at the process's own environment, not
    /// at .NET's copy.
    /// </summary>
    public static T Under<T>(string variable, string value, Func<T> make)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There a library's environment is a copy of its own.");
        string? before = Environment.GetEnvironmentVariable(variable);
        Assert.Equal(0, SetEnvironment(variable, value, 1));
        try
        {
            return make();
        }
        finally
        {
            _ = before is null ? UnsetEnvironment(variable) : SetEnvironment(variable, before, 1);
        }
    }

    /// <summary>The CPU backend on one instruction set.</summary>
    private static CpuBackend Forced(string instructionSet)
    {
        CpuBackend backend = Under("ATROUS_ISA", instructionSet, () => new CpuBackend());
        Assert.Equal(instructionSet, backend.InstructionSet);
        return backend;
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "unsetenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int UnsetEnvironment(string name);
}
