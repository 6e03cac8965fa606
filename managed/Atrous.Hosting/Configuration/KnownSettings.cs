using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Atrous.Files;
using Microsoft.Extensions.Configuration;

namespace Atrous.Hosting.Configuration;

/// <summary>
/// Refuses what the binder would pass by: a name that is none, a value where there are parts, parts where there is a
/// value.
/// </summary>
internal static class KnownSettings
{
    /// <summary>Looks at a section, and not at its parts' parts.</summary>
    /// <typeparam name="T">What the section is bound to.</typeparam>
    /// <param name="section">The section; one that does not exist has nothing to look at.</param>
    /// <param name="others">The names of parts that something else reads.</param>
    /// <exception cref="UnavailableException">A setting is misspelt, or has another form than it should.</exception>
    public static void Check<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] T>(
        IConfiguration section, params string[] others)
    {
        if (section is IConfigurationSection { Value.Length: > 0 } itself)
            throw Parts(itself);
        PropertyInfo[] properties = typeof(T).GetProperties();
        string[] names = [.. properties.Select(property => property.Name), .. others];
        foreach (IConfigurationSection child in section.GetChildren())
        {
            if (!names.Contains(child.Key, StringComparer.OrdinalIgnoreCase))
                throw new UnavailableException(
                    $"There is no setting {child.Path}; "
                    + (NearestName.Of(child.Key, names) is { } near
                        ? $"did you mean {near}?"
                        : $"there are {string.Join(", ", names)}."));
            PropertyInfo? property = properties.FirstOrDefault(
                property => property.Name.Equals(child.Key, StringComparison.OrdinalIgnoreCase));
            if (property is not null && IsValue(property.PropertyType) && child.GetChildren().Any())
                throw new UnavailableException($"The setting {child.Path} is a value, and has no parts.");
            if (property is not null && Nullable.GetUnderlyingType(property.PropertyType) is { IsEnum: true }
                && int.TryParse(child.Value, out _))
                throw new UnavailableException($"The setting {child.Path} is '{child.Value}'; it is a name.");
            if (property is null || string.IsNullOrEmpty(child.Value))
                continue;
            if (property.PropertyType.IsArray)
                throw new UnavailableException(
                    $"The setting {child.Path} is a list: in JSON [...], in the environment one variable for each, "
                    + "which ends in __0, __1 and so on.");
            if (!IsValue(property.PropertyType))
                throw Parts(child);
        }
    }

    /// <summary>Fills in an object, and says in a sentence what cannot be read.</summary>
    /// <exception cref="UnavailableException">A value is not of its setting's type.</exception>
    public static void Bind(Action bind)
    {
        try
        {
            bind();
        }
        catch (InvalidOperationException e)
        {
            throw new UnavailableException($"A setting cannot be read: {e.Message.TrimEnd('.')}.");
        }
    }

    private static UnavailableException Parts(IConfigurationSection section) =>
        new($"The setting {section.Path} has parts, and not the value '{section.Value}'.");

    private static bool IsValue(Type type) => type == typeof(string) || type.IsValueType;
}
