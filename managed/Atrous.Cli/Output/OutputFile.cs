namespace Atrous.Cli.Output;

/// <summary>
/// A file that appears whole or not at all: written under a temporary name beside the target, renamed by
/// <see cref="Commit"/>. A link is followed; what lies in /dev and /proc, which cannot be renamed onto, is written
/// directly.
/// </summary>
internal sealed class OutputFile : IDisposable
{
    private readonly TemporaryFiles _temporaries;
    private readonly string _shown, _target;
    private readonly bool _direct;
    private bool _committed;

    /// <summary>Creates the target's folder where it is missing.</summary>
    /// <exception cref="CommandException">The folder cannot be created.</exception>
    public OutputFile(TemporaryFiles temporaries, string target)
    {
        _temporaries = temporaries;
        _shown = target;
        _target = Path.GetFullPath(target);
        _direct = _target.StartsWith("/dev/", StringComparison.Ordinal)
            || _target.StartsWith("/proc/", StringComparison.Ordinal);
        if (!_direct)
            _target = Guard(() => Prepare(_target));
        if (Directory.Exists(_target))
            throw new CommandException(ExitCode.Failed, $"{_shown}: this is a folder, not a file that can be written.");
        TemporaryPath = _direct ? _target : temporaries.NameBeside(_target);
    }

    /// <summary>Writes a whole file, or to standard output.</summary>
    /// <param name="temporaries">Where its temporary name is noted.</param>
    /// <param name="path">The file; null or "-" for standard output.</param>
    /// <param name="contents">Writes what is in it.</param>
    /// <exception cref="CommandException">It cannot be written.</exception>
    public static void Save(TemporaryFiles temporaries, string? path, Action<Stream> contents)
    {
        if (path is null or "-")
        {
            using Stream output = StandardStream.OpenOutput();
            contents(output);
            return;
        }
        using var file = new OutputFile(temporaries, path);
        file.Write(contents);
        file.Commit();
    }

    /// <summary>The target is a device or a pipe, which is written without a temporary file.</summary>
    public bool IsDirect => _direct;

    /// <summary>Where the contents go until <see cref="Commit"/>.</summary>
    public string TemporaryPath { get; }

    /// <exception cref="CommandException">The file cannot be written.</exception>
    public void Write(Action<Stream> contents) => Guard(() =>
    {
        using FileStream stream = Create(bufferSize: 0);
        contents(stream);
    });

    /// <summary>
    /// A stream for contents that come little by little; the caller closes it before <see cref="Commit"/>, and writes
    /// to it inside <see cref="Guard(Action)"/>.
    /// </summary>
    /// <exception cref="CommandException">The file cannot be written.</exception>
    public FileStream Open() => Guard(() => Create(bufferSize: 1 << 16));

    /// <summary>Does what writes to the file.</summary>
    /// <exception cref="CommandException">The file cannot be written.</exception>
    public void Guard(Action action) => Guard(() =>
    {
        action();
        return true;
    });

    /// <exception cref="CommandException">The target cannot be replaced.</exception>
    public void Commit()
    {
        if (!_direct)
        {
            Guard(() => File.Move(TemporaryPath, _target, overwrite: true));
            _temporaries.Forget(TemporaryPath);
        }
        _committed = true;
    }

    public void Dispose()
    {
        if (_committed || _direct)
            return;
        Guard(() => File.Delete(TemporaryPath));
        _temporaries.Forget(TemporaryPath);
    }

    private FileStream Create(int bufferSize) => new(
        TemporaryPath, _direct ? FileMode.Open : FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize);

    /// <summary>Where a link leads, in a folder that exists.</summary>
    private static string Prepare(string path)
    {
        if (new FileInfo(path).LinkTarget is not null)
            path = File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        return path;
    }

    private T Guard<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new CommandException(ExitCode.Failed, $"{_shown}: the file cannot be written ({Reason(e)}).", e);
        }
    }

    private static string Reason(Exception e) =>
        e.InnerException is IOException inner ? inner.Message.TrimEnd('.') : e.Message.TrimEnd('.');
}
