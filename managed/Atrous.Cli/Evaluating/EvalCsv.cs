using System.Globalization;
using Atrous.Cli.Output;
using Atrous.Evaluation;

namespace Atrous.Cli.Evaluating;

/// <summary>
/// The measures of each class as CSV (RFC 4180): a row a class, an empty field where a class does not occur.
/// </summary>
internal static class EvalCsv
{
    public static void Write(
        TemporaryFiles temporaries, string path, Func<int, string> nameOf, ConfusionMatrix matrix,
        BoundaryScore? boundaries, EvalRival? rival)
    {
        List<(string Title, Func<int, string> Value)> columns =
        [
            ("index", label => label.ToString(CultureInfo.InvariantCulture)),
            ("name", label => Quoted(nameOf(label))),
            ("iou", label => Number(matrix.Iou(label))),
            ("accuracy", label => Number(matrix.Accuracy(label))),
            ("truePixels", label => matrix.TruePixels(label).ToString(CultureInfo.InvariantCulture)),
            ("predictedPixels", label => matrix.PredictedPixels(label).ToString(CultureInfo.InvariantCulture)),
        ];
        if (boundaries is not null)
        {
            columns.Add(("boundaryIou", label => Number(boundaries.Iou(label))));
            columns.Add(("boundaryF1", label => Number(boundaries.F1(label))));
        }
        if (rival is not null)
            columns.Add(("againstIou", label => Number(rival.Matrix.Iou(label))));
        using var file = new OutputFile(temporaries, path);
        file.Write(stream =>
        {
            using var writer = new StreamWriter(stream) { NewLine = "\r\n" };
            writer.WriteLine(string.Join(',', columns.Select(column => column.Title)));
            for (int label = 0; label < matrix.Classes; label++)
                writer.WriteLine(string.Join(',', columns.Select(column => column.Value(label))));
        });
        file.Commit();
    }

    private static string Number(double measure) =>
        double.IsFinite(measure) ? measure.ToString("R", CultureInfo.InvariantCulture) : "";

    private static string Quoted(string text) =>
        text.AsSpan().IndexOfAny("\",\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
