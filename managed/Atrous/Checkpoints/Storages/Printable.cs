using System.Text;

namespace Atrous.Checkpoints.Storages;

/// <summary>Names that come out of files, made fit for one line of an error message.</summary>
internal static class Printable
{
    private const int MaxLength = 80;

    /// <summary>The name in quotes, without control characters, shortened.</summary>
    public static string Quote(string name)
    {
        var text = new StringBuilder("'");
        foreach (char c in name.AsSpan(0, Math.Min(name.Length, MaxLength)))
            text.Append(char.IsControl(c) || char.IsSurrogate(c) ? '?' : c);
        return text.Append(name.Length > MaxLength ? "...'" : "'").ToString();
    }
}
