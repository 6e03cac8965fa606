using System.CommandLine;
using Atrous.Bench;

// atrous-bench peers ...: Atrous and other runtimes side by side in one run.
// atrous-bench serving ...: the library's own batches beside requests through queue and batching.
// The stages of one picture are `atrous bench`.
var root = new RootCommand("Measures Atrous beside its peers.") { PeersCommand.Create(), ServingCommand.Create() };
return root.Parse(args).Invoke();
