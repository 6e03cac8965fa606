using System.Text;
using System.Text.Json;

namespace Atrous.Server.OpenInference;

/// <summary>
/// Reads a client's JSON token by token, in place, and says in a sentence what is not as the protocol wants it. Nothing
/// of the document is kept but what is asked for, and nothing recurses, so that neither size nor depth of a document
/// costs memory.
/// </summary>
internal ref struct DocumentReader
{
    /// <summary>Characters of a name or an id.</summary>
    public const int MaxText = 1024;

    private readonly ReadOnlyMemory<byte> _text;
    private Utf8JsonReader _json;

    /// <param name="text">The document in UTF-8, which is not copied.</param>
    /// <param name="maxDepth">Nested arrays and objects.</param>
    public DocumentReader(ReadOnlyMemory<byte> text, int maxDepth)
    {
        _text = text;
        _json = new Utf8JsonReader(text.Span, new JsonReaderOptions { MaxDepth = maxDepth });
    }

    /// <summary>What a document that is no JSON is answered with.</summary>
    public static ProtocolException Broken(JsonException e) => new(
        $"The request's JSON cannot be read (line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}); check that " +
        $"it is complete, UTF-8, "
        + "not nested deeply, and that Inference-Header-Content-Length counts it when bytes follow it.");

    /// <summary>Enters the object that comes next.</summary>
    public void BeginObject(string what) => Expect(JsonTokenType.StartObject, what, "an object");

    /// <summary>Enters the array that comes next.</summary>
    public void BeginArray(string what) => Expect(JsonTokenType.StartArray, what, "an array");

    /// <summary>Goes to the next member's name, or leaves the object.</summary>
    public bool NextMember()
    {
        _json.Read();
        if (_json.TokenType != JsonTokenType.PropertyName)
            return false;
        // To compare a name unescapes it too.
        if (_json.ValueIsEscaped)
            Unescape("A member's name");
        return true;
    }

    /// <summary>Enters the next object of an array, or leaves the array.</summary>
    public bool NextObject(string what)
    {
        _json.Read();
        if (_json.TokenType == JsonTokenType.EndArray)
            return false;
        Check(JsonTokenType.StartObject, what, "an array of objects");
        return true;
    }

    /// <summary>Reads the next whole number of an array, or leaves the array.</summary>
    public bool NextWhole(string what, out long value)
    {
        _json.Read();
        value = 0;
        if (_json.TokenType == JsonTokenType.EndArray)
            return false;
        value = Whole(what);
        return true;
    }

    /// <summary>True where the member at hand has this name.</summary>
    public readonly bool Is(ReadOnlySpan<byte> name) => _json.ValueTextEquals(name);

    /// <summary>The member's value: a string of at most <see cref="MaxText"/> characters.</summary>
    public string ReadText(string what)
    {
        Expect(JsonTokenType.String, what, "a string");
        // An escaped character takes six bytes at most.
        string? text = _json.ValueSpan.Length <= MaxText * 6 ? Unescape(what) : null;
        return text is { Length: <= MaxText }
            ? text
            : throw new ProtocolException($"{what} has more than {MaxText} characters; shorten it.");
    }

    /// <summary>The member's value: a whole number from 0 on.</summary>
    public long ReadWhole(string what)
    {
        _json.Read();
        long value = Whole(what);
        return value >= 0 ? value : throw new ProtocolException($"{what} is {value}; it must not be negative.");
    }

    /// <summary>The member's value.</summary>
    public bool ReadTruth(string what)
    {
        _json.Read();
        return _json.TokenType is JsonTokenType.True or JsonTokenType.False
            ? _json.GetBoolean()
            : throw new ProtocolException($"{what} must be true or false.");
    }

    /// <summary>The member's value as text: a string, a number, true or false.</summary>
    public string ReadValue(string what)
    {
        _json.Read();
        switch (_json.TokenType)
        {
            case JsonTokenType.True or JsonTokenType.False:
                return _json.GetBoolean() ? "true" : "false";
            case JsonTokenType.Number when _json.ValueSpan.Length <= MaxText:
                return Encoding.ASCII.GetString(_json.ValueSpan);
            case JsonTokenType.String when _json.ValueSpan.Length <= MaxText:
                return Unescape(what);
            default:
                throw new ProtocolException($"{what} must be a short text, a number, true or false.");
        }
    }

    /// <summary>The member's value as it is written: an array.</summary>
    public ReadOnlyMemory<byte> ReadArrayText(string what)
    {
        BeginArray(what);
        int start = (int)_json.TokenStartIndex;
        _json.Skip();
        return _text[start..(int)_json.BytesConsumed];
    }

    /// <summary>Passes the member's value by.</summary>
    public void SkipValue() => _json.Skip();

    /// <summary>Makes sure that nothing follows.</summary>
    public void End() => _json.Read();

    private readonly string Unescape(string what)
    {
        try
        {
            return _json.GetString()!;
        }
        catch (InvalidOperationException)
        {
            // What the reader throws for half a surrogate pair and for bytes that are no UTF-8.
            throw new ProtocolException($"{what} is no valid UTF-8; check how the request is encoded.");
        }
    }

    private readonly long Whole(string what) =>
        // 64-bit unsigned numbers and 1e3 are legal JSON, but no size of a tensor that anybody could send.
        _json.TokenType == JsonTokenType.Number && _json.TryGetInt64(out long value)
            ? value
            : throw new ProtocolException($"{what} must be a whole number below 2^63, without fraction or exponent.");

    private void Expect(JsonTokenType type, string what, string description)
    {
        _json.Read();
        Check(type, what, description);
    }

    private readonly void Check(JsonTokenType type, string what, string description)
    {
        if (_json.TokenType != type)
            throw new ProtocolException($"{what} must be {description}.");
    }
}
