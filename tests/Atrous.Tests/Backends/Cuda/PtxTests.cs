using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Atrous.Backends.Cuda;
using Atrous.Tensors;
using Atrous.Tests.Support;

namespace Atrous.Tests.Backends.Cuda;

/// <summary>
/// The PTX that is committed: made from the sources beside it, and what the managed side believes of it.
/// </summary>
public sealed partial class PtxTests
{
    /// <summary>
    /// All instructions that the kernels may be made of. Each is in PTX 7.0 for sm_75 (the PTX ISA's release history),
    /// the version that the modules declare; none is approximate, so that a GPU computes what the host computes.
    /// </summary>
    private static readonly string[] Known =
    [
        "abs.f32", "abs.f64", "add", "and", "bar.sync", "bfe", "bra", "bra.uni", "call.uni", "clz", "cvt",
            "cvta.to.global", "div.rn.f32", "div.rn.f64",
        "div.s32", "div.u32", "fma.rn.f32", "fma.rn.f64", "ld.global", "ld.param", "ld.shared", "mad.lo", "mad.wide",
            "max", "min", "mov",
        "mul.hi", "mul.lo", "mul.rn.f32", "mul.rn.f64", "mul.wide", "neg", "not", "or", "rcp.rn.f32", "rcp.rn.f64",
            "rem.s32", "rem.u32",
        "ret", "selp", "setp", "shl", "shr", "sqrt.rn.f32", "st.global", "st.shared", "sub", "xor",
    ];

    public static TheoryData<string> Modules => [.. Kernels.All.Select(kernel => kernel.Module).Distinct()];

    private static string Folder => Repository.PathOf("native/cuda");

    [Fact]
    public void Every_file_is_a_module_and_every_module_a_file() => Assert.Equal(
        Directory.GetFiles(Path.Combine(Folder, "ptx"), "*.ptx").Select(Path.GetFileNameWithoutExtension)
        .Order(StringComparer.Ordinal),
        Kernels.All.Select(kernel => kernel.Module).Distinct().Order(StringComparer.Ordinal));

    [Fact]
    public void The_host_has_the_same_kernels() => Assert.Equal(
        Kernels.All.Select(kernel => kernel.Name).Order(StringComparer.Ordinal),
        HostKernels.Names.Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Modules))]
    public void Entries_take_what_the_managed_side_gives(string module)
    {
        IEnumerable<string> declared =
            from entry in Entry().Matches(Text(module))
            select $"{entry.Groups["name"].Value}({string.Join(", ", Parameter().Matches(entry.Groups["parameters"].Value).Select(Type))}) " +
                $"{entry.Groups["threads"].Value}";
        IEnumerable<string> expected =
            from kernel in Kernels.All
            where kernel.Module == module
            select $"{kernel.Name}({string.Join(", ", kernel.Parameters.Select(parameter => parameter.Type))}) " +
                $"{kernel.BlockSize}";
        Assert.Equal(expected.Order(StringComparer.Ordinal), declared.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_tensor_is_as_large_as_the_kernels_believe() => Assert.Equal(32, Unsafe.SizeOf<DeviceTensor>());

    [Theory]
    [MemberData(nameof(Modules))]
    public void Modules_are_for_the_oldest_device_and_hold_nothing_newer(string module)
    {
        string text = Text(module);
        string oldest = module.EndsWith("_bf16", StringComparison.Ordinal) ? "sm_80" : "sm_75";
        Assert.StartsWith($".version 7.0\n.target {oldest}\n.address_size 64\n", text, StringComparison.Ordinal);
        IEnumerable<string> instructions = Instruction().Matches(text).Select(match => match.Groups[1].Value)
            .Distinct();
        Assert.NotEmpty(instructions);
        Assert.DoesNotContain(
            instructions, instruction =>
            !Known.Any(known => instruction == known || instruction.StartsWith(known + ".", StringComparison.Ordinal)));
        Assert.DoesNotMatch(@"\.(approx|ftz|local)\b", text);
    }

    [Fact]
    public void Modules_are_made_from_the_sources_beside_them()
    {
        var recorded = File.ReadLines(Path.Combine(Folder, "ptx", "sources.sha256")).Skip(1)
            .ToDictionary(line => line[66..], line => line[..64]);
        var actual = Directory.GetFiles(Folder)
            .Where(file => Path.GetExtension(file) is ".cu" or ".h" or ".sh")
            .ToDictionary(file => Path.GetFileName(file), file =>
                Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file))));
        string[] stale =
            [.. actual.Except(recorded).Concat(recorded.Except(actual)).Select(file => file.Key).Distinct()];
        Assert.True(stale.Length == 0,
            $"{string.Join(", ", stale)} changed; run native/cuda/build_ptx.sh and commit native/cuda/ptx.");
    }

    [Fact]
    public void The_recorded_compiler_makes_the_same_bytes()
    {
        string compiler = File.ReadLines(Path.Combine(Folder, "ptx", "sources.sha256")).First();
        DirectoryInfo fresh = Directory.CreateTempSubdirectory("atrous-ptx-");
        try
        {
            (int status, string output) = Run(Path.Combine(Folder, "build_ptx.sh"), fresh.FullName);
            Assert.SkipWhen(
                output.Contains("the kernels need clang or nvcc", StringComparison.Ordinal), "There is no clang here.");
            Assert.True(status == 0, output);
            string[] made = File.ReadAllLines(Path.Combine(fresh.FullName, "sources.sha256"));
            Assert.SkipUnless(made[0] == compiler, $"The committed modules are by {compiler}, here is {made[0]}.");
            foreach (string file in Directory.GetFiles(fresh.FullName))
                Assert.Equal(
                    File.ReadAllText(Path.Combine(Folder, "ptx", Path.GetFileName(file))), File.ReadAllText(file));
        }
        finally
        {
            fresh.Delete(recursive: true);
        }
    }

    [Theory]
    [MemberData(nameof(Modules))]
    public void The_assembler_accepts_it_without_spilling_more_than_a_few_registers(string module)
    {
        Assert.SkipWhen(
            Run("-c", "command -v ptxas").Status != 0, "There is no ptxas here; it is part of the CUDA toolkit.");
        foreach (string target in new[] { "sm_75", "sm_80", "sm_90" })
        {
            if (target == "sm_75" && module.EndsWith("_bf16", StringComparison.Ordinal))
                continue;
            (int status, string output) =
                Run("-c", $"ptxas -v -arch={target} {Path.Combine(Folder, "ptx", $"{module}.ptx")} -o /dev/null");
            Assert.True(status == 0, output);
            Assert.All(Spill().Matches(output), match =>
                Assert.InRange(int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture), 0, 64));
        }
    }

    [Fact]
    public void Misfitting_arguments_are_refused()
    {
        KernelSignature kernel = Kernels.Find("softmax_f32");
        DeviceTensor x = new(4096, 4, new(1, 2, 3, 4));
        Assert.Throws<ArgumentException>(() => new KernelLaunch(kernel, 2, 3, x));
        Assert.Throws<ArgumentException>(() => new KernelLaunch(kernel, 2, 3, x, 1));
        Assert.Throws<ArgumentException>(() => new KernelLaunch(kernel, 0, 3, x, x));
        Assert.Throws<ArgumentException>(() => new KernelLaunch(kernel, 2, 1L << 31, x, x));
        Assert.Throws<ArgumentException>(
            () => KernelLaunches.GlobalAverage(DType.Float32, x with { Batch = 65536 }, x));
        Assert.Throws<ArgumentException>(() => Kernels.Find("softmax_f64"));
        Assert.Throws<ArgumentException>(() => Kernels.Find("softmax", DType.Int8));
        Assert.Throws<ArgumentException>(() => Kernels.Ptx("softmax"));
        var launch = new KernelLaunch(kernel, 70_000, 257, x, x);
        Assert.Equal((2u, 65535u), (launch.GridX, launch.GridY));
    }

    private static string Text(string module)
    {
        byte[] ptx = Kernels.Ptx(module);
        Assert.Equal(0, ptx[^1]);
        return Encoding.UTF8.GetString(ptx.AsSpan(0, ptx.Length - 1));
    }

    private static string Type(Match parameter) => parameter.Groups[1].Value switch
    {
        ".align 8 .b8" when parameter.Groups[2].Value == "[32]" => nameof(KernelParameterType.View),
        ".u64" => nameof(KernelParameterType.Pointer),
        ".u32" => nameof(KernelParameterType.Integer),
        ".f32" => nameof(KernelParameterType.Real),
        _ => parameter.Value,
    };

    private static (int Status, string Output) Run(params string[] command)
    {
        var start = new ProcessStartInfo("bash", command)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd() + errors.Result;
        process.WaitForExit();
        return (process.ExitCode, output);
    }

    [GeneratedRegex(@"\.visible \.entry (?<name>\w+)\((?<parameters>[^)]*)\)\s*\.maxntid (?<threads>\d+), 1, 1")]
    private static partial Regex Entry();

    [GeneratedRegex(@"(\d+) bytes spill stores")]
    private static partial Regex Spill();

    [GeneratedRegex(@"\.param (\.align 8 \.b8|\.\w+) \w+(\[\d+\])?")]
    private static partial Regex Parameter();

    [GeneratedRegex(@"^\s+(?:@!?%p\d+\s+)?([a-z][a-z0-9_.]*)[\s;]", RegexOptions.Multiline)]
    private static partial Regex Instruction();
}
