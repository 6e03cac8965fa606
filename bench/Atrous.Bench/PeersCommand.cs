using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Atrous.Imaging;
using Atrous.Tensors;

namespace Atrous.Bench;

/// <summary>
/// Runs the same network on the same input in Atrous and in ONNX Runtime, turn by turn, and prints medians and the ratio.
/// The ONNX file comes from `atrous export`.
/// </summary>
internal static class PeersCommand
{
    public static Command Create()
    {
        var model = new Option<string>("--model") { Required = true, Description = "Checkpoint for Atrous." };
        var onnx = new Option<string>("--onnx") { Required = true, Description = "The same network, by atrous export." };
        var size = new Option<string>("--size") { DefaultValueFactory = _ => "513x513", Description = "Input height x width." };
        var threads = new Option<int>("--threads") { DefaultValueFactory = _ => 2, Description = "Of each runtime." };
        var runs = new Option<int>("--runs") { DefaultValueFactory = _ => 15, Description = "Timed runs of each; two more warm up." };
        var output = new Option<string?>("-o") { Description = "Also append the table to this file." };
        var command = new Command("peers", "Atrous and onnxruntime-node side by side.") { model, onnx, size, threads, runs, output };
        command.SetAction(result => Run(
            result.GetValue(model)!, result.GetValue(onnx)!, result.GetValue(size)!, result.GetValue(threads),
            result.GetValue(runs), result.GetValue(output)));
        return command;
    }

    private static int Run(string model, string onnx, string size, int threads, int runs, string? output)
    {
        int[] sides = [.. size.Split('x').Select(side => int.Parse(side, CultureInfo.InvariantCulture))];
        long start = Stopwatch.GetTimestamp();
        using Segmenter segmenter = Segmenter.Load(model, new SegmenterOptions { Threads = threads, Device = "cpu" });
        double load = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        double afterLoad = PeakMiB();
        using var photo = new Image(sides[1], sides[0], 3);
        new Random(1).NextBytes(photo.Pixels);
        using var input = new Tensor(new Shape(1, sides[0], sides[1], segmenter.Info.InputChannels));
        Fill(input);

        using var peer = new OnnxRuntimePeer(onnx, [1, segmenter.Info.InputChannels, sides[0], sides[1]], threads);
        var mask = new List<double>();
        var network = new List<double>();
        var theirs = new List<double>();
        for (int i = -2; i < runs; i++)
        {
            double picture = Time(() => segmenter.Segment(photo));
            double tensors = Time(() => segmenter.Infer(input).Dispose());
            double other = peer.Run();
            if (i < 0)
                continue;
            mask.Add(picture);
            network.Add(tensors);
            theirs.Add(other);
        }
        var table = new StringBuilder();
        table.AppendLine(CultureInfo.InvariantCulture, $"{segmenter.Info.Architecture} {segmenter.Info.Backbone}, output stride {segmenter.Info.OutputStride}, {size}, {threads} thread(s), {runs} interleaved runs");
        table.AppendLine();
        table.AppendLine("| | median ms | fastest ms | ratio of medians | peak resident MiB |");
        table.AppendLine("|---|---|---|---|---|");
        Row("Atrous, tensor in, logits out", network, PeakMiB());
        Row("Atrous, picture in, mask out", mask, PeakMiB());
        Row("onnxruntime-node " + OnnxRuntimePeer.Version + ", tensor in, logits out", theirs, peer.PeakMiB);
        table.AppendLine();
        table.AppendLine(CultureInfo.InvariantCulture, $"Atrous loads the checkpoint in {load:0} ms (peak resident {afterLoad:0} MiB then).");
        Console.Write(table);
        if (output is not null)
            File.AppendAllText(output, table.ToString() + Environment.NewLine);
        return 0;

        void Row(string name, List<double> times, double peak) => table.AppendLine(
            CultureInfo.InvariantCulture,
            $"| {name} | {Median(times):0.0} | {times.Min():0.0} | {Median(times) / Median(theirs):0.00} | {peak:0} |");
    }

    private static double Time(Action run)
    {
        long start = Stopwatch.GetTimestamp();
        run();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private static double Median(List<double> times)
    {
        double[] sorted = [.. times.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static double PeakMiB()
    {
        string line = File.ReadLines("/proc/self/status").First(text => text.StartsWith("VmHWM", StringComparison.Ordinal));
        return double.Parse(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }

    private static void Fill(Tensor tensor)
    {
        var random = new Random(1);
        foreach (ref float value in tensor.Image<float>(0))
            value = (float)(2 * random.NextDouble() - 1);
    }
}
