using System.Runtime.InteropServices;
using Atrous.Cuda.Tests.Driver;
using Atrous.Cuda.Tests.Support;
using Atrous.ManagedCuda;
using Atrous.ManagedCuda.CUDNN;
using Atrous.ManagedCuda.CUDNN.Native;
using Atrous.ManagedCuda.Libraries;

namespace Atrous.Cuda.Tests.Dnn;

/// <summary>
/// Descriptors that are wrong, graphs that no engine takes, and what is said of them. Nothing may stay behind.
/// </summary>
public sealed class DescriptorTests : IDisposable
{
    private static readonly ConvolutionCase Good = new(Storage.Fp16, 1, 8, 6, 6, 8, 3, 3, new(1, 1, 1, 1), Bias: true);

    private readonly PrimaryContext _context = new();
    private readonly CudaDNNContext _cudnn;

    public DescriptorTests()
    {
        _context.SetCurrent();
        _cudnn = new CudaDNNContext(_context);
    }

    public void Dispose()
    {
        _cudnn.Dispose();
        _context.Dispose();
    }

    [Fact]
    public void An_attribute_of_another_type_is_refused_with_its_name()
    {
        using var tensor = new CudnnDescriptor(DescriptorType.Tensor);
        var failure =
            Assert.Throws<CudaDNNException>(() => tensor.Set(AttributeName.TensorDataType, AttributeType.Int64, 0L));
        AssertBadParam(failure, CudnnStatus.BadParamAttributeType);
        // Which status it is is the real library's own affair.
        Assert.StartsWith("cudnnBackendSetAttribute TensorDataType failed with CUDNN_STATUS_", failure.Message);
    }

    [Fact]
    public void An_attribute_of_another_count_is_refused()
    {
        using var tensor = new CudnnDescriptor(DescriptorType.Tensor);
        AssertBadParam(
            Assert.Throws<CudaDNNException>(
                () => tensor.Set(AttributeName.TensorUniqueId, AttributeType.Int64, 1L, 2L)), CudnnStatus.BadParam);
    }

    [Fact]
    public void An_attribute_of_another_descriptor_is_refused()
    {
        using var tensor = new CudnnDescriptor(DescriptorType.Tensor);
        AssertBadParam(
            Assert.Throws<CudaDNNException>(() => tensor.Set(AttributeName.EngineGlobalIndex, AttributeType.Int64, 1L)),
            CudnnStatus.BadParam);
    }

    [Fact]
    public void A_descriptor_that_is_not_complete_is_refused_by_its_parent()
    {
        using var tensor = new CudnnDescriptor(DescriptorType.Tensor);
        using var operation = new CudnnDescriptor(DescriptorType.OperationConvolutionForward);
        AssertBadParam(Assert.Throws<CudaDNNException>(() => operation.Set(AttributeName.ConvolutionForwardX, tensor)),
            CudnnStatus.BadParamNotFinalized);
    }

    [Fact]
    public void A_descriptor_of_another_kind_is_refused_by_its_parent()
    {
        using CudnnDescriptor tensor = Descriptors.Tensor(Good.XTensor);
        using var operation = new CudnnDescriptor(DescriptorType.OperationConvolutionForward);
        AssertBadParam(
            Assert.Throws<CudaDNNException>(() => operation.Set(AttributeName.ConvolutionForwardDescriptor, tensor)),
            CudnnStatus.BadParamDescriptorType);
    }

    [Fact]
    public void A_descriptor_that_lacks_attributes_or_is_complete_already_is_refused()
    {
        using var empty = new CudnnDescriptor(DescriptorType.Tensor);
        AssertBadParam(Assert.Throws<CudaDNNException>(empty.Complete), CudnnStatus.BadParam);
        using CudnnDescriptor complete = Descriptors.Tensor(Good.XTensor);
        AssertBadParam(
            Assert.Throws<CudaDNNException>(() => complete.Set(AttributeName.TensorUniqueId, AttributeType.Int64, 9L)),
            CudnnStatus.BadParam);
        AssertBadParam(
            Assert.Throws<CudaDNNException>(() =>
            empty.Get<long>(AttributeName.TensorUniqueId, AttributeType.Int64, 1)), CudnnStatus.BadParamNotFinalized);
    }

    [Fact]
    public void Shapes_that_do_not_meet_are_refused()
    {
        OperationGraph.Builder builder = OperationGraph.Convolution(
            _cudnn, Good.XTensor, Good.FilterTensor, Good.Window, Good.YTensor with { H = 5 });
        var failure = Assert.Throws<CudaDNNException>(builder.Build);
        AssertBadParam(failure, CudnnStatus.BadParamShapeMismatch);
        Assert.False(failure.IsNotSupported);
    }

    [Fact]
    public void What_no_engine_takes_has_no_engines()
    {
        SoftwareDevice.Require();
        // Fused 16-bit convolutions with odd channels, fused depthwise ones.
        AssertNoEngines(Good with { C = 7 });
        AssertNoEngines(Good with { K = 9 });
        AssertNoEngines(Good with { Groups = 8 });
        // The operand of a later operation comes first.
        using OperationGraph swapped =
            OperationGraph.Convolution(_cudnn, Good.XTensor, Good.FilterTensor, Good.Window, Good.YTensor.Virtual(100))
            .Then(new Pointwise(PointwiseMode.Add), GraphTensor.Packed(3, Good.Type, 1, 8, 1, 1),
                Good.YTensor with { Uid = 50 })
            .Then(new Pointwise(PointwiseMode.ReluFwd), null, Good.YTensor)
            .Build();
        Assert.Empty(swapped.GetEngineConfigs(HeuristicMode.A));
        // Filter and input of different types.
        using OperationGraph mixed = OperationGraph.Convolution(
            _cudnn, Good.XTensor, Good.FilterTensor with { Type = CudnnDataType.Float }, Good.Window, Good.YTensor)
                .Build();
        Assert.Empty(mixed.GetEngineConfigs(HeuristicMode.A));
    }

    [Fact]
    public void A_configuration_that_cannot_be_read_costs_the_others_nothing()
    {
        SoftwareDevice.Require();
        using OperationGraph graph = Good.Build(_cudnn);
        int whole = Read(_ => { }), unreadable = 0, nth = 1;
        for (bool reached = true; reached; nth++)
        {
            int left = 0;
            SoftwareDevice.FailCall(nth);
            try
            {
                Assert.Equal(whole, Read(_ => left++) + left);
                Assert.InRange(left, 0, 1);
            }
            catch (Exception e) when (e is CudaDNNException or CudaException)
            {
                // The list itself cannot be had.
            }
            unreadable += left;
            reached = SoftwareDevice.HasFailed;
        }
        SoftwareDevice.FailCall(0);
        Assert.True(whole > 1 && unreadable > 5 * whole);
        // What a failing constructor leaves has an owner, who frees it when the collector comes.
        GC.Collect();
        GC.WaitForPendingFinalizers();

        int Read(Action<CudaDNNException> unreadable)
        {
            EngineConfig[] configs = graph.GetEngineConfigs(HeuristicMode.A, 16, unreadable);
            foreach (EngineConfig config in configs)
                config.Dispose();
            return configs.Length;
        }
    }

    [Fact]
    public void An_engine_that_is_not_there_is_refused()
    {
        using OperationGraph graph = Good.Build(_cudnn);
        Assert.Throws<CudaDNNException>(() => graph.CreateEngineConfig(new EngineChoice(9999, [])));
    }

    [Fact]
    public void A_slice_of_a_concatenation_may_be_refused()
    {
        SoftwareDevice.Require();
        SoftwareDevice.RefuseSlices(1);
        try
        {
            using OperationGraph slice = (Good with { ExtraPitch = 8 }).Build(_cudnn), packed = Good.Build(_cudnn);
            Assert.Empty(slice.GetEngineConfigs(HeuristicMode.A));
            foreach (EngineConfig config in packed.GetEngineConfigs(HeuristicMode.A))
                config.Dispose();
        }
        finally
        {
            SoftwareDevice.RefuseSlices(0);
        }
    }

    [Fact]
    public void A_run_without_a_tensor_or_with_a_misaligned_one_is_refused()
    {
        SoftwareDevice.Require();
        using OperationGraph graph = Good.Build(_cudnn);
        using EngineConfig config = graph.GetEngineConfigs(HeuristicMode.Fallback).Single();
        using ExecutionPlan plan = config.Plan();
        using var memory = new CudaDeviceVariable<byte>(_context, 4096);
        CUdeviceptr start = memory.DevicePointer;
        using (var missing = new VariantPack(
            [(ConvolutionCase.X, start), (ConvolutionCase.Filter, start), (ConvolutionCase.Y, start)]))
            AssertBadParam(
                Assert.Throws<CudaDNNException>(() => plan.Execute(_cudnn, missing)), CudnnStatus.BadParamNullPointer);
        using (var misaligned = new VariantPack(
            [(ConvolutionCase.X, start + 2), (ConvolutionCase.Filter, start), (ConvolutionCase.BiasVector, start),
                (ConvolutionCase.Y, start)]))
            AssertBadParam(Assert.Throws<CudaDNNException>(() => plan.Execute(_cudnn, misaligned)),
                CudnnStatus.BadParamMisalignedPointer);
        Assert.Throws<CudaDNNException>(() => new VariantPack([(1, start), (1, start)]));
    }

    [Fact]
    public void A_tensor_that_is_too_small_is_found_by_the_device()
    {
        SoftwareDevice.Require();
        using var stream = new CudaStream(_context);
        _cudnn.SetStream(stream);
        using OperationGraph graph = Good.Build(_cudnn);
        using EngineConfig config = graph.GetEngineConfigs(HeuristicMode.Fallback).Single();
        using ExecutionPlan plan = config.Plan();
        using var enough = new CudaDeviceVariable<byte>(_context, 4096);
        using var small = new CudaDeviceVariable<byte>(_context, 6 * 6 * 8 * 2 - 1);
        CUdeviceptr start = enough.DevicePointer;
        using var pack = new VariantPack(
            [(ConvolutionCase.X, small.DevicePointer), (ConvolutionCase.Filter, start),
                (ConvolutionCase.BiasVector, start), (ConvolutionCase.Y, start)]);
        plan.Execute(_cudnn, pack);
        Assert.Equal(CUResult.ErrorIllegalAddress, Assert.Throws<CudaException>(stream.Synchronize).CudaError);
        Assert.Contains("x is outside device memory", SoftwareDevice.Reports);
        SoftwareDevice.Reset();
    }

    [Fact]
    public void Nothing_works_after_dispose()
    {
        OperationGraph graph = Good.Build(_cudnn);
        // A plan needs neither its graph nor its configuration any more.
        ExecutionPlan plan = Engines.FirstPlan(graph);
        graph.Dispose();
        Assert.True(plan.WorkspaceSize >= 0);
        _ = plan.ToJson();
        plan.Dispose();
        using var pack = new VariantPack([(1, new CUdeviceptr(16))]);
        Assert.Throws<ObjectDisposedException>(() => plan.Execute(_cudnn, pack));
        Assert.Throws<ObjectDisposedException>(() => graph.GetEngineConfigs(HeuristicMode.A));
    }

    [Fact]
    public void Every_entry_point_is_there()
    {
        nint library = CudaLibraryProbe.Load(CudaLibraryName.Dnn).Handle;
        Assert.All(BorderTests.ImportsOf(typeof(CudnnApi), "cudnn"), name =>
            Assert.True(NativeLibrary.TryGetExport(library, name, out _), name));
    }

    private static void AssertBadParam(CudaDNNException failure, CudnnStatus status)
    {
        // The real library's own choice is not pinned down: 2000s, "not supported", or "not initialized" in old pages.
        Assert.InRange((int)failure.CudnnError / 1000, 1, 3);
        if (SoftwareDevice.Used)
            Assert.Equal(status, failure.CudnnError);
    }

    private void AssertNoEngines(ConvolutionCase problem)
    {
        using OperationGraph graph = problem.Build(_cudnn);
        Assert.Empty(graph.GetEngineConfigs(HeuristicMode.A));
    }
}
