using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Atrous.Catalog;
using Atrous.Cli.Options;
using Atrous.Cli.Output;
using Spectre.Console;

namespace Atrous.Cli.Pulling;

/// <summary>`atrous models`: what --model can name.</summary>
internal static class ModelsCommand
{
    private const string Description =
        "List the models that have a name. They are the one in the box, and the published ones that `atrous " +
        "pull NAME` fetches into ATROUS_HOME (else the platform's cache folder). ATROUS_CATALOG names another" +
        " catalog in place of the built-in one.";

    private const string Unknown = "unknown";

    public static Command Create()
    {
        var json = new Option<bool>("--json")
        {
            Description = "Write one JSON document, with URLs, hashes and sources",
        };
        var command = new ToolCommand("models", Description)
        {
            Examples =
            [
                ("atrous models",
                    "Name, size, score and licence of each, and which are on this machine"),
                ("atrous models --json",
                    "The same for programs, with URLs and hashes"),
            ],
        };
        command.Add(ToolCommand.Output, json);
        command.SetAction(result =>
        {
            var catalog = PublishedModels.Open();
            var cache = ModelCache.Default();
            if (result.GetValue(json))
                WriteJson(catalog, cache);
            else
                WriteTable(catalog, cache);
            return ExitCode.Done;
        });
        return command;
    }

    private static void WriteTable(PublishedModels catalog, ModelCache cache)
    {
        IAnsiConsole console = Terminal.Rich(Console.Out, Console.IsOutputRedirected);
        var table = new Table { Border = Console.IsOutputRedirected ? TableBorder.None : TableBorder.Rounded };
        table.AddColumns(
            new TableColumn("name").NoWrap(), new TableColumn("state"), new TableColumn("size").RightAligned(),
            new TableColumn("mIoU").RightAligned(),
            new TableColumn("classes").RightAligned(), new TableColumn("trained on"), new TableColumn("licence"));
        Add(DefaultModel.Name, "in the box", SizeOfDefault() is { } size
            ? Numbers.Megabytes(size)
            : "missing", "see its card", "11", "CamVid road scenes", "MIT");
        foreach (PublishedModel entry in catalog.Entries)
        {
            Add(entry.Name, State(entry, cache), entry.Size is { } bytes ? Numbers.Megabytes(bytes) : Unknown,
                entry.MeanIoU is { } score ? score.ToString("0.000", CultureInfo.InvariantCulture) : Unknown,
                entry.Classes.ToString(CultureInfo.InvariantCulture), entry.Data, entry.Licence);
        }
        console.Write(table);

        void Add(params string[] cells) => table.AddRow(cells.Select(cell => new Text(Terminal.OneLine(cell))));
    }

    private static void WriteJson(PublishedModels catalog, ModelCache cache) => JsonOutput.Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("catalog", catalog.Path);
        json.WriteString("cache", cache.Folder);
        json.WriteStartArray("models");
        json.WriteStartObject();
        json.WriteString("name", DefaultModel.Name);
        json.WriteString("state", "in the box");
        json.WriteString("path", DefaultModel.Path);
        WriteNumber(json, "size", SizeOfDefault());
        json.WriteEndObject();
        foreach (PublishedModel entry in catalog.Entries)
        {
            json.WriteStartObject();
            json.WriteString("name", entry.Name);
            json.WriteString("state", State(entry, cache));
            json.WriteString("path", cache.StateOf(entry) == PullState.Pulled ? cache.PathOf(entry) : null);
            WriteNumber(json, "size", entry.Size);
            json.WriteString("dialect", entry.Dialect);
            json.WriteNumber("classes", entry.Classes);
            json.WriteString("data", entry.Data);
            json.WriteString("licence", entry.Licence);
            if (entry.MeanIoU is { } score)
                json.WriteNumber("mIoU", score);
            else
                json.WriteNull("mIoU");
            json.WriteString("measuredOn", entry.MeasuredOn);
            json.WriteString("source", entry.Source);
            json.WriteStartArray("files");
            foreach (CatalogFile file in entry.Files)
            {
                json.WriteStartObject();
                json.WriteString("url", ShownAddress.WithoutUser(file.Url));
                WriteNumber(json, "size", file.Size);
                json.WriteString("sha256", file.Sha256);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    });

    private static void WriteNumber(Utf8JsonWriter json, string name, long? number)
    {
        if (number is { } known)
            json.WriteNumber(name, known);
        else
            json.WriteNull(name);
    }

    private static long? SizeOfDefault() =>
        new FileInfo(DefaultModel.Path) is { Exists: true } file ? file.Length : null;

    private static string State(PublishedModel entry, ModelCache cache) => cache.StateOf(entry) switch
    {
        PullState.Pulled => "pulled",
        PullState.Partial => "partly pulled",
        _ => "not pulled",
    };
}
