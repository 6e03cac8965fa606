using System.Text;

namespace Atrous.Checkpoints.Storages;

/// <summary>Names that come out of files, made fit for one line of an error message.</summary>
internal static class Printable
{
    private const int MaxLength = 80, MaxName = 1000;

    /// <summary>What is wrong with the name of a class, after "that"; null for one that can be printed.</summary>
    public static string? ComplaintOf(string name) =>
        name.Length > MaxName ? $"has {name.Length} characters; the longest may have {MaxName}"
        : name.Any(c => char.IsControl(c) && c != '\t') ? "has a control character, which no name has"
        : name.EnumerateRunes().Contains(Rune.ReplacementChar) ? "is no sound Unicode"
        : null;

    /// <summary>The name in quotes, without control characters, shortened.</summary>
    public static string Quote(string name)
    {
        var text = new StringBuilder("'");
        foreach (char c in name.AsSpan(0, Math.Min(name.Length, MaxLength)))
            text.Append(char.IsControl(c) || char.IsSurrogate(c) ? '?' : c);
        return text.Append(name.Length > MaxLength ? "...'" : "'").ToString();
    }
}
