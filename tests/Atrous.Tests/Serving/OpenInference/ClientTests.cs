using System.Diagnostics;
using Atrous.Tests.Cli;
using Atrous.Tests.Support;

namespace Atrous.Tests.Serving.OpenInference;

/// <summary>
/// Clients that others wrote, in the languages that they are written for; where one is not installed, its test says so.
/// </summary>
public sealed class ClientTests(ProtocolServer server) : IClassFixture<ProtocolServer>
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [Fact]
    public void The_Python_tritonclient_works_unchanged()
    {
        Assert.SkipUnless(
            Run("python3", "-c", "import tritonclient.http, numpy") is { ExitCode: 0 },
            "tritonclient[http] is not installed for python3.");
        Check("python3", "tritonclient_check.py", server.Address.Authority);
    }

    [Fact]
    public void A_program_of_Node_works()
    {
        Assert.SkipUnless(Run("node", "--version") is { ExitCode: 0 }, "node is not installed.");
        Check("node", "fetch_check.mjs", server.Address.GetLeftPart(UriPartial.Authority));
    }

    [Fact]
    public void Curl_sends_a_photo()
    {
        Assert.SkipUnless(Run("curl", "--version") is { ExitCode: 0 }, "curl is not installed.");
        using var place = new Workplace();
        string photo = place.AddPhoto("photo.png");
        ToolResult result = Run(
            "curl", "--silent", "--show-error", "--fail-with-body", "--data-binary", $"@{photo}", "--header",
            $"{Protocol.HeaderLength}: 0",
            new Uri(server.Address, Protocol.Infer).ToString())!.Exits(0);
        const int pixels = 33 * 37;
        Assert.StartsWith("{", result.Output);
        Assert.True(result.Bytes.Length > pixels * (1 + sizeof(float)));
    }

    private static void Check(string program, string script, string address)
    {
        using var place = new Workplace();
        string photo = place.AddPhoto("photo.png");
        ToolResult result =
            Run(program, Repository.PathOf($"tests/clients/{script}"), address, "street", photo)!.Exits(0);
        Assert.Equal("ok\n", result.Output);
    }

    /// <summary>Null where there is no such program.</summary>
    private static ToolResult? Run(string program, params string[] arguments)
    {
        try
        {
            using Process process =
                Process.Start(
                    new ProcessStartInfo(
                        program, arguments)
                    { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var output = new MemoryStream();
            Task copying = process.StandardOutput.BaseStream.CopyToAsync(output);
            Task<string> error = process.StandardError.ReadToEndAsync();
            if (!process.WaitForExit(Patience))
            {
                process.Kill();
                Assert.Fail($"{program} did not end within {Patience}.");
            }
            Task.WaitAll(copying, error);
            return new ToolResult(process.ExitCode, output.ToArray(), error.Result);
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
