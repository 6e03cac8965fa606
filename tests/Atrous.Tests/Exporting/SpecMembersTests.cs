using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Atrous.Checkpoints.Dialects;
using Atrous.Graph;
using Atrous.Specs;

namespace Atrous.Tests.Exporting;

/// <summary>
/// Specs are written by generated code and read by hand: no member is forgotten, and none is taken for another.
/// </summary>
public sealed class SpecMembersTests
{
    public static TheoryData<Type> Kinds =>
    [
        .. typeof(NetworkSpec).Assembly.GetTypes().Where(type => !type.IsAbstract
            && (type.IsSubclassOf(typeof(BackboneSpec)) || type.IsSubclassOf(typeof(HeadSpec)))),
    ];

    /// <summary>
    /// Every member has a value of its own, and none its default; then the flags by the bits of their number, so that
    /// two that were taken for each other would differ in one of the networks.
    /// </summary>
    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_member_survives(Type kind)
    {
        foreach (int? bit in new int?[] { null, 0, 1, 2, 3, 4 })
        {
            string json = DescriptionJson.Write(Network(new Filling { FlagBit = bit }.Whole(kind)));
            Assert.Equal(json, DescriptionJson.Write(DescriptionJson.ReadNetwork(json)));
        }
    }

    /// <summary>A file that was written before a member existed leaves it out, and means its default.</summary>
    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_member_that_is_left_out_has_its_default(Type kind)
    {
        string whole = DescriptionJson.Write(Network(new Filling(onlyRequired: true).Whole(kind)));
        JsonNode json = JsonNode.Parse(whole)!;
        JsonObject part = json[kind.IsSubclassOf(typeof(HeadSpec)) ? "head" : "backbone"]!.AsObject();
        foreach (PropertyInfo property in kind.GetProperties().Where(property => !Filling.IsRequired(property)))
            part.Remove(JsonNamingPolicy.CamelCase.ConvertName(property.Name));
        Assert.Equal(whole, DescriptionJson.Write(DescriptionJson.ReadNetwork(json.ToJsonString())));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_member_that_nobody_knows_is_refused(Type kind)
    {
        JsonNode json = JsonNode.Parse(DescriptionJson.Write(Network(new Filling().Whole(kind))))!;
        json[kind.IsSubclassOf(typeof(HeadSpec)) ? "head" : "backbone"]!["madeUp"] = 1;
        JsonException error = Assert.Throws<JsonException>(() => DescriptionJson.ReadNetwork(json.ToJsonString()));
        Assert.Contains("'madeUp'", error.Message);
    }

    [Theory]
    [InlineData(typeof(ResizePolicy.None))]
    [InlineData(typeof(ResizePolicy.ShortSide))]
    [InlineData(typeof(ResizePolicy.LongSide))]
    [InlineData(typeof(ResizePolicy.Within))]
    [InlineData(typeof(ResizePolicy.Stretch))]
    [InlineData(typeof(ResizePolicy.Letterbox))]
    public void Every_member_of_the_preprocessing_survives(Type resize)
    {
        var filling = new Filling();
        PreprocessingSpec spec = (PreprocessingSpec)filling.Whole(typeof(PreprocessingSpec), resize);
        string json = DescriptionJson.Write(spec);
        Assert.Equal(json, DescriptionJson.Write(DescriptionJson.ReadPreprocessing(json, spec.Mean.Count)));
    }

    [Fact]
    public void Every_member_of_the_8_bits_survives()
    {
        var spec = (QuantizationSpec)new Filling().Whole(typeof(QuantizationSpec));
        string json = DescriptionJson.Write(spec);
        Assert.Equal(json, DescriptionJson.Write(DescriptionJson.ReadQuantization(json)));
    }

    private static NetworkSpec Network(object part)
    {
        var filling = new Filling();
        var network = (NetworkSpec)filling.Whole(typeof(NetworkSpec), part.GetType());
        return part is HeadSpec head
            ? network with { Head = head }
            : network with { Backbone = (BackboneSpec)part };
    }

    /// <summary>
    /// Makes objects whose members all differ from their defaults, and numbers that differ from all others.
    /// </summary>
    private sealed class Filling(bool onlyRequired = false)
    {
        private int _number = 10, _flag;

        /// <summary>The bit of a flag's number that it is; null for what is not its default.</summary>
        public int? FlagBit { get; init; }

        public static bool IsRequired(PropertyInfo property) => property.IsDefined(typeof(RequiredMemberAttribute));

        /// <param name="type">The class of the object.</param>
        /// <param name="kind">What stands for an abstract member that is a base of it.</param>
        public object Whole(Type type, Type? kind = null)
        {
            ConstructorInfo constructor = type.GetConstructors()
                .Where(made => made.GetParameters().All(parameter => parameter.ParameterType != type))
                .MaxBy(made => made.GetParameters().Length)!;
            object whole = constructor.Invoke(
                [.. constructor.GetParameters().Select(parameter => Value(parameter.ParameterType, null, kind))]);
            foreach (PropertyInfo property in type.GetProperties().Where(property => property.SetMethod is not null))
            {
                bool isGiven = constructor.GetParameters().Any(parameter => parameter.Name == property.Name);
                if (!isGiven && (!onlyRequired || IsRequired(property)))
                    property.SetValue(whole, Value(property.PropertyType, property.GetValue(whole), kind));
            }
            return whole;
        }

        private object Value(Type type, object? standard, Type? kind)
        {
            type = Nullable.GetUnderlyingType(type) ?? type;
            if (type == typeof(bool))
                return FlagBit is { } bit ? (_flag++ >> bit & 1) != 0 : standard is not true;
            if (type == typeof(string))
                return $"text {_number++}";
            if (type == typeof(byte))
                return (byte)_number++;
            if (type == typeof(float))
                return _number++ / 64f;
            if (type == typeof(double))
                return _number++ / 64.0;
            if (type == typeof(int))
                return _number++;
            if (type == typeof((int, int)))
                return (_number++, _number++);
            if (type.IsEnum)
                return Enum.GetValues(type).Cast<object>().Last(value => !Equals(value, standard));
            if (type == typeof(Activation))
                return Activation.LeakyRelu(_number++ / 64f);
            if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>))
                return List(type.GetGenericArguments()[0], kind);
            if (type == typeof(IReadOnlyDictionary<string, float>))
                return new Dictionary<string, float> { ["a"] = _number++ / 64f, ["b"] = _number++ / 64f };
            if (type == typeof(IReadOnlyDictionary<string, int>))
                return new Dictionary<string, int> { ["b"] = _number++ };
            if (!type.IsAbstract)
                return Whole(type, kind);
            return kind?.IsSubclassOf(type) == true ? Whole(kind)
                : type == typeof(BackboneSpec) ? Whole(typeof(VggSpec))
                : type == typeof(HeadSpec) ? Whole(typeof(DeepLabV2HeadSpec))
                : throw new InvalidOperationException(type.Name);
        }

        private Array List(Type type, Type? kind)
        {
            var list = Array.CreateInstance(type, 2);
            for (int i = 0; i < list.Length; i++)
                list.SetValue(Value(type, null, kind), i);
            return list;
        }
    }
}
