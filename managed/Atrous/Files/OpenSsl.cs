using System.Runtime.InteropServices;

namespace Atrous.Files;

/// <summary>
/// On Linux .NET leaves SHA-256 and TLS to the system's OpenSSL, and aborts the process where there is none: nothing
/// can catch that, so it is asked for beforehand. What needs neither runs without it.
/// </summary>
internal static class OpenSsl
{
    /// <summary>.NET looks for this version before all others.</summary>
    private const string Override = "DOTNET_OPENSSL_VERSION_OVERRIDE";

    private static readonly Lazy<bool> IsThere = new(() => !OperatingSystem.IsLinux() || IsAnyOf(Names()));

    /// <summary>What .NET can use, in its order.</summary>
    private static IEnumerable<string> Names()
    {
        string[] versions = ["3", "1.1", "1.0.2", "1.0.0", "10"];
        return versions.Prepend(Environment.GetEnvironmentVariable(Override))
            .Where(version => !string.IsNullOrEmpty(version)).Select(version => $"libssl.so.{version}");
    }

    /// <summary>Whether the loader finds a library of one of these names.</summary>
    internal static bool IsAnyOf(IEnumerable<string> names) => names.Any(name => NativeLibrary.TryLoad(name, out _));

    /// <summary>Goes on where OpenSSL is there, or is not needed.</summary>
    /// <param name="what">What needs it, as the beginning of a sentence: "The server's token".</param>
    /// <exception cref="UnavailableException">It is needed and not there.</exception>
    public static void Require(string what) => Require(what, IsThere.Value);

    /// <summary>For tests, whose machine has it.</summary>
    internal static void Require(string what, bool isThere)
    {
        if (!isThere)
            throw new UnavailableException(
                $"{what} needs OpenSSL, which this system lacks; install it (Debian, Ubuntu: libssl3; Fedora, RHEL: "
                + "openssl-libs).");
    }
}
