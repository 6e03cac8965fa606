using System.CommandLine;
using Atrous.Bench;
using BenchmarkDotNet.Running;

// atrous-bench peers ...: Atrous and other runtimes side by side in one run.
// atrous-bench serving ...: the library's own batches beside requests through queue and batching.
// atrous-bench stages --filter '*': BenchmarkDotNet over the stages of a segmentation.
var root = new RootCommand("Measures Atrous: beside its peers, and stage by stage.") { PeersCommand.Create(), ServingCommand.Create() };
var rest = new Argument<string[]>("arguments") { Arity = ArgumentArity.ZeroOrMore };
var stages = new Command("stages", "BenchmarkDotNet over decoding, pre-processing, network and mask.") { rest };
stages.TreatUnmatchedTokensAsErrors = false;
stages.SetAction(result =>
    BenchmarkRunner.Run<SegmenterStages>(args: [.. result.GetValue(rest) ?? [], .. result.UnmatchedTokens]));
root.Add(stages);
return root.Parse(args).Invoke();
