using Atrous.Tests.Cli;

namespace Atrous.Tests.Serving.OpenInference;

/// <summary>
/// Clients that others wrote, in the languages that they are written for; where one is not installed, its test says so.
/// </summary>
public sealed class ClientTests(ProtocolServer server) : IClassFixture<ProtocolServer>
{
    [Fact]
    public void The_Python_tritonclient_works_unchanged()
    {
        Assert.SkipUnless(
            ForeignClient.Run("python3", "-c", "import tritonclient.http, numpy") is { ExitCode: 0 },
            "tritonclient[http] is not installed for python3.");
        ForeignClient.Check("python3", "tritonclient_check.py", server.Address.Authority);
    }

    [Fact]
    public void A_program_of_Node_works()
    {
        Assert.SkipUnless(ForeignClient.Run("node", "--version") is { ExitCode: 0 }, "node is not installed.");
        ForeignClient.Check("node", "fetch_check.mjs", server.Address.GetLeftPart(UriPartial.Authority));
    }

    [Fact]
    public void Curl_sends_a_photo()
    {
        Assert.SkipUnless(ForeignClient.Run("curl", "--version") is { ExitCode: 0 }, "curl is not installed.");
        using var place = new Workplace();
        string photo = place.AddPhoto("photo.png");
        ToolResult result = ForeignClient.Run(
            "curl", "--silent", "--show-error", "--fail-with-body", "--data-binary", $"@{photo}", "--header",
            $"{Protocol.HeaderLength}: 0",
            new Uri(server.Address, Protocol.Infer).ToString())!.Exits(0);
        const int pixels = 33 * 37;
        Assert.StartsWith("{", result.Output);
        Assert.True(result.Bytes.Length > pixels * (1 + sizeof(float)));
    }
}
