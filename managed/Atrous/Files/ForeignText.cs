namespace Atrous.Files;

/// <summary>
/// What a JSON reader says is wrong with a text: it quotes the text, which may be long and have any characters.
/// </summary>
internal static class JsonComplaint
{
    private const int MaxLength = 300;

    /// <summary>
    /// One line without the place, which is told in the serializer's own words, and without its full stop.
    /// </summary>
    public static string Of(Exception error)
    {
        string message = error.Message.Split(" Path:")[0].TrimEnd('.');
        string line = string.Concat(
            message.Take(MaxLength).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c));
        return message.Length > MaxLength ? line + "..." : line;
    }
}
