namespace Atrous.Tests.Support;

/// <summary>
/// Tests that count what the whole process does: they run when no others run, which would be counted too.
/// </summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
