using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text.Json;

namespace Atrous.Server.OpenInference;

/// <summary>
/// The elements of a BYTES tensor: picture files, where they lie in the body. In JSON they are written in base64, since
/// no picture file is text; those are decoded into memory of their own.
/// </summary>
internal sealed class PictureFiles : IDisposable
{
    private readonly InputTensor _input;
    private readonly long _expected;
    private readonly List<ReadOnlyMemory<byte>> _files = [];
    private readonly List<UnmanagedBytes> _decoded = [];

    private PictureFiles(InputTensor input, int maxCount)
    {
        _input = input;
        _expected = input.Elements;
        if (input.Shape is not ([_] or [_, 1]) || _expected == 0)
            throw new ProtocolException(
                $"Input '{input.Name}' has the shape {input.ShapeText}; picture files are [N] or [N,1] with at least " +
                $"one element.");
        PictureCount.Check(input, _expected, maxCount);
    }

    /// <summary>Valid until this is disposed, and as long as the request's body.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Files => _files;

    /// <summary>Finds the files.</summary>
    /// <param name="input">The request's tensor of type BYTES, [N] or [N, 1].</param>
    /// <param name="maxCount">Files that a request may have.</param>
    /// <exception cref="ProtocolException">Shape and data do not fit together.</exception>
    public static PictureFiles Read(InputTensor input, int maxCount)
    {
        var files = new PictureFiles(input, maxCount);
        try
        {
            files.Fill();
            return files;
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _files.Clear();
        foreach (UnmanagedBytes block in _decoded)
            block.Free();
        _decoded.Clear();
    }

    private void Fill()
    {
        switch (_input.Form)
        {
            case TensorForm.Raw:
                _files.Add(_input.Data);
                break;
            case TensorForm.Files:
                _files.AddRange(_input.Files);
                break;
            case TensorForm.Binary:
                ReadPrefixed();
                break;
            default:
                ReadBase64();
                break;
        }
        if (_files.Count != _expected)
        {
            throw new ProtocolException(
                $"Input '{_input.Name}': the shape {_input.ShapeText} says {_expected} elements, the data has " +
                $"{_files.Count}.");
        }
    }

    private void ReadPrefixed()
    {
        ReadOnlyMemory<byte> data = _input.Data;
        while (!data.IsEmpty)
        {
            ThrowIfFull();
            if (data.Length < sizeof(uint))
                throw Torn(sizeof(uint), data.Length);
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(data.Span);
            data = data[sizeof(uint)..];
            if (data.Length < length)
                throw Torn(length, data.Length);
            _files.Add(data[..(int)length]);
            data = data[(int)length..];
        }
    }

    private void ReadBase64()
    {
        // The depth was looked at when the request was read.
        var json = new Utf8JsonReader(_input.Data.Span, new JsonReaderOptions { MaxDepth = int.MaxValue });
        while (json.Read())
        {
            if (json.TokenType is JsonTokenType.StartArray or JsonTokenType.EndArray)
                continue;
            if (json.TokenType != JsonTokenType.String)
                throw new ProtocolException(
                    $"Input '{_input.Name}': the data of BYTES are strings, element {_files.Count} is none.");
            ThrowIfFull();
            var text = new UnmanagedBytes(json.ValueSpan.Length);
            _decoded.Add(text);
            _files.Add(text.Memory[..Decode(ref json, text.GetSpan())]);
        }
    }

    /// <summary>Decodes the string at hand in place.</summary>
    private int Decode(ref Utf8JsonReader json, Span<byte> text)
    {
        try
        {
            int length = json.CopyString(text);
            if (Base64.DecodeFromUtf8InPlace(text[..length], out int written) == OperationStatus.Done)
                return written;
        }
        catch (InvalidOperationException)
        {
            // No valid UTF-8, so no base64 either.
        }
        throw new ProtocolException(
            $"Input '{_input.Name}': element {_files.Count} is no base64; in JSON a picture file is a string in " +
            $"base64, "
            + "as binary data it is sent as it is.");
    }

    private void ThrowIfFull()
    {
        if (_files.Count == _expected)
            throw new ProtocolException(
                $"Input '{_input.Name}': the data has more elements than the {_expected} of shape {_input.ShapeText}.");
    }

    private ProtocolException Torn(long needed, long left) => new(
        $"Input '{_input.Name}': element {_files.Count} takes {needed} bytes, but {left} are left; each element " +
        $"stands behind its length in 4 bytes.");
}
