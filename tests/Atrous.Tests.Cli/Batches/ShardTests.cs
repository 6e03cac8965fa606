using System.Security.Cryptography;
using System.Text;
using Atrous.Cli.Batches;

namespace Atrous.Tests.Cli.Batches;

/// <summary>Which part of a run a picture belongs to.</summary>
public sealed class ShardTests
{
    private static readonly string[] Names = [.. Enumerable.Range(0, 400).Select(i => $"city {i % 7}/ä{i}.png")];

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(8)]
    public void Every_picture_belongs_to_one_part(int count)
    {
        Shard[] shards = [.. Enumerable.Range(0, count).Select(index => new Shard(index, count))];
        Assert.All(Names, name => Assert.Single(shards, shard => shard.Has(name)));
        // 400 of 8 are 50 a part; a part that has fewer than 20 would be ten standard deviations away.
        Assert.All(shards, shard => Assert.InRange(Names.Count(shard.Has), 400 / count * 2 / 5, 400));
    }

    /// <summary>What the page says, so that other programs can tell the part too.</summary>
    [Fact]
    public void The_part_is_the_hash_of_the_name_modulo_their_number()
    {
        Assert.All(Names, name =>
        {
            byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes(name));
            ulong number = 0;
            for (int i = 0; i < 8; i++)
                number = (number << 8) | hash[i];
            Assert.True(new Shard((int)(number % 8), 8).Has(name));
        });
        // From Python's hashlib, so that no change of the rule goes unseen.
        Assert.True(new Shard(672, 1000).Has("a.png"));
        Assert.True(new Shard(235, 1000).Has("sub/b.png"));
    }
}
