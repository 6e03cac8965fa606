using Atrous.Checkpoints;
using Atrous.Tests.Support;

namespace Atrous.Tests.Checkpoints.Containers;

/// <summary>Every file of tests/goldens/containers does what expected.json says.</summary>
public sealed class ContainerTests
{
    private const long MaxAllocatedBytes = 100 << 20;

    public static TheoryData<string> Loadable =>
        [.. ContainerCase.All.Where(row => row.Row.TryGetProperty("tensors", out _)).Select(row => row.Name)];

    public static TheoryData<string> Hostile =>
        [.. ContainerCase.All.Where(row => row.Expect is "reject").Select(row => row.Name)];

    /// <summary>Files that may be read or refused, as long as that is done cleanly.</summary>
    public static TheoryData<string> Doubtful =>
        [.. ContainerCase.All.Where(row => row.Expect.Contains("_or_", StringComparison.Ordinal))
        .Select(row => row.Name)];

    [Theory]
    [MemberData(nameof(Loadable))]
    public void Reads_every_tensor_as_expected(string name)
    {
        ContainerCase row = ContainerCase.All.First(row => row.Name == name);
        using Checkpoint checkpoint = Checkpoint.Open(row.FilePath);
        row.Check(checkpoint);
    }

    [Theory]
    [MemberData(nameof(Loadable))]
    public void Reads_the_same_from_memory_and_from_a_stream(string name)
    {
        ContainerCase row = ContainerCase.All.First(row => row.Name == name);
        byte[] bytes = File.ReadAllBytes(row.FilePath);
        using Checkpoint memory = Checkpoint.Open(bytes, name);
        row.Check(memory);
        Assert.Equal(name, memory.Path);
        using Checkpoint stream = Checkpoint.Open(new MemoryStream(bytes), name);
        row.Check(stream);
    }

    [Theory]
    [MemberData(nameof(Hostile))]
    public void Refuses_hostile_bytes_by_the_name_they_were_given(string name)
    {
        byte[] bytes = File.ReadAllBytes(Path.Combine(ContainerCase.Folder, name));
        ModelException error =
            Bounded(() => Assert.Throws<ModelException>(() => ReadAll(Checkpoint.Open(bytes, name))));
        Assert.StartsWith($"The checkpoint '{name}' ", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Hostile))]
    public void Refuses_hostile_files_in_one_sentence(string name)
    {
        string path = Path.Combine(ContainerCase.Folder, name);
        ModelException error = Bounded(() => Assert.Throws<ModelException>(() => ReadAll(path)));
        Assert.StartsWith($"The checkpoint '{path}' ", error.Message, StringComparison.Ordinal);
        Assert.EndsWith(".", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [MemberData(nameof(Doubtful))]
    public void Reads_or_refuses_doubtful_files_cleanly(string name)
    {
        string path = Path.Combine(ContainerCase.Folder, name);
        Exception? error = Bounded(() => Record.Exception(() => ReadAll(path)));
        Assert.True(error is null or ModelException, error?.ToString());
    }

    [Fact]
    public void Nothing_is_written_beside_the_files()
    {
        string[] before = Directory.GetFileSystemEntries(ContainerCase.Folder, "*", SearchOption.AllDirectories);
        Record.Exception(() => ReadAll(Path.Combine(ContainerCase.Folder, "g_zip_slip.pth")));
        Assert.Equal(before, Directory.GetFileSystemEntries(ContainerCase.Folder, "*", SearchOption.AllDirectories));
    }

    /// <summary>Opens a file and reads all of its tensors.</summary>
    internal static void ReadAll(string path) => ReadAll(Checkpoint.Open(path));

    private static void ReadAll(Checkpoint opened)
    {
        using Checkpoint checkpoint = opened;
        foreach ((string name, var info) in checkpoint.Weights)
            checkpoint.Read(name, new float[info.Elements]);
    }

    /// <summary>Bounds what a file makes its reader allocate.</summary>
    private static T Bounded<T>(Func<T> action) => BoundedWork.Run(action, MaxAllocatedBytes);
}
