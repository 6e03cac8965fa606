using System.Globalization;
using System.Numerics;
using System.Text;

namespace Atrous.Checkpoints.Pickles;

/// <summary>The text forms of values in pickles of protocol 0. Null where a text is malformed.</summary>
internal static class PickleEscapes
{
    private const int MaxDigits = 400;

    /// <summary>A quoted Python string literal.</summary>
    public static string? Unquote(string literal) =>
        literal.Length >= 2 && literal[0] is '\'' or '"' && literal[^1] == literal[0]
            ? Unescape(literal.AsSpan(1, literal.Length - 2), onlyUnicode: false)
            : null;

    /// <summary>"raw-unicode-escape": only \uXXXX and \UXXXXXXXX mean something.</summary>
    public static string? UnescapeUnicode(string text) =>
        Unescape(text, onlyUnicode: true) is { } unescaped && !HasHalfPair(unescaped) ? unescaped : null;

    /// <summary>A long, or a BigInteger where that is too small; an L at the end is allowed.</summary>
    public static object? ParseInteger(string text)
    {
        ReadOnlySpan<char> digits = text.EndsWith('L') ? text.AsSpan(0, text.Length - 1) : text;
        const NumberStyles Style = NumberStyles.AllowLeadingSign;
        if (digits.Length > MaxDigits
            || !BigInteger.TryParse(digits, Style, CultureInfo.InvariantCulture, out BigInteger value))
            return null;
        return Narrow(value);
    }

    public static object Narrow(BigInteger value) =>
        value >= long.MinValue && value <= long.MaxValue ? (object)(long)value : value;

    /// <summary>A surrogate without its other half, which is no character.</summary>
    private static bool HasHalfPair(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
                i++;
            else if (char.IsSurrogate(text[i]))
                return true;
        }
        return false;
    }

    private static string? Unescape(ReadOnlySpan<char> text, bool onlyUnicode)
    {
        var result = new StringBuilder(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
            {
                result.Append(text[i]);
                continue;
            }
            if (++i == text.Length)
            {
                if (!onlyUnicode)
                    return null;
                result.Append('\\');
                break;
            }
            int digits = (text[i], onlyUnicode) switch
            {
                ('u', true) => 4,
                ('U', true) => 8,
                ('x', false) => 2,
                _ => 0,
            };
            if (digits > 0)
            {
                if (i + digits >= text.Length)
                    return null;
                if (!int.TryParse(text.Slice(i + 1, digits), NumberStyles.AllowHexSpecifier,
                    CultureInfo.InvariantCulture, out int code)
                    || code is < 0 or > 0x10ffff)
                    return null;
                result.Append(code > 0xffff ? char.ConvertFromUtf32(code) : ((char)code).ToString());
                i += digits;
            }
            else if (onlyUnicode)
            {
                result.Append('\\').Append(text[i]);
            }
            else
            {
                result.Append(text[i] switch { 'n' => '\n', 'r' => '\r', 't' => '\t', char other => other });
            }
        }
        return result.ToString();
    }
}
