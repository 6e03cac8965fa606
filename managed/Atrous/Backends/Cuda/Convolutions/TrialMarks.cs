namespace Atrous.Backends.Cuda.Convolutions;

/// <summary>
/// Marks on disk of what is being tried. Where a candidate ends the device's context, or the process, its mark stays,
/// and after two of them later processes leave it out. A memory only, as <see cref="ChoiceFile"/>.
/// </summary>
/// <param name="folder">The folder of this machine's marks, made with the first; null keeps none.</param>
/// <param name="log">Told what could not be written.</param>
internal sealed class TrialMarks(string? folder, Action<string>? log)
{
    private const string Extension = ".trial";

    /// <summary>
    /// Somebody may end a process, or another network the device, while what is innocent is tried; but hardly twice.
    /// </summary>
    private const int Suspect = 2;

    private readonly Lock _reading = new();
    private Dictionary<string, int>? _ended;

    /// <summary>Whether a candidate has twice ended what tried it.</summary>
    public bool IsSuspect(string problem, ConvolutionChoice choice)
    {
        lock (_reading)
            return (_ended ??= Read()).GetValueOrDefault(Text(problem, choice)) >= Suspect;
    }

    /// <summary>A candidate is tried until the mark is disposed.</summary>
    public Trial Begin(string problem, ConvolutionChoice choice)
    {
        if (folder is null)
            return new Trial(null);
        try
        {
            Directory.CreateDirectory(folder);
            // Open for as long as it is tried, by which another process tells whether this one is alive; and without a
            // buffer, which would end with it.
            var file = new FileStream(
                Path.Combine(folder, Guid.NewGuid().ToString("N") + Extension), FileMode.CreateNew, FileAccess.Write,
                FileShare.None, bufferSize: 0);
            var trial = new Trial(file);
            try
            {
                using var writer = new StreamWriter(file, leaveOpen: true);
                writer.WriteLine(Text(problem, choice));
            }
            catch
            {
                trial.Dispose();
                throw;
            }
            return trial;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            log?.Invoke($"what is tried cannot be marked in {folder}: {e.Message}");
            return new Trial(null);
        }
    }

    private Dictionary<string, int> Read()
    {
        var ended = new Dictionary<string, int>();
        if (!Directory.Exists(folder))
            return ended;
        foreach (string path in Directory.EnumerateFiles(folder, "*" + Extension))
        {
            try
            {
                using var file = new StreamReader(
                    new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.None));
                string text = file.ReadLine() ?? "";
                ended[text] = ended.GetValueOrDefault(text) + 1;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Who wrote it is alive, and has it open.
            }
        }
        return ended;
    }

    private static string Text(string problem, ConvolutionChoice choice) => $"{problem}: {choice.ToLine()}";

    /// <summary>The mark of what is tried; disposing it takes it away, unless the device was lost.</summary>
    public sealed class Trial(FileStream? file) : IDisposable
    {
        private bool _isLost;

        /// <summary>What is tried has ended the device's context: its mark stays.</summary>
        public void Fail() => _isLost = true;

        public void Dispose()
        {
            if (file is null)
                return;
            try
            {
                file.Dispose();
                if (!_isLost)
                    File.Delete(file.Name);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It counts once, as if the process had ended here.
            }
        }
    }
}
