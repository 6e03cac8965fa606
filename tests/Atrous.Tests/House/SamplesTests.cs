using System.Text;
using System.Text.RegularExpressions;
using Atrous.Tests.Support;

namespace Atrous.Tests.House;

/// <summary>
/// Every block of C# in docs and in the packages' READMEs compiles, all in one generated project. A block is the body
/// of a method, with the types that it declares at its end; it may use a segmenter, a photo, a mask, a cancellation
/// token and a host's builder without declaring them.
/// </summary>
public sealed partial class SamplesTests : IDisposable
{
    private const string Compiled = "csharp", NotCompiled = "csharp no-compile";

    /// <summary>
    /// Packages that recipes are for and nothing else here refers to: one has reported security flaws, one is for
    /// Windows alone. The generated project compiles against them and runs nothing.
    /// </summary>
    private static readonly (string Name, string Version)[] Foreign =
        [("SixLabors.ImageSharp", "2.1.13"), ("System.Drawing.Common", "10.0.14")];

    private static readonly string[] Referenced =
        ["Atrous", "Atrous.Hosting", "Atrous.Onnx", "Atrous.Server", "SkiaSharp", "OpenCvSharp"];

    /// <summary>What every sample may name without a using directive, so that it shows what is special in it.</summary>
    private static readonly string[] Imported =
    [
        "Atrous", "Atrous.Evaluation", "Atrous.Imaging", "Atrous.Postprocessing", "Atrous.Scoring", "Atrous.Shapes",
        "Atrous.Tensors",
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("atrous-samples-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Samples_compile()
    {
        int samples = 0;
        IEnumerable<Page> packages = Directory.EnumerateFiles(
            Repository.PathOf("managed"), "README.md", SearchOption.AllDirectories).Select(Page.Of);
        foreach (Page page in Page.All().Where(page => page.Path.StartsWith("docs/", StringComparison.Ordinal))
            .Concat(packages))
        {
            foreach ((_, string code) in page.Blocks().Where(block => block.Language == Compiled))
            {
                string name = $"{Path.GetFileNameWithoutExtension(page.Path).Replace("-", "")}_{++samples}";
                File.WriteAllText(Path.Combine(_folder, name + ".cs"), Wrapped(name, code));
            }
        }
        Assert.True(samples > 0, "docs has no sample.");
        File.WriteAllText(Path.Combine(_folder, "Context.cs"), Context);
        File.WriteAllText(Path.Combine(_folder, "Samples.csproj"), Project());
        DotnetCommand.Run(_folder, "build", "-c", "Release", "-v", "quiet", "--nologo", "-nodeReuse:false");
    }

    [Fact]
    public void No_block_is_left_out() => Assert.Empty(
        Page.All().Where(page => page.Blocks().Any(block => block.Language == NotCompiled)).Select(page => page.Path));

    /// <summary>The block as a file: its using directives, a method of its statements, its types.</summary>
    private static string Wrapped(string name, string code)
    {
        var usings = new StringBuilder();
        code = UsingDirective().Replace(code, match =>
        {
            usings.Append(match.Value);
            return "";
        });
        Match type = Declaration().Match(code);
        (string body, string types) = type.Success ? (code[..type.Index], code[type.Index..]) : (code, "");
        return $$"""
            {{usings}}
            namespace Docs.{{name}}
            {
                internal sealed class Sample : Context
                {
                    public async Task RunAsync()
                    {
                        await Task.Yield();
            {{body}}
                    }
                }
            {{types}}
            }
            """;
    }

    private const string Context = """
        namespace Docs;

        internal abstract class Context
        {
            protected Atrous.Segmenter segmenter = null!;
            protected Atrous.Imaging.Image photo = null!;
            protected Atrous.Segmentation mask = null!;
            protected Microsoft.AspNetCore.Builder.WebApplicationBuilder builder = null!;
            protected CancellationToken cancellationToken;
        }
        """;

    private static string Project()
    {
        IEnumerable<string> references = Referenced.Select(name =>
            $"""<Reference Include="{name}" HintPath="{Path.Combine(AppContext.BaseDirectory, name + ".dll")}" />""");
        IEnumerable<string> foreign = Foreign.Select(package =>
            $"""<PackageReference Include="{package.Name}" Version="{package.Version}" ExcludeAssets="native" />""");
        IEnumerable<string> usings = Imported.Select(name => $"""<Using Include="{name}" />""");
        return $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <Nullable>enable</Nullable>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <!-- Variables that a sample declares and shows no use of; directives that the project has too. -->
                <NoWarn>CS0219;CS0168;CS8321;CS8933;CS0649;CS1998;CA1416</NoWarn>
                <NuGetAudit>false</NuGetAudit>
              </PropertyGroup>
              <ItemGroup>
                <FrameworkReference Include="Microsoft.AspNetCore.App" />
                {string.Join("\n    ", references)}
                {string.Join("\n    ", foreign)}
                {string.Join("\n    ", usings)}
                <!-- Others have an Image too; ours is meant where no namespace is named. -->
                <Using Include="Atrous.Imaging.Image" Alias="Image" />
              </ItemGroup>
            </Project>
            """;
    }

    [GeneratedRegex(@"^using [\w.]+;\n", RegexOptions.Multiline)]
    private static partial Regex UsingDirective();

    [GeneratedRegex(
        @"^(?:(?:public|internal|sealed|static|abstract|partial) )*(?:class|record|interface|struct|enum) ",
        RegexOptions.Multiline)]
    private static partial Regex Declaration();
}
