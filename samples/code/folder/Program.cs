// The masks of all photos of a folder, with progress; Ctrl-C ends it after the photo that is under way:
//   folder PHOTOS MASKS
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Atrous;
using Atrous.Imaging;

if (args.Length != 2 || !Directory.Exists(args[0]))
{
    Console.Error.WriteLine("usage: folder PHOTOS MASKS, of which the first is a folder that exists");
    return 2;
}
string[] files =
[
    .. Directory.EnumerateFiles(args[0]).Where(file => Path.GetExtension(file).ToLowerInvariant() is ".jpg" or ".png")
        .Order(StringComparer.Ordinal),
];
Directory.CreateDirectory(args[1]);
using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    // Not the end of the process, but of the loop below.
    pressed.Cancel = true;
    stop.Cancel();
};

var broken = new List<string>();
var open = new ConcurrentQueue<(string File, Image Photo)>();
int count = 0;
try
{
    using Segmenter segmenter = await Segmenter.LoadDefaultAsync(cancellationToken: stop.Token);
    // While a photo is segmented the next one is decoded; no more than these two are held.
    await foreach (Segmentation mask in segmenter.SegmentAsync(Photos(stop.Token), cancellationToken: stop.Token))
    {
        open.TryDequeue(out var done);
        done.Photo.Dispose();
        mask.SaveMask(Path.Combine(args[1], Path.GetFileNameWithoutExtension(done.File) + ".png"));
        Console.Error.Write($"\r{++count} of {files.Length}: {Path.GetFileName(done.File)}   ");
    }
}
catch (OperationCanceledException)
{
    Console.Error.Write("\rstopped   ");
}
catch (AtrousException e)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}
finally
{
    while (open.TryDequeue(out var left))
        left.Photo.Dispose();
}
Console.Error.WriteLine();
Console.WriteLine($"{count} masks are in {args[1]}");
foreach (string line in broken)
    Console.Error.WriteLine(line);
return stop.IsCancellationRequested ? 130 : broken.Count > 0 ? 3 : 0;

// A broken photo is told at the end and stops nothing.
async IAsyncEnumerable<Image> Photos([EnumeratorCancellation] CancellationToken cancellationToken)
{
    foreach (string file in files)
    {
        Image photo;
        try
        {
            photo = await Image.LoadAsync(file, cancellationToken: cancellationToken);
        }
        catch (ImageException e)
        {
            broken.Add(e.Message);
            continue;
        }
        open.Enqueue((file, photo));
        yield return photo;
    }
}
