using System.Diagnostics;
using Atrous.Native;
using Atrous.Tests.Support;

namespace Atrous.Tests.Cli;

/// <summary>
/// A program that was copied without the native library or without the model says so in one sentence, which names the
/// package that has them: its user has no clone of this repository.
/// </summary>
public sealed class MissingPartsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("atrous-parts-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_missing_library_is_told_with_the_package_that_has_it()
    {
        Assert.SkipWhen(OperatingSystem.IsMacOS(), "The packages have no library for macOS: another sentence says so.");
        CopyTool();
        File.Delete(Path.Combine(_folder, NativeFile.FileName));
        string system = OperatingSystem.IsWindows() ? "win" : "linux";
        Segment().Refuses(2, $"{NativeFile.FileName} for {system}-", "is not in", "the NuGet package Atrous brings it");
    }

    [Fact]
    public void A_library_that_cannot_be_loaded_is_told_with_the_loaders_reason()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The loader's words are those of Linux.");
        CopyTool();
        File.WriteAllText(Path.Combine(_folder, NativeFile.FileName), "no library");
        Segment().Refuses(2, Path.Combine(_folder, NativeFile.FileName), "cannot be loaded", "file too short");
    }

    [Fact]
    public void A_library_of_the_platforms_folder_is_found()
    {
        CopyTool();
        string folder = Path.Combine(
            _folder, "runtimes", System.Runtime.InteropServices.RuntimeInformation.RuntimeIdentifier, "native");
        Directory.CreateDirectory(folder);
        File.Move(Path.Combine(_folder, NativeFile.FileName), Path.Combine(folder, NativeFile.FileName));
        Segment().Exits(0);
    }

    [Fact]
    public void A_missing_model_is_told_with_the_package_that_has_it()
    {
        CopyTool();
        Directory.Delete(Path.Combine(_folder, "models"), recursive: true);
        Segment().Refuses(2, "The default model is not at", "the NuGet package Atrous brings it");
    }

    [Theory]
    [InlineData("linux-musl-x64")]
    [InlineData("osx-arm64")]
    [InlineData("win-arm64")]
    public void A_platform_that_has_no_library_is_told_those_that_have(string platform)
    {
        string message = NativeFile.Missing("libatrous", platform, "/app");
        Assert.Contains($"no native library for {platform}", message);
        Assert.Contains("linux-x64, linux-arm64, win-x64", message);
    }

    /// <summary>The tool without the libraries of other platforms.</summary>
    private void CopyTool()
    {
        string tool = Path.GetDirectoryName(Tool.Path)!;
        string own = Path.Combine(
            "runtimes", System.Runtime.InteropServices.RuntimeInformation.RuntimeIdentifier, "native");
        foreach (string file in Directory.EnumerateFiles(tool, "*", SearchOption.AllDirectories))
        {
            string name = Path.GetRelativePath(tool, file);
            if (name.StartsWith("runtimes", StringComparison.Ordinal)
                && !name.StartsWith(own, StringComparison.Ordinal))
                continue;
            string copy = Path.Combine(_folder, Path.GetRelativePath(tool, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }

    private ToolResult Segment()
    {
        using var process = Process.Start(new ProcessStartInfo(
            Path.Combine(_folder, Path.GetFileName(Tool.Path)),
            ["segment", Repository.PathOf("samples/scenes/1005.jpg"), "-o", Path.Combine(_folder, "mask.png")])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        return Tool.Finish(process, []);
    }
}
