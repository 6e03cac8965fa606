using System.Globalization;
using Atrous.Scoring;
using Atrous.Server.OpenInference;
using Atrous.Server.Rpc.Wire;
using Google.Protobuf;
using Google.Protobuf.Collections;

namespace Atrous.Server.Rpc;

/// <summary>
/// An infer request of gRPC as <see cref="InferRequest"/>, which HTTP's are too. Parameters that the protocol does not
/// know are passed by; those that would change what the answer means, and that this server does not have, are refused.
/// </summary>
internal static class WireRequest
{
    private const int MaxTensors = 64, MaxRank = 16;

    private static readonly TimeSpan LongestTimeout = TimeSpan.FromDays(1);

    /// <exception cref="ProtocolException">It is no infer request.</exception>
    public static InferRequest Read(ModelInferRequest wire)
    {
        bool isRaw = wire.RawInputContents.Count > 0;
        if (wire.Inputs.Count == 0)
            throw new ProtocolException("The request has no inputs; name at least one tensor in 'inputs'.");
        if (wire.Inputs.Count > MaxTensors || wire.Outputs.Count > MaxTensors)
            throw new ProtocolException($"The request has more than {MaxTensors} inputs or outputs.");
        if (isRaw && wire.RawInputContents.Count != wire.Inputs.Count)
        {
            throw new ProtocolException(
                $"The request has {wire.Inputs.Count} inputs and {wire.RawInputContents.Count} raw_input_contents; "
                + "there is one for each input, or none.");
        }
        InputTensor[] inputs =
            [.. wire.Inputs.Select((input, i) => Input(input, isRaw ? wire.RawInputContents[i] : null))];
        if (inputs.CountBy(input => input.Name).Concat(wire.Outputs.CountBy(output => output.Name))
            .FirstOrDefault(row => row.Value > 1) is { Value: > 1 } twice)
            throw new ProtocolException($"A tensor is there twice: {ProtocolException.Quote(twice.Key)}.");
        if (wire.Parameters.ContainsKey("sequence_id"))
            throw new ProtocolException(
                "Sequences are not served here, a picture has no state; leave sequence_id away.");
        foreach (ModelInferRequest.Types.InferRequestedOutputTensor output in wire.Outputs)
            RefuseParameters(output.Parameters);
        bool binary = Truth(wire.Parameters, "binary_data_output") ?? true;
        return new InferRequest
        {
            Id = wire.Id.Length > 0 ? wire.Id : null,
            Priority = Whole(wire.Parameters, "priority") ?? 0,
            Timeout = Whole(wire.Parameters, "timeout") is > 0 and var microseconds
                ? microseconds > LongestTimeout.TotalMicroseconds
                    ? LongestTimeout
                    : TimeSpan.FromMicroseconds((long)microseconds)
                : null,
            Scoring = Scoring(wire.Parameters),
            BinaryOutputs = binary,
            Inputs = inputs,
            Outputs = [.. wire.Outputs.Select(output => new RequestedOutput(output.Name, binary))],
        };
    }

    private static InputTensor Input(ModelInferRequest.Types.InferInputTensor wire, ByteString? raw)
    {
        RefuseParameters(wire.Parameters);
        TensorType type = TensorTypes.Parse(wire.Datatype);
        if (wire.Shape.Count > MaxRank)
            throw new ProtocolException($"A shape has more than {MaxRank} dimensions.");
        if (wire.Shape.FirstOrDefault(side => side < 0) is < 0 and var negative)
        {
            throw new ProtocolException(
                $"A shape has the dimension {negative}; a request's shape must be known, so no dimension is negative.");
        }
        long[] shape = [.. wire.Shape];
        if (raw is not null)
        {
            return wire.Contents is null
                ? new InputTensor(wire.Name, type, shape, TensorForm.Binary, raw.Memory)
                : throw new ProtocolException(
                    $"Input {ProtocolException.Quote(wire.Name)} has contents, and the request raw_input_contents; "
                    + "leave one of them away for all inputs.");
        }
        if (wire.Contents is not { } contents)
            throw new ProtocolException(
                $"Input {ProtocolException.Quote(wire.Name)} has no data; send raw_input_contents or contents.");
        return type == TensorType.Bytes
            ? new InputTensor(wire.Name, type, shape, TensorForm.Files, default)
            {
                Files = [.. contents.BytesContents.Select(element => element.Memory)],
            }
            : new InputTensor(
                wire.Name, type, shape, TensorForm.Binary, WireContents.BytesOf(wire.Name, type, contents));
    }

    private static void RefuseParameters(MapField<string, InferParameter> parameters)
    {
        if (parameters.ContainsKey("shared_memory_region"))
            throw InferRequestReader.NoSharedMemory();
        if (parameters.ContainsKey("classification"))
            throw InferRequestReader.NoClassification();
    }

    private static ScoringRequest? Scoring(MapField<string, InferParameter> parameters)
    {
        var scoring = new ScoringParameters();
        foreach ((string name, _) in ScoringParameters.Names)
        {
            if (parameters.TryGetValue(name, out InferParameter? value))
                scoring.Add(name, Text(name, value));
        }
        return scoring.Read();
    }

    private static string Text(string name, InferParameter value) => value.ParameterChoiceCase switch
    {
        InferParameter.ParameterChoiceOneofCase.StringParam => value.StringParam,
        InferParameter.ParameterChoiceOneofCase.BoolParam => value.BoolParam ? "true" : "false",
        InferParameter.ParameterChoiceOneofCase.Int64Param => value.Int64Param.ToString(CultureInfo.InvariantCulture),
        InferParameter.ParameterChoiceOneofCase.Uint64Param =>
            value.Uint64Param.ToString(CultureInfo.InvariantCulture),
        InferParameter.ParameterChoiceOneofCase.DoubleParam =>
            value.DoubleParam.ToString("R", CultureInfo.InvariantCulture),
        _ => throw new ProtocolException($"The parameter {name} has no value."),
    };

    private static long? Whole(MapField<string, InferParameter> parameters, string name)
    {
        if (!parameters.TryGetValue(name, out InferParameter? value))
            return null;
        long? number = value.ParameterChoiceCase switch
        {
            InferParameter.ParameterChoiceOneofCase.Int64Param => value.Int64Param,
            InferParameter.ParameterChoiceOneofCase.Uint64Param =>
                (long)Math.Min(value.Uint64Param, long.MaxValue),
            _ => null,
        };
        return number is >= 0
            ? number
            : throw new ProtocolException($"The parameter {name} is a whole number from 0 on; send it as int64_param.");
    }

    private static bool? Truth(MapField<string, InferParameter> parameters, string name)
    {
        if (!parameters.TryGetValue(name, out InferParameter? value))
            return null;
        return value.ParameterChoiceCase == InferParameter.ParameterChoiceOneofCase.BoolParam
            ? value.BoolParam
            : throw new ProtocolException($"The parameter {name} is true or false; send it as bool_param.");
    }
}
