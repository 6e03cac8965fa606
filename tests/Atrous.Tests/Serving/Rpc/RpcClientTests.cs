namespace Atrous.Tests.Serving.Rpc;

/// <summary>Clients that others wrote; where one is not installed, its test says so.</summary>
public sealed class RpcClientTests(RpcServer server) : IClassFixture<RpcServer>
{
    [Fact]
    public void The_Python_tritonclient_works_unchanged()
    {
        Assert.SkipUnless(
            ForeignClient.Run("python3", "-c", "import tritonclient.grpc, numpy") is { ExitCode: 0 },
            "tritonclient[grpc] is not installed for python3.");
        ForeignClient.Check("python3", "tritonclient_grpc_check.py", server.Server.GrpcAddress!.Authority);
    }
}
