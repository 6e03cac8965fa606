namespace Atrous.ManagedCuda.CUDNN.Native;

/// <summary>Complete descriptors from the typed descriptions.</summary>
internal static class Descriptors
{
    private const int CrossCorrelation = 1, PropagateNan = 1;

    /// <summary>A complete descriptor; nothing stays behind when cuDNN refuses it.</summary>
    public static CudnnDescriptor Make(DescriptorType type, Action<CudnnDescriptor> set)
    {
        var descriptor = new CudnnDescriptor(type);
        try
        {
            set(descriptor);
            return descriptor.Complete();
        }
        catch
        {
            descriptor.Dispose();
            throw;
        }
    }

    public static CudnnDescriptor Tensor(GraphTensor tensor) => Make(DescriptorType.Tensor, descriptor =>
    {
        long row = tensor.W * tensor.PixelStride;
        descriptor
            .Set(AttributeName.TensorDataType, AttributeType.DataType, tensor.Type)
            .Set(AttributeName.TensorDimensions, AttributeType.Int64, tensor.N, tensor.C, tensor.H, tensor.W)
            .Set(AttributeName.TensorStrides, AttributeType.Int64, tensor.H * row, 1L, row, tensor.PixelStride)
            .Set(AttributeName.TensorUniqueId, AttributeType.Int64, tensor.Uid)
            .Set(AttributeName.TensorByteAlignment, AttributeType.Int64, tensor.Alignment)
            .Set(AttributeName.TensorIsVirtual, AttributeType.Boolean, (byte)(tensor.IsVirtual ? 1 : 0));
    });

    public static CudnnDescriptor Convolution(
        CudnnDescriptor x, CudnnDescriptor w, ConvolutionWindow window, CudnnDescriptor y)
    {
        using CudnnDescriptor convolution = Make(DescriptorType.Convolution, descriptor => descriptor
            .Set(AttributeName.ConvolutionComputeType, AttributeType.DataType, CudnnDataType.Float)
            .Set(AttributeName.ConvolutionMode, AttributeType.ConvolutionMode, CrossCorrelation)
            .Set(AttributeName.ConvolutionSpatialDimensions, AttributeType.Int64, 2L)
            .Set(AttributeName.ConvolutionPrePaddings, AttributeType.Int64, window.PadTop, window.PadLeft)
            .Set(AttributeName.ConvolutionPostPaddings, AttributeType.Int64, window.PadBottom, window.PadRight)
            .Set(AttributeName.ConvolutionFilterStrides, AttributeType.Int64, window.StrideHeight, window.StrideWidth)
            .Set(AttributeName.ConvolutionDilations, AttributeType.Int64, window.DilationHeight, window.DilationWidth));
        return Make(DescriptorType.OperationConvolutionForward, descriptor => descriptor
            .Set(AttributeName.ConvolutionForwardDescriptor, convolution)
            .Set(AttributeName.ConvolutionForwardX, x)
            .Set(AttributeName.ConvolutionForwardW, w)
            .Set(AttributeName.ConvolutionForwardY, y)
            .Set(AttributeName.ConvolutionForwardAlpha, AttributeType.Float, 1f)
            .Set(AttributeName.ConvolutionForwardBeta, AttributeType.Float, 0f));
    }

    public static CudnnDescriptor Pointwise(
        Pointwise operation, CudnnDescriptor x, CudnnDescriptor? operand, CudnnDescriptor y)
    {
        using CudnnDescriptor pointwise = Make(DescriptorType.Pointwise, descriptor =>
        {
            descriptor
                .Set(AttributeName.PointwiseMode, AttributeType.PointwiseMode, operation.Mode)
                .Set(AttributeName.PointwiseMathPrecision, AttributeType.DataType, CudnnDataType.Float);
            // Else what is no number may become 0, and nobody would see that a layer has overflowed.
            if (operation.Mode == PointwiseMode.ReluFwd)
                descriptor.Set(AttributeName.PointwiseNanPropagation, AttributeType.NanPropagation, PropagateNan);
            SetIfGiven(descriptor, AttributeName.PointwiseReluLowerClip, operation.LowerClip);
            SetIfGiven(descriptor, AttributeName.PointwiseReluUpperClip, operation.UpperClip);
            SetIfGiven(descriptor, AttributeName.PointwiseReluLowerClipSlope, operation.LowerSlope);
            SetIfGiven(descriptor, AttributeName.PointwiseSwishBeta, operation.SwishBeta);
        });
        return Make(DescriptorType.OperationPointwise, descriptor =>
        {
            descriptor
                .Set(AttributeName.OperationPointwiseDescriptor, pointwise)
                .Set(AttributeName.OperationPointwiseX, x)
                .Set(AttributeName.OperationPointwiseY, y);
            if (operand is not null)
                descriptor.Set(AttributeName.OperationPointwiseB, operand);
        });
    }

    /// <summary>As a double, the only type in which NVIDIA's own frontend sends these.</summary>
    private static void SetIfGiven(CudnnDescriptor descriptor, AttributeName name, float? value)
    {
        if (value is { } given)
            descriptor.Set(name, AttributeType.Double, (double)given);
    }
}
