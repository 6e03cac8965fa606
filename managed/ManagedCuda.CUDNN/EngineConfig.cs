using System.Text;
using Atrous.ManagedCuda.CUDNN.Native;

namespace Atrous.ManagedCuda.CUDNN;

/// <summary>One way to compute a graph: an engine of cuDNN's and its knobs.</summary>
public sealed class EngineConfig : IDisposable
{
    private const int MostKnobs = 48, MostNotes = 16;

    private readonly CudaDNNContext _cudnn;

    internal EngineConfig(CudaDNNContext cudnn, CudnnDescriptor descriptor)
    {
        _cudnn = cudnn;
        Descriptor = descriptor;
        using CudnnDescriptor engine =
            descriptor.GetChildren(AttributeName.EngineConfigEngine, DescriptorType.Engine, 1)[0];
        long index = engine.Get<long>(AttributeName.EngineGlobalIndex, AttributeType.Int64, 1)[0];
        NumericalNotes =
            engine.Get<NumericalNote>(AttributeName.EngineNumericalNote, AttributeType.NumericalNote, MostNotes);
        BehaviorNotes =
            engine.Get<BehaviorNote>(AttributeName.EngineBehaviorNote, AttributeType.BehaviorNote, MostNotes);
        var knobs = new List<KeyValuePair<int, long>>();
        foreach (
            CudnnDescriptor choice in descriptor.GetChildren(
                AttributeName.EngineConfigKnobChoices, DescriptorType.KnobChoice, MostKnobs))
        {
            using (choice)
            {
                knobs.Add(new(
                    choice.Get<int>(AttributeName.KnobChoiceType, AttributeType.KnobType, 1)[0],
                    choice.Get<long>(AttributeName.KnobChoiceValue, AttributeType.Int64, 1)[0]));
            }
        }
        Choice = new EngineChoice(index, knobs);
    }

    /// <summary>What a cache keeps of it.</summary>
    public EngineChoice Choice { get; }

    /// <summary>
    /// What it does to numbers: without <see cref="NumericalNote.TensorCore"/> 32-bit inputs are multiplied as they
    /// are.
    /// </summary>
    public IReadOnlyList<NumericalNote> NumericalNotes { get; }

    /// <summary>How it behaves.</summary>
    public IReadOnlyList<BehaviorNote> BehaviorNotes { get; }

    internal CudnnDescriptor Descriptor { get; }

    /// <summary>Makes it ready to be run, which may compile code.</summary>
    /// <returns>Nothing when the engine turns out not to support the graph; the next one may.</returns>
    /// <exception cref="CudaDNNException">cuDNN failed for another reason.</exception>
    public ExecutionPlan? TryPlan()
    {
        try
        {
            using (_cudnn.Context.Enter())
            {
                return new ExecutionPlan(_cudnn, Descriptors.Make(DescriptorType.ExecutionPlan, descriptor => descriptor
                    .Set(AttributeName.ExecutionPlanHandle, _cudnn.Handle)
                    .Set(AttributeName.ExecutionPlanEngineConfig, Descriptor)));
            }
        }
        catch (CudaDNNException e) when (e.IsNotSupported)
        {
            return null;
        }
    }

    public void Dispose() => Descriptor.Dispose();
}

/// <summary>A graph that is ready to be run, on any stream of its context's device, with any pointers.</summary>
public sealed class ExecutionPlan : IDisposable
{
    internal ExecutionPlan(CudaDNNContext cudnn, CudnnDescriptor descriptor)
    {
        Descriptor = descriptor;
        Context = cudnn.Context;
        WorkspaceSize = descriptor.Get<long>(AttributeName.ExecutionPlanWorkspaceSize, AttributeType.Int64, 1)[0];
    }

    /// <summary>Bytes of device memory that a run needs beside the tensors.</summary>
    public long WorkspaceSize { get; }

    internal CudnnDescriptor Descriptor { get; }

    internal CudaContext Context { get; }

    /// <summary>A plan that was kept as JSON.</summary>
    /// <exception cref="CudaDNNException">It is of another cuDNN or another device.</exception>
    public static ExecutionPlan FromJson(CudaDNNContext cudnn, string json)
    {
        using (cudnn.Context.Enter())
        {
            return new ExecutionPlan(cudnn, Descriptors.Make(DescriptorType.ExecutionPlan, descriptor => descriptor
                .Set(AttributeName.ExecutionPlanHandle, cudnn.Handle)
                .Set<byte>(AttributeName.ExecutionPlanJson, AttributeType.Char, Encoding.UTF8.GetBytes(json))));
        }
    }

    /// <summary>
    /// The plan as JSON, compiled code included; null where the engine has none. Good for this cuDNN and this device
    /// only.
    /// </summary>
    public string? ToJson()
    {
        long count = Descriptor.Count(AttributeName.ExecutionPlanJson, AttributeType.Char);
        return count == 0
            ? null
            : Encoding.UTF8.GetString(
                Descriptor.Get<byte>(AttributeName.ExecutionPlanJson, AttributeType.Char, checked((int)count)))
                .TrimEnd('\0');
    }

    /// <summary>
    /// Puts a run into the stream of a context. The CUDA context must be current. Allocates nothing and may be captured
    /// in a graph.
    /// </summary>
    /// <param name="cudnn">Its stream gives the order.</param>
    /// <param name="pack">Where the tensors are.</param>
    public void Execute(CudaDNNContext cudnn, VariantPack pack) =>
        CudnnApi.ThrowIfFailed(CudnnApi.cudnnBackendExecute(cudnn.Handle, Descriptor, pack.Descriptor));

    public void Dispose() => Descriptor.Dispose();
}

/// <summary>
/// Where the tensors of a run are. Made once for memory that stays where it is, and used for every run.
/// </summary>
public sealed class VariantPack : IDisposable
{
    /// <summary>Names the memory of every tensor that is not virtual.</summary>
    /// <param name="tensors">Number and address of each.</param>
    /// <param name="workspace">As many bytes as the plan needs; or nothing.</param>
    public VariantPack(IReadOnlyList<(long Uid, CUdeviceptr Pointer)> tensors, CUdeviceptr workspace = default)
    {
        Descriptor = Descriptors.Make(DescriptorType.VariantPack, descriptor =>
        {
            descriptor.Set<long>(
                AttributeName.VariantPackUniqueIds, AttributeType.Int64, [.. tensors.Select(tensor => tensor.Uid)]);
            descriptor.Set<CUdeviceptr>(AttributeName.VariantPackDataPointers, AttributeType.VoidPointer,
                [.. tensors.Select(tensor => tensor.Pointer)]);
            descriptor.Set(AttributeName.VariantPackWorkspace, AttributeType.VoidPointer, workspace);
        });
    }

    internal CudnnDescriptor Descriptor { get; }

    public void Dispose() => Descriptor.Dispose();
}
