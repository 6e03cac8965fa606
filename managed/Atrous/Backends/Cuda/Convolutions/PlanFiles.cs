using System.IO.Hashing;
using System.Text;

namespace Atrous.Backends.Cuda.Convolutions;

/// <summary>
/// Plans of cuDNN's that are compiled when they are made, as JSON with the code in it, byte for byte, a file each: the
/// next process need not compile them. A memory only, as <see cref="ChoiceFile"/>.
/// </summary>
/// <param name="folder">The folder of this machine's plans, made with the first; null keeps none.</param>
/// <param name="log">Told what could not be written.</param>
internal sealed class PlanFiles(string? folder, Action<string>? log)
{
    /// <summary>A plan for a problem by the engine that was chosen; null where there is none.</summary>
    public byte[]? Get(string problem, ConvolutionChoice choice)
    {
        try
        {
            return folder is not null && PathOf(problem, choice) is var path && File.Exists(path)
                ? File.ReadAllBytes(path) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Keeps a plan, as one whole file.</summary>
    public void Set(string problem, ConvolutionChoice choice, byte[] json)
    {
        if (folder is null)
            return;
        string path = PathOf(problem, choice);
        try
        {
            Directory.CreateDirectory(folder);
            string temporary = $"{path}.{Environment.ProcessId}";
            File.WriteAllBytes(temporary, json);
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            log?.Invoke($"a plan cannot be kept in {path}: {e.Message}");
        }
    }

    private string PathOf(string problem, ConvolutionChoice choice)
    {
        string text = $"{problem} {choice.ToLine()}";
        return Path.Combine(
            folder!, Convert.ToHexStringLower(XxHash128.Hash(Encoding.UTF8.GetBytes(text)))[..24] + ".json");
    }
}
