using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Atrous.Tests.Support;

namespace Atrous.Tests.Cli;

/// <summary>What a finished process left: its exit code and its two streams.</summary>
public sealed record ToolResult(int ExitCode, byte[] Bytes, string Error)
{
    /// <summary>Standard output as text; every system's lines end alike.</summary>
    public string Output => Encoding.UTF8.GetString(Bytes).Replace("\r\n", "\n", StringComparison.Ordinal);

    /// <summary>The JSON document on standard output.</summary>
    public JsonElement Json => JsonDocument.Parse(Bytes).RootElement;

    /// <summary>The lines on standard error.</summary>
    public string[] ErrorLines => Error.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Fails unless this is the exit code, with both streams in the report; returns itself.</summary>
    public ToolResult Exits(int code)
    {
        Assert.True(ExitCode == code, $"exit code {ExitCode} instead of {code}\nstdout: {Output}\nstderr: {Error}");
        return this;
    }

    /// <summary>Exits with this code after one line of explanation that has these words, and no stack trace.</summary>
    public ToolResult Refuses(int code, params string[] words)
    {
        Exits(code);
        string line = Assert.Single(ErrorLines);
        Assert.StartsWith("atrous: ", line);
        Assert.DoesNotContain("   at ", Error);
        Assert.DoesNotContain("internal error", Error);
        foreach (string word in words)
            Assert.Contains(word, line);
        return this;
    }
}

/// <summary>The program `atrous`, built with these tests and started as a process.</summary>
public static class Tool
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>The executable, in the configuration of these tests.</summary>
    public static string Path { get; } = Find();

    public static ToolResult Run(params string[] arguments) => RunIn(Repository.Root, arguments);

    public static ToolResult RunIn(string folder, params string[] arguments) => Finish(Start(folder, arguments), []);

    /// <summary>With bytes on standard input.</summary>
    public static ToolResult Pipe(byte[] input, params string[] arguments) =>
        Finish(Start(Repository.Root, arguments), input);

    /// <summary>Starts the program; the caller finishes it.</summary>
    public static Process Start(string folder, params string[] arguments) => Start(folder, [], arguments);

    /// <summary>As <see cref="Start(string, string[])"/>, with some environment variables set.</summary>
    public static Process Start(
        string folder, IEnumerable<KeyValuePair<string, string>> environment, params string[] arguments)
    {
        var info = new ProcessStartInfo(Path, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach ((string name, string value) in environment)
            info.Environment[name] = value;
        return Process.Start(info)!;
    }

    /// <summary>Waits for the end; a process that has none is killed and fails the test.</summary>
    public static ToolResult Finish(Process process, byte[] input)
    {
        using (process)
        {
            var output = new MemoryStream();
            Task copying = process.StandardOutput.BaseStream.CopyToAsync(output);
            Task<string> error = process.StandardError.ReadToEndAsync();
            using (Stream stdin = process.StandardInput.BaseStream)
                stdin.Write(input);
            if (!process.WaitForExit(Patience))
            {
                process.Kill();
                Assert.Fail($"atrous did not end within {Patience}.");
            }
            Task.WaitAll(copying, error);
            return new ToolResult(process.ExitCode, output.ToArray(), error.Result);
        }
    }

    private static string Find()
    {
        string configuration =
            System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        return Repository.PathOf($"artifacts/bin/Atrous.Cli/{configuration}/atrous")
            + (OperatingSystem.IsWindows() ? ".exe" : "");
    }
}
