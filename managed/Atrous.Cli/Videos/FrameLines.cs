using System.Buffers;
using System.Text.Json;
using Atrous.Cli.Output;
using Atrous.Cli.Segmenting;
using Atrous.Formats;

namespace Atrous.Cli.Videos;

/// <summary>--jsonl: a line for each frame, written in one piece when the frame's other outputs are.</summary>
internal sealed class FrameLines : IDisposable
{
    private readonly string _path;
    private readonly Stream _stream;
    private readonly ArrayBufferWriter<byte> _buffer = new();

    /// <param name="path">The file, which is written anew; "-" for standard output.</param>
    /// <exception cref="CommandException">It cannot be written.</exception>
    public FrameLines(string path)
    {
        _path = path;
        _stream = path == "-" ? StandardStream.OpenOutput() : Guard(() =>
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            return new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
        });
    }

    /// <param name="frame">Which frame it is.</param>
    /// <param name="seconds">When it is shown.</param>
    /// <param name="picture">What there is to tell of it.</param>
    /// <exception cref="CommandException">The line cannot be written.</exception>
    public void Add(VideoFrame frame, double seconds, SegmentedPicture picture)
    {
        _buffer.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(_buffer, JsonFile.Options))
        {
            json.WriteStartObject();
            json.WriteString("name", picture.Job.Name);
            json.WriteNumber("frame", frame.Number);
            json.WriteNumber("time", Math.Round(seconds, 6));
            PictureJson.Write(json, picture);
            json.WriteEndObject();
        }
        _buffer.Write("\n"u8);
        Guard(() =>
        {
            long before = _stream.CanSeek ? _stream.Position : 0;
            try
            {
                _stream.Write(_buffer.WrittenSpan);
            }
            catch (IOException) when (_stream.CanSeek)
            {
                Shorten(before);
                throw;
            }
            return _stream;
        });
    }

    public void Dispose() => _stream.Dispose();

    /// <summary>No line by halves.</summary>
    private void Shorten(long length)
    {
        try
        {
            _stream.SetLength(length);
        }
        catch (IOException)
        {
            // The failure that led here is the one to tell.
        }
    }

    private Stream Guard(Func<Stream> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(
                ExitCode.Failed, $"{_path}: the file cannot be written ({e.Message.TrimEnd('.')}).", e);
        }
    }
}
