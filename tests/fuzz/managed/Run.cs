using System.Diagnostics;

namespace Atrous.Fuzz;

/// <summary>One target's executions, one after the other, each judged by how it ends and what it took.</summary>
/// <param name="target">What is read.</param>
/// <param name="seed">Of the random numbers: the same gives the same inputs.</param>
/// <param name="findings">The folder for inputs that are at fault.</param>
internal sealed class Run(Target target, int seed, string findings)
{
    /// <summary>A finding, whatever the machine: honest inputs of this size take milliseconds.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(20);

    private const long MostAllocated = 1L << 30;
    private const int MostKept = 100;

    private readonly Random _random = new(seed);
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    /// <summary>Inputs that were read without a complaint: they are mutated further.</summary>
    private readonly List<byte[]> _corpus = [.. target.Seeds()];

    public long Executions { get; private set; }

    public long Accepted { get; private set; }

    public int Findings { get; private set; }

    public void For(TimeSpan time)
    {
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < time;)
        {
            byte[] input = target.Mutate(_random, _corpus[_random.Next(_corpus.Count)]);
            if (Execute(input) && _corpus.Count < MostKept)
                _corpus.Add(input);
        }
    }

    private bool Execute(byte[] input)
    {
        Executions++;
        long start = Stopwatch.GetTimestamp(), allocated = GC.GetAllocatedBytesForCurrentThread();
        string? fault = null;
        bool accepted = false;
        try
        {
            target.Read(input);
            accepted = true;
            Accepted++;
        }
        catch (Exception e) when (target.IsRefusal(e))
        {
            if (e.Message.Any(c => c is '\n' or '\0') || e.Message.Length > 2000)
                fault = $"a message that is no sentence: {e.Message}";
        }
        catch (Exception e)
        {
            fault = $"{e.GetType().Name} at {e.StackTrace?.Split('\n').FirstOrDefault()?.Trim()}";
        }
        if (Stopwatch.GetElapsedTime(start) > Longest)
            fault ??= $"more than {Longest.TotalSeconds} s";
        if (GC.GetAllocatedBytesForCurrentThread() - allocated > MostAllocated)
            fault ??= $"more than {MostAllocated >> 20} MiB allocated";
        if (fault is not null)
            Keep(input, fault);
        return accepted;
    }

    private void Keep(byte[] input, string fault)
    {
        if (!_known.Add(fault))
            return;
        Findings++;
        Directory.CreateDirectory(findings);
        string path = Path.Combine(findings, $"{Findings:000}.bin");
        File.WriteAllBytes(path, input);
        Console.Error.WriteLine($"{target.Name}: {fault} ({path})");
    }
}
