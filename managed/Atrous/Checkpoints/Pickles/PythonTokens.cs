using System.Globalization;
using System.Text;

namespace Atrous.Checkpoints.Pickles;

/// <summary>The kinds of <see cref="PythonToken"/>.</summary>
internal enum PythonTokenKind
{
    Name,
    Number,
    Text,
    Symbol,
    NewLine,
    End,
}

/// <summary>A word of Python source.</summary>
/// <param name="Kind">What kind of word it is.</param>
/// <param name="Text">
/// The name or symbol itself; a text's contents; a number as it is written; for a new line what begins it, which may be
/// a semicolon.
/// </param>
/// <param name="Indented">Whether it is the first of a line and spaces stand before it.</param>
internal readonly record struct PythonToken(PythonTokenKind Kind, string Text, bool Indented = false);

/// <summary>
/// Splits Python source into words, as far as configurations need it. Lines that continue within brackets or after a
/// backslash are one; comments are left out.
/// </summary>
internal sealed class PythonTokens(string source)
{
    private int _next;
    private int _brackets;
    private bool _lineStart = true;

    public PythonToken Read()
    {
        bool indented = SkipSpace();
        bool first = _lineStart;
        if (_next >= source.Length)
            return new(PythonTokenKind.End, "");
        char c = source[_next];
        if (c == '\n')
        {
            _next++;
            _lineStart = true;
            return new(PythonTokenKind.NewLine, "\n");
        }
        if (c == ';' && _brackets == 0)
        {
            _next++;
            return new(PythonTokenKind.NewLine, ";");
        }
        _lineStart = false;
        return Word(c) with { Indented = first && indented };
    }

    private PythonToken Word(char c)
    {
        int start = _next;
        if (char.IsLetter(c) || c == '_')
        {
            while (_next < source.Length && (char.IsLetterOrDigit(source[_next]) || source[_next] == '_'))
                _next++;
            string name = source[start.._next];
            // A prefix of a text: r, b and u leave it a text that is used here; an f-string is computed.
            return Peek() is '"' or '\'' && name.Length <= 2
                ? Quoted(raw: name.Contains('r', StringComparison.OrdinalIgnoreCase),
                    computed: name.Contains('f', StringComparison.OrdinalIgnoreCase))
                : new(PythonTokenKind.Name, name);
        }
        if (char.IsAsciiDigit(c) || (c == '.' && char.IsAsciiDigit(Peek(1))))
            return Number();
        if (c is '"' or '\'')
            return Quoted(raw: false, computed: false);
        _next++;
        if (c is '(' or '[' or '{')
            _brackets++;
        else if (c is ')' or ']' or '}')
            _brackets = Math.Max(_brackets - 1, 0);
        return new(PythonTokenKind.Symbol, c.ToString());
    }

    private PythonToken Number()
    {
        int start = _next;
        while (char.IsAsciiLetterOrDigit(Peek()) || Peek() is '.' or '_'
            || (Peek() is '+' or '-' && source[_next - 1] is 'e' or 'E'))
            _next++;
        return new(PythonTokenKind.Number, source[start.._next].Replace("_", "", StringComparison.Ordinal));
    }

    private PythonToken Quoted(bool raw, bool computed)
    {
        char quote = source[_next];
        bool isLong = Peek(1) == quote && Peek(2) == quote;
        string end = new(quote, isLong ? 3 : 1);
        _next += end.Length;
        var text = new StringBuilder();
        while (_next < source.Length && string.CompareOrdinal(source, _next, end, 0, end.Length) != 0)
        {
            if (source[_next] == '\n' && !isLong)
                break;
            if (source[_next] == '\\' && !raw)
                Escape(text);
            else
                text.Append(source[_next++]);
        }
        _next = Math.Min(_next + end.Length, source.Length);
        return computed
            ? new(PythonTokenKind.Symbol, "f")
            : new(PythonTokenKind.Text, text.ToString());
    }

    private void Escape(StringBuilder text)
    {
        char c = Peek(1);
        _next = Math.Min(_next + 2, source.Length);
        int digits = c switch { 'x' => 2, 'u' => 4, 'U' => 8, _ => 0 };
        if (digits > 0 && _next + digits <= source.Length
            && int.TryParse(
                source.AsSpan(_next, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture,
                out int code)
            && Rune.IsValid(code))
        {
            _next += digits;
            text.Append(new Rune(code).ToString());
            return;
        }
        text.Append(c switch
        {
            'n' => "\n",
            't' => "\t",
            'r' => "\r",
            '\n' or '\0' => "",
            '\\' or '\'' or '"' => c.ToString(),
            _ => "\\" + c,
        });
    }

    /// <summary>True where it has skipped spaces.</summary>
    private bool SkipSpace()
    {
        int start = _next;
        for (; _next < source.Length; _next++)
        {
            char c = source[_next];
            if (c == '#')
            {
                while (_next + 1 < source.Length && source[_next + 1] != '\n')
                    _next++;
            }
            else if (c == '\\' && Peek(1) == '\n')
            {
                _next++;
            }
            else if (c is not (' ' or '\t' or '\r' or '\f' or '\uFEFF') && !(c == '\n' && _brackets > 0))
            {
                break;
            }
        }
        return _next > start;
    }

    private char Peek(int ahead = 0) => _next + ahead < source.Length ? source[_next + ahead] : '\0';
}
