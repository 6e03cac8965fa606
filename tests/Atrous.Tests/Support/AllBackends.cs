using Atrous.Backends;
using Atrous.Backends.Reference;

namespace Atrous.Tests.Support;

/// <summary>The one list of backends that the tests run. A theory takes a name and makes the backend for itself.</summary>
public static class AllBackends
{
    private static readonly (string Name, Func<IBackend> Create)[] Rows =
    [
        ("reference", () => new ReferenceBackend()),
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
}
