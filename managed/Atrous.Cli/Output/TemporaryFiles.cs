namespace Atrous.Cli.Output;

/// <summary>
/// The outputs that are being written, so that a process which has to go at once leaves none of them behind.
/// </summary>
internal sealed class TemporaryFiles
{
    private readonly Lock _lock = new();
    private readonly HashSet<string> _paths = [];
    private readonly HashSet<string> _folders = [];
    private bool _closed;

    /// <summary>A new name in the target's folder, which makes the later rename atomic.</summary>
    /// <exception cref="OperationCanceledException">The process is about to end.</exception>
    public string NameBeside(string target)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(target))!;
        string path = Path.Combine(folder, LeftoverFiles.NewName());
        bool isNew;
        lock (_lock)
        {
            if (_closed)
                throw new OperationCanceledException();
            _paths.Add(path);
            isNew = _folders.Add(folder);
        }
        if (isNew)
            LeftoverFiles.Sweep(folder);
        return path;
    }

    /// <summary>The file is renamed or deleted.</summary>
    public void Forget(string path)
    {
        lock (_lock)
            _paths.Remove(path);
    }

    /// <summary>
    /// Deletes what is there, and whatever a writer put beside it under a longer name; gives out no more names.
    /// </summary>
    public void Discard()
    {
        lock (_lock)
        {
            _closed = true;
            foreach (string path in _paths)
            {
                try
                {
                    string folder = Path.GetDirectoryName(path)!;
                    foreach (string file in Directory.EnumerateFiles(folder, Path.GetFileName(path) + "*"))
                        File.Delete(file);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    // The folder vanished or was locked meanwhile: there is nothing left to do for it.
                    continue;
                }
            }
        }
    }
}
