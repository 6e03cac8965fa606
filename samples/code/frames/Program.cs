// The frames of a film with the colours of their classes, between two pipes of FFmpeg:
//   ffmpeg -i street.mp4 -f rawvideo -pix_fmt rgb24 - | frames 640 480 |
//     ffmpeg -f rawvideo -pix_fmt rgb24 -s 640x480 -r 25 -i - classes.mp4
// The tool does it with times, rotation and progress: atrous segment street.mp4
using System.Globalization;
using Atrous;
using Atrous.Imaging;

if (args.Length != 2 || !int.TryParse(args[0], NumberStyles.None, CultureInfo.InvariantCulture, out int width)
    || !int.TryParse(args[1], NumberStyles.None, CultureInfo.InvariantCulture, out int height) || width * height == 0)
{
    Console.Error.WriteLine("usage: frames WIDTH HEIGHT");
    return 2;
}
using Stream input = Console.OpenStandardInput(), output = Console.OpenStandardOutput();
using Segmenter segmenter = Segmenter.LoadDefault();
// One image serves for all frames: its memory is what is read into.
using var frame = new Image(height, width, PixelFormat.Rgb);
int frames = 0;
while (true)
{
    int read = 0;
    for (int y = 0; y < height; y++)
    {
        int got = input.ReadAtLeast(frame.Row(y), width * 3, throwOnEndOfStream: false);
        read += got;
        if (got < width * 3)
            break;
    }
    if (read == 0)
        break;
    if (read < height * width * 3)
    {
        Console.Error.WriteLine(
            $"the last frame has {read} of {height * width * 3} bytes: are width and height right?");
        return 3;
    }
    using Image overlay = segmenter.Segment(frame).Overlay(frame);
    for (int y = 0; y < height; y++)
        output.Write(overlay.Row(y));
    frames++;
}
Console.Error.WriteLine($"{frames} frames");
return 0;
