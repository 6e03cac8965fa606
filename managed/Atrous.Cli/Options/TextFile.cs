using System.Text;
using Atrous.Files;

namespace Atrous.Cli.Options;

/// <summary>A file of lines that an option names: text in UTF-8 (or UTF-16 with its mark), within a limit.</summary>
internal static class TextFile
{
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    /// <summary>All of it.</summary>
    /// <param name="path">The file that is read.</param>
    /// <param name="option">The option that names it.</param>
    /// <param name="what">What it should be, as in "too large for a list of class names".</param>
    /// <param name="maxBytes">The largest size that is read; nothing is trusted that says how large it is.</param>
    /// <param name="exitCode">The number that errors end with.</param>
    /// <exception cref="CommandException">It cannot be read, is too large, or is no text.</exception>
    public static string Read(string path, string option, string what, int maxBytes, int exitCode)
    {
        try
        {
            using FileStream stream = RegularFile.OpenRead(path);
            var bytes = new byte[(int)Math.Min(stream.Length, maxBytes) + 1];
            int count = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (count == bytes.Length)
                throw new CommandException(exitCode, $"{path}: the file is too large for {what}.");
            using var reader = new StreamReader(
                new MemoryStream(bytes, 0, count), StrictUtf8, detectEncodingFromByteOrderMarks: true);
            string text = reader.ReadToEnd();
            int control = text.AsSpan().IndexOfAnyInRange('\0', '\u0008');
            return control < 0 ? text : throw new CommandException(
                exitCode, $"{path}: line {text.AsSpan(0, control).Count('\n') + 1} has a control character (code " +
                $"{(int)text[control]}); save the file as plain text in UTF-8.");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CommandException(
                exitCode, $"{path}: there is no such file; check the path given with {option}.", e);
        }
        catch (DecoderFallbackException e)
        {
            throw new CommandException(exitCode, $"{path}: the file is not in UTF-8; save it as UTF-8 text.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(exitCode, $"{path}: the file cannot be read ({e.Message.TrimEnd('.')}).", e);
        }
    }

    /// <summary>Its lines, whatever ends them.</summary>
    /// <inheritdoc cref="Read"/>
    public static string[] ReadLines(string path, string option, string what, int maxBytes, int exitCode) =>
        Read(path, option, what, maxBytes, exitCode).Split(["\r\n", "\n", "\r"], StringSplitOptions.None);
}
