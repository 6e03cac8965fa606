using System.Text.Json.Serialization;
using Atrous.Hosting;

namespace Atrous.Server.OpenInference;

/// <summary>GET /v2/models/stats and /v2/models/NAME/stats: Triton's extension_statistics.md.</summary>
internal sealed record StatisticsDocument(
    [property: JsonPropertyName("model_stats")] IReadOnlyList<ModelStatisticsDocument> ModelStats);

/// <summary>How often, and how many nanoseconds in all.</summary>
internal sealed record DurationDocument(long Count, long Ns)
{
    public static readonly DurationDocument None = new(0, 0);

    public static DurationDocument Of(DurationCount duration) =>
        new(duration.Count, (long)duration.Total.TotalNanoseconds);
}

/// <summary>A model's requests by stage; nothing is cached here, so hits and misses stay 0.</summary>
internal sealed record InferenceStatisticsDocument(
    DurationDocument Success,
    DurationDocument Fail,
    DurationDocument Queue,
    [property: JsonPropertyName("compute_input")] DurationDocument ComputeInput,
    [property: JsonPropertyName("compute_infer")] DurationDocument ComputeInfer,
    [property: JsonPropertyName("compute_output")] DurationDocument ComputeOutput,
    [property: JsonPropertyName("cache_hit")] DurationDocument CacheHit,
    [property: JsonPropertyName("cache_miss")] DurationDocument CacheMiss);

/// <summary>The batches of one size.</summary>
internal sealed record BatchStatisticsDocument(
    [property: JsonPropertyName("batch_size")] int BatchSize,
    [property: JsonPropertyName("compute_input")] DurationDocument ComputeInput,
    [property: JsonPropertyName("compute_infer")] DurationDocument ComputeInfer,
    [property: JsonPropertyName("compute_output")] DurationDocument ComputeOutput);

/// <summary>What a model has done.</summary>
internal sealed record ModelStatisticsDocument(
    string Name,
    string Version,
    [property: JsonPropertyName("last_inference")] long LastInference,
    [property: JsonPropertyName("inference_count")] long InferenceCount,
    [property: JsonPropertyName("execution_count")] long ExecutionCount,
    [property: JsonPropertyName("inference_stats")] InferenceStatisticsDocument InferenceStats,
    [property: JsonPropertyName("batch_stats")] IReadOnlyList<BatchStatisticsDocument> BatchStats)
{
    /// <summary>From what Hosting counts; nothing is counted a second time.</summary>
    public static ModelStatisticsDocument Of(string name, ModelStatistics statistics) => new(
        name,
        ModelSurface.Version,
        statistics.LastInference?.ToUnixTimeMilliseconds() ?? 0,
        statistics.Inferences,
        statistics.Executions,
        new InferenceStatisticsDocument(
            DurationDocument.Of(statistics.Succeeded),
            DurationDocument.Of(statistics.Failed),
            DurationDocument.Of(statistics.Queue),
            DurationDocument.Of(statistics.Preprocess),
            DurationDocument.Of(statistics.Network),
            DurationDocument.Of(statistics.Postprocess),
            DurationDocument.None,
            DurationDocument.None),
        [
            .. statistics.Batches.Select(batch => new BatchStatisticsDocument(
                batch.BatchSize, DurationDocument.Of(batch.Preprocess), DurationDocument.Of(batch.Network),
                DurationDocument.Of(batch.Postprocess))),
        ]);
}
