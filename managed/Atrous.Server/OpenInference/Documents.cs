using System.Text.Json.Serialization;

namespace Atrous.Server.OpenInference;

/// <summary>GET /v2</summary>
internal sealed record ServerMetadata(string Name, string Version, IReadOnlyList<string> Extensions);

/// <summary>GET /v2/health/live</summary>
internal sealed record ServerLive(bool Live);

/// <summary>
/// GET /v2/health/ready; <see cref="Error"/> says why not, in the one member that every client of the protocol reads.
/// </summary>
internal sealed record ServerReady(
    bool Ready, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Error = null);

/// <summary>GET /v2/models/NAME/ready</summary>
internal sealed record ModelReady(
    string Name, bool Ready,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Error = null);

/// <summary>GET /v2/models</summary>
internal sealed record ModelList(IReadOnlyList<string> Models);

/// <summary>GET /v2/models/NAME</summary>
internal sealed record ModelMetadata(
    string Name, IReadOnlyList<string> Versions, string Platform, IReadOnlyList<TensorMetadata> Inputs,
    IReadOnlyList<TensorMetadata> Outputs, ModelParameters Parameters);

/// <summary>A tensor that a model takes or gives; -1 is a dimension that varies.</summary>
internal sealed record TensorMetadata(string Name, string Datatype, IReadOnlyList<long> Shape);

/// <summary>
/// What the protocol has no place for and a client of a segmentation model needs: what the labels mean.
/// </summary>
internal sealed record ModelParameters(
    int Classes, [property: JsonPropertyName("class_names")] IReadOnlyList<string> ClassNames);

/// <summary>
/// GET /v2/models/NAME/config: of Triton's ModelConfig (model_config.proto), what Triton itself demands of every model.
/// </summary>
internal sealed record ModelConfiguration(
    string Name, string Platform, [property: JsonPropertyName("max_batch_size")] int MaxBatchSize,
    IReadOnlyList<InputConfiguration> Input, IReadOnlyList<OutputConfiguration> Output);

/// <summary>A tensor that a model takes.</summary>
internal sealed record InputConfiguration(
    string Name, [property: JsonPropertyName("data_type")] string DataType, string Format, IReadOnlyList<long> Dims);

/// <summary>A tensor that a model gives.</summary>
internal sealed record OutputConfiguration(
    string Name, [property: JsonPropertyName("data_type")] string DataType, IReadOnlyList<long> Dims);

/// <summary>An entry of POST /v2/repository/index.</summary>
internal sealed record RepositoryEntry(string Name, string Version, string State, string Reason);

/// <summary>Every answer that is not 200.</summary>
internal sealed record ErrorDocument(string Error);
