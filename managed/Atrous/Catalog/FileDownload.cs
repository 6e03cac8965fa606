using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Atrous.Files;

namespace Atrous.Catalog;

/// <summary>
/// Fetches one file: goes on where an earlier try ended (RFC 9110, section 14, with If-Range so that two editions are
/// never mixed), tries again what may pass, checks the hash, and gives the file its name in one step.
/// </summary>
/// <param name="http">Follows no redirects, and has no limit of time.</param>
/// <param name="options">How often and how long it tries.</param>
/// <param name="report">Is told how it goes.</param>
internal sealed class FileDownload(HttpClient http, PullOptions options, IPullReport report)
{
    private const int BufferBytes = 1 << 16;
    private const int MaxRedirects = 20;

    /// <summary>Of a file whose size the catalog does not say; no published checkpoint has half of it.</summary>
    private const long MaxBytes = 32L << 30;

    /// <summary>Fetches a file.</summary>
    /// <param name="file">The file to fetch, with its address and its hash.</param>
    /// <param name="target">Where it goes; its folder exists, and no other process is at it.</param>
    /// <param name="cancellationToken">What has come by then stays for the next time.</param>
    /// <exception cref="ModelException">The server has no such file.</exception>
    /// <exception cref="DownloadException">The server cannot be reached, or the contents are wrong.</exception>
    /// <exception cref="OutputException">The file cannot be written, or its disk is full.</exception>
    public async Task RunAsync(CatalogFile file, string target, CancellationToken cancellationToken)
    {
        var partial = new PartialFile(target, file.Url);
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                await FetchAsync(file, partial, cancellationToken).ConfigureAwait(false);
                break;
            }
            catch (PassingException e) when (attempt < options.Attempts)
            {
                TimeSpan wait = e.RetryAfter ?? options.FirstWait * Math.Pow(2, attempt - 1);
                // A date of the server's may be long past.
                wait = wait < TimeSpan.Zero ? TimeSpan.Zero : wait < options.LongestWait ? wait : options.LongestWait;
                report.Noted(
                    $"{file.FileName}: {e.Message}; try {attempt + 1} of {options.Attempts} in {Seconds(wait)} s");
                await Task.Delay(wait, cancellationToken).ConfigureAwait(false);
            }
            catch (PassingException e)
            {
                string kept = partial.Length > 0
                    ? "what has come is kept, run it again to go on there"
                    : "check the connection and run it again";
                throw new DownloadException(
                    $"{ShownAddress.Of(file.Url)}: {e.Message}, {options.Attempts} times; {kept}.", e);
            }
        }
        string found = await HashAsync(partial.Path, cancellationToken).ConfigureAwait(false);
        if (!Fits(file, found))
        {
            partial.Discard();
            throw new DownloadException(
                $"{ShownAddress.Of(file.Url)} is not the file that the catalog means: its SHA-256 is {found}, not " +
                $"{file.Sha256}{(file.Sha256!.Length < found.Length ? "..." : "")}. " +
                "The download was removed; run it again, and if that stays so, the publisher has changed the file.");
        }
        Disk(partial, partial.Commit);
    }

    /// <summary>
    /// Whether a file that is there has the contents that the catalog means; true where it does not say.
    /// </summary>
    public static async Task<bool> IsRightAsync(CatalogFile file, string path, CancellationToken cancellationToken) =>
        file.Sha256 is null || Fits(file, await HashAsync(path, cancellationToken).ConfigureAwait(false));

    private static bool Fits(CatalogFile file, string hash) =>
        file.Sha256 is null || hash.StartsWith(file.Sha256, StringComparison.Ordinal);

    private static async Task<string> HashAsync(string path, CancellationToken cancellationToken)
    {
        using FileStream stream = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellationToken).ConfigureAwait(false));
    }

    private async Task FetchAsync(CatalogFile file, PartialFile partial, CancellationToken cancellationToken)
    {
        using var inactivity = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        inactivity.CancelAfter(options.Inactivity);
        long begin = partial.Length;
        using HttpResponseMessage response =
            await SendAsync(file.Url, begin, partial.Validator, inactivity, cancellationToken)
                .ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && begin > 0)
        {
            // All of it was there already, or more than there is.
            if (response.Content.Headers.ContentRange?.Length == begin)
                return;
            partial.Discard();
            throw new PassingException("the server has no such part of the file; it is fetched from the beginning");
        }
        Check(response);
        bool continues = response.StatusCode == HttpStatusCode.PartialContent;
        // What cannot be understood of it is null.
        ContentRangeHeaderValue? range = continues ? response.Content.Headers.ContentRange : null;
        if (continues && (begin == 0 || range?.From != begin || range.Unit != "bytes" || range.Length <= begin))
        {
            partial.Discard();
            throw new PassingException("the server sends another part of the file than was asked for");
        }
        if (begin > 0 && !continues)
        {
            report.Noted(
                $"{file.FileName}: the server does not go on from where the last pull ended, or has another edition; " +
                $"it is fetched from the beginning");
            begin = 0;
        }
        long? total = continues ? range!.Length : response.Content.Headers.ContentLength;
        long most = file.Size ?? MaxBytes;
        if (total > most)
            throw TooMuch(file, partial, most);
        using FileStream output = Disk(partial, () => continues ? partial.Continue() : partial.Start(response));
        using Stream body = await Network(() => response.Content.ReadAsStreamAsync(inactivity.Token), cancellationToken)
            .ConfigureAwait(false);
        long received = begin;
        report.Received(file.FileName, received, total);
        var buffer = new byte[BufferBytes];
        while (true)
        {
            inactivity.CancelAfter(options.Inactivity);
            int count = await Network(() => body.ReadAsync(buffer, inactivity.Token).AsTask(), cancellationToken)
                .ConfigureAwait(false);
            if (count == 0)
                break;
            if (received + count > most)
                throw TooMuch(file, partial, most, output);
            Disk(partial, () => output.Write(buffer, 0, count));
            received += count;
            report.Received(file.FileName, received, total);
            if (received > total)
                break;
        }
        if (total is { } expected && received > expected)
        {
            output.Close();
            partial.Discard();
            throw new PassingException("more came than the server had announced; it is fetched from the beginning");
        }
        if (total is { } announced && received < announced)
            throw new PassingException(
                string.Create(CultureInfo.InvariantCulture, $"only {received:N0} of {announced:N0} bytes came"));
        Disk(partial, () => output.Flush(flushToDisk: true));
    }

    /// <summary>Asks for the file, or for the rest of it, wherever the server says that it is.</summary>
    /// <exception cref="DownloadException">It says that it is where nothing may be fetched from.</exception>
    private async Task<HttpResponseMessage> SendAsync(
        Uri address, long begin, RangeConditionHeaderValue? edition, CancellationTokenSource inactivity,
        CancellationToken cancellationToken)
    {
        for (int redirects = 0; ; redirects++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            // The bytes that the hash is of, not a compressed form.
            request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("identity"));
            if (begin > 0)
            {
                request.Headers.Range = new RangeHeaderValue(begin, null);
                request.Headers.IfRange = edition;
            }
            HttpResponseMessage response = await Network(
                () => http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, inactivity.Token),
                cancellationToken).ConfigureAwait(false);
            if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308))
                return response;
            using (response)
                address = Follow(address, response.Headers.Location, redirects);
        }
    }

    private static Uri Follow(Uri from, Uri? location, int redirects)
    {
        if (location is null || !Uri.TryCreate(from, location, out Uri? to))
            throw new DownloadException($"{ShownAddress.Of(from)}: the server leads to an address that is none.");
        string? problem = redirects == MaxRedirects ? $"there are more than {MaxRedirects} redirects"
            : to.Scheme != Uri.UriSchemeHttps && to.Scheme != Uri.UriSchemeHttp
                ? $"only https and http are, and this is {to.Scheme}"
            : from.Scheme == Uri.UriSchemeHttps && to.Scheme == Uri.UriSchemeHttp
                ? "it goes from https to http"
            : null;
        return problem is null ? to : throw new DownloadException(
            $"{ShownAddress.Of(from)}: the server leads to {ShownAddress.Of(to)}, which is not followed: {problem}.");
    }

    /// <summary>Nothing is kept of a file that is not the one that was meant.</summary>
    private static DownloadException TooMuch(
        CatalogFile file, PartialFile partial, long most, FileStream? output = null)
    {
        output?.Close();
        partial.Discard();
        string limit = most.ToString("N0", CultureInfo.InvariantCulture);
        string whose = file.Size is null ? "are fetched where the catalog says no size" : "the catalog says";
        return new DownloadException(
            $"{ShownAddress.Of(file.Url)} has more than the {limit} bytes that {whose}; what had come was removed.");
    }

    /// <summary>Lets through what carries the file.</summary>
    private static void Check(HttpResponseMessage response)
    {
        int status = (int)response.StatusCode;
        string answer = $"the server answered {status} {ForeignText.OneLine(response.ReasonPhrase ?? "")}".TrimEnd();
        string address = ShownAddress.Of(response.RequestMessage!.RequestUri!);
        if (status is >= 500 or 408 or 429)
        {
            RetryConditionHeaderValue? after = response.Headers.RetryAfter;
            throw new PassingException(
                answer, after: after?.Delta ?? (after?.Date is { } date ? date - DateTimeOffset.UtcNow : null));
        }
        if (status is >= 300 and < 400)
            throw new DownloadException($"{address}: {answer}, and not the file.");
        if (status is not (200 or 206))
            throw new ModelException($"{address}: {answer}; the publisher may have moved the file.");
        if (response.Content.Headers.ContentType?.MediaType == "text/html")
            throw new DownloadException(
                $"{address}: a web page came instead of the file; is there a log-in page or a proxy in between?");
    }

    /// <summary>Does something on the network; what goes wrong there may go right the next time.</summary>
    private async Task<T> Network<T>(Func<Task<T>> action, CancellationToken cancellationToken)
    {
        try
        {
            return await action().ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new PassingException($"nothing came for {Seconds(options.Inactivity)} s", e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            string reason = ForeignText.OneLine((e.InnerException ?? e).Message.TrimEnd('.'));
            throw new PassingException($"the connection failed ({reason})", e);
        }
    }

    private static T Disk<T>(PartialFile partial, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OutputException(
                $"'{partial.Path}' cannot be written ({e.Message.Split(" : ")[0].TrimEnd('.')}); free space there or " +
                $"set {ModelCache.Variable} to another folder, and run it again.", e);
        }
    }

    private static void Disk(PartialFile partial, Action action) => Disk(partial, () =>
    {
        action();
        return true;
    });

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture);

    /// <summary>A failure that another try may not meet.</summary>
    private sealed class PassingException(string message, Exception? inner = null, TimeSpan? after = null)
        : Exception(message, inner)
    {
        public TimeSpan? RetryAfter => after;
    }
}
