using Atrous.Cli.Output;
using Atrous.Specs;

namespace Atrous.Cli.Describing;

/// <summary>A model for people: a label and a value a line.</summary>
internal static class InfoText
{
    private const int Indent = 15, Shown = 20;

    public static void Write(ModelInfo info, TextWriter output)
    {
        void Line(string label, string value) => output.WriteLine($"{label.PadRight(Indent)}{Terminal.OneLine(value)}");

        void Lines(string label, IEnumerable<string> values)
        {
            foreach ((int i, string value) in values.Index())
                Line(i == 0 ? label : "", value);
        }

        Line("model", info.Path);
        Line("container", info.Container + Where(info));
        Line("dialect", $"{info.Dialect}, recognised by {info.Evidence}");
        Line("architecture", info.Architecture);
        Line("backbone", info.Backbone);
        Line("output stride", $"{info.OutputStride}" + (info.OutputStrideSource is { } source ? $" ({source})" : ""));
        Line(
            "input",
            $"{info.InputChannels} channel(s): {info.Preprocessing.Description} ({info.PreprocessingSource})");
        Line("mean", Numbers.List(info.Preprocessing.Mean));
        Line("std", Numbers.List(info.Preprocessing.Std));
        Line("classes", $"{info.Classes}" + (info.NamesAreAssumed ? " (names assumed, by their number)" : ""));
        Lines("", info.ClassNames.Index().Select(name => $"{name.Index,4}  {name.Item}"));
        Line("parameters", Numbers.Grouped(info.Parameters));
        Line("multiply-adds", info.MultiplyAdds is { } count
            ? $"{Numbers.Short(count)} at {info.AtSize.Height}x{info.AtSize.Width}"
            : "unknown, because weights are missing");
        if (info.Quantization is { } facts)
            Line("quantised", DescribedQuantization.Line(facts));
        Lines("switches", Switches(info.Switches));
        Lines("notes", info.Notes);
        Lines("stored values", info.Extras.Select(extra => $"{extra.Key} = {extra.Value}"));
        Line("missing", info.Missing.Count == 0 ? "nothing" : $"{info.Missing.Count} tensor(s)");
        Lines("", info.Missing);
        Line("unexpected", info.Unexpected.Count == 0 ? "nothing" : $"{info.Unexpected.Count} tensor(s)");
        Lines("", info.Unexpected.Take(Shown));
        if (info.Unexpected.Count > Shown)
            Line("", $"... and {info.Unexpected.Count - Shown} more; --json lists all");
        Line("beside it", info.Beside.Count == 0 ? "nothing" : $"{info.Beside.Values.Sum()} tensor(s), not used");
        Lines("", info.Beside.Take(Shown).Select(row => row.Value == 1 ? row.Key : $"{row.Key} ({row.Value})"));
        if (info.Beside.Count > Shown)
            Line("", $"... and {info.Beside.Count - Shown} more names; --json lists all");
    }

    private static string Where(ModelInfo info)
    {
        string path = info.WeightsPath.Length > 0 ? $", weights under {info.WeightsPath}" : "";
        string prefix = info.StrippedPrefix.Length > 0 ? $", names without their prefix {info.StrippedPrefix}" : "";
        return path + prefix;
    }

    private static IEnumerable<string> Switches(IReadOnlyList<Switch> switches)
    {
        if (switches.Count == 0)
            return ["none"];
        int width = switches.Max(row => row.Name.Length + row.Value.Length) + 1;
        return switches.Select(
            row => $"{$"{row.Name}={row.Value}".PadRight(width)}  {row.Source}: {row.Meaning}");
    }
}
