using System.IO.Hashing;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Atrous.Backends.Cuda.Convolutions;

/// <summary>
/// The algorithms that were found fastest, kept from one process to the next in a file per device, driver and library
/// version. It is only a memory: a file that cannot be read is begun anew, one that cannot be written is said once, and
/// neither fails a run.
/// </summary>
internal sealed partial class ChoiceFile
{
    private readonly string? _path;
    private readonly string _machine;
    private readonly Action<string>? _log;
    private readonly Dictionary<string, ConvolutionChoice> _choices = [];
    private bool _changed;

    /// <summary>Reads what was kept.</summary>
    /// <param name="folder">Need not exist; null for a memory that ends with the process.</param>
    /// <param name="machine">All that a choice is good for: device, driver, versions, precision.</param>
    /// <param name="log">Told what could not be read or written.</param>
    public ChoiceFile(string? folder, string machine, Action<string>? log)
    {
        (_machine, _log) = (machine, log);
        Trials = new TrialMarks(null, log);
        if (folder is null)
            return;
        _path = Path.Combine(
            folder, Convert.ToHexStringLower(XxHash128.Hash(Encoding.UTF8.GetBytes(machine)))[..16] + ".json");
        Trials = new TrialMarks(Path.ChangeExtension(_path, null), log);
        Read(_choices);
    }

    /// <summary>Where choices are kept; null for nowhere.</summary>
    public string? FilePath => _path;

    /// <summary>What is tried at the moment, and what ended a process that tried it.</summary>
    public TrialMarks Trials { get; }

    /// <summary>What was kept for a problem.</summary>
    public ConvolutionChoice? Get(string problem)
    {
        lock (_choices)
            return _choices.GetValueOrDefault(problem);
    }

    /// <summary>Keeps a choice; <see cref="Save"/> writes it, and is called after each.</summary>
    public void Set(string problem, ConvolutionChoice choice)
    {
        lock (_choices)
        {
            _choices[problem] = choice;
            _changed = true;
        }
    }

    /// <summary>Writes what is new, beside what other processes have written meanwhile, as one whole file.</summary>
    public void Save()
    {
        lock (_choices)
        {
            if (_path is null || !_changed)
                return;
            _changed = false;
            string temporary = $"{_path}.{Environment.ProcessId}";
            try
            {
                Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
                var all = new Dictionary<string, ConvolutionChoice>();
                Read(all);
                foreach ((string problem, ConvolutionChoice choice) in _choices)
                    all[problem] = choice;
                File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(
                    new Contents(_machine, all), ChoiceMembers.Default.Contents));
                File.Move(temporary, _path, overwrite: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                _log?.Invoke($"the choice of engines cannot be kept in {_path}: {e.Message}");
                DeleteQuietly(temporary);
            }
        }
    }

    private void Read(Dictionary<string, ConvolutionChoice> into)
    {
        try
        {
            if (!File.Exists(_path))
                return;
            Contents? contents = JsonSerializer.Deserialize(File.ReadAllBytes(_path), ChoiceMembers.Default.Contents);
            if (contents?.Machine != _machine || contents.Choices is null)
                throw new JsonException("it is not of this machine");
            foreach ((string problem, ConvolutionChoice choice) in contents.Choices)
            {
                if (choice?.Kind is ConvolutionChoice.Fused or ConvolutionChoice.FusedBiasFirst
                    or ConvolutionChoice.Plain or ConvolutionChoice.Product or ConvolutionChoice.Copy)
                    into.TryAdd(problem, choice);
            }
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            _log?.Invoke($"{_path} cannot be read and is begun anew: {e.Message}");
        }
    }

    private static void DeleteQuietly(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What could not be written cannot be deleted either; the next writer has another name.
        }
    }

    private sealed record Contents(string Machine, Dictionary<string, ConvolutionChoice> Choices);

    [JsonSerializable(typeof(Contents))]
    private sealed partial class ChoiceMembers : JsonSerializerContext;
}
