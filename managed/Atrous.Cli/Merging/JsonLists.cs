using System.Text.Json;

namespace Atrous.Cli.Merging;

/// <summary>
/// An object whose members are mostly lists, read one element after the other: the whole of it is never held.
/// </summary>
internal sealed class JsonLists(Stream stream)
{
    private byte[] _buffer = new byte[1 << 16];
    private int _start, _end;
    private bool _isWhole;
    private JsonReaderState _state;
    private Where _where = Where.Before;
    private string _name = "";

    private enum Where
    {
        Before,
        InObject,
        InList,
        Behind,
    }

    /// <summary>The next element of a list, or a member that is none; null at the end.</summary>
    /// <exception cref="JsonException">The file is no such object, or ends early.</exception>
    public (string Name, JsonElement Value)? Next()
    {
        while (true)
        {
            if (TryNext(out (string, JsonElement)? found))
            {
                if (found is not null || _where == Where.Behind)
                    return found;
            }
            else if (_isWhole)
            {
                throw new JsonException("it ends early");
            }
            else
            {
                ReadMore();
            }
        }
    }

    /// <summary>One step; false where that takes more of the file.</summary>
    private bool TryNext(out (string Name, JsonElement Value)? found)
    {
        found = null;
        var reader = new Utf8JsonReader(_buffer.AsSpan(_start, _end - _start), _isWhole, _state);
        Where next = _where;
        if (!reader.Read())
            return false;
        if (_where == Where.Before)
        {
            if (reader.TokenType != JsonTokenType.StartObject)
                throw new JsonException("it is no object");
            next = Where.InObject;
        }
        else if (reader.TokenType is JsonTokenType.EndObject or JsonTokenType.EndArray)
        {
            next = _where == Where.InList ? Where.InObject : Where.Behind;
        }
        else
        {
            if (_where == Where.InObject)
            {
                _name = reader.GetString()!;
                if (!reader.Read())
                    return false;
            }
            if (_where == Where.InObject && reader.TokenType == JsonTokenType.StartArray)
            {
                next = Where.InList;
            }
            else
            {
                if (!JsonDocument.TryParseValue(ref reader, out JsonDocument? document))
                    return false;
                using (document)
                    found = (_name, document.RootElement.Clone());
            }
        }
        _start += (int)reader.BytesConsumed;
        (_state, _where) = (reader.CurrentState, next);
        return true;
    }

    private void ReadMore()
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
        if (_end > _buffer.Length / 2)
            Array.Resize(ref _buffer, checked(2 * _buffer.Length));
        int count = stream.Read(_buffer.AsSpan(_end));
        _isWhole = count == 0;
        _end += count;
    }
}
