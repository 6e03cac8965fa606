using System.Text.RegularExpressions;
using Atrous.Catalog;
using Atrous.Imaging;
using Atrous.Native;
using Atrous.Tests.Segmenters;
using Atrous.Tests.Support;

namespace Atrous.Tests.House;

/// <summary>
/// The program in README.md compiles as a project of its own and runs. The files that it loads are put where it looks
/// for them (a small generated model, a photo); those that it names otherwise must be there afterwards.
/// </summary>
public sealed partial class ReadmeTests(GeneratedModel model) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("atrous-readme-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void The_program_compiles_and_runs()
    {
        Match block = Program().Match(File.ReadAllText(Repository.PathOf("README.md")));
        Assert.True(block.Success, "README.md has no block ```csharp that starts with 'using Atrous;'.");
        string program = block.Groups[1].Value;

        string[] loaded = [.. Loaded().Matches(program).Select(match => match.Groups[1].Value).Distinct()];
        string[] saved =
            [.. FileName().Matches(program).Select(match => match.Groups[1].Value).Distinct().Except(loaded)];
        Assert.NotEmpty(loaded);
        foreach (string name in loaded)
            Provide(name);

        WriteProject(program);
        DotnetCommand.Run(_folder, "build", "-c", "Release", "-o", "out", "--nologo", "-nodeReuse:false");
        string printed = DotnetCommand.Run(_folder, Path.Combine("out", "Readme.dll"));
        TestContext.Current.SendDiagnosticMessage(printed);
        Assert.All(
            saved, name => Assert.True(File.Exists(Path.Combine(_folder, name)), $"The program did not write {name}."));
    }

    private void Provide(string name)
    {
        string path = Path.GetFullPath(Path.Combine(_folder, name));
        Assert.StartsWith(_folder, path, StringComparison.Ordinal);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (Path.GetExtension(name) is ".jpg" or ".jpeg" or ".png")
        {
            using Image photo = Image.FromPixels(Photo(160, 120), 120, 160);
            if (name.EndsWith(".png", StringComparison.Ordinal))
                photo.SavePng(path);
            else
                photo.SaveJpeg(path);
        }
        else
        {
            // What a file is, its first bytes tell, so a .pth may hold safetensors here.
            File.Copy(model.Path, path);
        }
    }

    private static byte[] Photo(int width, int height) =>
        [.. Enumerable.Range(0, width * height * 3).Select(i => (byte)(i / 3 % width + i / 3 / width * (i % 3)))];

    private void WriteProject(string program)
    {
        File.WriteAllText(Path.Combine(_folder, "Program.cs"), program);
        string library = typeof(Segmenter).Assembly.Location;
        string logging = typeof(Microsoft.Extensions.Logging.ILogger).Assembly.Location;
        string native = Path.Combine(AppContext.BaseDirectory, NativeFile.FileName);
        File.WriteAllText(Path.Combine(_folder, "Readme.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <Nullable>enable</Nullable>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <InvariantGlobalization>true</InvariantGlobalization>
              </PropertyGroup>
              <ItemGroup>
                <Reference Include="Atrous" HintPath="{library}" />
                <Reference Include="Microsoft.Extensions.Logging.Abstractions" HintPath="{logging}" />
                <None Include="{native}" CopyToOutputDirectory="PreserveNewest" />
                <None Include="{DefaultModel.Path}" Link="models/{Path.GetFileName(DefaultModel.Path)}" CopyToOutputDirectory="PreserveNewest" />
              </ItemGroup>
            </Project>
            """);
    }

    [GeneratedRegex(@"```csharp\s*\n(using Atrous;.*?)```", RegexOptions.Singleline)]
    private static partial Regex Program();

    [GeneratedRegex(@"(?:Load|Open)\w*\(\s*""([^""]+)""")]
    private static partial Regex Loaded();

    [GeneratedRegex(@"""([^""\s{}]+\.(?:pth|pt|safetensors|jpg|jpeg|png))""")]
    private static partial Regex FileName();
}
