using System.IO.Compression;
using System.Text;
using Atrous.Checkpoints;
using Atrous.Tests.Checkpoints.Containers;
using Atrous.Tests.Support;

namespace Atrous.Tests.Checkpoints;

public sealed class CheckpointTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("atrous-").FullName;

    [Fact]
    public void A_folder_gives_weights_and_configuration()
    {
        Copy("f_state_dict.safetensors", "model.safetensors");
        File.WriteAllText(Path.Combine(_folder, "config.json"), """{"encoder_name": "resnet50"}""");
        using Checkpoint checkpoint = Checkpoint.Open(_folder);
        Assert.Equal("resnet50", checkpoint.Config!.Value.GetProperty("encoder_name").GetString());
        Assert.Equal(15, checkpoint.Weights.Count);
        Assert.Equal(_folder, checkpoint.Path);
    }

    [Fact]
    public void A_folder_may_hold_a_pytorch_file()
    {
        Copy("a_zip.pth", "pytorch_model.bin");
        using Checkpoint checkpoint = Checkpoint.Open(_folder);
        Assert.Equal("torch-zip", checkpoint.Container);
        Assert.Null(checkpoint.Config);
    }

    [Fact]
    public void Extras_are_the_plain_values_beside_the_weights()
    {
        using Checkpoint checkpoint = Checkpoint.Open(Path.Combine(ContainerCase.Folder, "c_vainf_zip.pth"));
        Assert.Equal("30000", checkpoint.Extras["cur_itrs"]);
        Assert.Equal("0.7112", checkpoint.Extras["best_score"]);
        Assert.Equal("model_state", checkpoint.WeightsPath);
    }

    [Fact]
    public void Metadata_is_that_of_safetensors()
    {
        using Checkpoint checkpoint = Checkpoint.Open(Path.Combine(ContainerCase.Folder, "f_mixed.safetensors"));
        Assert.Equal("pt", Assert.Single(checkpoint.Metadata).Value);
    }

    [Theory]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull")]
    [InlineData("\ufeff\n<!DOCTYPE html><html>", "web page")]
    [InlineData("{\"a\": 1}", "JSON")]
    [InlineData("\u001f\u008b\b", "gzip")]
    [InlineData("\u0089HDF\r\n", "HDF5")]
    [InlineData("hello", "no known form")]
    public void Names_what_a_wrong_file_is(string text, string reason)
    {
        string path = Path.Combine(_folder, "model.pth");
        File.WriteAllBytes(path, (text[0] == '\ufeff' ? Encoding.UTF8 : Encoding.Latin1).GetBytes(text));
        Assert.Contains(
            reason, Assert.Throws<ModelException>(() => Checkpoint.Open(path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model.ckpt.data-00000-of-00001", true)]
    [InlineData("model.ckpt.meta", true)]
    [InlineData("last.ckpt.pth", false)]
    public void Only_TensorFlow_s_own_names_are_TensorFlow_s(string name, bool isTensorFlow)
    {
        string path = Path.Combine(_folder, name);
        File.Copy(Path.Combine(ContainerCase.Folder, "a_zip.pth"), path);
        if (isTensorFlow)
            Assert.Contains("TensorFlow", Refusal(path), StringComparison.Ordinal);
        else
            Checkpoint.Open(path).Dispose();
    }

    [Theory]
    [InlineData("weights/model.pth", "with 'weights/model.pth' in it")]
    [InlineData("conv1.weight.npy", "a NumPy archive (.npz)")]
    [InlineData("readme.txt", "needs one data.pkl in a folder")]
    public void Names_what_a_zip_archive_has(string entry, string reason)
    {
        string path = Path.Combine(_folder, "model.zip");
        using (ZipArchive archive = ZipFile.Open(path, ZipArchiveMode.Create))
            archive.CreateEntry(entry);
        string message = Assert.Throws<ModelException>(() => Checkpoint.Open(path)).Message;
        Assert.Contains(reason, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_what_is_missing()
    {
        Assert.Contains("does not exist", Refusal(Path.Combine(_folder, "none.pth")), StringComparison.Ordinal);
        Assert.Contains("has no model.safetensors", Refusal(_folder), StringComparison.Ordinal);
    }

    [Fact]
    public void Reading_needs_the_right_name_and_size()
    {
        using Checkpoint checkpoint = Checkpoint.Open(Path.Combine(ContainerCase.Folder, "a_zip.pth"));
        Assert.Throws<KeyNotFoundException>(() => checkpoint.Read("none", []));
        Assert.Throws<ArgumentException>(() => checkpoint.Read("classifier.bias", new float[4]));
    }

    [Fact]
    public void Many_threads_read_one_checkpoint()
    {
        ContainerCase row = ContainerCase.All.First(row => row.Name == "e_dtypes_views_zip.pth");
        using Checkpoint checkpoint = Checkpoint.Open(row.FilePath);
        Parallel.For(0, 200, _ => row.Check(checkpoint));
    }

    [Fact]
    public void Reads_a_real_network()
    {
        string path = Shared.Require("models/deeplabv3_mobilenetv2_voc.safetensors");
        using Checkpoint checkpoint = Checkpoint.Open(path);
        Assert.NotEmpty(checkpoint.Metadata["backbone"]);
        foreach ((string name, var info) in checkpoint.Weights)
        {
            var values = new float[info.Elements];
            checkpoint.Read(name, values);
            Assert.True(Array.TrueForAll(values, float.IsFinite), name);
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static string Refusal(string path) => Assert.Throws<ModelException>(() => Checkpoint.Open(path)).Message;

    private void Copy(string name, string target) =>
        File.Copy(Path.Combine(ContainerCase.Folder, name), Path.Combine(_folder, target));
}
