using System.Text.Json;
using Atrous.Scoring;
using Microsoft.AspNetCore.Http;

namespace Atrous.Server.OpenInference;

/// <summary>
/// Reads infer requests: JSON alone, JSON followed by binary tensors, or one raw tensor (Triton's
/// extension_binary_data.md). Members that the protocol does not know are passed by; parameters that would change what
/// the answer means, and that this server does not have, are refused.
/// </summary>
internal ref struct InferRequestReader
{
    private const int MaxTensors = 64;
    private const int MaxRank = 16;
    private static readonly TimeSpan LongestTimeout = TimeSpan.FromDays(1);

    private readonly bool _hasBinary;
    private DocumentReader _reader;
    private ReadOnlyMemory<byte> _binary;

    private InferRequestReader(ReadOnlyMemory<byte> json, int maxDepth, ReadOnlyMemory<byte>? binary)
    {
        _reader = new DocumentReader(json, maxDepth);
        _hasBinary = binary is not null;
        _binary = binary ?? default;
    }

    /// <summary>Reads a body whose first part is JSON.</summary>
    /// <param name="body">The whole body, not compressed; the request's tensors lie in it.</param>
    /// <param name="headerLength">
    /// Inference-Header-Content-Length, bytes of the JSON part, above 0; null where it was not sent.
    /// </param>
    /// <param name="maxDepth">Nested arrays and objects of the JSON.</param>
    /// <exception cref="ProtocolException">It is no infer request.</exception>
    public static InferRequest Read(ReadOnlyMemory<byte> body, long? headerLength, int maxDepth)
    {
        if (headerLength > body.Length)
        {
            throw new ProtocolException(
                $"Inference-Header-Content-Length is {headerLength}, but the body has {body.Length} bytes; it counts " +
                $"the uncompressed JSON.");
        }
        if (body.IsEmpty)
            throw new ProtocolException("The request has no body; send an inference request as JSON.");
        int split = (int)(headerLength ?? body.Length);
        try
        {
            var reader = new InferRequestReader(
                body[..split], maxDepth, headerLength is null ? default(ReadOnlyMemory<byte>?) : body[split..]);
            return reader.Request();
        }
        catch (JsonException e)
        {
            throw DocumentReader.Broken(e);
        }
    }

    private InferRequest Request()
    {
        string? id = null;
        var parameters = new Parameters();
        List<InputTensor>? inputs = null;
        List<RequestedOutput>? outputs = null;
        _reader.BeginObject("The request");
        while (_reader.NextMember())
        {
            if (_reader.Is("id"u8))
                id = _reader.ReadText("id");
            else if (_reader.Is("parameters"u8))
                parameters = RequestParameters();
            else if (_reader.Is("inputs"u8))
                inputs = inputs is null ? Inputs() : throw Twice("inputs");
            else if (_reader.Is("outputs"u8))
                outputs = outputs is null ? Outputs() : throw Twice("outputs");
            else
                _reader.SkipValue();
        }
        _reader.End();
        if (inputs is not { Count: > 0 })
            throw new ProtocolException("The request has no inputs; name at least one tensor in 'inputs'.");
        if (!_binary.IsEmpty)
            throw new ProtocolException(
                $"{_binary.Length} bytes follow the last binary tensor; check binary_data_size.");
        return new InferRequest
        {
            Id = id,
            Priority = parameters.Priority,
            Timeout = parameters.Timeout,
            Scoring = parameters.Scoring,
            BinaryOutputs = parameters.BinaryOutputs,
            Inputs = inputs,
            Outputs = outputs ?? [],
        };
    }

    private Parameters RequestParameters()
    {
        var parameters = new Parameters();
        var scoring = new ScoringParameters();
        _reader.BeginObject("parameters");
        while (_reader.NextMember())
        {
            if (_reader.Is("priority"u8))
                parameters.Priority = _reader.ReadWhole("The parameter priority");
            else if (_reader.Is("timeout"u8))
                parameters.Timeout = Microseconds(_reader.ReadWhole("The parameter timeout"));
            else if (_reader.Is("binary_data_output"u8))
                parameters.BinaryOutputs = _reader.ReadTruth("The parameter binary_data_output");
            else if (_reader.Is("sequence_id"u8))
                throw new ProtocolException(
                    "Sequences are not served here, a picture has no state; leave sequence_id away.");
            else if (!IsScoring(scoring))
                _reader.SkipValue();
        }
        parameters.Scoring = scoring.Read();
        return parameters;
    }

    private bool IsScoring(ScoringParameters scoring)
    {
        foreach ((string name, byte[] json) in ScoringParameters.Names)
        {
            if (!_reader.Is(json))
                continue;
            scoring.Add(name, _reader.ReadValue($"The parameter {name}"));
            return true;
        }
        return false;
    }

    /// <summary>0 stands for none, as Triton has it.</summary>
    private static TimeSpan? Microseconds(long value) => value switch
    {
        0 => null,
        _ when value > LongestTimeout.TotalMicroseconds => LongestTimeout,
        _ => TimeSpan.FromMicroseconds(value),
    };

    private List<InputTensor> Inputs()
    {
        var inputs = new List<InputTensor>();
        _reader.BeginArray("inputs");
        while (_reader.NextObject("inputs"))
        {
            InputTensor input = Input();
            if (inputs.Any(other => other.Name == input.Name))
                throw new ProtocolException($"Input {ProtocolException.Quote(input.Name)} is there twice.");
            if (inputs.Count == MaxTensors)
                throw new ProtocolException($"The request has more than {MaxTensors} inputs.");
            inputs.Add(input);
        }
        return inputs;
    }

    private InputTensor Input()
    {
        string? name = null;
        TensorType? type = null;
        long[]? shape = null;
        long? binarySize = null;
        ReadOnlyMemory<byte>? data = null;
        while (_reader.NextMember())
        {
            if (_reader.Is("name"u8))
                name = _reader.ReadText("An input's name");
            else if (_reader.Is("datatype"u8))
                type = TensorTypes.Parse(_reader.ReadText("An input's datatype"));
            else if (_reader.Is("shape"u8))
                shape = Shape();
            else if (_reader.Is("parameters"u8))
                binarySize = InputParameters();
            else if (_reader.Is("data"u8))
                data = data is null ? _reader.ReadArrayText("An input's data") : throw Twice("data");
            else
                _reader.SkipValue();
        }
        if (name is null || type is null || shape is null)
            throw new ProtocolException("An input lacks its name, datatype or shape; give all three.");
        if (data is null == binarySize is null)
        {
            throw new ProtocolException(
                $"Input {ProtocolException.Quote(name)} must have either 'data' or the parameter binary_data_size, "
                + (data is null ? "and has none." : "and has both."));
        }
        return data is { } array
            ? new InputTensor(name, type.Value, shape, TensorForm.Json, array)
            : new InputTensor(name, type.Value, shape, TensorForm.Binary, TakeBinary(name, binarySize!.Value));
    }

    private long[] Shape()
    {
        var shape = new List<long>();
        _reader.BeginArray("shape");
        while (_reader.NextWhole("A dimension of a shape", out long side))
        {
            if (side < 0)
                throw new ProtocolException(
                    $"A shape has the dimension {side}; a request's shape must be known, so no dimension is negative.");
            if (shape.Count == MaxRank)
                throw new ProtocolException($"A shape has more than {MaxRank} dimensions.");
            shape.Add(side);
        }
        return [.. shape];
    }

    private long? InputParameters()
    {
        long? binarySize = null;
        _reader.BeginObject("An input's parameters");
        while (_reader.NextMember())
        {
            if (_reader.Is("binary_data_size"u8))
                binarySize = _reader.ReadWhole("The parameter binary_data_size");
            else if (_reader.Is("shared_memory_region"u8))
                throw NoSharedMemory();
            else
                _reader.SkipValue();
        }
        return binarySize;
    }

    /// <summary>Binary tensors stand in the order of the inputs.</summary>
    private ReadOnlyMemory<byte> TakeBinary(string name, long size)
    {
        if (!_hasBinary)
        {
            throw new ProtocolException(
                $"Input {ProtocolException.Quote(name)} is binary, so the header Inference-Header-Content-Length " +
                $"must tell how long the JSON is.");
        }
        if (size > _binary.Length)
        {
            throw new ProtocolException(
                $"Input {ProtocolException.Quote(name)}: binary_data_size is {size}, but only {_binary.Length} bytes " +
                $"are left of the body.");
        }
        ReadOnlyMemory<byte> data = _binary[..(int)size];
        _binary = _binary[(int)size..];
        return data;
    }

    private List<RequestedOutput> Outputs()
    {
        var outputs = new List<RequestedOutput>();
        _reader.BeginArray("outputs");
        while (_reader.NextObject("outputs"))
        {
            RequestedOutput output = Output();
            if (outputs.Any(other => other.Name == output.Name))
                throw new ProtocolException($"Output {ProtocolException.Quote(output.Name)} is asked for twice.");
            if (outputs.Count == MaxTensors)
                throw new ProtocolException($"The request asks for more than {MaxTensors} outputs.");
            outputs.Add(output);
        }
        return outputs;
    }

    private RequestedOutput Output()
    {
        string? name = null;
        bool? binary = null;
        while (_reader.NextMember())
        {
            if (_reader.Is("name"u8))
                name = _reader.ReadText("An output's name");
            else if (_reader.Is("parameters"u8))
                binary = OutputParameters();
            else
                _reader.SkipValue();
        }
        return name is null
            ? throw new ProtocolException("An output lacks its name.")
            : new RequestedOutput(name, binary);
    }

    private bool? OutputParameters()
    {
        bool? binary = null;
        _reader.BeginObject("An output's parameters");
        while (_reader.NextMember())
        {
            if (_reader.Is("binary_data"u8))
                binary = _reader.ReadTruth("The parameter binary_data");
            else if (_reader.Is("shared_memory_region"u8))
                throw NoSharedMemory();
            else if (_reader.Is("classification"u8))
                throw NoClassification();
            else
                _reader.SkipValue();
        }
        return binary;
    }

    private static ProtocolException Twice(string member) => new($"The request has '{member}' twice.");

    /// <summary>What every transport says of shared memory.</summary>
    public static ProtocolException NoSharedMemory() =>
        new("Shared memory is not served here; send the tensor with the request.");

    /// <summary>What every transport says of the classification extension.</summary>
    public static ProtocolException NoClassification() =>
        new("The classification extension is not served here: masks are no lists of scores.");

    private struct Parameters
    {
        public long Priority;
        public TimeSpan? Timeout;
        public ScoringRequest? Scoring;
        public bool BinaryOutputs;
    }
}
