using Atrous.Files;

namespace Atrous.Catalog;

/// <summary>
/// Brings a model of the catalog into the cache. Pulls of one model, in this process or others, wait for each other.
/// </summary>
/// <param name="cache">The cache that models are pulled into.</param>
/// <param name="options">The options; null for the defaults.</param>
public sealed class ModelPull(ModelCache cache, PullOptions? options = null)
{
    private static readonly TimeSpan LockPolling = TimeSpan.FromMilliseconds(200);
    private readonly PullOptions _options = options ?? new PullOptions();

    /// <summary>
    /// Fetches what is missing. Files that are there are checked against the catalog's hashes and fetched anew where
    /// they are not what it means.
    /// </summary>
    /// <param name="entry">The published model to fetch, as the catalog describes it.</param>
    /// <param name="report">Is told how it goes.</param>
    /// <param name="cancellationToken">What has come by then stays, and the next pull goes on there.</param>
    /// <returns>The number of files that were fetched; 0 where all were there.</returns>
    /// <exception cref="ModelException">The server has no such file.</exception>
    /// <exception cref="DownloadException">The server cannot be reached, or the contents are wrong.</exception>
    /// <exception cref="OutputException">The cache's folder cannot be written, or its disk is full.</exception>
    /// <exception cref="UnavailableException">The system is Linux and has no OpenSSL.</exception>
    public async Task<int> RunAsync(
        PublishedModel entry, IPullReport report, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(entry);
        ArgumentNullException.ThrowIfNull(report);
        OpenSsl.Require("To pull a model");
        using FileStream held = await LockAsync(entry, report, cancellationToken).ConfigureAwait(false);
        using var handler = new SocketsHttpHandler { AllowAutoRedirect = false, ConnectTimeout = _options.Inactivity };
        using var http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        http.DefaultRequestHeaders.UserAgent.ParseAdd(
            $"atrous/{typeof(ModelPull).Assembly.GetName().Version?.ToString(3)}");
        var download = new FileDownload(http, _options, report);
        int fetched = 0;
        foreach (CatalogFile file in entry.Files)
        {
            string target = cache.PathOf(entry, file);
            if (File.Exists(target))
            {
                if (await FileDownload.IsRightAsync(file, target, cancellationToken).ConfigureAwait(false))
                    continue;
                report.Noted($"{target} is not the file that the catalog means; it is fetched anew");
            }
            await download.RunAsync(file, target, cancellationToken).ConfigureAwait(false);
            fetched++;
        }
        return fetched;
    }

    /// <summary>
    /// Holds the model's lock file, which stays behind: to delete it would take it from under another who waits.
    /// </summary>
    private async Task<FileStream> LockAsync(
        PublishedModel entry, IPullReport report, CancellationToken cancellationToken)
    {
        string path = Path.Combine(cache.Folder, $".{entry.Name}.lock");
        bool told = false;
        while (true)
        {
            try
            {
                Directory.CreateDirectory(Path.GetDirectoryName(cache.PathOf(entry, entry.Files[0]))!);
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException e) when (IsHeld(e))
            {
                if (!told)
                    report.Noted($"{entry.Name} is being pulled already; waiting for that");
                told = true;
                await Task.Delay(LockPolling, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new OutputException(
                    $"The folder '{cache.Folder}' cannot be written ({e.Message.TrimEnd('.')}); set " +
                    $"{ModelCache.Variable} to another one.", e);
            }
        }
    }

    /// <summary>EWOULDBLOCK of Linux and macOS, and Windows' sharing violation.</summary>
    private static bool IsHeld(IOException e) => e.HResult is 11 or 35 or unchecked((int)0x80070020);
}
