using System.Runtime.ExceptionServices;
using Atrous.Cli.Output;
using Atrous.Formats;
using Atrous.Imaging.Maps;
using Atrous.Shapes;

namespace Atrous.Cli.Segmenting;

/// <summary>The GeoJSON of a mask that comes in bands of rows, up to a file that only lacks its name.</summary>
internal sealed class BandedShapes : IDisposable
{
    private readonly OutputFile _file;
    private readonly string _path;
    private readonly FileStream _stream;
    private readonly GeoJsonRows _rows;

    /// <exception cref="CommandException">The file cannot be written.</exception>
    public BandedShapes(
        TemporaryFiles temporaries, string path, int width, GeoReference? place, RegionOptions wanted,
        RunClasses classes)
    {
        (_path, _file) = (path, new OutputFile(temporaries, path));
        _stream = _file.Open();
        _rows = new GeoJsonRows(_stream, width, place, wanted, classes);
    }

    /// <exception cref="CommandException">The file cannot be written.</exception>
    /// <exception cref="MemoryException">Regions that go on take too much memory.</exception>
    public void Add(ReadOnlySpan<ushort> labels)
    {
        try
        {
            _rows.Add(labels);
        }
        catch (IOException e)
        {
            // A span cannot go into what is guarded.
            _file.Guard(() => ExceptionDispatchInfo.Throw(e));
        }
    }

    /// <summary>
    /// Ends the file and gives it its name. The mask gets its own after it, and says that it is there.
    /// </summary>
    /// <returns>Its name and size.</returns>
    /// <exception cref="CommandException">The file cannot be written.</exception>
    public IReadOnlyList<(string Name, long Bytes)> End()
    {
        long bytes = 0;
        _file.Guard(() =>
        {
            _rows.End();
            _rows.Dispose();
            bytes = _stream.Position;
            _stream.Dispose();
        });
        _file.Commit();
        return _file.IsDirect ? [] : [(Path.GetFileName(_path), bytes)];
    }

    public void Dispose()
    {
        try
        {
            _rows.Dispose();
            _stream.Dispose();
        }
        catch (IOException)
        {
            // What cannot be written was told where it was written.
        }
        _file.Dispose();
    }
}
