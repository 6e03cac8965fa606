using System.Security.Cryptography;
using System.Text.Json;
using Atrous.Checkpoints.Containers;
using Atrous.Cli.Formats;
using Atrous.Cli.Options;
using Atrous.Cli.Output;
using Atrous.Files;
using Atrous.Postprocessing;
using Atrous.Specs;

namespace Atrous.Cli.Batches;

/// <summary>
/// A number for all that decides what a run writes for a picture: the model's files, what they were taken for, and the
/// options. The device and its threads are not in it: a run may go on where there are others.
/// </summary>
internal static class RunStamp
{
    /// <summary>The SHA-256 of all of it, in hexadecimal digits.</summary>
    /// <param name="model">The path that the model was loaded from.</param>
    /// <param name="info">What it was taken for.</param>
    /// <param name="options">As it was loaded.</param>
    /// <param name="palette">The colours of the masks.</param>
    /// <param name="opacity">The colours' share in overlays; null where nothing lays colours over a photo.</param>
    /// <param name="formats">What is written beside the masks.</param>
    /// <param name="rasters">What TIFFs show to the network.</param>
    /// <exception cref="IOException">A file of the model cannot be read any more.</exception>
    /// <exception cref="UnavailableException">The system is Linux and has no OpenSSL.</exception>
    public static string Of(
        string model, ModelInfo info, SegmenterOptions options, Palette palette, double? opacity, FormatChoice formats,
        RasterChoice rasters)
    {
        OpenSsl.Require("A run that records what its masks are made of");
        var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            json.WriteNumber("version", 1);
            json.WriteStartArray("files");
            foreach (string file in ModelFolder.FilesOf(model))
            {
                json.WriteStringValue(Path.GetFileName(file));
                using FileStream stream = File.OpenRead(file);
                json.WriteStringValue(Convert.ToHexString(SHA256.HashData(stream)));
            }
            json.WriteEndArray();
            WriteModel(json, info, palette);
            WriteOptions(json, options, info);
            json.WriteString("opacity", opacity is { } share ? $"{share:R}" : "");
            json.WriteNames("formats", [.. formats.OfPicture.Select(format => format.Name)]);
            json.WriteNames("only", formats.Only ?? []);
            json.WriteBoolean("all", formats.Only is null);
            json.WriteNumber("minArea", formats.MinArea);
            json.WriteNumber("simplify", formats.Simplify);
            json.WriteNames("bands", rasters.Bands?.Select(band => $"{band}") ?? []);
            json.WriteString("white", rasters.White is { } white ? $"{white:R}" : "");
            json.WriteEndObject();
        }
        return Convert.ToHexStringLower(SHA256.HashData(text.ToArray()));
    }

    private static void WriteModel(Utf8JsonWriter json, ModelInfo info, Palette palette)
    {
        json.WriteString("dialect", info.Dialect);
        json.WriteString("architecture", info.Architecture);
        json.WriteString("backbone", info.Backbone);
        json.WriteString("weights", $"{info.WeightsPath} {info.StrippedPrefix}");
        json.WriteNumber("outputStride", info.OutputStride);
        json.WriteNumber("classes", info.Classes);
        json.WriteString("threshold", info.Threshold is { } threshold ? $"{threshold:R}" : "");
        json.WriteBoolean("multiLabel", info.IsMultiLabel);
        json.WriteNames("names", info.ClassNames);
        json.WriteNames("switches", info.Switches.Select(row => $"{row.Name}={row.Value}"));
        json.WriteNames("colours", palette.Colours.Select(colour => colour.ToString()!));
        PreprocessingSpec input = info.Preprocessing;
        json.WriteString("input", $"{input.Order} {input.Scale:R} {input.Resize} {input.Filter} {input.EnlargingFilter}"
            + $" {input.SizeMultiple} {input.StretchesToMultiple}");
        json.WriteNumbers("mean", input.Mean);
        json.WriteNumbers("std", input.Std);
    }

    private static void WriteOptions(Utf8JsonWriter json, SegmenterOptions options, ModelInfo info)
    {
        json.WriteString("precision", DescribedModel.Name(options, info));
        json.WriteString("window", options.Window is { } window ? $"{window.Size} {window.Overlap:R}" : "");
        json.WriteNames("scales", options.Augmentation?.Scales.Select(scale => $"{scale:R}") ?? []);
        json.WriteBoolean("flip", options.Augmentation?.Flip ?? false);
        json.WriteString("crf", options.Crf?.ToString());
    }
}
