using Atrous.Files;

namespace Atrous.Tests.Files;

/// <summary>
/// A system without OpenSSL is told of in a sentence, where .NET would end the process. tests/packages/image.sh has
/// one.
/// </summary>
public sealed class OpenSslTests
{
    [Fact]
    public void What_needs_it_goes_on_where_it_is() => OpenSsl.Require("A hash");

    [Fact]
    public void A_library_that_there_is_not_is_none() => Assert.False(OpenSsl.IsAnyOf(["libssl.so.none", "libssl.no"]));

    [Fact]
    public void Where_it_is_missing_the_sentence_says_for_what_and_where_it_is_had()
    {
        string message = Assert.Throws<UnavailableException>(() => OpenSsl.Require("A hash", isThere: false)).Message;
        Assert.StartsWith("A hash needs OpenSSL, which this system lacks", message);
        Assert.Contains("libssl3", message);
    }
}
