using Atrous.Files;

namespace Atrous.Cli.Output;

/// <summary>
/// Standard output or error. Where output cannot be written (closed, disk full) the command fails and says so; where
/// the messages themselves cannot be written, nobody wants them. A reader that went away is no error: .NET ignores it.
/// </summary>
internal sealed class StandardStream : SinkStream
{
    private readonly Stream _inner;
    private readonly bool _isError;

    private StandardStream(Stream inner, bool isError)
    {
        _inner = inner;
        _isError = isError;
    }

    /// <summary>For bytes. Writing throws <see cref="CommandException"/> where it fails.</summary>
    public static Stream OpenOutput() => new StandardStream(Console.OpenStandardOutput(), isError: false);

    /// <summary>Lets <see cref="Console.Out"/> and <see cref="Console.Error"/> behave so as well.</summary>
    public static void Install()
    {
        Console.SetOut(new StreamWriter(OpenOutput()) { AutoFlush = true });
        Console.SetError(
            new StreamWriter(new StandardStream(Console.OpenStandardError(), isError: true)) { AutoFlush = true });
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        try
        {
            _inner.Write(buffer);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (_isError)
                return;
            string reason = e is IOException ? e.Message.TrimEnd('.') : "it is closed";
            throw new CommandException(ExitCode.Failed, $"standard output cannot be written ({reason}).", e);
        }
    }
}
