using System.Text;
using Atrous.Checkpoints;
using Atrous.Checkpoints.Pickles;
using Atrous.Checkpoints.Storages;

namespace Atrous.Tests.Checkpoints.Pickles;

/// <summary>Pickles made by hand: forms that the goldens lack, and limits.</summary>
public sealed class PickleTests : IDisposable
{
    private const string Array =
        "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I2\ntcnumpy\ndtype\n(S'f4'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\n";

    private readonly string _path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".pkl");

    [Fact]
    public void Reads_protocol_0_as_python_2_wrote_it()
    {
        Write($"(dp0\nS'w'\np1\n{Array}S'\\x00\\x00\\x80?\\x00\\x00\\x00\\xc0'\ntbsS'note'\nV\\u00e9t\\u00e9\nsS'epoch'\nL12L\ns.");
        using Checkpoint checkpoint = Checkpoint.Open(_path);
        var values = new float[2];
        checkpoint.Read("w", values);
        Assert.Equal([1f, -2f], values);
        Assert.Equal("\u00e9t\u00e9", checkpoint.Extras["note"]);
        Assert.Equal("12", checkpoint.Extras["epoch"]);
        Assert.Equal("numpy-pickle", checkpoint.Container);
    }

    [Fact]
    public void Reads_big_endian_arrays_in_fortran_order()
    {
        // [[1, 2], [3, 4]] by columns.
        string state = Array.Replace("S'<'", "S'>'", StringComparison.Ordinal)
            .Replace("(I2\nt", "(I2\nI2\nt", StringComparison.Ordinal)
            .Replace("tbI00\n", "tbI01\n", StringComparison.Ordinal);
        Write($"(dS'w'\n{state}S'?\\x80\\x00\\x00@@\\x00\\x00@\\x00\\x00\\x00@\\x80\\x00\\x00'\ntbs.");
        using Checkpoint checkpoint = Checkpoint.Open(_path);
        var values = new float[4];
        checkpoint.Read("w", values);
        Assert.Equal([1f, 2f, 3f, 4f], values);
        Assert.Equal([2, 2], checkpoint.Weights["w"].Shape);
    }

    [Theory]
    [InlineData("(dS'encoder_name'\nS'resnet18'\nsS'rates'\n(I6\nI12\ntsS'loss'\nccustom\nLoss\n)Rs")]
    [InlineData("cargparse\nNamespace\n)R(dS'encoder_name'\nS'resnet18'\nsS'rates'\n(I6\nI12\nlsb")]
    // A DictConfig of OmegaConf with a node inside.
    [InlineData("comegaconf\nDictConfig\n)R(dS'_content'\n(dS'encoder_name'\ncomegaconf\nAnyNode\n)R(dS'_val'\nS'resnet18'\nsbsS'rates'\n(I6\nI12\nlssb")]
    public void Reads_hyper_parameters_as_data(string parameters)
    {
        Write($"(dS'state_dict'\n(dS'w'\n{Array}S'\\x00\\x00\\x80?\\x00\\x00\\x00\\xc0'\ntbssS'hyper_parameters'\n{parameters}s.");
        using Checkpoint checkpoint = Checkpoint.Open(_path);
        Assert.Equal(
            """{"encoder_name":"resnet18","rates":[6,12]}""", checkpoint.Arguments["hyper_parameters"].GetRawText());
    }

    /// <summary>Scripts call them by other names than Lightning, or keep them next to the weights.</summary>
    [Theory]
    [InlineData("S'config'\n(dS'encoder_name'\nS'resnet18'\nss", "config")]
    [InlineData("S'args'\ncargparse\nNamespace\n)R(dS'encoder_name'\nS'resnet18'\nsbs", "args")]
    [InlineData("S'encoder_name'\nS'resnet18'\nsS'losses'\n(lF0.5\naccustom\nLoss\n)Ras", "the file")]
    public void Reads_arguments_wherever_scripts_keep_them(string entries, string key)
    {
        Write($"(dS'state_dict'\n(dS'w'\n{Array}S'\\x00\\x00\\x80?\\x00\\x00\\x00\\xc0'\ntbss{entries}.");
        using Checkpoint checkpoint = Checkpoint.Open(_path);
        Assert.Equal("""{"encoder_name":"resnet18"}""", Assert.Single(checkpoint.Arguments).Value.GetRawText());
        Assert.Equal(key, checkpoint.Arguments.Keys.Single());
    }

    /// <summary>Whatever they are called: by the names of the arguments.</summary>
    [Theory]
    [InlineData("S'model_hparams'\n(dS'encoder_name'\nS'resnet18'\nss", "model_hparams")]
    [InlineData("S'my'\n(dS'b'\n(dS'c'\n(dS'encoder_name'\nS'resnet18'\nssss", "my.b.c")]
    [InlineData("S'my'\n(dS'b'\n(dS'c'\n(dS'd'\n(dS'encoder_name'\nS'resnet18'\nsssss", null)]
    [InlineData("S'config'\nS'{\"encoder_name\":\"resnet18\"}'\ns", "config")]
    [InlineData("S'saved'\n(dS'net'\nS'{\"encoder_name\":\"resnet18\"}'\nss", "saved.net")]
    [InlineData("S'saved'\n(dS'net'\nS'{\"encoder_name\":\"resnet18'\nss", null)]
    public void Reads_arguments_under_any_key(string entries, string? key)
    {
        Write($"(dS'state_dict'\n(dS'w'\n{Array}S'\\x00\\x00\\x80?\\x00\\x00\\x00\\xc0'\ntbss{entries}.");
        using Checkpoint checkpoint = Checkpoint.Open(_path);
        // Beside the root's own texts.
        Assert.Equal(key, checkpoint.Arguments.Keys.FirstOrDefault(place => place != "the file"));
        if (key is not null)
            Assert.Equal("""{"encoder_name":"resnet18"}""", checkpoint.Arguments[key].GetRawText());
    }

    /// <summary>Many that are too large, or one long text by many names, are looked at a few times.</summary>
    [Theory]
    [InlineData("(l{items}p1\n0(d", "I{i}\n(dS'encoder_name'\nI1\nsI1\ng1\nss")]
    [InlineData("V{text}\np1\n0(d", "I{i}\ng1\ns")]
    public void What_may_be_arguments_costs_little(string start, string step)
    {
        start = start.Replace("{items}", string.Concat(Enumerable.Repeat("I1\na", 25_000)), StringComparison.Ordinal)
            .Replace("{text}", "{\"encoder_name\": " + new string('x', 60_000), StringComparison.Ordinal);
        string many = string.Concat(Enumerable.Range(0, 10_000).Select(
            i => step.Replace("{i}", $"{i}", StringComparison.Ordinal)));
        Write($"(dS'state_dict'\n(dS'w'\n{Array}S'\\x00\\x00\\x80?\\x00\\x00\\x00\\xc0'\ntbssS'mine'\n{start}{many}s.");
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        using Checkpoint checkpoint = Checkpoint.Open(_path);
        Assert.Empty(checkpoint.Arguments);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, 100 << 20);
    }

    [Theory]
    // A list in itself, and one million times the same.
    [InlineData("(lp1\ng1\na")]
    [InlineData("(lp1\n(lp2\n(lp3\ng1\nag1\nag1\nag1\nag1\nag1\nag1\nag1\naag3\nag3\nag3\nag3\nag3\nag3\nag3\naag2\nag2\nag2\nag2\na")]
    [InlineData("ccustom\nThing\n)R")]
    public void Hyper_parameters_that_are_no_data_say_nothing_and_cost_nothing(string parameters)
    {
        Write($"(dS'state_dict'\n(dS'w'\n{Array}S'\\x00\\x00\\x80?\\x00\\x00\\x00\\xc0'\ntbssS'hyper_parameters'\n{parameters}s.");
        using Checkpoint checkpoint = Checkpoint.Open(_path);
        Assert.Empty(checkpoint.Arguments);
    }

    /// <summary>Few values, and of each far too much: memory that one long text takes is taken once.</summary>
    [Theory]
    [InlineData("V{long}\np1\n0(l", "g1\na", 19_000)]
    [InlineData("(dV{key}\nI1\nsp1\n0(l", "g1\na", 9_000)]
    public void Hyper_parameters_that_repeat_a_long_text_say_nothing(string start, string step, int times)
    {
        string parameters = Long(start) + string.Concat(Enumerable.Repeat(step, times));
        Write($"(dS'state_dict'\n(dS'w'\n{Array}S'\\x00\\x00\\x80?\\x00\\x00\\x00\\xc0'\ntbssS'hyper_parameters'\n{parameters}s.");
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        using Checkpoint checkpoint = Checkpoint.Open(_path);
        Assert.Empty(checkpoint.Arguments);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, 250 << 20);
    }

    /// <summary>Under each of the names that scripts use it would be kept once more.</summary>
    [Fact]
    public void Long_arguments_by_many_names_are_counted_together()
    {
        string value = Long("V{long}\np1\n0(d") + string.Concat(Enumerable.Range(0, 127).Select(i => $"I{i}\ng1\ns"));
        string[] names =
        [
            "hyper_parameters", "hparams", "config", "cfg", "conf", "args", "opt", "options", "params", "model_config",
        ];
        string Arguments(int count) => $"S'{names[0]}'\n{value}p2\ns"
            + string.Concat(names[1..count].Select(name => $"S'{name}'\ng2\ns"));
        string weights = $"(dS'state_dict'\n(dS'w'\n{Array}S'\\x00\\x00\\x80?\\x00\\x00\\x00\\xc0'\ntbss";
        Write($"{weights}{Arguments(2)}.");
        using (Checkpoint few = Checkpoint.Open(_path))
            Assert.Equal(2, few.Arguments.Count);
        Write($"{weights}{Arguments(names.Length)}.");
        ModelException error = Assert.Throws<ModelException>(() => Checkpoint.Open(_path));
        Assert.Contains("more than 64 MiB of memory", error.Message, StringComparison.Ordinal);
    }

    /// <summary>A copy of bytes is the same bytes, and what they hold is read once.</summary>
    [Theory]
    [InlineData("bytes")]
    [InlineData("bytearray")]
    public void A_storage_in_bytes_is_read_once_however_often_they_are_copied(string copy)
    {
        using var file = new CheckpointFile("bytes.pkl", new byte[1]);
        int reads = 0;
        var calls = new PickleCalls(file)
        {
            StorageIn = _ =>
            {
                reads++;
                return null;
            },
        };
        object? bytes = new PickleBytes(new MemoryRegion(new byte[4]));
        for (int i = 0; i < 3; i++)
        {
            calls.Call(PickleGlobal.Of("torch.storage", "_load_from_bytes")!, [bytes]);
            bytes = calls.Call(PickleGlobal.Of("builtins", copy)!, [bytes]);
        }
        Assert.Equal(1, reads);
    }

    /// <summary>What is left out of the data takes as long to look at as what is not.</summary>
    [Fact]
    public void Hyper_parameters_that_repeat_what_is_no_data_say_nothing()
    {
        string objects = "(dccustom\nThing\n)Rp2\n0" + string.Concat(Enumerable.Range(0, 300).Select(i => $"I{i}\ng2\ns"));
        string parameters = $"{objects}p1\n0(l" + string.Concat(Enumerable.Repeat("g1\na", 300));
        Write($"(dS'state_dict'\n(dS'w'\n{Array}S'\\x00\\x00\\x80?\\x00\\x00\\x00\\xc0'\ntbssS'hyper_parameters'\n{parameters}s.");
        using Checkpoint checkpoint = Checkpoint.Open(_path);
        Assert.Empty(checkpoint.Arguments);
    }

    [Theory]
    [InlineData("c{long}\nThing\n)R.")]
    [InlineData("(i{long}\nThing\n.")]
    [InlineData("(dV{long}\np1\n0g1\ng1\n\u0093.")]
    [InlineData("(dVm\nV{key}{key}\n\u0093)R.")]
    public void A_class_whose_name_is_none_is_refused(string pickle)
    {
        Write(Long(pickle));
        ModelException error = Assert.Throws<ModelException>(() => Checkpoint.Open(_path));
        Assert.Matches("names a class by [0-9]+ characters, which no library does", error.Message);
    }

    /// <summary>Names that no attack has, and one million characters of them.</summary>
    [Fact]
    public void Attributes_of_attributes_end()
    {
        string extra = Long("cm\nC\np1\n0V{key}\np2\n0g1\n")
            + string.Concat(Enumerable.Repeat("p3\n0cbuiltins\ngetattr\n(g3\ng2\ntR", 1000));
        Write($"(dS'extra'\n{extra}sS'state_dict'\n(dS'w'\n{Array}S'\\x00\\x00\\x80?\\x00\\x00\\x00\\xc0'\ntbss.");
        using Checkpoint checkpoint = Checkpoint.Open(_path);
        Assert.Equal(["w"], checkpoint.Weights.Keys);
    }

    [Fact]
    public void Types_and_keys_of_no_sane_length_are_none()
    {
        string extra = Long("(lV{long}\np1\n0") + string.Concat(Enumerable.Repeat("cnumpy\ndtype\n(g1\ntRa", 5000));
        Write($"(dS'extra'\n{extra}sS'state_dict'\n(dS'w'\n{Array}S'\\x00\\x00\\x80?\\x00\\x00\\x00\\xc0'\ntbp8\nsg1\ng8\nss.");
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        using Checkpoint checkpoint = Checkpoint.Open(_path);
        Assert.Equal(["w"], checkpoint.Weights.Keys);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, 250 << 20);
    }

    [Theory]
    [InlineData("c__main__\nNet\n)R.", "'__main__.Net'")]
    [InlineData("(cos\nsystem\nS'true'\no.", "os.system")]
    [InlineData("(S'true'\nios\nsystem\n.", "os.system")]
    [InlineData("(lI1\na.", "no dictionary of weights")]
    [InlineData("(dS'w'\ncunknown.module\nThing\n)Rs.", "'unknown.module.Thing'")]
    [InlineData("(dS'w'\nI1\nI2\ns.", "malformed")]
    [InlineData("(0.", "takes more values than it has")]
    [InlineData("(P1\n.", "storages it does not hold")]
    // Numbers of 64 bits whose two halves are equal all have the hash 0.
    [InlineData("(Np4294967297\np8589934594\n.", "the number 4294967297")]
    public void Refuses_what_is_no_weights(string pickle, string reason)
    {
        Write(pickle);
        ModelException error = Assert.Throws<ModelException>(() => Checkpoint.Open(_path));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("}0", 5_000_000)]
    [InlineData("}", 2_000_000)]
    [InlineData("(", 5_000_000)]
    [InlineData("N2", 5_000_000)]
    [InlineData("](e", 2_000_000)]
    [InlineData("N\u0085", 2_000_000)]
    public void Refuses_endless_pickles_within_its_limits(string unit, int repetitions)
    {
        Write("(d" + string.Concat(Enumerable.Repeat(unit, repetitions)));
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<ModelException>(() => Checkpoint.Open(_path));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, 250 << 20);
    }

    [Fact]
    public void Unknown_objects_beside_the_weights_are_inert()
    {
        Write($"(dS'config'\ncmy.project\nConfig\n)R(dS'lr'\nF0.1\nsbsS'state_dict'\n(dS'w'\n{Array}S'\\x00\\x00\\x80?\\x00\\x00\\x00\\xc0'\ntbss.");
        using Checkpoint checkpoint = Checkpoint.Open(_path);
        Assert.Equal("state_dict", checkpoint.WeightsPath);
        Assert.Equal(["w"], checkpoint.Weights.Keys);
    }

    /// <summary>
    /// What Python writes of objects beside the weights: none of it is run, none of it hinders reading.
    /// </summary>
    [Theory]
    [InlineData("c__builtin__\ngetattr\n(cmy.enums\nMode\nS'FAST'\ntR")] // an Enum, Python 3.11
    [InlineData("cbuiltins\ngetattr\n(cmy\nOuter\nS'Inner'\ntRp9\n0g9\n(I1\ntR(dS'a'\nI1\nsb")] // a nested class
    [InlineData("c__builtin__\ngetattr\n(cmy\nNet\n)RS'step'\ntR")] // a bound method
    [InlineData("c__builtin__\ngetattr\n(cmy\nNet\n)RS'make'\ntR(I1\ntR")] // ... that makes an object
    [InlineData("c__builtin__\ngetattr\n(ctorch\n_C._VariableFunctions\nS'relu'\ntR")]
    [InlineData("cbuiltins\niter\n((lI1\natRI0\nb")]
    [InlineData("cbuiltins\nreversed\n((lI1\natR")]
    [InlineData("cfunctools\npartial\n(ctorch\nrelu\ntR(ctorch\nrelu\n(t(dNtb")]
    [InlineData("cfunctools\npartial\n(cos\nsystem\ntR")] // named, never called
    [InlineData("cos\nsystem\n")]
    [InlineData("ccode.config\nConfig\n)R(dS'lr'\nF0.1\nsb")]
    [InlineData("ccommands.train\nTrain\n)R")]
    [InlineData("ctimeit.models\nTimer\n)R")]
    [InlineData("csys\nversion_info\n((I3\nI11\nttR")]
    [InlineData("cposix\nstat_result\n((I3\nttR")]
    [InlineData("csubprocess\nCompletedProcess\n)R(dS'args'\nI0\nsb")]
    [InlineData("csubprocess\nCalledProcessError\n(I1\nS'ls'\ntR")]
    [InlineData("csocket\nAddressFamily\n(I2\ntR")]
    [InlineData("cbuiltins\nbytearray\n(I5\ntR")]
    [InlineData("cmy\nDict\n)RS'a'\nI1\nsI1\nI2\ns")] // a dictionary by inheritance
    [InlineData("cbuiltins\nset\n((lS'a'\naI1\natR")]
    [InlineData("c__main__\nmake_class\n)R(I1\ntR(db")] // a class made on the fly
    public void What_is_not_needed_is_inert(string value)
    {
        Write($"(dS'extra'\n{value}sS'state_dict'\n(dS'w'\n{Array}S'\\x00\\x00\\x80?\\x00\\x00\\x00\\xc0'\ntbss.");
        using Checkpoint checkpoint = Checkpoint.Open(_path);
        Assert.Equal(["w"], checkpoint.Weights.Keys);
    }

    [Theory]
    [InlineData("cposix\nsystem\n(S'true'\ntR", "posix.system")]
    [InlineData("csubprocess\nPopen\n((lS'true'\natR", "subprocess.Popen")]
    [InlineData("c__builtin__\neval\n(S'1'\ntR", "eval")]
    [InlineData("cbuiltins\nexec\n(S'1'\ntR", "exec")]
    [InlineData("cbuiltins\neval.__call__\n(S'1'\ntR", "eval.__call__")]
    [InlineData("cbuiltins\ngetattr\n(cos\nsystem\nS'__call__'\ntR(S'true'\ntR", "system")]
    [InlineData("crunpy\n_run_code\n(S'1'\n(dtR", "runpy._run_code")]
    [InlineData("cimportlib\nimport_module\n(S'os'\ntR", "importlib.import_module")]
    [InlineData("c__builtin__\n__import__\n(S'os'\ntR", "__import__")]
    [InlineData("c_pickle\nloads\n(S'N.'\ntR", "_pickle.loads")]
    [InlineData("ccode\nInteractiveInterpreter\n)R", "code.InteractiveInterpreter")]
    [InlineData("cpty\nspawn\n(S'true'\ntR", "pty.spawn")]
    [InlineData("ctorch\nload\n(S'x'\ntR", "torch.load")]
    [InlineData("ccopyreg\n__newobj__\n(csubprocess\nPopen\nS'true'\ntR", "subprocess.Popen")]
    public void A_known_attack_is_called_by_its_name(string call, string name)
    {
        Write($"(dS'extra'\n{call}sS'state_dict'\n(dS'w'\n{Array}S'\\x00\\x00\\x80?\\x00\\x00\\x00\\xc0'\ntbss.");
        ModelException error = Assert.Throws<ModelException>(() => Checkpoint.Open(_path));
        Assert.Contains("do not trust this file", error.Message, StringComparison.Ordinal);
        Assert.Contains(name, error.Message, StringComparison.Ordinal);
    }

    // x = list(x); x += [1, 1], and so on.
    [Theory]
    [InlineData("(lI1\nap0\n0", "c__builtin__\nlist\n(g0\ntRp0\n(I1\nI1\ne0")]
    [InlineData("(dS'a'\nI1\nsp0\n0", "ccollections\nOrderedDict\n(g0\ntRp0\nS'b{0}'\nI1\nsS'c{0}'\nI1\ns0")]
    [InlineData("(lI1\naI1\nap0\n0", "c__builtin__\nset\n(g0\ntR0g0\n(I1\nI1\nI1\nI1\nI1\nI1\ne0")]
    [InlineData("V{long}\np0\n0", "cnumpy\nndarray\n)R(I1\n(I15000\ntcnumpy\ndtype\n(S'f4'\ntRI00\ng0\ntb0")]
    public void Copies_of_copies_are_refused(string start, string step)
    {
        Write("(d" + Long(start) + string.Concat(Enumerable.Range(0, 20_000)
            .Select(i => step.Replace("{0}", $"{i}", StringComparison.Ordinal))) + ".");
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        ModelException error = Assert.Throws<ModelException>(() => Checkpoint.Open(_path));
        Assert.Contains("again and again", error.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, 250 << 20);
    }

    public void Dispose() => File.Delete(_path);

    /// <summary>Texts that a pickle may hold, and that nobody has.</summary>
    private static string Long(string pickle) =>
        pickle.Replace("{long}", new string('a', 60_000), StringComparison.Ordinal)
            .Replace("{key}", new string('b', 990), StringComparison.Ordinal);

    private void Write(string latin1) => File.WriteAllBytes(_path, Encoding.Latin1.GetBytes(latin1));
}
