using System.Globalization;

namespace Atrous.Cuda.Tests.Support;

/// <summary>Rows of a theory in several runs, each of which ends in the time that there is for one.</summary>
internal static class Parts
{
    /// <summary>"2/4" makes it the second of four parts; unset it is all.</summary>
    private const string Variable = "ATROUS_TEST_PART";

    private static readonly (int Part, int Parts) Chosen = Parse(Environment.GetEnvironmentVariable(Variable) ?? "1/1");

    public static IEnumerable<T> Of<T>(IEnumerable<T> rows) =>
        rows.Index().Where(row => row.Index % Chosen.Parts == Chosen.Part - 1).Select(row => row.Item);

    private static (int Part, int Parts) Parse(string text)
    {
        int[] numbers = [.. text.Split('/').Select(number => int.Parse(number, CultureInfo.InvariantCulture))];
        return (numbers[0], numbers[1]);
    }
}
