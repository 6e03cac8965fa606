using k8s.Models;

namespace Atrous.Tests.Cli.Deploy;

/// <summary>Of KServe's ServingRuntime, serving.kserve.io/v1alpha1, what the manifest has.</summary>
public sealed class ServingRuntime
{
    public string ApiVersion { get; set; } = "";

    public string Kind { get; set; } = "";

    public V1ObjectMeta Metadata { get; set; } = new();

    public ServingRuntimeSpec Spec { get; set; } = new();
}

/// <summary>What pods of a runtime are made of.</summary>
public sealed class ServingRuntimeSpec
{
    public Dictionary<string, string> Annotations { get; set; } = [];

    public List<ModelFormat> SupportedModelFormats { get; set; } = [];

    public List<string> ProtocolVersions { get; set; } = [];

    public List<V1Container> Containers { get; set; } = [];
}

/// <summary>A format by which a runtime is chosen.</summary>
public sealed class ModelFormat
{
    public string Name { get; set; } = "";

    public string? Version { get; set; }

    public bool? AutoSelect { get; set; }
}

/// <summary>Of KServe's InferenceService, serving.kserve.io/v1beta1, what the manifest has.</summary>
public sealed class InferenceServiceManifest
{
    public string ApiVersion { get; set; } = "";

    public string Kind { get; set; } = "";

    public V1ObjectMeta Metadata { get; set; } = new();

    public InferenceServiceSpec Spec { get; set; } = new();
}

/// <summary>What is served.</summary>
public sealed class InferenceServiceSpec
{
    public PredictorSpec Predictor { get; set; } = new();
}

/// <summary>How it is served.</summary>
public sealed class PredictorSpec
{
    public int? MinReplicas { get; set; }

    public long? TerminationGracePeriodSeconds { get; set; }

    public PredictorModel Model { get; set; } = new();
}

/// <summary>The model.</summary>
public sealed class PredictorModel
{
    public ModelFormat ModelFormat { get; set; } = new();

    public string Runtime { get; set; } = "";

    public string ProtocolVersion { get; set; } = "";

    public string StorageUri { get; set; } = "";
}
