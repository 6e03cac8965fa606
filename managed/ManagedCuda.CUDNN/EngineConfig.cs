using Atrous.ManagedCuda.CUDNN.Native;

namespace Atrous.ManagedCuda.CUDNN;

/// <summary>An algorithm that computes a graph: an engine of cuDNN's and its knobs.</summary>
public sealed class EngineConfig : IDisposable
{
    private const int MostKnobs = 48, MostNotes = 16;

    private readonly CudaDNNContext _cudnn;

    internal EngineConfig(CudaDNNContext cudnn, CudnnDescriptor descriptor)
    {
        _cudnn = cudnn;
        Descriptor = descriptor;
        try
        {
            using CudnnDescriptor engine =
                descriptor.GetChildren(AttributeName.EngineConfigEngine, DescriptorType.Engine, 1)[0];
            long index = engine.Get<long>(AttributeName.EngineGlobalIndex, AttributeType.Int64, 1)[0];
            NumericalNotes =
                engine.Get<NumericalNote>(AttributeName.EngineNumericalNote, AttributeType.NumericalNote, MostNotes);
            BehaviorNotes =
                engine.Get<BehaviorNote>(AttributeName.EngineBehaviorNote, AttributeType.BehaviorNote, MostNotes);
            Choice = new EngineChoice(index, KnobsOf(descriptor));
        }
        catch
        {
            descriptor.Dispose();
            throw;
        }
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
    /// <exception cref="CudaDNNException">
    /// The engine turns out not to support the graph (<see cref="CudaDNNException.IsNotSupported"/>; the next one may),
    /// a library that it needs is missing, or cuDNN failed.
    /// </exception>
    public ExecutionPlan Plan()
    {
        using (_cudnn.Context.Enter())
        {
            return new ExecutionPlan(_cudnn, Descriptors.Make(DescriptorType.ExecutionPlan, descriptor => descriptor
                .Set(AttributeName.ExecutionPlanHandle, _cudnn.Handle)
                .Set(AttributeName.ExecutionPlanEngineConfig, Descriptor)));
        }
    }

    public void Dispose() => Descriptor.Dispose();

    private static List<KeyValuePair<int, long>> KnobsOf(CudnnDescriptor config)
    {
        CudnnDescriptor[] choices =
            config.GetChildren(AttributeName.EngineConfigKnobChoices, DescriptorType.KnobChoice, MostKnobs);
        try
        {
            return
            [
                .. choices.Select(choice => KeyValuePair.Create(
                    choice.Get<int>(AttributeName.KnobChoiceType, AttributeType.KnobType, 1)[0],
                    choice.Get<long>(AttributeName.KnobChoiceValue, AttributeType.Int64, 1)[0])),
            ];
        }
        finally
        {
            foreach (CudnnDescriptor choice in choices)
                choice.Dispose();
        }
    }
}

/// <summary>A graph that is ready to be run, on any stream of its context's device, with any pointers.</summary>
public sealed class ExecutionPlan : IDisposable
{
    internal ExecutionPlan(CudaDNNContext cudnn, CudnnDescriptor descriptor)
    {
        Descriptor = descriptor;
        Context = cudnn.Context;
        try
        {
            WorkspaceSize = descriptor.Get<long>(AttributeName.ExecutionPlanWorkspaceSize, AttributeType.Int64, 1)[0];
        }
        catch
        {
            descriptor.Dispose();
            throw;
        }
    }

    /// <summary>Bytes of device memory that a run needs beside the tensors.</summary>
    public long WorkspaceSize { get; }

    internal CudnnDescriptor Descriptor { get; }

    internal CudaContext Context { get; }

    /// <summary>A plan that was kept as JSON.</summary>
    /// <param name="cudnn">The context whose device runs the plan.</param>
    /// <param name="json">The bytes of <see cref="ToJson"/>, to the last of them.</param>
    /// <exception cref="CudaDNNException">It is of another cuDNN or another device.</exception>
    public static ExecutionPlan FromJson(CudaDNNContext cudnn, byte[] json)
    {
        using (cudnn.Context.Enter())
        {
            return new ExecutionPlan(cudnn, Descriptors.Make(DescriptorType.ExecutionPlan, descriptor => descriptor
                .Set<byte>(AttributeName.ExecutionPlanJson, AttributeType.Char, json)
                .Set(AttributeName.ExecutionPlanHandle, cudnn.Handle)));
        }
    }

    /// <summary>
    /// The plan as JSON, compiled code included; null where the engine has none. Good for this cuDNN and this device
    /// only, and taken back byte for byte.
    /// </summary>
    public byte[]? ToJson()
    {
        long count = Descriptor.Count(AttributeName.ExecutionPlanJson, AttributeType.Char);
        return count == 0
            ? null
            : Descriptor.Get<byte>(AttributeName.ExecutionPlanJson, AttributeType.Char, checked((int)count));
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
    /// <param name="tensors">The number and address of each.</param>
    /// <param name="workspace">The memory for as many bytes as the plan needs; default where it needs none.</param>
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
