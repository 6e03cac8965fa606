using System.Collections.Concurrent;
using Atrous.Backends;
using Atrous.Backends.Reference;
using Atrous.Backends.Replicas;
using Atrous.Graph;
using Atrous.Imaging;
using Atrous.Tensors;
using Atrous.Tests.Segmenters;
using Atrous.Tests.Serving;
using Atrous.Tests.Support;

namespace Atrous.Tests.Backends;

/// <summary>Several devices as one, whatever they are: here each is the reference with a fate of its own.</summary>
public sealed class ReplicaTests(GeneratedModel model)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly OpCase _case = OpCases.Find("conv_3x3");

    [Fact]
    public async Task A_run_goes_to_the_device_that_is_free()
    {
        using var one = new Fated("test:0");
        using var other = new Fated("test:1");
        using ReplicaBackend both = Both(one, other, []);
        using IExecutable network = both.Compile(_case.Graph());
        one.Hold();
        other.Hold();
        Task[] held = [Task.Run(Run), Task.Run(Run)];
        // Each waits on a device of its own.
        await one.Began.Task.WaitAsync(Patience);
        await other.Began.Task.WaitAsync(Patience);
        other.Open();
        await Task.WhenAny(held).WaitAsync(Patience);
        for (int i = 0; i < 3; i++)
            Run();
        Assert.Equal((0, 4), (one.Runs, other.Runs));
        one.Open();
        await Task.WhenAll(held).WaitAsync(Patience);
        for (int i = 0; i < 3; i++)
            Run();
        // Where both are free, the one that ran the network less.
        Assert.Equal((4, 4), (one.Runs, other.Runs));
        Assert.Equal(2, both.RunsAtOnce);

        void Run() => Running.Run(network, _case.Graph(), _case.InputValues());
    }

    [Fact]
    public void A_device_that_is_lost_is_taken_out_and_its_run_tried_once_elsewhere()
    {
        var expected = (float[])Running.Reference(_case.Graph(), _case.InputValues())[0];
        var said = new ConcurrentQueue<string>();
        using var one = new Fated("test:0");
        using var other = new Fated("test:1");
        using ReplicaBackend both = Both(one, other, said);
        using IExecutable network = both.Compile(_case.Graph());
        Assert.Equal(expected, Run());
        other.IsLost = true;
        for (int i = 0; i < 3; i++)
            Assert.Equal(expected, Run());
        Assert.Equal((4, 0), (one.Runs, other.Runs));
        Assert.Equal("test:1 is lost. test:0,1 goes on with the other one.", Assert.Single(said));
        Assert.Equal(1, both.RunsAtOnce);
        // A network that is compiled now is the other's alone.
        using (IExecutable later = both.Compile(_case.Graph()))
            Assert.Equal(expected, (float[])Running.Run(later, _case.Graph(), _case.InputValues())[0]);
        Assert.Equal((2, 1), (one.Compiled, other.Compiled));
        one.IsLost = true;
        Assert.Equal("test:0 is lost.", Assert.Throws<DeviceLostException>(() => Run()).Message);
        Assert.Equal("test:0 is lost.", Assert.Throws<DeviceLostException>(() => Run()).Message);
        Assert.Throws<DeviceLostException>(() => both.Compile(_case.Graph()));
        Assert.Single(said);

        float[] Run() => (float[])Running.Run(network, _case.Graph(), _case.InputValues())[0];
    }

    [Fact]
    public void What_is_lost_on_two_devices_is_not_tried_on_a_third()
    {
        using var one = new Fated("test:0") { IsLost = true };
        using var two = new Fated("test:1") { IsLost = true };
        using var three = new Fated("test:2");
        using var all = ReplicaBackend.Of("test:0,1,2", [one, two, three]);
        one.CompilesLost = two.CompilesLost = true;
        using IExecutable network = all.Compile(_case.Graph());
        Assert.Throws<DeviceLostException>(() => Running.Run(network, _case.Graph(), _case.InputValues()));
        Assert.Equal((0, 0, 0), (one.Runs, two.Runs, three.Runs));
        Running.Run(network, _case.Graph(), _case.InputValues());
        Assert.Equal(1, three.Runs);
    }

    [Fact]
    public void Other_failures_are_the_run_s_own_and_devices_are_disposed_once()
    {
        var one = new Fated("test:0");
        var other = new Fated("test:1");
        using (ReplicaBackend both = Both(one, other, []))
        {
            using IExecutable network = both.Compile(_case.Graph());
            one.Failure = other.Failure = new MemoryException("There is no memory.");
            Assert.Throws<MemoryException>(() => Running.Run(network, _case.Graph(), _case.InputValues()));
            one.Failure = other.Failure = null;
            Running.Run(network, _case.Graph(), _case.InputValues());
        }
        Assert.Equal((1, 1), (one.Disposed, other.Disposed));
    }

    [Fact]
    public async Task A_service_goes_on_when_a_device_of_its_model_is_lost()
    {
        using var one = new Fated("test:0");
        using var other = new Fated("test:1");
        using ReplicaBackend both = Both(one, other, []);
        using var photo = new Image(48, 48, 3);
        await using ServiceHost host = await ServiceHost.Start(options => options.AddModel(
            "m", model.Path, new SegmenterOptions { Backend = both }, new() { MaxBatch = 1 }));
        Assert.Equal("test:0,1", host.Segmenter.Device);
        Assert.Equal((2, 0), host.Devices("m"));
        // The warm-up came to both.
        Assert.True(one.Runs > 0 && other.Runs > 0);
        one.Hold();
        other.Hold();
        Task<Segmentation>[] requests = [.. Enumerable.Range(0, 6).Select(_ => host.Segmenter.SegmentAsync(photo))];
        await one.Began.Task.WaitAsync(Patience);
        await other.Began.Task.WaitAsync(Patience);
        other.IsLost = true;
        one.Open();
        other.Open();
        Segmentation[] masks = await Task.WhenAll(requests).WaitAsync(Patience);
        Assert.All(masks, mask => Assert.Equal(masks[0].Labels.ToArray(), mask.Labels.ToArray()));
        Assert.Equal(0, host.Segmenter.Statistics.Failed.Count);
        Assert.Equal((1, 1), host.Devices("m"));
        await host.Catalog.UnloadAsync("m");
        Assert.Equal((0, 0), host.Devices("m"));
    }

    private static ReplicaBackend Both(Fated one, Fated other, ConcurrentQueue<string> said)
    {
        var both = ReplicaBackend.Of("test:0,1", [one, other]);
        both.Lost = said.Enqueue;
        return both;
    }

    /// <summary>The reference, which can be held, fail and be lost.</summary>
    private sealed class Fated(string name) : IBackend
    {
        private readonly ReferenceBackend _backend = new();
        private readonly ManualResetEventSlim _open = new(initialState: true);
        private int _runs;

        public string Name => name;

        public int Runs => _runs;

        public int Compiled { get; private set; }

        public int Disposed { get; private set; }

        public bool IsLost { get; set; }

        /// <summary>It compiles even when it is lost.</summary>
        public bool CompilesLost { get; set; }

        public Exception? Failure { get; set; }

        /// <summary>Ends when a run has begun since it was held.</summary>
        public TaskCompletionSource Began { get; private set; } = new();

        public void Hold()
        {
            Began = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _open.Reset();
        }

        public void Open() => _open.Set();

        public IExecutable Compile(NetworkGraph graph)
        {
            if (IsLost && !CompilesLost)
                throw Lost();
            Compiled++;
            return new Network(this, _backend.Compile(graph));
        }

        public void Dispose()
        {
            Disposed++;
            _backend.Dispose();
        }

        private DeviceLostException Lost() => new($"{name} is lost.", new InvalidOperationException());

        private sealed class Network(Fated owner, IExecutable executable) : IExecutable
        {
            public void Run(
                ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> outputs, CancellationToken cancellationToken)
            {
                owner.Began.TrySetResult();
                owner._open.Wait(cancellationToken);
                if (owner.IsLost)
                    throw owner.Lost();
                if (owner.Failure is { } failure)
                    throw failure;
                Interlocked.Increment(ref owner._runs);
                executable.Run(inputs, outputs, cancellationToken);
            }

            public void Dispose() => executable.Dispose();
        }
    }
}
