using Atrous.Checkpoints.Pickles;
using Atrous.Checkpoints.Storages;

namespace Atrous.Checkpoints.Containers;

/// <summary>
/// A plain pickle: NumPy arrays, as detectron2 publishes its models, or PyTorch's tensors by pickle.dump or joblib.
/// </summary>
internal static class NumpyPickle
{
    public const string ContainerName = "numpy-pickle";

    public static ContainerContents Read(CheckpointFile file)
    {
        var reader = new PickleReader(file, new FileRegion(file, 0, file.Length));
        // Storages hold no others.
        var inner = new PickleCalls(file);
        var machine = new PickleMachine(
            reader, new PickleCalls(file) { StorageIn = bytes => TorchLegacy.StorageIn(file, bytes, inner) }, _ =>
            throw file.Error("is a pickle that refers to storages it does not hold"));
        return StateDict.Find(file, ContainerName, machine.Load());
    }
}
