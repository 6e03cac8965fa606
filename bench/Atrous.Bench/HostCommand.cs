using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Atrous.Imaging;

namespace Atrous.Bench;

/// <summary>
/// What a run on a GPU takes of the host, from the call to the labels: bench/gpu/host.sh starts it on the software
/// device, which does no work then.
/// </summary>
internal static class HostCommand
{
    private static readonly int[] Batches = [1, 16];

    public static Command Create()
    {
        var size = new Option<int>("--size")
        {
            Description = "Height and width of the pictures",
            DefaultValueFactory = _ => 513,
        };
        var runs = new Option<int>("--runs") { Description = "Of each batch", DefaultValueFactory = _ => 200 };
        var command = new Command("host", "The host's time of a run on cuda, with the model in the box.")
        {
            size, runs,
        };
        command.SetAction(result => Run(result.GetValue(size), result.GetValue(runs)));
        return command;
    }

    private static void Run(int size, int runs)
    {
        Console.WriteLine("| batch | ms a run, median | ms a run, least | processor ms a run | KiB allocated |");
        Console.WriteLine("|---|---|---|---|---|");
        foreach (int batch in Batches)
        {
            using Segmenter segmenter =
                Segmenter.LoadDefault(new SegmenterOptions { Device = "cuda", MaxBatch = batch });
            Image[] photos = [.. Enumerable.Range(0, batch).Select(_ => new Image(size, size, 3))];
            for (int i = 0; i < 10; i++)
                segmenter.Segment(photos);
            var times = new double[runs];
            TimeSpan processor = Process.GetCurrentProcess().TotalProcessorTime;
            long allocated = GC.GetTotalAllocatedBytes();
            for (int i = 0; i < runs; i++)
            {
                long start = Stopwatch.GetTimestamp();
                segmenter.Segment(photos);
                times[i] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            }
            processor = Process.GetCurrentProcess().TotalProcessorTime - processor;
            allocated = GC.GetTotalAllocatedBytes() - allocated;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {batch} | {Medians.Of(times):0.000} | {times.Min():0.000} | " +
                $"{processor.TotalMilliseconds / runs:0.000} | {allocated / runs / 1024.0:0.0} |"));
            foreach (Image photo in photos)
                photo.Dispose();
        }
    }
}
