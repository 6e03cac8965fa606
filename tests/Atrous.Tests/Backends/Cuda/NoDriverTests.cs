using System.Runtime.ExceptionServices;
using Atrous.Imaging;
using Atrous.ManagedCuda;
using Atrous.ManagedCuda.Libraries;

namespace Atrous.Tests.Backends.Cuda;

/// <summary>A machine without NVIDIA's driver, on which every start asks for it.</summary>
public sealed class NoDriverTests
{
    [Fact]
    public void A_picture_is_segmented_without_an_exception_on_the_way()
    {
        using Image photo = new(33, 33, 3);
        Assert.Empty(ThrownBy(() =>
        {
            using Segmenter segmenter = Segmenter.LoadDefault();
            segmenter.Segment(photo);
        }));
        Assert.Contains(
            typeof(ImageException), ThrownBy(() => Assert.Throws<ImageException>(() => Image.Load("nowhere.png"))));
    }

    /// <summary>
    /// An exception of a resolver of imports passes through the runtime's own frames, which Wine 8 does not survive.
    /// </summary>
    [Fact]
    public void That_there_is_no_driver_is_not_thrown_through_the_runtime_s_own_frames()
    {
        Assert.SkipWhen(CudaLibraryProbe.TryLoad(CudaLibraryName.Driver, out _), "this machine has a driver");
        var missing = Assert.Throws<CudaLibraryNotFoundException>(() => CudaContext.GetDeviceCount());
        Assert.Contains("CudaLibraryProbe.Load", missing.StackTrace);
        Assert.DoesNotContain("NativeLibrary.", missing.StackTrace);
    }

    private static List<Type> ThrownBy(Action action)
    {
        var thrown = new List<Type>();
        int here = Environment.CurrentManagedThreadId;
        void Note(object? sender, FirstChanceExceptionEventArgs e)
        {
            if (Environment.CurrentManagedThreadId == here)
                thrown.Add(e.Exception.GetType());
        }
        AppDomain.CurrentDomain.FirstChanceException += Note;
        try
        {
            action();
        }
        finally
        {
            AppDomain.CurrentDomain.FirstChanceException -= Note;
        }
        return thrown;
    }
}
