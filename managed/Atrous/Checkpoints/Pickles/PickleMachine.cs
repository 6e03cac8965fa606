using System.Numerics;
using Atrous.Checkpoints.Storages;

namespace Atrous.Checkpoints.Pickles;

/// <summary>
/// Reads a pickle of protocol 0 to 5 and executes nothing: classes and functions are names, the few that matter are
/// imitated by <see cref="PickleCalls"/>, the others become inert objects. A loop over opcodes, without recursion,
/// within fixed limits. See https://github.com/python/cpython/blob/main/Lib/pickletools.py for the opcodes.
/// </summary>
internal sealed class PickleMachine(PickleReader reader, PickleCalls calls, Func<object?, object?> persistentLoad)
{
    private const int MaxOpcodes = 4_000_000;
    private const int MaxObjects = 1_000_000;
    private const int MaxIntegerBytes = 255;
    private const int MaxFloatDigits = 400;

    // In memory, roughly: what a list or the stack keeps of a value, and what dictionaries, sets and the memo do.
    private const int BytesOfPlace = 16, BytesOfEntry = 72;

    private readonly List<object?> _stack = [];
    private readonly List<int> _marks = [];
    private readonly Dictionary<long, object?> _memo = [];
    private int _objects;

    /// <summary>Reads up to and including STOP.</summary>
    public object? Load()
    {
        for (int count = 0; count < MaxOpcodes; count++)
        {
            byte opcode = reader.ReadByte();
            if (opcode == '.')
                return Pop();
            Execute(opcode);
        }
        throw reader.Error("has more than 4 million instructions");
    }

    private void Execute(byte opcode)
    {
        switch (opcode)
        {
            case 0x80: CheckProtocol(reader.ReadByte()); break;
            case 0x95: reader.CheckFrame(reader.ReadUInt64()); break;

            case (byte)'(': _marks.Add(_stack.Count); break;
            case (byte)'0': Discard(); break;
            case (byte)'1': PopToMark(); break;
            case (byte)'2': Repeat(Peek()); break;

            case (byte)'N': Push(null); break;
            case 0x88: Push(true); break;
            case 0x89: Push(false); break;
            case (byte)'I': PushIntegerLine(); break;
            case (byte)'L': Push(PickleEscapes.ParseInteger(reader.ReadLine()) ?? throw Malformed()); break;
            case (byte)'J': Push((long)reader.ReadInt32()); break;
            case (byte)'K': Push((long)reader.ReadByte()); break;
            case (byte)'M': Push((long)reader.ReadUInt16()); break;
            case 0x8a: PushInteger(reader.ReadByte()); break;
            case 0x8b: PushInteger(reader.ReadInt32()); break;
            case (byte)'F': PushFloatLine(); break;
            case (byte)'G': Push(reader.ReadDouble()); break;

            case (byte)'S': Push(PickleEscapes.Unquote(reader.ReadLine()) ?? throw Malformed()); break;
            case (byte)'U': Push(reader.ReadByteString(reader.ReadByte())); break;
            case (byte)'T': Push(reader.ReadByteString(Length(reader.ReadInt32()))); break;
            case (byte)'V': Push(PickleEscapes.UnescapeUnicode(reader.ReadLine()) ?? throw Malformed()); break;
            case 0x8c: Push(reader.ReadUnicode(reader.ReadByte())); break;
            case (byte)'X': Push(reader.ReadUnicode(reader.ReadUInt32())); break;
            case 0x8d: Push(reader.ReadUnicode(reader.ReadUInt64())); break;
            case (byte)'C': PushObject(reader.ReadBytes(reader.ReadByte())); break;
            case (byte)'B': PushObject(reader.ReadBytes(reader.ReadUInt32())); break;
            case 0x8e or 0x96: PushObject(reader.ReadBytes(reader.ReadUInt64())); break;

            case (byte)')': Push(Array.Empty<object?>()); break;
            case (byte)'t': PushObject(PopToMark()); break;
            case 0x85: PushObject(PopMany(1)); break;
            case 0x86: PushObject(PopMany(2)); break;
            case 0x87: PushObject(PopMany(3)); break;
            case (byte)']': PushObject(new PickleList([])); break;
            case (byte)'l': PushObject(new PickleList([.. PopToMark()])); break;
            case (byte)'a': Append(PopMany(1)); break;
            case (byte)'e': Append(PopToMark()); break;
            case (byte)'}': PushObject(new PickleDict()); break;
            case (byte)'d': PushDict(PopToMark()); break;
            case (byte)'s': SetItems(PopMany(2)); break;
            case (byte)'u': SetItems(PopToMark()); break;
            case 0x8f: PushObject(new PickleSet()); break;
            case 0x90: AddItems(); break;
            case 0x91: PushSet(PopToMark()); break;

            case (byte)'g': Get(MemoLine()); break;
            case (byte)'h': Get(reader.ReadByte()); break;
            case (byte)'j': Get(reader.ReadUInt32()); break;
            case (byte)'p': Put(MemoLine()); break;
            case (byte)'q': Put(reader.ReadByte()); break;
            case (byte)'r': Put(reader.ReadUInt32()); break;
            case 0x94: Put(_memo.Count); break;

            case (byte)'c': PushObject(Global(reader.ReadLine(), reader.ReadLine())); break;
            case 0x93: StackGlobal(); break;
            case (byte)'R': Call(PopMany(2)); break;
            case 0x81: Call(PopMany(2)); break;
            case 0x92: CallWithKeywords(PopMany(3)); break;
            case (byte)'i': Call(Global(reader.ReadLine(), reader.ReadLine()), PopToMark()); break;
            case (byte)'o': CallInstance(PopToMark()); break;
            case (byte)'b': Build(PopMany(1)[0]); break;
            case (byte)'P': PushObject(persistentLoad(reader.ReadLine())); break;
            case (byte)'Q': PushObject(persistentLoad(Pop())); break;

            case 0x82 or 0x83 or 0x84: throw reader.Error("uses the extension registry, which no checkpoint needs,");
            case 0x97 or 0x98: throw reader.Error("refers to buffers outside the file");
            default: throw reader.Error($"has the unknown instruction 0x{opcode:x2}");
        }
    }

    private void CheckProtocol(byte protocol)
    {
        if (protocol > 5)
            throw reader.Error($"has protocol {protocol}, and 5 is the newest that is known,");
    }

    private ulong Length(int length) => length >= 0 ? (ulong)length : throw Malformed();

    private void PushIntegerLine()
    {
        string text = reader.ReadLine();
        Push(text switch { "00" => false, "01" => true, _ => PickleEscapes.ParseInteger(text) ?? throw Malformed() });
    }

    private void PushFloatLine()
    {
        string text = reader.ReadLine();
        double value = 0;
        bool valid = text.Length <= MaxFloatDigits && double.TryParse(
            text, System.Globalization.NumberStyles.Float,
            System.Globalization.CultureInfo.InvariantCulture, out value);
        Push(valid ? value : throw Malformed());
    }

    private void PushInteger(int bytes)
    {
        if (bytes is < 0 or > MaxIntegerBytes)
            throw reader.Error($"has an integer of {bytes} bytes");
        Push(PickleEscapes.Narrow(new BigInteger(reader.Take(bytes))));
    }

    private void PushDict(object?[] items)
    {
        PushObject(new PickleDict());
        SetItems(items);
    }

    private void SetItems(object?[] items)
    {
        if (items.Length % 2 != 0)
            throw Malformed();
        reader.Budget.Hold(items.Length / 2 * BytesOfEntry);
        switch (Peek())
        {
            case PickleDict dict:
                for (int i = 0; i < items.Length; i += 2)
                    dict.Set(items[i], items[i + 1]);
                break;
            case PickleObject other:
                for (int i = 0; i < items.Length; i += 2)
                    other.Set(items[i], items[i + 1]);
                break;
            default:
                throw Malformed();
        }
    }

    private void Append(object?[] items)
    {
        reader.Budget.Hold(items.Length * BytesOfPlace);
        if (Peek() is PickleList list)
            list.Items.AddRange(items);
        else if (Peek() is not PickleObject)
            throw Malformed();
    }

    private void AddItems()
    {
        object?[] items = PopToMark();
        reader.Budget.Hold(items.Length * BytesOfEntry);
        if (Peek() is PickleSet set)
            set.Add(items);
        else if (Peek() is not PickleObject)
            throw Malformed();
    }

    private void PushSet(object?[] items)
    {
        var set = new PickleSet();
        reader.Budget.Hold(items.Length * BytesOfEntry);
        set.Add(items);
        PushObject(set);
    }

    private long MemoLine() =>
        PickleEscapes.ParseInteger(reader.ReadLine()) is long index and >= 0 ? index : throw Malformed();

    private void Put(long index)
    {
        // Pickle counts them up from 0. Numbers without a bound could be chosen so that all fall into one bucket.
        if (index > MaxOpcodes)
            throw reader.Error($"stores a value under the number {index}, which is more than any pickle has values");
        reader.Budget.Hold(BytesOfEntry);
        _memo[index] = Peek();
    }

    private void Get(long index) =>
        Repeat(_memo.TryGetValue(index, out object? value)
            ? value
            : throw reader.Error($"asks for the value {index} that it never stored"));

    private void StackGlobal()
    {
        object?[] names = PopMany(2);
        PushObject(names is [string module, string name] ? Global(module, name) : throw Malformed());
    }

    private PickleGlobal Global(string module, string name) =>
        PickleGlobal.Of(module, name)
        ?? throw reader.Error($"names a class by {module.Length + name.Length} characters, which no library does,");

    private void Call(object?[] functionAndArguments)
    {
        if (functionAndArguments is not [{ } function, object?[] arguments])
            throw Malformed();
        Call(function, arguments);
    }

    private void CallWithKeywords(object?[] parts)
    {
        if (parts is not [{ } function, object?[] arguments, PickleDict])
            throw Malformed();
        Call(function, arguments);
    }

    private void CallInstance(object?[] classAndArguments)
    {
        if (classAndArguments is not [{ } type, .. object?[] arguments])
            throw Malformed();
        Call(type, arguments);
    }

    /// <summary>Functions and classes have names; what else is called was itself made by a call.</summary>
    private void Call(object function, object?[] arguments) => PushObject(function switch
    {
        PickleGlobal named => calls.Call(named, arguments),
        PickleObject made => new PickleObject(made.Type) { Arguments = arguments },
        _ => throw Malformed(),
    });

    private void Build(object? state)
    {
        if (!calls.TryBuild(Peek(), state))
            throw Malformed();
    }

    private void Push(object? value)
    {
        reader.Budget.Hold(BytesOf(value));
        _stack.Add(value);
    }

    /// <summary>One that was pushed before.</summary>
    private void Repeat(object? value)
    {
        reader.Budget.Hold(sizeof(long));
        _stack.Add(value);
    }

    private void PushObject(object? value)
    {
        if (++_objects > MaxObjects)
            throw reader.Error("has more than a million objects");
        Push(value);
    }

    /// <summary>Of a value and its place on the stack, roughly and without its items.</summary>
    private static int BytesOf(object? value) => value switch
    {
        null or bool => sizeof(long),
        long or double => 32,
        string text => 32 + 2 * text.Length,
        object?[] tuple => 32 + sizeof(long) * tuple.Length,
        PickleGlobal global => 100 + 4 * global.FullName.Length,
        PickleDict or PickleSet => 150,
        PickleObject or PickleList => 100,
        StoredTensor or NumpyArray => 400,
        _ => 200,
    };

    /// <summary>Values below the last mark are out of reach, as in Python.</summary>
    private int Floor => _marks.Count > 0 ? _marks[^1] : 0;

    private object? Peek() => _stack.Count > Floor ? _stack[^1] : throw Underflow();

    private object? Pop()
    {
        object? value = Peek();
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    private void Discard()
    {
        if (_marks.Count > 0 && _marks[^1] == _stack.Count)
            _marks.RemoveAt(_marks.Count - 1);
        else
            Pop();
    }

    private object?[] PopMany(int count)
    {
        int start = _stack.Count - count;
        return start >= Floor ? CutFrom(start) : throw Underflow();
    }

    private object?[] PopToMark()
    {
        if (_marks.Count == 0)
            throw Underflow();
        int start = _marks[^1];
        _marks.RemoveAt(_marks.Count - 1);
        return CutFrom(start);
    }

    private object?[] CutFrom(int start)
    {
        var items = new object?[_stack.Count - start];
        _stack.CopyTo(start, items, 0, items.Length);
        _stack.RemoveRange(start, items.Length);
        return items;
    }

    private ModelException Underflow() => reader.Error("takes more values than it has");

    private ModelException Malformed() => reader.Error("is malformed");
}
