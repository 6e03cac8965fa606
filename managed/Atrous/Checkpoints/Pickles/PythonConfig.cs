using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Atrous.Checkpoints.Pickles;

/// <summary>
/// A configuration that is Python source, as data: assignments of dict(...), {...}, lists, tuples, texts, numbers,
/// True, False, None, and names that were assigned before. Nothing is executed; what is anything else is unread, and so
/// is every name of a line that does more than assign, for that line may change it.
/// </summary>
internal sealed class PythonConfig
{
    /// <summary>The one entry of what stands for a value that was not read: its source.</summary>
    public const string Unread = "$unread";

    private const int MaxDepth = 40, MaxSource = 4 << 20, ShownSource = 40;

    /// <summary>Entries that `**name` may repeat; a few words repeat thousands each time.</summary>
    private const int MaxMerged = 100_000;

    private readonly PythonTokens _tokens;
    private readonly PickleDict _names = new();
    private PythonToken _token;
    private bool _assigns;
    private int _merged;

    private PythonConfig(string source)
    {
        _tokens = new PythonTokens(source);
        _token = _tokens.Read();
    }

    /// <summary>The assigned names with their values; null where nothing is assigned, or far too much.</summary>
    public static JsonElement? Read(string source)
    {
        if (source.Length > MaxSource)
            return null;
        var config = new PythonConfig(source);
        while (config._token.Kind != PythonTokenKind.End)
            config.Statement();
        return config._assigns && config._merged <= MaxMerged ? PickleJson.Of(config._names) : null;
    }

    private bool IsSymbol(string symbol) => _token.Kind == PythonTokenKind.Symbol && _token.Text == symbol;

    /// <summary>At the end of a statement: a line's, or a semicolon.</summary>
    private bool AtEnd => _token.Kind is PythonTokenKind.NewLine or PythonTokenKind.End;

    private bool AtEndOfLine => AtEnd && _token.Text != ";";

    private void Statement()
    {
        PythonToken first = _token;
        if (first.Kind != PythonTokenKind.Name)
        {
            ForgetLine();
            return;
        }
        Next();
        if (IsSymbol("=") && !first.Indented)
        {
            Next();
            object? value = Value(MaxDepth);
            _assigns = true;
            _names.Set(first.Text, AtEnd ? value : NotRead(first.Text + " = ..."));
            if (AtEnd)
                Next();
            else
                ForgetLine();
            return;
        }
        Forget(first.Text);
        ForgetLine();
    }

    /// <summary>
    /// Whatever the line is, it may change what it names: "model.update(...)", "x += 1", "a, b = ...", "if x: a = 1".
    /// What follows a semicolon belongs to it, as it does after an "if".
    /// </summary>
    private void ForgetLine()
    {
        int brackets = 0;
        while (!AtEndOfLine)
        {
            PythonToken token = _token;
            brackets += Bracket();
            Next();
            // "f(name=...)" is another name.
            if (token.Kind == PythonTokenKind.Name && !(brackets > 0 && IsSymbol("=")))
                Forget(token.Text);
        }
        Next();
    }

    /// <summary>What has the name may have other names too, and is changed under all of them.</summary>
    private void Forget(string name)
    {
        switch (_names.Items.GetValueOrDefault(name))
        {
            case PickleDict dict when !dict.Items.ContainsKey(Unread):
                dict.Items.Clear();
                dict.Set(Unread, name);
                break;
            case PickleList { Items: var items }:
                items.Clear();
                items.Add(NotRead(name));
                break;
        }
        _names.Set(name, NotRead(name));
    }

    private void Next() => _token = _tokens.Read();

    /// <summary>1 where one opens, -1 where one closes.</summary>
    private int Bracket() => _token.Kind != PythonTokenKind.Symbol ? 0
        : _token.Text is "(" or "[" or "{" ? 1
        : _token.Text is ")" or "]" or "}" ? -1
        : 0;

    /// <summary>A value, of which nothing is left over where an entry, an item or a line ends after it.</summary>
    private object? Value(int depth)
    {
        PythonToken first = _token;
        object? value = depth == 0 ? NotRead("...") : Atom(depth);
        if (Ends())
            return value;
        // An operator, an attribute, an index, a call, a comprehension.
        string source = first.Text;
        var names = new List<string>();
        if (first.Kind == PythonTokenKind.Name)
            names.Add(source);
        int brackets = 0;
        while (_token.Kind != PythonTokenKind.End && !(brackets == 0 && Ends()))
        {
            NoteChange(names, brackets == 0);
            brackets += Bracket();
            if (source.Length <= ShownSource)
                source += _token.Text;
            Next();
        }
        return NotRead(source);
    }

    /// <summary>
    /// A value may change what is named before a bracket or an equals sign: "a = model.pop('b')", "a = b = 1".
    /// </summary>
    /// <param name="names">Those of the value so far.</param>
    /// <param name="outside">Whether all brackets of the value are closed.</param>
    private void NoteChange(List<string> names, bool outside)
    {
        if (_token.Kind == PythonTokenKind.Name)
            names.Add(_token.Text);
        if (IsSymbol("(") || (IsSymbol("=") && outside))
            names.FindAll(_names.Items.ContainsKey).ForEach(Forget);
        if (_token is { Kind: PythonTokenKind.Symbol, Text: "(" or "=" or "," })
            names.Clear();
    }

    private bool Ends() =>
        AtEnd || IsSymbol(",") || IsSymbol(":") || IsSymbol(")") || IsSymbol("]") || IsSymbol("}");

    private object? Atom(int depth)
    {
        PythonToken token = _token;
        switch (token.Kind)
        {
            case PythonTokenKind.Number:
                Next();
                return Number(token.Text);
            case PythonTokenKind.Text:
                return Texts();
            case PythonTokenKind.Name:
                Next();
                return depth > 0 && token.Text == "dict" && IsSymbol("(") ? Keywords(depth) : Named(token.Text);
            case PythonTokenKind.Symbol when token.Text is "-" or "+":
                Next();
                object? operand = depth == 0 ? NotRead("...") : Atom(depth - 1);
                return token.Text == "+" ? operand : operand switch
                {
                    long number => -number,
                    double number => -number,
                    _ => NotRead("-"),
                };
            case PythonTokenKind.Symbol when depth > 0 && token.Text is "[":
                return new PickleList(Items("]", depth, out _));
            case PythonTokenKind.Symbol when depth > 0 && token.Text is "(":
                List<object?> items = Items(")", depth, out bool isTuple);
                return isTuple || items.Count != 1 ? items.ToArray() : items[0];
            case PythonTokenKind.Symbol when depth > 0 && token.Text is "{":
                return Pairs(depth);
            default:
                return NotRead(token.Text);
        }
    }

    private object? Named(string name) => name switch
    {
        "True" => true,
        "False" => false,
        "None" => null,
        _ => _names.Items.TryGetValue(name, out object? value) ? value : NotRead(name),
    };

    private string Texts()
    {
        var text = new StringBuilder();
        for (; _token.Kind == PythonTokenKind.Text; Next())
            text.Append(_token.Text);
        return text.ToString();
    }

    private static object Number(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long whole) ? whole
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double real) ? real
        : NotRead(text);

    private List<object?> Items(string end, int depth, out bool hasComma)
    {
        var items = new List<object?>();
        hasComma = false;
        Next();
        while (!IsSymbol(end) && _token.Kind != PythonTokenKind.End)
        {
            items.Add(Value(depth - 1));
            if (!Separated(end))
                break;
            hasComma |= IsSymbol(",");
            SkipComma();
        }
        Close(end);
        return items;
    }

    /// <summary>dict(name=value, ...).</summary>
    private PickleDict Keywords(int depth)
    {
        var entries = new PickleDict();
        Next();
        while (!IsSymbol(")") && _token.Kind != PythonTokenKind.End)
        {
            string name = _token.Text;
            bool isName = _token.Kind == PythonTokenKind.Name, isRead = false;
            Next();
            if (isName && IsSymbol("="))
            {
                Next();
                entries.Set(name, Value(depth - 1));
                isRead = true;
            }
            else if (name == "*" && IsSymbol("*"))
            {
                Next();
                isRead = TryMerge(Value(depth - 1), entries);
            }
            if (!isRead)
            {
                Abandon();
                return NotRead("dict");
            }
            if (!Separated(")"))
                return NotRead("dict");
            SkipComma();
        }
        Close(")");
        return entries;
    }

    /// <summary>**other.</summary>
    private bool TryMerge(object? other, PickleDict entries)
    {
        if (other is not PickleDict dict || dict.Items.ContainsKey(Unread))
            return false;
        _merged = Math.Min(_merged + dict.Items.Count, MaxMerged + 1);
        if (_merged > MaxMerged)
            return false;
        foreach ((string key, object? value) in dict.Items)
            entries.Set(key, value);
        return true;
    }

    /// <summary>{key: value, ...}; keys are kept as in pickles.</summary>
    private PickleDict Pairs(int depth)
    {
        var entries = new PickleDict();
        Next();
        while (!IsSymbol("}") && _token.Kind != PythonTokenKind.End)
        {
            object? key = Value(depth - 1);
            if (!IsSymbol(":"))
            {
                Abandon();
                return NotRead("{");
            }
            Next();
            entries.Set(key, Value(depth - 1));
            if (!Separated("}"))
                return NotRead("{");
            SkipComma();
        }
        Close("}");
        return entries;
    }

    private bool Separated(string end) => IsSymbol(",") || IsSymbol(end);

    private void SkipComma()
    {
        if (IsSymbol(","))
            Next();
    }

    private void Close(string end)
    {
        if (IsSymbol(end))
            Next();
    }

    /// <summary>Goes past the bracket that is open.</summary>
    private void Abandon()
    {
        for (int open = 1; _token.Kind != PythonTokenKind.End && open > 0; Next())
            open += Bracket();
    }

    private static PickleDict NotRead(string source)
    {
        var unread = new PickleDict();
        unread.Set(Unread, source.Length > ShownSource ? source[..ShownSource] + "..." : source);
        return unread;
    }
}
