using System.CommandLine;
using System.Text;
using System.Text.Json;
using Atrous.Cli.Options;
using Atrous.Files;
using Microsoft.Extensions.Configuration;

namespace Atrous.Cli.Serving;

/// <summary>
/// What a file and the environment say of a server: the section "Atrous", of whose names none is passed by.
/// </summary>
internal static class ServeConfiguration
{
    private const string Section = "Atrous", Prefix = "ATROUS__";

    private const int MaxBytes = 1 << 20;

    public static readonly Option<string?> File = new("--config")
    {
        Description =
            "A file of JSON whose section Atrous has models, limits and Server. Variables of the environment such as " +
            "ATROUS__SERVER__PORT come before it, and options before both",
        HelpName = "FILE",
    };

    /// <summary>The section, with the environment's settings over those of the file.</summary>
    /// <exception cref="CommandException">The file cannot be read, or has other sections.</exception>
    public static IConfigurationSection Read(ParseResult result)
    {
        IConfigurationRoot file = result.GetValue(File) is { } path
            ? OfFile(path)
            : new ConfigurationBuilder().Build();
        // The provider takes the prefix away.
        IEnumerable<KeyValuePair<string, string?>> variables =
            new ConfigurationBuilder().AddEnvironmentVariables(Prefix).Build().AsEnumerable()
                .Where(row => row.Value is not null)
                .Select(row => KeyValuePair.Create(Spelt(file, $"{Section}:{row.Key}"), row.Value));
        return new ConfigurationBuilder().AddInMemoryCollection(file.AsEnumerable()).AddInMemoryCollection(variables)
            .Build().GetSection(Section);
    }

    /// <summary>The section without the files of its models, which need not be there where others are served.</summary>
    public static IConfigurationSection WithoutModelPaths(IConfigurationSection section) =>
        new ConfigurationBuilder()
            .AddInMemoryCollection(section.AsEnumerable().Where(row => !IsModelPath(row.Key)))
            .Build().GetSection(Section);

    private static bool IsModelPath(string key) => key.Split(':') is [_, var models, _, var path]
        && models.Equals("Models", StringComparison.OrdinalIgnoreCase)
        && path.Equals("Path", StringComparison.OrdinalIgnoreCase);

    /// <summary>Variables are often in capitals: a model keeps the name that the file gives it.</summary>
    private static string Spelt(IConfiguration file, string name)
    {
        string[] parts = name.Split(':');
        for (int i = 0; i < parts.Length; i++)
        {
            IConfigurationSection? part = file.GetChildren().FirstOrDefault(
                child => child.Key.Equals(parts[i], StringComparison.OrdinalIgnoreCase));
            if (part is null)
                break;
            (parts[i], file) = (part.Key, part);
        }
        return string.Join(':', parts);
    }

    private static IConfigurationRoot OfFile(string path)
    {
        string text = TextFile.Read(path, "--config", "settings", MaxBytes, ExitCode.Usage);
        IConfigurationRoot root;
        try
        {
            root = new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(text))).Build();
        }
        catch (Exception e) when (e is FormatException or InvalidDataException or JsonException)
        {
            throw CommandException.Usage(
                $"{path}: the file is no JSON of settings ({(e.InnerException ?? e).Message.TrimEnd('.')}).");
        }
        if (root.GetChildren().FirstOrDefault(
            part => !part.Key.Equals(Section, StringComparison.OrdinalIgnoreCase)) is { } other)
        {
            throw CommandException.Usage(
                $"{path}: there is no section {other.Key}; "
                + (NearestName.Of(other.Key, [Section]) is { } near
                    ? $"did you mean {near}?"
                    : $"all settings are in the section {Section}."));
        }
        return root;
    }
}
