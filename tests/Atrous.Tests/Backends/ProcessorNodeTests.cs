using Atrous.Backends;
using Atrous.Backends.Cpu;
using Atrous.Backends.Replicas;
using Atrous.Imaging;
using Atrous.Native;
using Atrous.Tests.Cli;
using Atrous.Tests.Segmenters;
using Atrous.Tests.Support;

namespace Atrous.Tests.Backends;

/// <summary>A model on each node of the processor. Machines of one node play that their cores are several.</summary>
public sealed class ProcessorNodeTests(GeneratedModel model) : IDisposable
{
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public void Nodes_are_those_of_the_kernel_with_cores_that_may_be_used()
    {
        Write("online", "0-1,3");
        Write("node0/cpulist", "0-2,8");
        Write("node1/cpulist", ""); // memory alone
        Write("node3/cpulist", "4-5,9");
        ProcessorNode[] nodes = ProcessorNode.Of(_place["nodes"], core => core != 8);
        Assert.Equal([0, 3], nodes.Select(node => node.Number));
        Assert.Equal([0, 1, 2], nodes[0].Cores);
        Assert.Equal([4, 5, 9], nodes[1].Cores);
        Assert.Single(ProcessorNode.Of(_place["nodes"], core => core == 4));
        Assert.Empty(ProcessorNode.Of(_place["none"], _ => true));
        Write("online", "nonsense");
        Assert.Empty(ProcessorNode.Of(_place["nodes"], _ => true));

        void Write(string name, string text)
        {
            string path = Path.Combine(_place["nodes"], name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, text + "\n");
        }
    }

    [Theory]
    [InlineData("cpu", "cpu")]
    [InlineData("cpu:2", "cpu:2")]
    [InlineData("cpu:2,0", "cpu:2 cpu:0")]
    [InlineData("cpu:all", "cpu:0 cpu:2")]
    public void Names_stand_for_nodes(string device, string members) =>
        Assert.Equal(members, string.Join(' ', TwoNodes().Members(device)));

    [Theory]
    [InlineData("cpu:1", "There is no device 'cpu:1'; there are cpu, cpu:0, cpu:2.")]
    [InlineData("cpu:", "There is no device 'cpu:'; there are cpu, cpu:0, cpu:2.")]
    [InlineData("cpu:0,0", "The device 'cpu:0,0' names a node twice; name each once.")]
    public void A_node_that_is_not_there_is_a_sentence(string device, string sentence)
    {
        CpuDescriptor cpu = TwoNodes();
        Assert.True(cpu.Has(device));
        var e = Assert.Throws<UnavailableException>(
            () => { cpu.Open(cpu.Members(device)[0], new BackendSettings(Precision.Fp32)).Dispose(); });
        Assert.Equal(sentence, e.Message);
    }

    [Fact]
    public void Every_node_is_listed_where_there_are_several()
    {
        Assert.Equal(["cpu", "cpu:0", "cpu:2"], TwoNodes().Devices().Select(row => row.Name));
        Assert.Single(new CpuDescriptor(() => [new ProcessorNode(0, null)]).Devices());
    }

    [Fact]
    public void Cpu_all_is_every_node_of_this_machine()
    {
        string expected = "cpu:" + string.Join(',', ProcessorNode.All().Select(node => node.Number));
        using Segmenter segmenter = Load("cpu:all"), plain = Load("cpu");
        Assert.Equal(expected, segmenter.Device);
        using Image photo = Photo();
        Assert.Equal(plain.Segment(photo).Labels, segmenter.Segment(photo).Labels);
        var e = Assert.Throws<UnavailableException>(() => Load("cpu:977"));
        Assert.StartsWith("There is no device 'cpu:977'; there are cpu, cpu:", e.Message);
    }

    [Fact]
    public void Replicas_on_two_nodes_give_the_masks_of_the_whole_processor()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Threads are kept on cores on Linux alone.");
        int[] cores = Usable();
        Assert.SkipUnless(cores.Length > 1, "The process may use one core only.");
        using var one = new CpuBackend(node: new ProcessorNode(0, [cores[0]]));
        using var other = new CpuBackend(node: new ProcessorNode(1, [cores[1]]));
        Assert.Equal(("cpu:1", 1), (other.Name, other.Threads));
        using Image photo = Photo();
        using Segmenter plain = Load("cpu");
        using ReplicaBackend both = ReplicaBackend.Of("cpu:0,1", [one, other]);
        Assert.Equal(2, both.RunsAtOnce);
        using var segmenter = Segmenter.Load(model.Path, new SegmenterOptions { Backend = both });
        ushort[] expected = plain.Segment(photo).Labels.ToArray();
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 4 }, _ =>
            Assert.Equal(expected, segmenter.Segment(photo).Labels.ToArray()));
    }

    [Fact]
    public void A_thread_is_on_the_cores_of_the_node_while_it_stays()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Threads are kept on cores on Linux alone.");
        int[] before = Usable();
        int last = before[^1];
        using (ProcessorNode.Enter(new ProcessorNode(0, [last])))
            Assert.Equal([last], Usable());
        Assert.Equal(before, Usable());
        // Of a core that is not there the thread stays where it was.
        using (ProcessorNode.Enter(new ProcessorNode(0, [1023])))
            Assert.Equal(before, Usable());
    }

    [Fact]
    public void The_threads_of_a_node_s_runs_are_on_its_cores()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Threads are kept on cores on Linux alone.");
        int[] cores = Usable();
        Assert.SkipUnless(cores.Length > 1, "The process may use one core only.");
        int before = Kept();
        using var backend = new CpuBackend(threads: 4, node: new ProcessorNode(0, [cores[^1]]));
        Assert.Equal(before + 3, Kept());

        int Kept() => Directory.GetDirectories("/proc/self/task").Count(IsKept);

        bool IsKept(string task)
        {
            try
            {
                return File.ReadLines(Path.Combine(task, "status")).Contains($"Cpus_allowed_list:\t{cores[^1]}");
            }
            catch (IOException)
            {
                return false; // it ended meanwhile
            }
        }
    }

    /// <summary>Nodes 0 and 2, of the cores that there are.</summary>
    private static CpuDescriptor TwoNodes() => new(() => [new ProcessorNode(0, [0]), new ProcessorNode(2, [0])]);

    /// <summary>The cores that this thread may run on.</summary>
    private static int[] Usable()
    {
        CoreSet cores = CoreSet.OfThread()!.Value;
        return [.. Enumerable.Range(0, 1024).Where(core => cores.Has(core))];
    }

    private static Image Photo() => Image.Load(Workplace.Photo(60, 70));

    private Segmenter Load(string device) =>
        Segmenter.Load(model.Path, new SegmenterOptions { Device = device });
}
