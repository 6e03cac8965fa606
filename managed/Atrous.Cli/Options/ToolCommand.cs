using System.CommandLine;

namespace Atrous.Cli.Options;

/// <summary>A command with what its help shows: examples, and the options by what they are about.</summary>
internal sealed class ToolCommand(string name, string description) : Command(name, description)
{
    /// <summary>The sections that several commands have.</summary>
    public const string Input = "Input", Model = "Model", Processing = "Processing", Output = "Output",
        Device = "Device";

    private readonly List<OptionSection> _sections = [];

    /// <summary>Lines to type, each with what it does.</summary>
    public IReadOnlyList<(string Line, string Does)> Examples { get; init; } = [];

    /// <summary>All options, in the order in which they were added.</summary>
    public IReadOnlyList<OptionSection> Sections => _sections;

    /// <summary>Adds options to the section of this title, which is made where there is none.</summary>
    public void Add(string title, params ReadOnlySpan<Option> options)
    {
        List<Option>? section = _sections.Find(section => section.Title == title)?.Options;
        if (section is null)
            _sections.Add(new(title, section = []));
        foreach (Option option in options)
        {
            Add(option);
            section.Add(option);
        }
    }
}

/// <summary>Options that are about the same thing.</summary>
internal sealed record OptionSection(string Title, List<Option> Options);
