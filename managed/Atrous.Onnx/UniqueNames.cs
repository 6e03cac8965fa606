using System.Globalization;

namespace Atrous.Onnx;

/// <summary>Names of values and constants, which share one space in ONNX.</summary>
internal sealed class UniqueNames
{
    private readonly HashSet<string> _taken = new(StringComparer.Ordinal);

    /// <summary>The name, or the name with a number where it is taken.</summary>
    public string Claim(string name)
    {
        string claimed = name;
        for (int i = 2; !_taken.Add(claimed); i++)
            claimed = string.Create(CultureInfo.InvariantCulture, $"{name}#{i}");
        return claimed;
    }
}
