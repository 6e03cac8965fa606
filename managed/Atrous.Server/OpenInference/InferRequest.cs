using Atrous.Scoring;

namespace Atrous.Server.OpenInference;

/// <summary>An infer request as it was sent: checked against the protocol, not yet against a model.</summary>
internal sealed record InferRequest
{
    /// <summary>Comes back with the answer; null where the client gave none.</summary>
    public string? Id { get; init; }

    /// <summary>1 is the most urgent; 0 stands for the server's default.</summary>
    public long Priority { get; init; }

    /// <summary>From the request's arrival on; null where the client set none.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Windows, scales and CRF of this request; null for the model's own.</summary>
    public ScoringRequest? Scoring { get; init; }

    /// <summary>What becomes of outputs that do not say themselves whether they are to be binary.</summary>
    public bool BinaryOutputs { get; init; }

    public required IReadOnlyList<InputTensor> Inputs { get; init; }

    /// <summary>Empty stands for all outputs.</summary>
    public required IReadOnlyList<RequestedOutput> Outputs { get; init; }
}

/// <summary>An output that the client asks for.</summary>
/// <param name="Name">The name, which no other of the request has.</param>
/// <param name="Binary">Null where the request as a whole decides.</param>
internal sealed record RequestedOutput(string Name, bool? Binary);

/// <summary>A tensor of a request. Its data lies in the request's body and is valid as long as that.</summary>
/// <param name="Name">The name, which no other of the request has.</param>
/// <param name="Type">The type of the tensor's elements.</param>
/// <param name="Shape">No dimension is negative.</param>
/// <param name="Form">How the data is written.</param>
/// <param name="Data">A JSON array, or bytes.</param>
internal sealed record InputTensor(
    string Name, TensorType Type, long[] Shape, TensorForm Form, ReadOnlyMemory<byte> Data)
{
    /// <summary>The elements of <see cref="TensorForm.Files"/>.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Files { get; init; } = [];

    /// <summary>The product of the shape.</summary>
    /// <exception cref="ProtocolException">It, or its size in bytes, does not fit into 63 bits.</exception>
    public long Elements
    {
        get
        {
            Int128 bytes = Math.Max(1, Type.SizeInBytes());
            Int128 product = 1;
            foreach (long side in Shape)
            {
                product *= side;
                if (product * bytes > long.MaxValue)
                    throw new ProtocolException(
                        $"Input {ProtocolException.Quote(Name)}: the byte size of shape {ShapeText} overflows 63 " +
                        $"bits.");
            }
            return (long)product;
        }
    }

    /// <summary>As the protocol writes it.</summary>
    public string ShapeText => $"[{string.Join(",", Shape)}]";
}

/// <summary>How a tensor's data is written.</summary>
internal enum TensorForm
{
    /// <summary>A JSON array, nested or flat; BYTES are strings in base64.</summary>
    Json,

    /// <summary>Little-endian elements one after another; each of BYTES behind its length in 4 bytes.</summary>
    Binary,

    /// <summary>One element of BYTES and nothing else: a request whose JSON part is empty.</summary>
    Raw,

    /// <summary>Elements of BYTES that are apart already.</summary>
    Files,
}
