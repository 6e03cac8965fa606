using System.Runtime.InteropServices;
using Atrous.Backends;
using Atrous.Backends.Cpu;
using Atrous.Backends.Reference;

namespace Atrous.Tests.Support;

/// <summary>The one list of backends that the tests run. A theory takes a name and makes the backend for itself.</summary>
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

    /// <summary>A new backend, which the caller disposes; skips the test with the reason where this machine has it not.</summary>
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

    /// <summary>The CPU backend on one instruction set. The kernels look at the process's own environment, not at .NET's copy.</summary>
    private static CpuBackend Forced(string instructionSet)
    {
        const string Variable = "ATROUS_ISA";
        string? before = Environment.GetEnvironmentVariable(Variable);
        Assert.Equal(0, SetEnvironment(Variable, instructionSet, 1));
        try
        {
            var backend = new CpuBackend();
            Assert.Equal(instructionSet, backend.InstructionSet);
            return backend;
        }
        finally
        {
            _ = before is null ? UnsetEnvironment(Variable) : SetEnvironment(Variable, before, 1);
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "unsetenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int UnsetEnvironment(string name);
}
