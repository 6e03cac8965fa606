using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Atrous.Files;

namespace Atrous.Cli.Batches;

/// <summary>
/// One of the parts that a run's pictures are divided into. A picture's part follows from its name and the number of
/// parts alone, so that it stays where it is when others come.
/// </summary>
/// <param name="Index">Which one, counted from 0.</param>
/// <param name="Count">How many there are.</param>
internal sealed record Shard(int Index, int Count)
{
    /// <summary>
    /// The first eight bytes of the SHA-256 of the name in UTF-8, as a number whose highest byte is first, divided by
    /// the number of parts: what remains is the picture's part.
    /// </summary>
    /// <param name="name">The picture below the folder that was given, with slashes.</param>
    /// <exception cref="UnavailableException">The system is Linux and has no OpenSSL.</exception>
    public bool Has(string name)
    {
        OpenSsl.Require("A part of the pictures");
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes(name));
        return BinaryPrimitives.ReadUInt64BigEndian(hash) % (ulong)Count == (ulong)Index;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Index}/{Count}");
}
