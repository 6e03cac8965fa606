using System.Runtime.InteropServices;

namespace Atrous.ManagedCuda.CUDNN.Native;

/// <summary>
/// A descriptor of cuDNN's. Descriptors that it names are kept alive by it, because cuDNN may look at them as long as
/// it is used.
/// </summary>
internal sealed unsafe class CudnnDescriptor : SafeHandle
{
    private readonly List<SafeHandle> _kept = [];

    public CudnnDescriptor(DescriptorType type)
        : base(0, ownsHandle: true)
    {
        CudnnApi.ThrowIfFailed(CudnnApi.cudnnBackendCreateDescriptor(type, out nint descriptor));
        SetHandle(descriptor);
    }

    public override bool IsInvalid => handle == 0;

    public CudnnDescriptor Set<T>(AttributeName name, AttributeType type, params ReadOnlySpan<T> values)
        where T : unmanaged
    {
        fixed (T* start = values)
            CudnnApi.ThrowIfFailed(CudnnApi.cudnnBackendSetAttribute(this, name, type, values.Length, start),
                $"{nameof(CudnnApi.cudnnBackendSetAttribute)} {name}(");
        return this;
    }

    public CudnnDescriptor Set(AttributeName name, CudnnHandle handle)
    {
        Keep(handle);
        return Set(name, AttributeType.Handle, handle.Value);
    }

    public CudnnDescriptor Set(AttributeName name, params ReadOnlySpan<CudnnDescriptor> children)
    {
        nint[] handles = new nint[children.Length];
        for (int i = 0; i < children.Length; i++)
        {
            Keep(children[i]);
            handles[i] = children[i].handle;
        }
        return Set<nint>(name, AttributeType.BackendDescriptor, handles);
    }

    /// <summary>Checks the attributes together; afterwards none can be set.</summary>
    public CudnnDescriptor Complete()
    {
        CudnnApi.ThrowIfFailed(CudnnApi.cudnnBackendFinalize(this));
        return this;
    }

    public T[] Get<T>(AttributeName name, AttributeType type, int most)
        where T : unmanaged
    {
        var values = new T[most];
        long count;
        fixed (T* start = values)
            CudnnApi.ThrowIfFailed(CudnnApi.cudnnBackendGetAttribute(this, name, type, most, out count, start),
                $"{nameof(CudnnApi.cudnnBackendGetAttribute)} {name}(");
        return values[..(int)Math.Min(count, most)];
    }

    /// <summary>Elements of an attribute; 0 where cuDNN does not have it here.</summary>
    public long Count(AttributeName name, AttributeType type) =>
        CudnnApi.cudnnBackendGetAttribute(this, name, type, 0, out long count, null) == CudnnStatus.Success ? count : 0;

    /// <summary>
    /// Descriptors that cuDNN fills in; they stay alive with this one, which they may refer to, until they are
    /// disposed.
    /// </summary>
    public CudnnDescriptor[] GetChildren(AttributeName name, DescriptorType type, int most)
    {
        var children = new List<CudnnDescriptor>();
        try
        {
            while (children.Count < most)
                children.Add(new CudnnDescriptor(type));
            nint[] handles = [.. children.Select(child => child.handle)];
            long count;
            fixed (nint* start = handles)
            {
                CudnnApi.ThrowIfFailed(
                    CudnnApi.cudnnBackendGetAttribute(
                        this, name, AttributeType.BackendDescriptor, most, out count, start),
                    $"{nameof(CudnnApi.cudnnBackendGetAttribute)} {name}(");
            }
            int filled = (int)Math.Min(count, most);
            foreach (CudnnDescriptor empty in children.Skip(filled))
                empty.Dispose();
            children.RemoveRange(filled, children.Count - filled);
            foreach (CudnnDescriptor child in children)
                child.Keep(this);
            return [.. children];
        }
        catch
        {
            children.ForEach(child => child.Dispose());
            throw;
        }
    }

    public void Keep(SafeHandle other)
    {
        bool added = false;
        other.DangerousAddRef(ref added);
        _kept.Add(other);
    }

    protected override bool ReleaseHandle()
    {
        bool good = CudnnApi.cudnnBackendDestroyDescriptor(handle) == CudnnStatus.Success;
        foreach (SafeHandle kept in _kept)
            kept.DangerousRelease();
        return good;
    }
}
