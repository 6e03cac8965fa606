using Atrous.Checkpoints;
using Atrous.Tests.Checkpoints.Containers;

namespace Atrous.Tests.Checkpoints;

/// <summary>
/// Truncated and altered files are refused with a <see cref="ModelException"/> or read; nothing else ever happens.
/// </summary>
public sealed class DamagedFileTests : IDisposable
{
    private const int MutationsPerFile = 400;

    private readonly string _path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());

    [Theory]
    [InlineData("a_zip.pth")]
    [InlineData("g_ok_handmade_zip.pth")]
    [InlineData("b_legacy.pth")]
    [InlineData("f_state_dict.safetensors")]
    [InlineData("e_detectron2_numpy_proto2.pkl")]
    public void A_file_cut_at_any_byte_is_refused(string name)
    {
        byte[] whole = File.ReadAllBytes(Path.Combine(ContainerCase.Folder, name));
        File.WriteAllBytes(_path, whole);
        using var file = new FileStream(_path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        for (int length = whole.Length - 1; length >= 0; length--)
        {
            file.SetLength(length);
            Exception? error = Record.Exception(() => ContainerTests.ReadAll(_path));
            Assert.True(error is ModelException, $"cut at {length}: {error?.ToString() ?? "was read"}");
        }
    }

    [Theory]
    [InlineData("a_zip.pth")]
    [InlineData("a_zip_deflated.pth")]
    [InlineData("a_zip_proto5.pth")]
    [InlineData("b_legacy.pth")]
    [InlineData("c_yassouali_args_zip.pth")]
    [InlineData("e_dtypes_views_legacy.pth")]
    [InlineData("e_detectron2_numpy_proto2.pkl")]
    [InlineData("e_python2_legacy.pkl")]
    [InlineData("f_mixed.safetensors")]
    public void Altered_bytes_never_cause_anything_but_a_refusal(string name)
    {
        byte[] whole = File.ReadAllBytes(Path.Combine(ContainerCase.Folder, name));
        var random = new Random(name.Length * 7919 + whole.Length);
        for (int mutation = 0; mutation < MutationsPerFile; mutation++)
        {
            byte[] altered = Alter(whole, random);
            File.WriteAllBytes(_path, altered);
            Exception? error = Record.Exception(() => ContainerTests.ReadAll(_path));
            Assert.True(error is null or ModelException, $"mutation {mutation}: {error}");
        }
    }

    [Theory]
    [InlineData("a_zip.pth")]
    [InlineData("b_legacy.pth")]
    [InlineData("f_state_dict.safetensors")]
    public void A_file_truncated_after_opening_is_refused(string name)
    {
        byte[] whole = File.ReadAllBytes(Path.Combine(ContainerCase.Folder, name));
        File.WriteAllBytes(_path, whole);
        using Checkpoint checkpoint = Checkpoint.Open(_path);
        File.WriteAllBytes(_path, whole[..^1]);
        ModelException error = Assert.Throws<ModelException>(() => checkpoint.Read("classifier.bias", new float[5]));
        Assert.Contains("was changed since it was opened", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_rewritten_after_opening_is_refused()
    {
        byte[] whole = File.ReadAllBytes(Path.Combine(ContainerCase.Folder, "b_legacy.pth"));
        File.WriteAllBytes(_path, whole);
        using Checkpoint checkpoint = Checkpoint.Open(_path);
        File.WriteAllBytes(_path, whole);
        File.SetLastWriteTimeUtc(_path, DateTime.UtcNow.AddMinutes(1));
        Assert.Throws<ModelException>(() => checkpoint.Read("classifier.bias", new float[5]));
    }

    public void Dispose() => File.Delete(_path);

    private static byte[] Alter(byte[] whole, Random random)
    {
        byte[] altered = [.. whole];
        for (int change = random.Next(1, 4); change > 0; change--)
        {
            int at = random.Next(altered.Length);
            altered[at] = random.Next(3) switch
            {
                0 => (byte)random.Next(256),
                1 => (byte)(altered[at] ^ 1 << random.Next(8)),
                _ => random.Next(2) == 0 ? (byte)0xff : (byte)0,
            };
        }
        return altered;
    }
}
