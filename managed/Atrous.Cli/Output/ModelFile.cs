namespace Atrous.Cli.Output;

/// <summary>A model that the library writes.</summary>
internal static class ModelFile
{
    /// <summary>
    /// Lets the library write under a temporary name, which Ctrl-C cleans up, and renames the result.
    /// </summary>
    /// <exception cref="CommandException">The file cannot be written.</exception>
    public static T Write<T>(TemporaryFiles temporaries, string path, Func<string, T> write)
    {
        using var file = new OutputFile(temporaries, path);
        // The library renames onto what it is given, and a device must not be replaced.
        if (file.IsDirect)
            throw new CommandException(
                ExitCode.Failed, $"{path}: this is a device or a pipe; a model needs a file of its own.");
        try
        {
            T result = write(file.TemporaryPath);
            file.Commit();
            return result;
        }
        catch (OutputException e)
        {
            throw new CommandException(
                ExitCode.Failed, $"{path}: the file cannot be written ({e.InnerException?.Message.TrimEnd('.')}).", e);
        }
    }
}
