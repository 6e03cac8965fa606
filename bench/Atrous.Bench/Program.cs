using System.CommandLine;
using Atrous;
using Atrous.Bench;

// peers ...: Atrous and other runtimes side by side in one run; bench/run.sh starts it.
// serving ...: the library's own batches beside requests through queue and batching.
// transports ...: HTTP beside gRPC at the same server; bench/load/grpc.sh starts both.
// host ...: what a run on a GPU takes of the host; bench/gpu/host.sh starts it.
// pictures ...: what is read of picture files; bench/pictures.py puts Pillow's result beside it.
// The stages of one picture are `atrous bench`.
var root = new RootCommand("Measures Atrous beside its peers.")
{
    PeersCommand.Create(), ServingCommand.Create(), OnnxRuntimePeer.Create(), HostCommand.Create(),
    TransportsCommand.Create(),
    PicturesCommand.Create(),
};
try
{
    return root.Parse(args).Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
catch (Exception e) when (e is BenchException or AtrousException or System.ComponentModel.Win32Exception)
{
    Console.Error.WriteLine($"error: {e.Message}");
    return 1;
}
