using Atrous.Cli.Output;
using Atrous.Formats;
using Atrous.Postprocessing;

namespace Atrous.Cli.Formats;

/// <summary>The files about all pictures of a run. They appear when it ends, however it ends.</summary>
internal sealed class RunFiles : IDisposable
{
    private sealed record OpenFile(string Format, string Path, OutputFile File, FileStream Stream, RunWriter Writer);

    private readonly List<OpenFile> _files = [];
    private bool _broken;

    /// <summary>The files' paths with the formats' names.</summary>
    public IReadOnlyList<(string Format, string Path)> Files { get; }

    /// <param name="temporaries">Deletes what is not complete where the process has to go at once.</param>
    /// <param name="formats">The formats that are wanted.</param>
    /// <param name="folder">Where the files go.</param>
    /// <param name="model">The model whose classes they name.</param>
    /// <param name="palette">The user's colours; null for the model's.</param>
    /// <param name="part">
    /// The part of the run, as "0/8", which has files of its own, and how many pictures all parts have; null for a
    /// whole run.
    /// </param>
    /// <exception cref="CommandException">A file cannot be written.</exception>
    public RunFiles(
        TemporaryFiles temporaries, IReadOnlyList<RunFormat> formats, string folder, ModelInfo model,
        Palette? palette, (string Name, int Pictures)? part)
    {
        RunClasses classes = RunClasses.Of(model, palette) with { Part = part };
        foreach (RunFormat format in formats)
        {
            string path = Path.Combine(folder, NameOf(format, part?.Name));
            var file = new OutputFile(temporaries, path);
            FileStream stream = file.Open();
            _files.Add(new(format.Name, path, file, stream, format.Open(stream, classes)));
        }
        Files = [.. _files.Select(file => (file.Format, file.Path))];
    }

    /// <summary>"annotations.coco.0-of-8.json": what parts write beside each other.</summary>
    private static string NameOf(RunFormat format, string? part)
    {
        if (part is null || !format.IsJoined)
            return format.File;
        string end = Path.GetExtension(format.File);
        return $"{format.File[..^end.Length]}.{part.Replace("/", "-of-", StringComparison.Ordinal)}{end}";
    }

    /// <exception cref="CommandException">A file cannot be written; none of them will appear.</exception>
    public void Add(AnnotatedPicture picture)
    {
        foreach ((_, _, OutputFile file, _, RunWriter writer) in _files)
        {
            // Half a picture may be in a file whose disk is full.
            bool before = _broken;
            _broken = true;
            file.Guard(() => writer.Add(picture));
            _broken = before;
        }
    }

    /// <summary>Ends the files and gives them their names.</summary>
    /// <exception cref="CommandException">A file cannot be written, or could not be before.</exception>
    public void Commit()
    {
        if (_broken)
            throw new CommandException(
                ExitCode.Failed,
                $"{string.Join(", ", Files.Select(file => file.Path))} could not be written to the end; make room and "
                + "run again.");
        foreach ((_, _, OutputFile file, FileStream stream, RunWriter writer) in _files)
        {
            file.Guard(() =>
            {
                writer.Dispose();
                stream.Dispose();
            });
            file.Commit();
        }
    }

    public void Dispose()
    {
        foreach ((_, _, OutputFile file, FileStream stream, _) in _files)
        {
            stream.Dispose();
            file.Dispose();
        }
    }
}
