using Atrous.Backends;
using Atrous.Backends.Cuda;
using Atrous.Imaging;
using Atrous.Preprocessing;
using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Tests.Backends.Cuda;

/// <summary>
/// The kernels of pre-processing on the host have the bits of <see cref="Preprocessor"/>, whatever the sizes.
/// </summary>
public sealed unsafe class KernelPictureTests
{
    public static TheoryData<ResizeFilter, int, int, int, int, int> Sizes =>
    [
        .. from filter in Enum.GetValues<ResizeFilter>()
           from size in new[]
           {
               (37, 53, 17, 19), (17, 19, 37, 53), (40, 30, 40, 13), (40, 30, 13, 30), (1, 1, 5, 7), (9, 11, 1, 1),
                   (64, 48, 64, 48),
               (200, 3, 20, 31), (5, 333, 6, 32), (2, 2, 513, 3),
           }
           from channels in new[] { 1, 3, 4 }
           select (filter, size.Item1, size.Item2, size.Item3, size.Item4, channels),
    ];

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Input_has_the_bits_of_the_CPU(
        ResizeFilter filter, int height, int width, int newHeight, int newWidth, int channels)
    {
        PreprocessingSpec spec = Spec(channels) with
        {
            Resize = new ResizePolicy.Stretch(newHeight, newWidth),
            Filter = filter,
        };
        AssertSame(spec, height, width, channels);
    }

    [Theory]
    [InlineData(3, ChannelOrder.Bgr)]
    [InlineData(4, ChannelOrder.Rgb)]
    [InlineData(1, ChannelOrder.Rgb)]
    public void A_letterbox_is_filled_around_the_picture(int channels, ChannelOrder order)
    {
        PreprocessingSpec spec = Spec(3) with
        {
            Order = order,
            Resize = new ResizePolicy.Letterbox(33, 40, 128),
            Filter = ResizeFilter.Bicubic,
        };
        AssertSame(spec, 50, 31, channels);
        AssertSame(spec with { Scale = 1, Resize = new ResizePolicy.None() }, 7, 9, channels);
        AssertSame(spec with { Scale = 1f / 127.5f, Resize = new ResizePolicy.LongSide(21, false) }, 7, 9, channels);
    }

    /// <summary>Two pictures of a size, which are made together.</summary>
    private static void AssertSame(PreprocessingSpec spec, int height, int width, int channels)
    {
        const int Pictures = 2;
        using var image = new Image(height, width, channels);
        using var preprocessor = new Preprocessor(spec, threads: 1);
        byte[] pixels = new byte[Pictures * height * width * channels];
        new Random(height * 1000 + width).NextBytes(pixels);
        var values = new List<float>();
        PreprocessingPlan plan = default;
        Shape shape = default;
        for (int n = 0; n < Pictures; n++)
        {
            pixels.AsSpan(n * image.Pixels.Length, image.Pixels.Length).CopyTo(image.Pixels);
            using NetworkInput expected = preprocessor.Prepare(image);
            (plan, shape) = (expected.Plan, expected.Tensor.Shape with { Batch = Pictures });
            values.AddRange(expected.Tensor.Image<float>(0).ToArray());
        }
        int[] order = ChannelOrders.For(spec, image.Format)!;
        byte fill = spec.Resize is ResizePolicy.Letterbox box ? box.Fill : (byte)0;
        PictureChannel[] maps =
            [.. spec.Mean.Select((mean, c) => new PictureChannel(mean, spec.Std[c], fill, order[c]))];
        var resize = new PictureResize(
            (int)spec.Filter, new(height, width, channels), plan.Window.Height, plan.Window.Width, Pictures);
        using var workspace = new NativeBuffer(resize.WorkspaceSize);
        foreach (KernelLaunch launch in resize.Preparation((nint)workspace.Pointer))
            HostKernels.Run(launch);
        foreach (DType storage in new[] { DType.Float32, DType.Float16, DType.BFloat16 })
        {
            foreach (int padded in new[] { spec.Channels, 8 })
            {
                using var input = new StoredTensor(storage, shape with { Channels = padded }, Placing.Packed);
                fixed (byte* first = pixels)
                fixed (PictureChannel* map = maps)
                {
                    IReadOnlyList<KernelLaunch> launches =
                        resize.Launches((nint)first, (nint)workspace.Pointer, out nint resized);
                    foreach (KernelLaunch launch in launches)
                        HostKernels.Run(launch);
                    HostKernels.Run(KernelLaunches.PictureInput(
                        storage, resized, new(plan.Window.Height, plan.Window.Width, channels), plan.Window.Top,
                        plan.Window.Left, spec.Scale, (nint)map, spec.Channels, input.View));
                }
                float[] wanted = [.. Enumerable.Range(0, values.Count / spec.Channels * padded).Select(i =>
                    i % padded < spec.Channels
                    ? StoredTensor.Round(storage, values[i / padded * spec.Channels + i % padded]) : 0)];
                Assert.Equal(wanted, input.Values());
            }
        }
    }

    private static PreprocessingSpec Spec(int channels) => PreprocessingSpec.ImageNet with
    {
        Mean = [.. new[] { 0.485f, 0.456f, 0.406f, 0.5f }.Take(channels)],
        Std = [.. new[] { 0.229f, 0.224f, 0.225f, 0.25f }.Take(channels)],
    };
}
