using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Atrous.Bench;

/// <summary>What one runtime did with one model.</summary>
/// <param name="Name">The name of the runtime with its version.</param>
/// <param name="Median">Milliseconds of a run.</param>
/// <param name="Fastest">Milliseconds of the fastest run.</param>
/// <param name="Start">In a process of its own; null where that is another row's.</param>
/// <param name="Difference">
/// Largest difference of its logits from PyTorch's, in their standard deviations; 0 for PyTorch itself.
/// </param>
/// <param name="Rms">The root of the mean squared difference, in the same unit.</param>
internal sealed record MeasuredRuntime(
    string Name, double Median, double Fastest, FreshStart? Start, double Difference, double Rms)
{
    public const string Atrous = "Atrous", AtrousMask = "Atrous, picture in, mask out", AtrousBf16 = "Atrous bf16",
        AtrousInt8 = "Atrous int8", AtrousInt8Mask = "Atrous int8, picture in, mask out";
}

/// <summary>All runtimes on one model.</summary>
internal sealed record MeasuredModel(
    string Name, string Network, int Height, int Width, int Turns, IReadOnlyList<MeasuredRuntime> Runtimes);

/// <summary>The measured models as Markdown for people and JSON for charts.</summary>
internal sealed class PeersReport(int threads)
{
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
    };

    private readonly List<MeasuredModel> _models = [];
    private readonly StringBuilder _text = new();

    /// <summary>Prints a model's table.</summary>
    public void Add(MeasuredModel model)
    {
        _models.Add(model);
        string table = Table(model);
        _text.AppendLine(table);
        Console.WriteLine(table);
    }

    /// <summary>Writes what there is by now.</summary>
    public void Save(string folder)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "peers.md"), _text.ToString());
        File.WriteAllText(
            Path.Combine(folder, "peers.json"), JsonSerializer.Serialize(new { threads, models = _models }, Json));
    }

    private string Table(MeasuredModel model)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"### {model.Network}, {model.Height}x{model.Width}");
        text.AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture,
            $"{threads} threads, {model.Turns} turns. Tensor in, logits out, but where it says otherwise.");
        text.AppendLine();
        string[] peers =
            [.. model.Runtimes.Select(runtime => runtime.Name)
            .Where(name => !name.StartsWith(MeasuredRuntime.Atrous, StringComparison.Ordinal))];
        text.AppendLine(
            $"| | median ms | fastest ms | {string.Join(" | ", peers.Select(peer => $"of {peer}"))} | start to first " +
            $"mask ms | peak resident MiB | max difference | rms difference |");
        text.AppendLine(string.Concat(Enumerable.Repeat("|---", 7 + peers.Length)) + "|");
        foreach (MeasuredRuntime runtime in model.Runtimes)
        {
            string ratios = string.Join(" | ", peers.Select(peer => Text(
                runtime.Median / model.Runtimes.Single(other => other.Name == peer).Median, "0.00")));
            text.AppendLine(
                $"| {runtime.Name} | {Text(runtime.Median, "0.0")} | {Text(runtime.Fastest, "0.0")} | {ratios} | " +
                $"{Text(runtime.Start?.Milliseconds, "0")} | {Text(runtime.Start?.PeakMiB, "0")} | " +
                $"{(runtime.Difference > 0 ? Text(runtime.Difference, "0.0e-00") : "")} | " +
                $"{(runtime.Rms > 0 ? Text(runtime.Rms, "0.0e-00") : "")} |");
        }
        return text.ToString();
    }

    private static string Text(double? value, string format) =>
        value?.ToString(format, CultureInfo.InvariantCulture) ?? "";
}
