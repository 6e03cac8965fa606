using System.Globalization;
using System.Text.Json;
using Atrous.Cli.Output;
using Atrous.Verification;
using Spectre.Console;

namespace Atrous.Cli.Verifying;

/// <summary>The result of a verification on standard output.</summary>
internal static class VerifyReport
{
    /// <summary>A row per picture, a row per layer, the tolerance, and the verdict.</summary>
    public static void WriteText(VerifyResult result)
    {
        IAnsiConsole console = Terminal.Rich(Console.Out, Console.IsOutputRedirected);
        console.Write(Pictures(result));
        if (result.Layers.Count > 0)
            console.Write(Layers(result));
        VerificationTolerance tolerance = result.Tolerance;
        string max = double.IsFinite(tolerance.Max) ? $"max {Text(tolerance.Max)}, " : "";
        Console.Out.WriteLine(
            $"tolerance of {DescribedModel.Name(result.Options, result.Model)}: {max}rms {Text(tolerance.Rms)} of " +
            "the " +
            $"standard deviation; " +
            $"{Share(tolerance.Labels)} of the labels of pixels whose winner leads by more than " +
            $"{Text(tolerance.Lead)}");
        Console.Out.WriteLine(result switch
        {
            { IsWithin: true } => "within the tolerance",
            { FirstAbove: { } layer } =>
                $"NOT within the tolerance; the first layer above it is {Terminal.OneLine(layer.Name)}",
            _ => "NOT within the tolerance"
                + (result.Layers.Count > 0 ? "; every layer is" : "; --layers tells where it begins"),
        });
    }

    /// <summary>All of it, in full precision; null for what is not a finite number.</summary>
    public static void WriteJson(VerifyResult result) => JsonOutput.Write(json =>
    {
        json.WriteStartObject();
        json.WriteModel(result.Model, result.Device, result.Options);
        json.WriteString("against", result.Judge);
        json.WriteStartObject("tolerance");
        Write(json, "max", result.Tolerance.Max);
        Write(json, "rms", result.Tolerance.Rms);
        Write(json, "lead", result.Tolerance.Lead);
        Write(json, "labels", result.Tolerance.Labels);
        json.WriteEndObject();
        json.WriteStartArray("pictures");
        foreach (VerifiedPicture picture in result.Pictures)
        {
            json.WriteStartObject();
            json.WriteString("picture", picture.Name);
            json.WriteNumber("height", picture.Height);
            json.WriteNumber("width", picture.Width);
            WriteError(json, picture.Result.Scores);
            json.WriteNumber("labels", picture.Result.Labels.OfAll);
            json.WriteNumber("decided", (double)picture.Result.Labels.Decided / picture.Result.Labels.Pixels);
            json.WriteNumber("labelsOfDecided", picture.Result.Labels.OfDecided);
            json.WriteBoolean("within", result.Allows(picture.Result));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("layers");
        foreach (LayerVerification layer in result.Layers)
        {
            json.WriteStartObject();
            json.WriteString("name", layer.Name);
            json.WriteString("op", layer.Op);
            json.WriteString("shape", layer.Shape.ToString());
            WriteError(json, layer.Error);
            json.WriteBoolean("within", result.Tolerance.Allows(layer.Error));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteString("firstLayerAbove", result.FirstAbove?.Name);
        json.WriteBoolean("within", result.IsWithin);
        json.WriteEndObject();
    });

    private static Table Pictures(VerifyResult result)
    {
        Table table =
            NewTable("picture", "max error", "mean", "rms", "same labels", "decided pixels", "same labels there", "");
        foreach (VerifiedPicture picture in result.Pictures)
        {
            (TensorError scores, LabelAgreement labels) = picture.Result;
            table.AddRow(
                new Text(Terminal.OneLine(picture.Name)), new Text(Text(scores.Max)), new Text(Text(scores.Mean)),
                new Text(Text(scores.Rms)), new Text(Share(labels.OfAll)),
                    new Text(Share((double)labels.Decided / labels.Pixels)),
                new Text(Share(labels.OfDecided)), new Text(result.Allows(picture.Result) ? "" : "above"));
        }
        return table;
    }

    private static Table Layers(VerifyResult result)
    {
        Table table = NewTable("layer", "max error", "mean", "rms", "output", "");
        foreach (LayerVerification layer in result.Layers)
        {
            table.AddRow(
                new Text(Terminal.OneLine(layer.Name)), new Text(Text(layer.Error.Max)),
                new Text(Text(layer.Error.Mean)),
                new Text(Text(layer.Error.Rms)), new Text(layer.Shape.ToString()),
                    new Text(result.Tolerance.Allows(layer.Error) ? "" : "above"));
        }
        return table;
    }

    private static Table NewTable(params string[] columns)
    {
        var table = new Table { Border = Console.IsOutputRedirected ? TableBorder.None : TableBorder.Rounded };
        foreach ((int i, string column) in columns.Index())
            table.AddColumn(i == 0 ? new TableColumn(column) : new TableColumn(column).RightAligned());
        return table;
    }

    private static void WriteError(Utf8JsonWriter json, TensorError error)
    {
        Write(json, "max", error.Max);
        Write(json, "mean", error.Mean);
        Write(json, "rms", error.Rms);
        Write(json, "std", error.Std);
    }

    private static void Write(Utf8JsonWriter json, string name, double value)
    {
        if (double.IsFinite(value))
            json.WriteNumber(name, value);
        else
            json.WriteNull(name);
    }

    private static string Text(double error) =>
        double.IsFinite(error) ? error.ToString("0.0e-00", CultureInfo.InvariantCulture) : "not finite";

    private static string Share(double share) => share.ToString("0.000 %", CultureInfo.InvariantCulture);
}
