using Atrous.Server.OpenInference;
using Atrous.Server.Rpc.Wire;

namespace Atrous.Server.Rpc;

/// <summary>The documents of /v2 as messages.</summary>
internal static class WireDocuments
{
    public static ModelMetadataResponse Of(ModelMetadata model) => new()
    {
        Name = model.Name,
        Versions = { model.Versions },
        Platform = model.Platform,
        Inputs = { model.Inputs.Select(Tensor) },
        Outputs = { model.Outputs.Select(Tensor) },
        Properties =
        {
            ["classes"] = $"{model.Parameters.Classes}",
            ["class_names"] = string.Join("\n", model.Parameters.ClassNames),
        },
    };

    public static ModelConfigResponse Of(ModelConfiguration model) => new()
    {
        Config = new ModelConfig
        {
            Name = model.Name,
            Platform = model.Platform,
            MaxBatchSize = model.MaxBatchSize,
            Input =
            {
                model.Input.Select(tensor => new ModelInput
                {
                    Name = tensor.Name,
                    DataType = TypeOf(tensor.DataType),
                    Dims = { tensor.Dims },
                }),
            },
            Output =
            {
                model.Output.Select(tensor => new ModelOutput
                {
                    Name = tensor.Name,
                    DataType = TypeOf(tensor.DataType),
                    Dims = { tensor.Dims },
                }),
            },
        },
    };

    public static ModelStatistics Of(ModelStatisticsDocument model)
    {
        InferenceStatisticsDocument all = model.InferenceStats;
        return new ModelStatistics
        {
            Name = model.Name,
            Version = model.Version,
            LastInference = (ulong)model.LastInference,
            InferenceCount = (ulong)model.InferenceCount,
            ExecutionCount = (ulong)model.ExecutionCount,
            InferenceStats = new InferStatistics
            {
                Success = Of(all.Success),
                Fail = Of(all.Fail),
                Queue = Of(all.Queue),
                ComputeInput = Of(all.ComputeInput),
                ComputeInfer = Of(all.ComputeInfer),
                ComputeOutput = Of(all.ComputeOutput),
                CacheHit = Of(all.CacheHit),
                CacheMiss = Of(all.CacheMiss),
            },
            BatchStats =
            {
                model.BatchStats.Select(batch => new InferBatchStatistics
                {
                    BatchSize = (ulong)batch.BatchSize,
                    ComputeInput = Of(batch.ComputeInput),
                    ComputeInfer = Of(batch.ComputeInfer),
                    ComputeOutput = Of(batch.ComputeOutput),
                }),
            },
        };
    }

    private static StatisticDuration Of(DurationDocument duration) =>
        new() { Count = (ulong)duration.Count, Ns = (ulong)duration.Ns };

    private static ModelMetadataResponse.Types.TensorMetadata Tensor(TensorMetadata tensor) => new()
    {
        Name = tensor.Name,
        Datatype = tensor.Datatype,
        Shape = { tensor.Shape },
    };

    /// <summary>"TYPE_UINT8" is TypeUint8 in C#.</summary>
    private static DataType TypeOf(string name) =>
        Enum.Parse<DataType>(name.Replace("_", "", StringComparison.Ordinal), ignoreCase: true);
}
