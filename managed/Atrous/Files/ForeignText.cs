namespace Atrous.Files;

/// <summary>
/// Text that a stranger wrote and a message quotes: a file's, a server's. It may be long, and have any characters.
/// </summary>
internal static class ForeignText
{
    private const int MaxLength = 300;

    /// <summary>One line, without control characters and halves of surrogate pairs, cut where it is long.</summary>
    public static string OneLine(string text, int maxLength = MaxLength)
    {
        string line = string.Concat(
            text.Take(maxLength).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c));
        return text.Length > maxLength ? line + "..." : line;
    }

    /// <summary>
    /// What a JSON reader says is wrong with a text, which it quotes: without the full stop and the place, which is
    /// told in the serializer's own words.
    /// </summary>
    public static string OfJson(Exception error) => OneLine(error.Message.Split(" Path:")[0].TrimEnd('.'));
}
