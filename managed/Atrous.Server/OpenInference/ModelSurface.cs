namespace Atrous.Server.OpenInference;

/// <summary>
/// What every model looks like to a client of the protocol. One input, <c>image</c>, so that a photo can be sent raw:
/// its metadata say BYTES [-1], picture files (JPEG, PNG) of equal size. The same input may be sent as pixels instead,
/// any number type [N, H, W, C] or [N, 3, H, W] of whole numbers from 0 to 255, by the request's datatype and shape.
/// Two outputs: <c>labels</c>, the class of every pixel at the picture's own size, UINT8 [N, H, W] (UINT16 for more
/// than 255 classes), and <c>confidence</c>, the probability of that class, FP32 [N, H, W]. A request that names no
/// outputs gets both, as the protocol wants; naming <c>labels</c> alone spares the rest. Who names <c>shares</c> gets
/// the share of the picture that each class has, FP32 [N, classes]; <c>probabilities</c>, those of every class for
/// every pixel, FP32 [N, H, W, classes], which take a second run of the network; <c>polygons</c>, the outlines of each
/// class, BYTES [N], a text of JSON for each picture.
/// </summary>
internal static class ModelSurface
{
    public const string Input = "image";
    public const string Labels = "labels";
    public const string Confidence = "confidence";
    public const string Shares = "shares";
    public const string Probabilities = "probabilities";
    public const string Polygons = "polygons";

    /// <summary>Models have one version; a reload replaces it.</summary>
    public const string Version = "1";

    private const string Platform = "atrous_checkpoint";

    /// <summary>The element type of the labels; where a map has no data it has one value that is no class.</summary>
    public static TensorType LabelType(int classes) =>
        classes <= byte.MaxValue ? TensorType.UInt8 : TensorType.UInt16;

    /// <summary>A model's metadata.</summary>
    public static ModelMetadata Describe(string name, int classes, IReadOnlyList<string> classNames) => new(
        name,
        [Version],
        Platform,
        [new TensorMetadata(Input, TensorType.Bytes.Name(), [-1])],
        [
            new TensorMetadata(Labels, LabelType(classes).Name(), [-1, -1, -1]),
            new TensorMetadata(Confidence, TensorType.Fp32.Name(), [-1, -1, -1]),
        ],
        new ModelParameters(classes, classNames));

    /// <summary>The same in Triton's words.</summary>
    public static ModelConfiguration Configure(ModelMetadata model) => new(
        model.Name,
        model.Platform,
        // 0: dims are whole shapes, with the dimension that counts pictures. Above 0, clients take one off the
        // metadata's shapes.
        MaxBatchSize: 0,
        // No format: picture files have none, and pixels are only sent in their place.
        [.. model.Inputs.Select(
            tensor => new InputConfiguration(tensor.Name, TypeName(tensor), "FORMAT_NONE", tensor.Shape))],
        [.. model.Outputs.Select(tensor => new OutputConfiguration(tensor.Name, TypeName(tensor), tensor.Shape))]);

    /// <summary>What the answer to a request holds, in its order.</summary>
    /// <exception cref="ProtocolException">There is no such output.</exception>
    public static IReadOnlyList<OutputTensor> Outputs(InferRequest request, int classes)
    {
        IEnumerable<RequestedOutput> wanted = request.Outputs.Count > 0
            ? request.Outputs
            : [new RequestedOutput(Labels, null), new RequestedOutput(Confidence, null)];
        return [.. wanted.Select(output =>
            new OutputTensor(output.Name, TypeOf(output.Name, classes), output.Binary ?? request.BinaryOutputs)
            {
                ElementsPerPixel = output.Name switch
                {
                    Probabilities => classes,
                    Shares or Polygons => 0,
                    _ => 1,
                },
            })];
    }

    /// <summary>As model_config.proto calls the types: BYTES is a string there.</summary>
    private static string TypeName(TensorMetadata tensor) =>
        tensor.Datatype == TensorType.Bytes.Name() ? "TYPE_STRING" : $"TYPE_{tensor.Datatype}";

    private static TensorType TypeOf(string output, int classes) => output switch
    {
        Labels => LabelType(classes),
        Confidence or Shares or Probabilities => TensorType.Fp32,
        Polygons => TensorType.Bytes,
        _ => throw new ProtocolException(
            $"There is no output {ProtocolException.Quote(output)}; the models here have '{Labels}', " +
            $"'{Confidence}', '{Shares}', '{Probabilities}' and '{Polygons}'."),
    };
}
