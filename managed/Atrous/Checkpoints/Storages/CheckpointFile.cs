using Atrous.Files;
using Microsoft.Win32.SafeHandles;

namespace Atrous.Checkpoints.Storages;

/// <summary>
/// A file that stays open while its tensors are read, or the bytes of one in memory. Reads are positional, so threads
/// need no lock; a file that was changed in place since it was opened is refused instead of read.
/// </summary>
internal sealed class CheckpointFile : IDisposable
{
    /// <summary>A slow disk takes a moment for so much, and only then can it be stopped.</summary>
    private const int MostAtOnce = 16 << 20;

    private readonly SafeFileHandle? _handle; // null: _bytes is the file
    private readonly ReadOnlyMemory<byte> _bytes;
    private readonly DateTime _written;
    private readonly List<CheckpointFile> _beside = [];

    public CheckpointFile(string path)
        : this(path, new ReadBudget(path))
    {
    }

    private CheckpointFile(string path, ReadBudget budget)
    {
        (Path, Budget) = (path, budget);
        try
        {
            RegularFile.Require(path);
            // No lock: a checkpoint may lie on a share where locks fail; changes are noticed by CheckUnchanged.
            _handle = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
            Length = RandomAccess.GetLength(_handle);
            _written = File.GetLastWriteTimeUtc(_handle);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ModelException($"The checkpoint '{path}' does not exist; check the path.", e);
        }
        catch (Exception e)
            when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new ModelException($"The checkpoint '{path}' cannot be opened: {e.Message.TrimEnd('.')}.", e);
        }
    }

    /// <summary>A file whose bytes are in memory; errors call it by the name.</summary>
    public CheckpointFile(string name, ReadOnlyMemory<byte> bytes)
    {
        (Path, Budget) = (name, new ReadBudget(name));
        _bytes = bytes;
        Length = bytes.Length;
    }

    public string Path { get; }

    public long Length { get; }

    /// <summary>What may be held of it, shared with the files beside it.</summary>
    public ReadBudget Budget { get; }

    /// <summary>The error to throw: "The checkpoint 'path' {complaint}."</summary>
    public ModelException Error(string complaint, Exception? inner = null)
    {
        string message = $"The checkpoint '{Path}' {complaint}.";
        return inner is null ? new ModelException(message) : new ModelException(message, inner);
    }

    /// <summary>Fills the whole destination from the position.</summary>
    public void Read(long position, Span<byte> destination)
    {
        try
        {
            while (!destination.IsEmpty)
            {
                Budget.Cancellation.ThrowIfCancellationRequested();
                int read = ReadSome(position, destination[..Math.Min(destination.Length, MostAtOnce)]);
                if (read == 0)
                    throw Error("ends too early; it is truncated, copy or download it again");
                destination = destination[read..];
                position += read;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Error($"cannot be read: {e.Message.TrimEnd('.')}", e);
        }
    }

    /// <summary>True where a file of this name lies in the same folder; of bytes in memory there is none.</summary>
    public bool HasBeside(string name) => _handle is not null && File.Exists(BesidePath(name));

    /// <summary>Opens a file of the same folder, which is from then on a part of this one.</summary>
    public CheckpointFile OpenBeside(string name)
    {
        var file = new CheckpointFile(BesidePath(name), Budget);
        _beside.Add(file);
        return file;
    }

    /// <summary>Throws when the file, or a part of it, is not what it was when it was opened.</summary>
    public void CheckUnchanged()
    {
        foreach (CheckpointFile part in _beside)
            part.CheckUnchanged();
        if (_handle is null)
            return;
        if (RandomAccess.GetLength(_handle) != Length || File.GetLastWriteTimeUtc(_handle) != _written)
            throw Error("was changed since it was opened; open it again");
    }

    public void Dispose()
    {
        foreach (CheckpointFile part in _beside)
            part.Dispose();
        _handle?.Dispose();
    }

    private string BesidePath(string name) =>
        System.IO.Path.Combine(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!, name);

    private int ReadSome(long position, Span<byte> destination)
    {
        if (_handle is not null)
            return RandomAccess.Read(_handle, destination, position);
        ReadOnlySpan<byte> rest = _bytes.Span[(int)Math.Min(position, _bytes.Length)..];
        int count = Math.Min(rest.Length, destination.Length);
        rest[..count].CopyTo(destination);
        return count;
    }
}
