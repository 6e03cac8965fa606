using System.Globalization;

namespace Atrous.Native;

/// <summary>
/// Cores with memory of their own (a NUMA node), most often those of one socket. Memory of another node is slower, so
/// that work is best done where what it works on was first written.
/// </summary>
/// <param name="Number">As the system counts nodes, from 0.</param>
/// <param name="Cores">
/// The numbers of its cores that the process may use; null where the system does not tell of nodes, for all.
/// </param>
internal sealed record ProcessorNode(int Number, IReadOnlyList<int>? Cores)
{
    /// <summary>How many threads it is good for.</summary>
    public int Threads => Math.Min(Cores?.Count ?? int.MaxValue, Environment.ProcessorCount);

    /// <summary>The nodes that have cores which the process may use; at least one.</summary>
    public static IReadOnlyList<ProcessorNode> All()
    {
        ProcessorNode[] found = [];
        if (OperatingSystem.IsLinux() && CoreSet.OfThread() is { } usable)
            found = Of("/sys/devices/system/node", usable.Has);
        return found.Length > 0 ? found : [new ProcessorNode(0, null)];
    }

    /// <summary>The nodes that a folder of the kernel's tells of, with those of their cores that may be used.</summary>
    public static ProcessorNode[] Of(string folder, Func<int, bool> isUsable)
    {
        try
        {
            return
            [
                .. Numbers(Path.Combine(folder, "online"))
                    .Select(number => new ProcessorNode(
                        number, [.. Numbers(Path.Combine(folder, $"node{number}", "cpulist")).Where(isUsable)]))
                    .Where(node => node.Cores!.Count > 0), // others are memory alone
            ];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            return [];
        }
    }

    /// <summary>
    /// Keeps the calling thread on these cores until the stay is disposed, and threads that libatrous starts meanwhile
    /// for good. Those that .NET starts may run anywhere.
    /// </summary>
    /// <param name="node">The node; null for wherever the thread is.</param>
    public static Stay Enter(ProcessorNode? node) => node is null ? default : new(node);

    /// <summary>"0-3,8" as the numbers that it stands for.</summary>
    private static List<int> Numbers(string file)
    {
        var numbers = new List<int>();
        foreach (string range in File.ReadAllText(file).Trim().Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] ends = range.Split('-');
            int first = int.Parse(ends[0], CultureInfo.InvariantCulture);
            for (int i = first; i <= int.Parse(ends[^1], CultureInfo.InvariantCulture); i++)
                numbers.Add(i);
        }
        return numbers;
    }

    /// <summary>A thread's time on the cores of a node.</summary>
    internal readonly ref struct Stay
    {
        private readonly CoreSet? _before;

        /// <summary>Begins it. Where the system refuses, the thread runs anywhere, which is only slower.</summary>
        public Stay(ProcessorNode node)
        {
            if (node.Cores is null || CoreSet.OfThread() is not { } before)
                return;
            CoreSet cores = default;
            foreach (int core in node.Cores)
                cores.Add(core);
            if (cores.KeepThread())
                _before = before;
        }

        /// <summary>The thread may run where it might before.</summary>
        public void Dispose() => _before?.KeepThread();
    }
}
