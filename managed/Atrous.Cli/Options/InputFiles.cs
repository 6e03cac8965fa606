using Atrous.Cli.Output;
using Atrous.Files;

namespace Atrous.Cli.Options;

/// <summary>A picture to segment.</summary>
/// <param name="Path">As it is opened and reported; "-" for standard input.</param>
/// <param name="Relative">Below the folder that was given: "sub/a.jpg"; the file's name where a file was given.</param>
internal sealed record InputFile(string Path, string Relative);

/// <summary>An input that cannot even be opened.</summary>
/// <param name="Path">As it was given or listed.</param>
/// <param name="Message">A sentence that says what is wrong with it.</param>
/// <param name="Relative">As of an <see cref="InputFile"/>; null where it may be a whole folder.</param>
internal sealed record BadInput(string Path, string Message, string? Relative = null)
{
    /// <summary>It may be readable the next time.</summary>
    public bool MayPass { get; init; }

    public Failure Failure => new(MayPass ? ExitCode.Failed : ExitCode.BadInput, Message);
}

/// <summary>What a folder holds and is not read.</summary>
internal sealed record LeftOut(string Path, string Reason);

/// <summary>What the inputs on the command line stand for, in a fixed order.</summary>
internal sealed class InputFiles
{
    private static readonly string[] Extensions =
    [
        ".jpg", ".jpeg", ".jfif", ".jpe", ".png", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff",
    ];

    /// <summary>Pictures that are not read, so that a folder's are not left out without a word.</summary>
    private static readonly string[] OtherPictures =
    [
        ".heic", ".heif", ".avif", ".jxl", ".jp2", ".j2k", ".ppm", ".pgm",
        ".pbm", ".pnm", ".tga", ".ico", ".psd", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raw", ".exr", ".hdr",
        ".apng", ".jif", ".jfi",
    ];

    private const int MostNamed = 5;

    /// <summary>.NET's strings cannot hold such a name, so that nothing can be opened by it.</summary>
    private const string NotUtf8 = "its name is not UTF-8; rename it";

    private static string Known => $"{string.Join(", ", Extensions[..^1])} or {Extensions[^1]}";

    private readonly List<InputFile> _pictures = [];
    private readonly List<BadInput> _bad = [];
    private readonly List<string> _skipped = [];
    private readonly List<LeftOut> _leftOut = [];

    /// <param name="inputs">Files, folders, or "-" alone.</param>
    /// <exception cref="CommandException">"-" stands beside other inputs.</exception>
    public InputFiles(IReadOnlyList<string> inputs)
    {
        IsStandardInput = inputs.Contains("-");
        if (IsStandardInput && inputs.Count > 1)
            throw CommandException.Usage("'-' (standard input) is one picture; give no other input beside it.");
        if (IsStandardInput)
            _pictures.Add(new InputFile("-", "stdin"));
        foreach (string input in IsStandardInput ? [] : inputs)
            Add(input);
        IsOneFile = inputs.Count == 1 && !Directory.Exists(inputs[0]);
    }

    /// <summary>None yet, for who knows the pictures one by one.</summary>
    public InputFiles()
    {
    }

    /// <summary>The one picture comes from standard input.</summary>
    public bool IsStandardInput { get; }

    /// <summary>One file was named (and no folder), or standard input.</summary>
    public bool IsOneFile { get; }

    public IReadOnlyList<InputFile> Pictures => _pictures;

    public IReadOnlyList<BadInput> Bad => _bad;

    /// <summary>Named outputs of an earlier run.</summary>
    public IReadOnlyList<string> Skipped => _skipped;

    /// <summary>What folders hold and is not read: pictures of other formats, links that are not followed.</summary>
    public IReadOnlyList<LeftOut> LeftOut => _leftOut;

    /// <summary>Whether a file's name ends as those do that are read.</summary>
    public static bool IsPicture(string path) => Extensions.Contains(Path.GetExtension(path).ToLowerInvariant());

    /// <summary>A relative path with slashes, the same on every system.</summary>
    public static string NameOf(string relative) => relative.Replace(Path.DirectorySeparatorChar, '/');

    /// <summary>Adds a picture.</summary>
    public void Take(InputFile picture) => _pictures.Add(picture);

    /// <summary>Adds what is no picture.</summary>
    public void Refuse(BadInput input) => _bad.Add(input);

    /// <summary>Of a picture it turned out that it cannot be read now.</summary>
    public void Refuse(InputFile picture, string message)
    {
        _pictures.Remove(picture);
        _bad.Add(new BadInput(picture.Path, message, picture.Relative) { MayPass = true });
    }

    /// <summary>Adds an output of an earlier run.</summary>
    public void Skip(string output) => _skipped.Add(output);

    /// <summary>One sentence about <see cref="LeftOut"/>; none where there is nothing.</summary>
    public IEnumerable<string> LeftOutInWords()
    {
        if (_leftOut.Count == 0)
            yield break;
        string names = string.Join(", ", _leftOut.Take(MostNamed).Select(left => $"{left.Path} ({left.Reason})"));
        string more = _leftOut.Count > MostNamed ? $" and {_leftOut.Count - MostNamed} more" : "";
        yield return $"{_leftOut.Count} {(_leftOut.Count == 1 ? "entry is" : "entries are")} left out: {names}{more}.";
    }

    private static bool IsBrokenLink(FileSystemInfo entry)
    {
        try
        {
            return entry.ResolveLinkTarget(returnFinalTarget: true) is { Exists: false };
        }
        catch (IOException)
        {
            return true; // it leads in a circle
        }
    }

    private void Add(string input)
    {
        if (Directory.Exists(input))
        {
            int before = _pictures.Count + _bad.Count;
            AddFolder(input, "");
            if (_pictures.Count + _bad.Count == before)
            {
                string others = string.Concat(LeftOutInWords().Select(sentence => " " + sentence));
                _bad.Add(new BadInput(input, $"the folder has no {Known} files.{others}"));
            }
        }
        else if (OutputNames.IsOutput(input))
        {
            _skipped.Add(input);
        }
        else if (File.Exists(input))
        {
            _pictures.Add(new InputFile(input, Path.GetFileName(input)));
        }
        else if (WhyNotSeen(input) is { } reason)
        {
            _bad.Add(new BadInput(input, reason) { MayPass = true });
        }
        else
        {
            _bad.Add(new BadInput(input, input.Contains('\ufffd')
                ? $"there is no such file or folder, or {NotUtf8}."
                : "there is no such file or folder; check the path."));
        }
    }

    /// <summary>Why nobody can say now whether there is such a file; null where there is none.</summary>
    public static string? WhyNotSeen(string path)
    {
        try
        {
            File.GetAttributes(path);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return PassingError.IsIn(e) ? $"it cannot be read ({e.Message.TrimEnd('.')})." : null;
        }
    }

    /// <summary>
    /// Depth first, by name; hidden entries are left out, and links to folders, which may lead in circles, are told.
    /// </summary>
    private void AddFolder(string folder, string relative)
    {
        FileSystemInfo[] entries;
        try
        {
            entries = new DirectoryInfo(folder).GetFileSystemInfos();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _bad.Add(new BadInput(folder, $"the folder cannot be read ({e.Message.TrimEnd('.')}).")
            {
                MayPass = PassingError.IsIn(e),
            });
            return;
        }
        foreach (FileSystemInfo entry in entries.OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            string path = Path.Combine(folder, entry.Name), below = Path.Combine(relative, entry.Name);
            if (entry.Name.StartsWith('.'))
                continue;
            if (Directory.Exists(path))
            {
                if (entry.LinkTarget is null)
                    AddFolder(path, below);
                else
                    _leftOut.Add(new LeftOut(path, "a linked folder"));
            }
            else if (RegularFile.IsSpecial(path))
            {
                _leftOut.Add(new LeftOut(path, "no regular file"));
            }
            else if (entry.Name.Contains('\ufffd') && !File.Exists(path))
            {
                _leftOut.Add(new LeftOut(path, NotUtf8));
            }
            else if (IsPicture(path))
            {
                if (!OutputNames.IsOutput(path))
                    _pictures.Add(new InputFile(path, below));
            }
            else if (IsBrokenLink(entry))
            {
                _leftOut.Add(new LeftOut(path, "a broken link"));
            }
            else if (OtherPictures.Contains(Path.GetExtension(path).ToLowerInvariant()))
            {
                _leftOut.Add(new LeftOut(path, "by its name no picture that can be read"));
            }
            else if (VideoNames.IsVideo(path) && !OutputNames.IsOutput(path))
            {
                _leftOut.Add(new LeftOut(path, "by its name a video, which is segmented when it is named itself"));
            }
        }
    }
}
