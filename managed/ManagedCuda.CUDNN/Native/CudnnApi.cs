using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Atrous.ManagedCuda.Libraries;

namespace Atrous.ManagedCuda.CUDNN.Native;

/// <summary>The entry points of cuDNN 9's graph (backend) API.</summary>
internal static unsafe partial class CudnnApi
{
    private const string Library = "cudnn";

    private const int TextBytes = 1024;

    private static readonly Lazy<nint> Opened = new(Open, LazyThreadSafetyMode.PublicationOnly);

    static CudnnApi() => NativeLibrary.SetDllImportResolver(
        typeof(CudnnApi).Assembly, (name, _, _) => name == Library ? Opened.Value : 0);

    public static void ThrowIfFailed(CudnnStatus status, [CallerArgumentExpression(nameof(status))] string call = "")
    {
        if (status == CudnnStatus.Success)
            return;
        int end = call.IndexOf('(', StringComparison.Ordinal);
        string name = end < 0 ? call : call[..end];
        byte* text = stackalloc byte[TextBytes];
        text[0] = 0;
        cudnnGetLastErrorString(text, TextBytes);
        throw new CudaDNNException(
            status, name[(name.LastIndexOf('.') + 1)..], Marshal.PtrToStringUTF8((nint)cudnnGetErrorString(status))
            ?? "cuDNN status",
            (Marshal.PtrToStringUTF8((nint)text) ?? "").ReplaceLineEndings(" ").Trim().TrimEnd('.'));
    }

    private static nint Open()
    {
        nint cudnn = CudaLibraryProbe.Load(CudaLibraryName.Dnn).Handle;
        var version = (delegate* unmanaged<nuint>)NativeLibrary.GetExport(cudnn, nameof(cudnnGetCudartVersion));
        CudaLibraryProbe.Prefer((int)(version() / 1000));
        // cuDNN opens these two by their bare names, from its engines: what is loaded already is found wherever it
        // lies. Not every engine needs them; the one that does reports their absence by a status of its own.
        CudaLibraryProbe.TryLoad(CudaLibraryName.BlasLt, out _);
        CudaLibraryProbe.TryLoad(CudaLibraryName.RuntimeCompiler, out _);
        return cudnn;
    }

    [LibraryImport(Library)]
    public static partial nuint cudnnGetVersion();

    [LibraryImport(Library)]
    public static partial nuint cudnnGetCudartVersion();

    [LibraryImport(Library)]
    private static partial byte* cudnnGetErrorString(CudnnStatus status);

    [LibraryImport(Library)]
    private static partial void cudnnGetLastErrorString(byte* text, nuint bytes);

    [LibraryImport(Library)]
    public static partial CudnnStatus cudnnCreate(out nint handle);

    [LibraryImport(Library)]
    public static partial CudnnStatus cudnnDestroy(nint handle);

    [LibraryImport(Library)]
    public static partial CudnnStatus cudnnSetStream(CudnnHandle handle, CUstream stream);

    [LibraryImport(Library)]
    public static partial CudnnStatus cudnnBackendCreateDescriptor(DescriptorType type, out nint descriptor);

    [LibraryImport(Library)]
    public static partial CudnnStatus cudnnBackendDestroyDescriptor(nint descriptor);

    [LibraryImport(Library)]
    public static partial CudnnStatus cudnnBackendSetAttribute(
        CudnnDescriptor descriptor, AttributeName name, AttributeType type, long count, void* elements);

    [LibraryImport(Library)]
    public static partial CudnnStatus cudnnBackendGetAttribute(
        CudnnDescriptor descriptor, AttributeName name, AttributeType type, long requested, out long count,
        void* elements);

    [LibraryImport(Library)]
    public static partial CudnnStatus cudnnBackendFinalize(CudnnDescriptor descriptor);

    [LibraryImport(Library)]
    public static partial CudnnStatus cudnnBackendExecute(
        CudnnHandle handle, CudnnDescriptor plan, CudnnDescriptor pack);
}

internal sealed class CudnnHandle : SafeHandle
{
    public CudnnHandle(nint value)
        : base(0, ownsHandle: true) => SetHandle(value);

    public override bool IsInvalid => handle == 0;

    public nint Value
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return handle;
        }
    }

    protected override bool ReleaseHandle() => CudnnApi.cudnnDestroy(handle) == CudnnStatus.Success;
}
