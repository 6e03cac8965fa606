using System.Diagnostics;
using System.Globalization;

namespace Atrous.Fuzz;

/// <summary>
/// Mutates inputs of each kind and reads them: `atrous-fuzz TARGET|all --seconds N [--seed N] [--findings FOLDER]`. The
/// last lines are a table; the exit code is 1 where something was found.
/// </summary>
internal static class Program
{
    public static int Main(string[] arguments)
    {
        string wanted = arguments.Length > 0 ? arguments[0] : "all";
        double seconds = double.Parse(Option("--seconds", "10"), CultureInfo.InvariantCulture);
        int seed = int.Parse(Option("--seed", "1"), CultureInfo.InvariantCulture);
        string findings = Option("--findings", "artifacts/fuzz/findings");
        Target[] targets = [.. Targets.All.Where(target => wanted == "all" || target.Name == wanted)];
        if (targets.Length == 0)
        {
            string names = string.Join(", ", Targets.All.Select(target => target.Name));
            Console.Error.WriteLine($"There is no target '{wanted}'; there are {names}.");
            return 2;
        }
        // Beside each other, each in a thread of its own with its own random numbers; the rows are in order of names.
        int found = 0;
        var rows = new string[targets.Length];
        var cores = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount };
        Parallel.For(0, targets.Length, cores, i =>
        {
            Target target = targets[i];
            var run = new Run(target, seed, Path.Combine(findings, target.Name));
            var clock = Stopwatch.StartNew();
            run.For(TimeSpan.FromSeconds(seconds));
            Interlocked.Add(ref found, run.Findings);
            rows[i] = string.Create(
                CultureInfo.InvariantCulture,
                $"| {target.Name} | {run.Executions} | {clock.Elapsed.TotalMinutes:0.0} | {run.Accepted} | "
                    + $"{run.Slowest.TotalMilliseconds:0} | {run.Findings} |");
        });
        Console.WriteLine("| target | executions | minutes | accepted | slowest, ms | findings |");
        Console.WriteLine("|---|---|---|---|---|---|");
        Array.ForEach(rows, Console.WriteLine);
        return found == 0 ? 0 : 1;

        string Option(string name, string otherwise)
        {
            int at = Array.IndexOf(arguments, name);
            return at >= 0 && at + 1 < arguments.Length ? arguments[at + 1] : otherwise;
        }
    }
}
