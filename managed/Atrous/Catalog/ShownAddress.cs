using Atrous.Files;

namespace Atrous.Catalog;

/// <summary>Addresses as messages have them: what may be a secret is left out.</summary>
internal static class ShownAddress
{
    private const int MaxLength = 300;

    /// <summary>The address without user name, password, and what a query says; cut where it is long.</summary>
    public static string Of(Uri address)
    {
        string shown = address.IsAbsoluteUri
            ? WithoutUser(address, UriComponents.SchemeAndServer | UriComponents.Path)
            : address.OriginalString.Split('?', '#')[0];
        // Where a scheme has no queries, what follows a question mark is part of the path, and may be as secret.
        shown = shown.Split("%3F", 2)[0];
        if (address.IsAbsoluteUri && address.Query.Length > 1)
            shown += "?...";
        return ForeignText.OneLine(shown, MaxLength);
    }

    /// <summary>The whole address without user name and password.</summary>
    public static string WithoutUser(Uri address) =>
        WithoutUser(address, UriComponents.AbsoluteUri & ~UriComponents.UserInfo);

    private static string WithoutUser(Uri address, UriComponents parts) =>
        address.GetComponents(parts, UriFormat.UriEscaped);
}
