using System.Text;
using System.Xml;

namespace ChatPay.Server.Ledger;

/// <summary>What the two XML forms share: an XML writer in memory that closes whatever is open at the end.</summary>
internal abstract class XmlStatementWriter : StatementWriter
{
    protected XmlStatementWriter() => Xml = XmlWriter.Create(
        Output, new XmlWriterSettings { Encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false) });

    protected XmlWriter Xml { get; }

    public override void End() => Xml.WriteEndDocument();

    protected void Open(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            Xml.WriteStartElement(name);
        }
    }

    protected void Close(int levels = 1)
    {
        for (var level = 0; level < levels; level++)
        {
            Xml.WriteEndElement();
        }
    }

    protected void Leaf(string name, string text)
    {
        Xml.WriteStartElement(name);
        Xml.WriteString(text);
        Xml.WriteEndElement();
    }

    /// <summary>A leaf that is left out where there is nothing to say; neither form knows empty ones.</summary>
    protected void LeafIf(string name, string? text)
    {
        if (text is not null)
        {
            Leaf(name, text);
        }
    }

    protected override void Flush() => Xml.Flush();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            // Not by Xml.Dispose, which would complete a document that was given up half way.
            Output.SetLength(0);
        }

        base.Dispose(disposing);
    }
}
