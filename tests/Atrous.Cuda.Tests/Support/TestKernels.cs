using Atrous.ManagedCuda;

namespace Atrous.Cuda.Tests.Support;

/// <summary>
/// PTX of two small kernels, which the software device has compiled for the host under the same names.
/// </summary>
internal static class TestKernels
{
    /// <summary>out[i] = in[i] * scale + shift.</summary>
    public const string Scale = "atrous_test_scale";

    /// <summary>Writes one value past what it was given.</summary>
    public const string Overrun = "atrous_test_overrun";

    public static ReadOnlySpan<byte> Ptx => """
        // Two entries, as clang writes them.
        .version 8.0
        .target sm_75
        .address_size 64

        .visible .entry atrous_test_scale(
            .param .u64 .ptr .global .align 4 scale_param_0,
            .param .u64 scale_param_1,
            .param .u32 scale_param_2,
            .param .f32 scale_param_3,
            .param .f32 scale_param_4
        )
        {
            .reg .pred %p<2>;
            .reg .f32 %f<5>;
            .reg .b32 %r<6>;
            .reg .b64 %rd<8>;
            mov.u32 %r1, %ctaid.x;
            mov.u32 %r2, %ntid.x;
            mov.u32 %r3, %tid.x;
            mad.lo.s32 %r4, %r1, %r2, %r3;
            ld.param.u32 %r5, [scale_param_2];
            setp.ge.u32 %p1, %r4, %r5;
            @%p1 bra DONE;
            ld.param.u64 %rd1, [scale_param_0];
            ld.param.u64 %rd2, [scale_param_1];
            ld.param.f32 %f2, [scale_param_3];
            ld.param.f32 %f3, [scale_param_4];
            cvta.to.global.u64 %rd3, %rd1;
            cvta.to.global.u64 %rd4, %rd2;
            mul.wide.u32 %rd5, %r4, 4;
            add.s64 %rd6, %rd3, %rd5;
            add.s64 %rd7, %rd4, %rd5;
            ld.global.f32 %f1, [%rd6];
            fma.rn.f32 %f4, %f1, %f2, %f3;
            st.global.f32 [%rd7], %f4;
        DONE:
            ret;
        }

        .visible .entry atrous_test_overrun(.param .u64 overrun_param_0, .param .u32 overrun_param_1)
        {
            ret;
        }
        """u8;

    /// <summary>Puts one scaling into a stream; the context is current.</summary>
    public static void Launch(
        CudaKernel scale, CudaStream stream, CudaDeviceVariable<float> input, CudaDeviceVariable<float> output,
        float factor, float shift)
    {
        var arguments = new KernelArguments();
        arguments.Add(input.DevicePointer);
        arguments.Add(output.DevicePointer);
        arguments.Add((uint)input.Size);
        arguments.Add(factor);
        arguments.Add(shift);
        scale.RunAsync(stream, new dim3((uint)((input.Size + 127) / 128)), new dim3(128), ref arguments);
    }
}
