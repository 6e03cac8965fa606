using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Atrous.Cli.Segmenting;
using Atrous.Files;
using Atrous.Formats;

namespace Atrous.Cli.Batches;

/// <summary>
/// --jsonl: a line for each picture, appended in one piece when the picture is done, so that what is there is whole
/// whenever the run is killed. A run goes on behind the lines of an earlier one.
/// </summary>
internal sealed class Journal : IDisposable
{
    private readonly string _path;
    private readonly FileStream _stream;
    private readonly ArrayBufferWriter<byte> _buffer = new();
    private readonly Dictionary<string, JournalLine> _last = new(StringComparer.Ordinal);

    private Journal(string path, FileStream stream)
    {
        _path = path;
        _stream = stream;
    }

    /// <summary>Written into each line: the part of the pictures; null for all of them.</summary>
    public Shard? Shard { get; init; }

    /// <summary>Written into each line: how many pictures there are in all parts.</summary>
    public required int Pictures { get; init; }

    /// <summary>Opens or begins the file. A line that was cut off by the end of its run is removed.</summary>
    /// <exception cref="CommandException">
    /// It cannot be written, another run writes it, or it holds something else.
    /// </exception>
    public static Journal Open(string path, Shard? shard, int pictures)
    {
        FileStream? stream = null;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            RegularFile.Require(path);
            stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            var journal = new Journal(path, stream) { Shard = shard, Pictures = pictures };
            journal.Read();
            return journal;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            stream?.Dispose();
            throw new CommandException(
                ExitCode.Failed,
                $"{path}: the file cannot be written ({e.Message.TrimEnd('.')}); each task needs its own --jsonl.", e);
        }
        catch
        {
            stream?.Dispose();
            throw;
        }
    }

    /// <summary>A picture whose outputs are there.</summary>
    /// <exception cref="CommandException">The line cannot be written.</exception>
    public void Add(SegmentedPicture picture, int attempts)
    {
        MaskRecord record = picture.Record!;
        if (picture.IsFromBefore && _last.TryGetValue(picture.Job.Name, out JournalLine? line)
            && line.IsDone && line.Input == record.Input && line.Run == record.Run)
            return; // it is told already
        Append(picture.Job.Name, json =>
        {
            PictureJson.Write(json, picture);
            json.WriteString("sha256", record.Input);
            json.WriteString("run", record.Run);
            if (!picture.IsFromBefore)
                json.WriteNumber("attempts", attempts);
        });
    }

    /// <summary>A picture that was worked on in another way than segmented.</summary>
    /// <exception cref="CommandException">The line cannot be written.</exception>
    public void Add(
        string name, string input, string hash, string run, int attempts, Action<Utf8JsonWriter> contents) =>
        Append(name, json =>
        {
            json.WriteString("input", input);
            contents(json);
            json.WriteString("sha256", hash);
            json.WriteString("run", run);
            json.WriteNumber("attempts", attempts);
        });

    /// <summary>The last line of an earlier run about a picture; null where there is none.</summary>
    public JournalLine? Last(string name) => _last.GetValueOrDefault(name);

    /// <summary>A picture that failed.</summary>
    /// <exception cref="CommandException">The line cannot be written.</exception>
    public void Add(string name, string input, Failure failure, int attempts) => Append(name, json =>
    {
        PictureJson.Write(json, input, failure);
        json.WriteNumber("attempts", attempts);
    });

    public void Dispose() => _stream.Dispose();

    private void Append(string name, Action<Utf8JsonWriter> contents)
    {
        _buffer.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(_buffer, JsonFile.Options))
        {
            json.WriteStartObject();
            json.WriteString("name", name);
            contents(json);
            if (Shard is not null)
                json.WriteString("shard", Shard.ToString());
            json.WriteNumber("pictures", Pictures);
            json.WriteEndObject();
        }
        _buffer.Write("\n"u8);
        long before = _stream.Position;
        try
        {
            _stream.Write(_buffer.WrittenSpan);
        }
        catch (IOException e)
        {
            Shorten(before);
            throw new CommandException(
                ExitCode.Failed,
                $"{_path}: the line of {name} cannot be written ({e.Message.TrimEnd('.')}); make room and run again.",
                e);
        }
    }

    private void Shorten(long length)
    {
        try
        {
            _stream.SetLength(length);
        }
        catch (IOException)
        {
            // The next run removes the part of a line.
        }
    }

    private void Read()
    {
        long end = 0;
        foreach (JournalLine line in JournalFile.Read(_stream, _path, length => end = length))
            _last[line.Name] = line;
        if (end != _stream.Length)
            _stream.SetLength(end);
        _stream.Position = end;
    }
}
