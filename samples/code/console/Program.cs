// What is on a photo: console PHOTO [MASK.png [CHECKPOINT]]
using Atrous;
using Atrous.Imaging;

if (args.Length is 0 or > 3)
{
    Console.Error.WriteLine("usage: console PHOTO [MASK.png [CHECKPOINT]]");
    return 2;
}
try
{
    using Segmenter segmenter = args.Length == 3 ? Segmenter.Load(args[2]) : Segmenter.LoadDefault();
    using Image photo = Image.Load(args[0]);
    Segmentation mask = segmenter.Segment(photo);
    foreach (var share in mask.Shares)
        Console.WriteLine($"{mask.NameOf(share.Label),-14} {share.Share,7:P1}");
    mask.SaveMask(args.Length > 1 ? args[1] : Path.ChangeExtension(args[0], ".mask.png"));
    return 0;
}
catch (AtrousException e)
{
    // One sentence for people, whatever was wrong: the photo, the checkpoint, this machine.
    Console.Error.WriteLine(e.Message);
    return e is ImageException or ModelException ? 3 : 1;
}
