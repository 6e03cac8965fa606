namespace Atrous.Files;

/// <summary>What somebody may have meant who misspelt a name.</summary>
internal static class NearestName
{
    /// <summary>The name that the fewest changes make of this one; null where it takes too many.</summary>
    public static string? Of(string name, IEnumerable<string> names)
    {
        string? nearest = null;
        int least = int.MaxValue;
        foreach (string other in names)
        {
            if (Changes(name, other) is var changes && changes < least)
                (nearest, least) = (other, changes);
        }
        // A change in three letters, not counting dashes before them.
        return least <= Math.Max(1, (name.Trim('-').Length + 1) / 3) ? nearest : null;
    }

    /// <summary>
    /// How many letters to add, drop, replace or swap with their neighbour make one name of the other, in any case.
    /// </summary>
    private static int Changes(string from, string to)
    {
        var table = new int[from.Length + 1, to.Length + 1];
        for (int i = 0; i <= from.Length; i++)
        {
            for (int j = 0; j <= to.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    table[i, j] = i + j;
                    continue;
                }
                int replaced = table[i - 1, j - 1] + (Same(from[i - 1], to[j - 1]) ? 0 : 1);
                table[i, j] = Math.Min(replaced, Math.Min(table[i - 1, j], table[i, j - 1]) + 1);
                if (i > 1 && j > 1 && Same(from[i - 1], to[j - 2]) && Same(from[i - 2], to[j - 1]))
                    table[i, j] = Math.Min(table[i, j], table[i - 2, j - 2] + 1);
            }
        }
        return table[from.Length, to.Length];
    }

    private static bool Same(char a, char b) => char.ToLowerInvariant(a) == char.ToLowerInvariant(b);
}
