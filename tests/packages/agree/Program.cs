// The exit code is 0 where two masks of one size have the same label at 99.99 % of their pixels:
//   agree ONE.png OTHER.png
// and where symbols hold all of their sources, and that one as it is in the repository:
//   agree LIBRARY.pdb NAME FILE
using Atrous.Postprocessing;

if (args is [var symbols, var name, var source])
    return Symbols.Hold(symbols, name, File.ReadAllText(source)) ? 0 : 1;

LabelImage one = LabelImage.Load(args[0]), other = LabelImage.Load(args[1]);
if (one.Height != other.Height || one.Width != other.Width || one.Labels.Length == 0)
{
    Console.WriteLine($"{one.Height}x{one.Width} and {other.Height}x{other.Width}");
    return 1;
}
int same = 0;
for (int i = 0; i < one.Labels.Length; i++)
    same += one.Labels[i] == other.Labels[i] ? 1 : 0;
double share = (double)same / one.Labels.Length;
Console.WriteLine($"{share:P4} of {one.Labels.Length} labels are the same");
return share >= 0.9999 ? 0 : 1;
