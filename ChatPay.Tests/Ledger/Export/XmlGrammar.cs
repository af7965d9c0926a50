using System.Xml.Linq;

namespace ChatPay.Tests.Ledger;

/// <summary>
/// Checks an XML document against rules written from its standard, a line for each type, continued by indented ones:
/// <code>
/// Name: child=Type child=Type? child=Type* child=Type+     children in this order
/// Name: | child=Type child=Type                            one of these
/// </code>
/// A type that no line describes is a leaf, which has no children and is checked by the predicate of its name. The type
/// <c>-</c> stands for what the standard has and we do not use: where it turns up, its rule is to be written first.
/// </summary>
internal sealed class XmlGrammar(
    string rules, IReadOnlyDictionary<string, Func<string, bool>> leaves, XNamespace space)
{
    private readonly Dictionary<string, Rule> _rules = rules
        .Replace("\r", "", StringComparison.Ordinal)
        .Replace("\n    ", " ", StringComparison.Ordinal)
        .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        .Select(Rule.Parse)
        .ToDictionary(rule => rule.Name, StringComparer.Ordinal);

    /// <summary>Every place that breaks a rule, with its path; nothing where the document is valid.</summary>
    public IReadOnlyList<string> Check(XDocument document, string type)
    {
        var findings = new List<string>();
        Check(document.Root!, type, document.Root!.Name.LocalName, findings);
        return findings;
    }

    private void Check(XElement element, string type, string path, List<string> findings)
    {
        if (element.Name.Namespace != space)
        {
            findings.Add($"{path}: namespace '{element.Name.Namespace}'");
        }

        var allowed = type.Split('@');
        foreach (var attribute in element.Attributes().Where(attribute => !attribute.IsNamespaceDeclaration))
        {
            if (allowed.Length < 2 || attribute.Name.LocalName != allowed[1] || !leaves[allowed[1]](attribute.Value))
            {
                findings.Add($"{path}: attribute {attribute}");
            }
        }

        if (allowed.Length == 2 && element.Attribute(allowed[1]) is null)
        {
            findings.Add($"{path}: no attribute {allowed[1]}");
        }

        if (type == "-")
        {
            findings.Add($"{path}: no rule has been written for this");
        }
        else if (!_rules.TryGetValue(type, out var rule))
        {
            if (element.HasElements || !leaves[allowed[0]](element.Value))
            {
                findings.Add($"{path}: '{element.Value}' is no {type}");
            }
        }
        else if (rule.OneOf)
        {
            CheckChoice(element, rule, path, findings);
        }
        else
        {
            CheckSequence(element, rule, path, findings);
        }
    }

    private void CheckChoice(XElement element, Rule rule, string path, List<string> findings)
    {
        var children = element.Elements().ToList();
        var part = rule.Parts.FirstOrDefault(part => part.Child == children.FirstOrDefault()?.Name.LocalName);
        if (children.Count != 1 || part is null)
        {
            findings.Add($"{path}: {children.Count} children, or none of {rule.Name}");
        }
        else
        {
            Check(children[0], part.Type, $"{path}/{part.Child}", findings);
        }
    }

    private void CheckSequence(XElement element, Rule rule, string path, List<string> findings)
    {
        if (element.Nodes().OfType<XText>().Any(text => !string.IsNullOrWhiteSpace(text.Value)))
        {
            findings.Add($"{path}: text between elements");
        }

        var children = new Queue<XElement>(element.Elements());
        foreach (var part in rule.Parts)
        {
            var count = 0;
            while (children.TryPeek(out var child) && child.Name.LocalName == part.Child)
            {
                count++;
                Check(children.Dequeue(), part.Type, $"{path}/{part.Child}", findings);
            }

            if (count < part.Min || count > part.Max)
            {
                findings.Add($"{path}: {count} of {part.Child}");
            }
        }

        if (children.TryDequeue(out var left))
        {
            findings.Add($"{path}: {left.Name.LocalName} is not in its place in {rule.Name}");
        }
    }

    private sealed record Part(string Child, string Type, int Min, int Max)
    {
        public static Part Parse(string text)
        {
            var many = text[^1] is '?' or '*' or '+' ? text[^1] : ' ';
            var sides = text.TrimEnd('?', '*', '+').Split('=');
            return new Part(
                sides[0], sides[1], many is '?' or '*' ? 0 : 1, many is '*' or '+' ? int.MaxValue : 1);
        }
    }

    private sealed record Rule(string Name, bool OneOf, IReadOnlyList<Part> Parts)
    {
        public static Rule Parse(string line)
        {
            var sides = line.Split(": ", 2);
            var words = sides[1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return new Rule(
                sides[0], words[0] == "|", [.. words.Where(word => word != "|").Select(Part.Parse)]);
        }
    }
}
