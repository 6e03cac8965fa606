namespace Atrous.Server.Configuration;

/// <summary>
/// What a token and an origin have to be, wherever they are named: a file, an option, the environment.
/// </summary>
internal static class SoundAccess
{
    /// <summary>Fewer characters can be guessed.</summary>
    public const int LeastToken = 16;

    /// <summary>Whether it has no spaces, which headers would cut, and no control characters.</summary>
    public static bool IsOneWord(string token) => !token.Any(c => char.IsWhiteSpace(c) || char.IsControl(c));

    /// <summary>Whether browsers send it so: a scheme and a host, and nothing behind them.</summary>
    public static bool IsOrigin(string given) =>
        Uri.TryCreate(given, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https"
        && uri.GetLeftPart(UriPartial.Authority).Equals(given, StringComparison.OrdinalIgnoreCase);
}
