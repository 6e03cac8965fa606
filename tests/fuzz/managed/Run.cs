using System.Diagnostics;

namespace Atrous.Fuzz;

/// <summary>One target's executions, one after the other, each judged by how it ends and what it took.</summary>
/// <param name="target">What is read.</param>
/// <param name="seed">Of the random numbers: the same gives the same inputs.</param>
/// <param name="findings">The folder for inputs that are at fault.</param>
internal sealed class Run(Target target, int seed, string findings)
{
    private const long MostAllocated = 1L << 30;
    private const int MostKept = 200, LongestMessage = 2000;

    private readonly Random _random = new(seed);
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    /// <summary>Inputs that were read without a complaint: they are mutated further.</summary>
    private readonly List<byte[]> _corpus = [.. target.Seeds(), .. target.Cases];

    public long Executions { get; private set; }

    public long Accepted { get; private set; }

    public int Findings { get; private set; }

    /// <summary>Of the execution that took longest, whatever the machine did beside it: told, and not judged.</summary>
    public TimeSpan Slowest { get; private set; }

    public void For(TimeSpan time)
    {
        var clock = Stopwatch.StartNew();
        foreach (byte[] known in _corpus)
            Execute(known);
        while (clock.Elapsed < time)
        {
            byte[] input = target.Mutate(_random, _corpus[_random.Next(_corpus.Count)]);
            if (!Execute(input))
                continue;
            if (_corpus.Count < MostKept)
                _corpus.Add(input);
            else
                _corpus[_random.Next(_corpus.Count)] = input;
        }
        // What refuses everything is looked at no further than its first check.
        if (Accepted == 0)
            Keep(_corpus[0], "not one input was accepted, its seeds included", "");
    }

    private bool Execute(byte[] input)
    {
        Executions++;
        long start = Stopwatch.GetTimestamp(), allocated = GC.GetAllocatedBytesForCurrentThread();
        (string Kind, string Detail)? fault = null;
        bool accepted = false;
        try
        {
            target.Read(input);
            accepted = true;
            Accepted++;
        }
        catch (Exception e) when (target.IsRefusal(e))
        {
            if (e.Message.Any(char.IsControl) || e.Message.Length > LongestMessage)
                fault = ($"a message that is no sentence, {PlaceOf(e)}", e.Message);
        }
        catch (Exception e)
        {
            fault = ($"{e.GetType().Name} {PlaceOf(e)}", e.Message);
        }
        TimeSpan taken = Stopwatch.GetElapsedTime(start);
        if (taken > Slowest)
        {
            Slowest = taken;
            Write("slowest", input);
        }
        if (GC.GetAllocatedBytesForCurrentThread() - allocated > MostAllocated)
            fault ??= ($"more than {MostAllocated >> 20} MiB allocated", "");
        if (fault is var (kind, detail))
            Keep(input, kind, detail);
        return accepted;
    }

    private static string PlaceOf(Exception e) => e.StackTrace?.Split('\n').FirstOrDefault()?.Trim() ?? "";

    /// <summary>The first of each kind.</summary>
    private void Keep(byte[] input, string kind, string detail)
    {
        if (!_known.Add(kind))
            return;
        Findings++;
        Console.Error.WriteLine($"{target.Name}: {kind}: {detail} ({Write($"{Findings:000}", input)})");
    }

    private string Write(string name, byte[] input)
    {
        Directory.CreateDirectory(findings);
        string path = Path.Combine(findings, $"{name}.bin");
        File.WriteAllBytes(path, input);
        return path;
    }
}
