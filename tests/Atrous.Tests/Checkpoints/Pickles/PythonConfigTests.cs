using System.Text;
using Atrous.Checkpoints.Pickles;

namespace Atrous.Tests.Checkpoints.Pickles;

/// <summary>Configurations that are Python source are read as data, and never run.</summary>
public sealed class PythonConfigTests
{
    /// <summary>Some hundred bytes for each character of the longest source.</summary>
    private const long MaxAllocated = 1L << 30;

    [Theory]
    [InlineData("a = 1", """{"a":1}""")]
    [InlineData("a = -1.5e-3\nb = +2\nc = 1_000", """{"a":-0.0015,"b":2,"c":1000}""")]
    [InlineData("a = True\nb = False\nc = None", """{"a":true,"b":false,"c":null}""")]
    [InlineData("a = 'x' \"y\" r'\\d'", """{"a":"xy\\d"}""")]
    [InlineData("a = '''one\ntwo'''  # three", """{"a":"one\ntwo"}""")]
    [InlineData("a = 'it\\'s \\x41\\u00e9'", """{"a":"it\u0027s A\u00E9"}""")]
    [InlineData(
        "a = (1, 2)\nb = (1)\nc = (1,)\nd = ()\ne = [1, [2, ], ]", """{"a":[1,2],"b":1,"c":[1],"d":[],"e":[1,[2]]}""")]
    [InlineData("a = dict(x=1, y=dict(z='w'))", """{"a":{"x":1,"y":{"z":"w"}}}""")]
    [InlineData("a = {'x': 1, 2: 3, None: 4, 'y': {}}", """{"a":{"x":1,"2":3,"y":{}}}""")]
    [InlineData("n = dict(t='BN')\na = dict(n=n, m=[n, n])",
        """{"n":{"t":"BN"},"a":{"n":{"t":"BN"},"m":[{"t":"BN"},{"t":"BN"}]}}""")]
    [InlineData("n = dict(t=1, u=2)\na = dict(**n, u=3)", """{"n":{"t":1,"u":2},"a":{"t":1,"u":3}}""")]
    [InlineData("# first\n'''a module'''\n\na = \\\n  1\n", """{"a":1}""")]
    [InlineData("a = dict(\n    crop=(\n        1,\n        2,\n    ),  # two\n    mode='slide')\nb = 2",
        """{"a":{"crop":[1,2],"mode":"slide"},"b":2}""")]
    [InlineData("a = 1; b = [2]; c = b;\nd = 'x;y'", """{"a":1,"b":[2],"c":[2],"d":"x;y"}""")]
    [InlineData("b = 3\na = [x * 2 for x in y] if z else b", """{"b":3,"a":{"$unread":"[ifzelseb"}}""")]
    public void Literals_are_read(string source, string json) =>
        Assert.Equal(json, PythonConfig.Read(source)!.Value.GetRawText());

    [Theory]
    [InlineData("a = f(1)")]
    [InlineData("a = 1 + 2")]
    [InlineData("a = b")]
    [InlineData("a = 1\na = [x for x in y]")]
    [InlineData("a = 1\na.update(b=2)")]
    [InlineData("a = 1\na['b'] = 2")]
    [InlineData("a = 1\na += 1")]
    [InlineData("a = 1\nif x:\n    a = 2")]
    [InlineData("a = 1\na, b = 2, 3")]
    [InlineData("a = 1\nfor a in range(3):\n    pass")]
    [InlineData("a = 1\nfrom x import a")]
    [InlineData("a = f'{b}'")]
    [InlineData("a = lambda: 1")]
    [InlineData("a = dict(1, 2)")]
    [InlineData("a = float('inf')")]
    [InlineData("a = 1; a['b'] = 2")]
    [InlineData("a = 1\nif x: a = 2")]
    [InlineData("a = 1\nif x: a['b'] = 2")]
    [InlineData("a = 1\nif x: b = 2; a = 3")]
    [InlineData("if x: b = 2; a = 3")]
    [InlineData("if x:\n    b = 2; a = 3")]
    [InlineData("a = 1\nb, c = a = 2, 3")]
    [InlineData("a = 1\nb = a = 2")]
    [InlineData("a = dict(c=1)\nb = a.pop('c')")]
    [InlineData("a = dict(c=1)\nb = dict(d=a.pop('c'))")]
    [InlineData("a = 1\n(a, b) = 2, 3")]
    [InlineData("a = 1\nwith f(x) as a: pass")]
    // A dictionary or list of two names is changed under both.
    [InlineData("b = dict(c=1)\na = dict(d=b)\nb['c'] = 2")]
    [InlineData("b = [1, 2]\na = [b, 3]\nb.append(4)")]
    public void Whatever_would_have_to_be_run_is_unread(string source) =>
        Assert.Contains(
            PythonConfig.Unread, PythonConfig.Read(source + "\nz = 1")!.Value.GetProperty("a").GetRawText());

    [Fact]
    public void What_is_unread_leaves_its_neighbours_readable() => Assert.Equal(
        """{"a":{"x":{"$unread":"osgetcwd()"},"y":2},"b":3}""",
        PythonConfig.Read("import os\na = dict(x=os.getcwd(), y=2)\nb = 3")!.Value.GetRawText()
            .Replace("\"os\":{\"$unread\":\"os\"},", "", StringComparison.Ordinal)
            .Replace("\"import\":{\"$unread\":\"import\"},", "", StringComparison.Ordinal)
            .Replace("os.", "os", StringComparison.Ordinal));

    [Fact]
    public void What_is_no_configuration_says_nothing()
    {
        Assert.Null(PythonConfig.Read(""));
        Assert.Null(PythonConfig.Read("{\"json\": 1}"));
        Assert.Null(PythonConfig.Read("((((("));
        Assert.Null(PythonConfig.Read("'''never ended"));
    }

    /// <summary>None of these may cost memory or the stack.</summary>
    [Theory]
    [InlineData("a = ", "[", 1_000_000)]
    [InlineData("a = ", "-", 1_000_000)]
    [InlineData("a = ", "(1,", 500_000)]
    [InlineData("a = ", "{'x':", 400_000)]
    [InlineData("a = ", "dict(x=", 300_000)]
    [InlineData("a = ", "'x' ", 500_000)]
    [InlineData("a = 1", " + 1", 500_000)]
    [InlineData("", "a = 1\n", 300_000)]
    public void Hostile_sources_are_harmless(string start, string part, int times)
    {
        var source = new StringBuilder(start);
        for (int i = 0; i < times; i++)
            source.Append(part);
        string text = source.ToString();
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        PythonConfig.Read(text);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, MaxAllocated);
    }

    [Fact]
    public void Names_of_arguments_are_no_variables() => Assert.Equal(
        "{\"a\":1,\"f\":{\"$unread\":\"f\"}}", PythonConfig.Read("a = 1\nf(a=2, b=3)")!.Value.GetRawText());

    /// <summary>A few words each, and each as much as all before.</summary>
    [Theory]
    [InlineData("b = dict(**a)\n", 2000)]
    [InlineData("b = dict(**a, **a, **a, **a)\n", 500)]
    [InlineData("b = dict(x=dict(**a))\n", 2000)]
    public void What_is_merged_again_and_again_says_nothing(string line, int times)
    {
        string entries = string.Join(", ", Enumerable.Range(0, 5000).Select(i => $"k{i}=1"));
        string source = $"a = dict({entries})\n" + string.Concat(Enumerable.Repeat(line, times));
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        Assert.Null(PythonConfig.Read(source));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, MaxAllocated);
    }

    [Fact]
    public void A_long_text_of_many_names_says_nothing()
    {
        string source = $"a = '{new string('x', 1 << 20)}'\nb = [{string.Concat(Enumerable.Repeat("a, ", 10_000))}]";
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        Assert.Null(PythonConfig.Read(source));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, MaxAllocated);
    }

    [Fact]
    public void Names_that_multiply_say_nothing()
    {
        var source = new StringBuilder("a0 = [1, 1, 1, 1]\n");
        for (int i = 1; i < 12; i++)
            source.Append($"a{i} = [{string.Join(", ", Enumerable.Repeat($"a{i - 1}", 10))}]\n");
        Assert.Null(PythonConfig.Read(source.ToString()));
    }
}
