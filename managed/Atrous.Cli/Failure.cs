using Atrous.Files;

namespace Atrous.Cli;

/// <summary>What a failure means to the caller: a line for people, a number for programs.</summary>
/// <param name="Code">The number of <see cref="ExitCode"/> that the process ends with.</param>
/// <param name="Message">A sentence that says what went wrong and, where one can know it, what to do.</param>
/// <param name="NamesFile">Whether the sentence says already which file it is about.</param>
internal readonly record struct Failure(int Code, string Message, bool NamesFile = false)
{
    public static Failure Of(Exception exception) => exception switch
    {
        CommandException command => new(command.ExitCode, command.Message, NamesFile: true),
        AtrousException explained => new(CodeOf(explained), explained.Message + Hints.Of(explained)),
        OutOfMemoryException => new(ExitCode.Failed, "there is not enough memory; use smaller pictures or free some."),
        IOException or UnauthorizedAccessException => new(ExitCode.Failed, exception.Message),
        _ => new(ExitCode.Failed, $"internal error, please report it: {exception.GetType().Name}: {exception.Message}"),
    };

    /// <summary>The message with the file in front, unless it already names one.</summary>
    public string About(string file) =>
        NamesFile || Message.Contains(file, StringComparison.Ordinal) ? Message : $"{file}: {Message}";

    private static int CodeOf(AtrousException exception) => exception switch
    {
        UnavailableException => ExitCode.Usage,
        // The file may be sound, and readable the next time.
        ModelException or ImageException when PassingError.IsIn(exception) => ExitCode.Failed,
        ModelException or ImageException => ExitCode.BadInput,
        _ => ExitCode.Failed,
    };
}
