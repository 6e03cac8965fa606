using System.Runtime.InteropServices;
using Atrous.Cuda.Tests.Support;
using Atrous.ManagedCuda.Libraries;

namespace Atrous.Cuda.Tests.Libraries;

/// <summary>
/// The one order in which NVIDIA's libraries are looked for, and what is said when they are not found.
/// </summary>
public sealed class ProbeTests : IDisposable
{
    private static readonly CudaLibraryName Absent = CudaLibraryName.Dnn with
    {
        Name = "absent",
        Linux = ["libabsent.so.9", "libabsent.so"],
    };

    private readonly string _folder = Directory.CreateTempSubdirectory("atrous-probe-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_library_that_is_nowhere_is_one_sentence_with_every_place_in_order()
    {
        string wheel = Make("venv/lib/python3.12/site-packages/nvidia/cudnn/lib");
        LibraryFolders folders = LibraryFolders.Of("/option/a", name => name switch
        {
            "ATROUS_CUDA_PATH" => "/variable/b:/variable/c",
            "VIRTUAL_ENV" => Path.Combine(_folder, "venv"),
            "CUDA_HOME" => "/toolkit",
            _ => null,
        });
        var failure = Assert.Throws<CudaLibraryNotFoundException>(() => CudaLibraryProbe.Find(Absent, folders));
        string[] tried = [.. failure.Tried.Select(file => file.Path)];
        string[] first =
        [
            "/option/a/libabsent.so.9", "/option/a/libabsent.so", "/variable/b/libabsent.so.9",
                "/variable/b/libabsent.so",
            "/variable/c/libabsent.so.9", "/variable/c/libabsent.so", "libabsent.so.9", "libabsent.so",
            Path.Combine(wheel, "libabsent.so.9"), Path.Combine(wheel, "libabsent.so"),
        ];
        Assert.Equal(first, tried[..first.Length]);
        Assert.Equal("/toolkit/lib64/libabsent.so.9", tried[^4]);
        Assert.Equal("/usr/local/cuda/lib64/libabsent.so", tried[^1]);
        Assert.All(tried, path => Assert.Contains(path, failure.Message));
        Assert.StartsWith(
            "libabsent.so.9 (cuDNN 9.0 or newer) cannot be loaded; tried /option/a/libabsent.so.9, ", failure.Message);
        Assert.EndsWith(
            "; install cuDNN 9 (package libcudnn9-cuda-13 or -12, or pip install nvidia-cudnn-cu13), or name its " +
            "folder in ATROUS_CUDA_PATH.", failure.Message);
        Assert.DoesNotContain('\n', failure.Message);
    }

    [Fact]
    public void A_library_that_may_be_missing_is_looked_for_in_the_same_places()
    {
        Assert.False(CudaLibraryProbe.TryLoad(Absent, out LoadedLibrary? none));
        Assert.Null(none);
        SoftwareDevice.Require();
        Assert.True(CudaLibraryProbe.TryLoad(CudaLibraryName.Driver, out LoadedLibrary? driver));
        Assert.Same(CudaLibraryProbe.Load(CudaLibraryName.Driver), driver);
    }

    [Fact]
    public void Wheels_of_the_python_in_path_are_found()
    {
        string cublas = Make("prefix/lib/python3.11/site-packages/nvidia/cublas/lib"),
            newer = Make("prefix/lib/python3.12/dist-packages/nvidia/cu13/lib");
        string bin = Make("prefix/bin");
        File.WriteAllText(Path.Combine(bin, "python3"), "");
        LibraryFolders folders = LibraryFolders.Of(null, name => name == "PATH" ? bin : null);
        Assert.Equal([newer, cublas], folders.Wheels[..2]);
    }

    [Fact]
    public void A_file_that_is_no_library_is_named_with_the_loaders_words_and_the_search_goes_on()
    {
        SoftwareDevice.Require();
        string broken = Path.Combine(_folder, "libcuda.so.1");
        File.WriteAllText(broken, "not a library");
        var folders = new LibraryFolders([_folder, SoftwareDevice.Folder], [], []);
        LoadedLibrary loaded = CudaLibraryProbe.Find(CudaLibraryName.Driver, folders);
        Assert.Equal(Path.Combine(SoftwareDevice.Folder, "libcuda.so.1"), loaded.Path);
        Assert.Equal(
            [broken, Path.Combine(_folder, "libcuda.so"), loaded.Path], loaded.Tried.Select(file => file.Path));
        Assert.Equal([false, true, false], loaded.Tried.Select(file => file.Missing));
        Assert.Equal("loaded", loaded.Tried[^1].Outcome);
    }

    [Fact]
    public void A_driver_that_is_too_old_is_not_taken()
    {
        SoftwareDevice.Require();
        // Under another name, because the loader knows the software device's by now.
        File.Copy(Path.Combine(SoftwareDevice.OldFolder, "libcuda.so.1"), Path.Combine(_folder, "libold.so.1"));
        var folders = new LibraryFolders([_folder], [], []);
        var failure = Assert.Throws<CudaLibraryNotFoundException>(
            () => CudaLibraryProbe.Find(CudaLibraryName.Driver with { Linux = ["libold.so.1"] }, folders));
        Assert.Contains("libold.so.1 (older than CUDA 12.0: it lacks cuGraphExecUpdate_v2)", failure.Message);
    }

    [Theory]
    [InlineData(null, null, "13")]
    [InlineData(12, null, "12")]
    [InlineData(13, 12, "12")]
    [InlineData(13, 13, "13")]
    public void The_cuda_that_the_driver_supports_and_cudnn_wants_is_taken(int? newest, int? preferred, string taken)
    {
        SoftwareDevice.Require();
        CudaLibraryName library = Toolkit("libtoolkit");
        string first = Make("first"), second = Make("second");
        Copy(first, "libtoolkit.so.13");
        Copy(second, "libtoolkit.so.12");
        LoadedLibrary loaded = CudaLibraryProbe.Find(library, new([first], [second], []), newest, preferred);
        Assert.EndsWith($"libtoolkit.so.{taken}", loaded.Path);
    }

    [Fact]
    public void A_library_for_a_newer_driver_is_named_as_such()
    {
        SoftwareDevice.Require();
        Copy(_folder, "libtoolkit.so.13");
        var failure = Assert.Throws<CudaLibraryNotFoundException>(
            () => CudaLibraryProbe.Find(Toolkit("libtoolkit"), new([_folder], [], []), newest: 12));
        Assert.Contains("libtoolkit.so.13 (for a newer CUDA than the driver's, 12)", failure.Message);
    }

    [Theory]
    [InlineData("libcublasLt.so.13", 13)]
    [InlineData("/a.b/libnvrtc-builtins.so.12.8", 12)]
    [InlineData("libnvrtc.so", null)]
    [InlineData("nvrtc64_130_0.dll", 13)]
    [InlineData("cublasLt64_12.dll", 12)]
    public void A_file_s_name_tells_its_cuda(string file, int? cuda) =>
        Assert.Equal(cuda, CudaLibraryName.RuntimeCompiler.CudaOf(file));

    [Fact]
    public void What_a_library_opens_by_its_bare_name_is_loaded_from_its_own_folder()
    {
        SoftwareDevice.Require();
        // A copy: other tests may have loaded the parts by now.
        foreach (string file in Directory.GetFiles(SoftwareDevice.CompilerFolder))
            File.Copy(file, Path.Combine(_folder, Path.GetFileName(file)));
        string compiler = Path.Combine(_folder, "libnvrtc.so.13");
        Assert.False(ElfFile.LooksBesideItself(compiler));
        unsafe
        {
            nint alone = NativeLibrary.Load(compiler);
            Assert.NotEqual(0, Compile(alone));
            LoadedLibrary loaded =
                CudaLibraryProbe.Find(CudaLibraryName.RuntimeCompiler, new LibraryFolders([_folder], [], []));
            Assert.Equal(0, Compile(loaded.Handle));
        }
    }

    [Fact]
    public void A_library_s_own_run_path_is_read()
    {
        SoftwareDevice.Require();
        string library = Path.Combine(SoftwareDevice.Folder, "libcudnn.so.9");
        Assert.Equal("$ORIGIN", ElfFile.RunPathOf(library)?.TrimEnd(':'));
        Assert.True(ElfFile.LooksBesideItself(library));
        string text = Path.Combine(_folder, "text");
        File.WriteAllText(text, "not a library");
        Assert.Null(ElfFile.RunPathOf(text));
        Assert.Null(ElfFile.RunPathOf(Path.Combine(_folder, "nothing")));
        File.WriteAllBytes(text, File.ReadAllBytes(library)[..100]);
        Assert.Null(ElfFile.RunPathOf(text));
    }

    [Fact]
    public void Wheels_of_windows_have_a_folder_per_architecture() => Assert.Equal(
        [Path.Combine("p", "nvidia", "cu13", "bin", "x86_64"), Path.Combine("p", "nvidia", "cu13", "bin")],
        LibraryFolders.InWheels("p", windows: true).Where(path => path.Contains("cu13", StringComparison.Ordinal)));

    private static unsafe int Compile(nint compiler) =>
        ((delegate* unmanaged<int>)NativeLibrary.GetExport(compiler, "nvrtcCompileProgram"))();

    private static CudaLibraryName Toolkit(string name) => CudaLibraryName.BlasLt with
    {
        Name = name,
        Linux = [$"{name}.so.13", $"{name}.so.12"],
        Needs = [],
    };

    private static void Copy(string folder, string name) =>
        File.Copy(Path.Combine(SoftwareDevice.OldFolder, "libcuda.so.1"), Path.Combine(folder, name));

    private string Make(string folder) => Directory.CreateDirectory(Path.Combine(_folder, folder)).FullName;
}
