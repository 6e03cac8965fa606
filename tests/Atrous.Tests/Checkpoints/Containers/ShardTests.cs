using System.Text.Json;
using System.Text.Json.Nodes;
using Atrous.Checkpoints;

namespace Atrous.Tests.Checkpoints.Containers;

/// <summary>Weights in several files with an index, as Hugging Face splits them.</summary>
public sealed class ShardTests : IDisposable
{
    private const string First = "model-00001-of-00002.safetensors", Second = "model-00002-of-00002.safetensors";
    private const string Index = "model.safetensors.index.json";

    private readonly string _folder = Directory.CreateTempSubdirectory("atrous-").FullName;

    public ShardTests()
    {
        WriteShard(First, "a.weight", "a.bias");
        WriteShard(Second, "b.weight");
        WriteIndex(("a.weight", First), ("a.bias", First), ("b.weight", Second));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("")]
    [InlineData(Index)]
    [InlineData(First)]
    [InlineData(Second)]
    public void The_folder_the_index_and_any_part_open_all_of_them(string name)
    {
        File.WriteAllText(Path.Combine(_folder, "config.json"), """{"model_type": "x"}""");
        using Checkpoint checkpoint = Checkpoint.Open(Path.Combine(_folder, name));
        Assert.Equal(["a.weight", "a.bias", "b.weight"], checkpoint.Weights.Keys);
        Assert.Equal("x", checkpoint.Config!.Value.GetProperty("model_type").GetString());
        Assert.Equal([1f, 2f], Values(checkpoint, "a.weight"));
        Assert.Equal([1f, 2f], Values(checkpoint, "b.weight"));
        File.SetLastWriteTimeUtc(Path.Combine(_folder, Second), DateTime.UnixEpoch);
        Assert.Contains("was changed", Assert.Throws<ModelException>(() => Values(checkpoint, "a.bias")).Message);
    }

    [Fact]
    public void Pytorch_files_are_split_likewise()
    {
        foreach (string file in Directory.GetFiles(_folder))
            File.Delete(file);
        Copy("a_zip.pth", "pytorch_model-00001-of-00002.bin");
        string[] names;
        using (Checkpoint one = Checkpoint.Open(Path.Combine(_folder, "pytorch_model-00001-of-00002.bin")))
            names = [.. one.Weights.Keys];
        WriteIndex("pytorch_model.bin.index.json",
            [.. names.Select(name => (name, "pytorch_model-00001-of-00002.bin"))]);
        using Checkpoint checkpoint = Checkpoint.Open(_folder);
        Assert.Equal(names, checkpoint.Weights.Keys);
        Assert.Equal("torch-zip", checkpoint.Container);
    }

    [Fact]
    public void Parts_may_lie_in_folders_below()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "parts", "b"));
        File.Move(Path.Combine(_folder, First), Path.Combine(_folder, "parts", First));
        File.Move(Path.Combine(_folder, Second), Path.Combine(_folder, "parts", "b", Second));
        WriteIndex(("a.weight", "parts/" + First), ("a.bias", "parts/" + First), ("b.weight", "parts/b/" + Second));
        using Checkpoint checkpoint = Checkpoint.Open(_folder);
        Assert.Equal(["b.weight", "a.weight", "a.bias"], checkpoint.Weights.Keys);
        Assert.Equal([1f, 2f], Values(checkpoint, "b.weight"));
        Assert.Equal(
            [Index, Path.Combine("parts", "b", Second), Path.Combine("parts", First)],
            Atrous.Checkpoints.Containers.ModelFolder.FilesOf(_folder)
                .Select(file => Path.GetRelativePath(_folder, file)));
    }

    [Fact]
    public void A_missing_part_is_named()
    {
        File.Delete(Path.Combine(_folder, Second));
        Assert.Contains($"needs the file '{Second}' beside it, one of 2", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_index_is_named()
    {
        File.Delete(Path.Combine(_folder, Index));
        Assert.Contains(
            $"has '{First}', a part of a model, and not its index '{Index}'", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_tensor_in_two_parts_is_refused()
    {
        WriteShard(Second, "b.weight", "a.bias");
        Assert.Contains("has the tensor 'a.bias', which another file has too", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_tensor_that_is_not_where_the_index_says_is_refused()
    {
        WriteIndex(("a.weight", First), ("c.weight", Second), ("b.weight", Second));
        Assert.Contains($"'{Second}' has the tensor 'c.weight', which it has not", Refusal(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../secret.safetensors")]
    [InlineData("/etc/passwd")]
    [InlineData("a\\b.safetensors")]
    [InlineData("..")]
    [InlineData("parts/../../secret.safetensors")]
    [InlineData("./a.safetensors")]
    [InlineData("parts//a.safetensors")]
    [InlineData("C:/a.safetensors")]
    [InlineData("parts/model.safetensors.index.json")]
    [InlineData("")]
    [InlineData(Index)]
    public void A_path_out_of_the_folder_is_refused(string name)
    {
        WriteIndex(("a.weight", name));
        Assert.Contains("which is no file beside it", Refusal(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}", "no 'weight_map'")]
    [InlineData("[]", "no 'weight_map'")]
    [InlineData("{\"weight_map\": {}}", "names 0 files")]
    [InlineData("{\"weight_map\": {\"a\": 1}}", "names no file for the tensor 'a'")]
    [InlineData("{\"weight_map\": {\"a\": \"x\", \"a\": \"y\"}}", "has the tensor 'a' twice")]
    [InlineData("{\"weight_map\": {\"a\": \"\\ud800\"}}", "is not valid JSON")]
    [InlineData("{\"weight_map\": ", "is not valid JSON")]
    public void A_broken_index_is_refused(string json, string reason)
    {
        File.WriteAllText(Path.Combine(_folder, Index), json);
        Assert.Contains(reason, Refusal(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("config.json", "[]")]
    [InlineData("preprocessor_config.json", "\"size\"")]
    [InlineData("preprocessor_config.json", "null")]
    public void A_configuration_beside_the_weights_is_an_object(string name, string json)
    {
        File.WriteAllText(Path.Combine(_folder, name), json);
        Assert.Contains($"{name}' is no configuration: it holds no JSON object", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_index_in_memory_has_no_parts()
    {
        byte[] bytes = File.ReadAllBytes(Path.Combine(_folder, Index));
        Assert.Contains(
            "needs the file", Assert.Throws<ModelException>(() => Checkpoint.Open(bytes, Index)).Message,
            StringComparison.Ordinal);
    }

    private static float[] Values(Checkpoint checkpoint, string name)
    {
        var values = new float[checkpoint.Weights[name].Elements];
        checkpoint.Read(name, values);
        return values;
    }

    private string Refusal()
    {
        ModelException error = Assert.Throws<ModelException>(() => Checkpoint.Open(_folder));
        Assert.DoesNotContain('\n', error.Message);
        Assert.EndsWith(".", error.Message, StringComparison.Ordinal);
        return error.Message;
    }

    private void Copy(string golden, string name) =>
        File.Copy(Path.Combine(ContainerCase.Folder, golden), Path.Combine(_folder, name));

    private void WriteIndex(params (string Tensor, string File)[] map) => WriteIndex(Index, map);

    private void WriteIndex(string name, (string Tensor, string File)[] map)
    {
        var entries = new JsonObject();
        foreach ((string tensor, string file) in map)
            entries.Add(tensor, file);
        var index = new JsonObject { ["metadata"] = new JsonObject { ["total_size"] = 24 }, ["weight_map"] = entries };
        File.WriteAllText(Path.Combine(_folder, name), index.ToJsonString());
    }

    private void WriteShard(string name, params string[] tensors)
    {
        var header = new JsonObject();
        for (int i = 0; i < tensors.Length; i++)
            header.Add(tensors[i], JsonSerializer.SerializeToNode(
                new { dtype = "F32", shape = new[] { 2 }, data_offsets = new[] { 8 * i, 8 * i + 8 } }));
        byte[] json = System.Text.Encoding.UTF8.GetBytes(header.ToJsonString());
        byte[] data = [.. tensors.SelectMany(_ => new[] { 1f, 2f }).SelectMany(BitConverter.GetBytes)];
        byte[] length = BitConverter.GetBytes((long)json.Length);
        File.WriteAllBytes(Path.Combine(_folder, name), [.. length, .. json, .. data]);
    }
}
