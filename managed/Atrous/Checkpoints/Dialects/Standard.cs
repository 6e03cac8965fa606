using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>What a switch is where the user gives nothing.</summary>
/// <param name="Value">What is in force then.</param>
/// <param name="Source">Who says so, as <see cref="Switch.Source"/>.</param>
internal readonly record struct Standard<T>(T Value, string Source)
{
    /// <summary>What the training repository's own code takes where nobody says anything.</summary>
    public static implicit operator Standard<T>(T value) => new(value, Switch.Assumed);

    /// <summary>The same in another form.</summary>
    public Standard<TOther> As<TOther>(Func<T, TOther> convert) => new(convert(Value), Source);
}
