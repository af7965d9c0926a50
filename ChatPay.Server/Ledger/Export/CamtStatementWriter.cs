using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;

namespace ChatPay.Server.Ledger;

/// <summary>
/// ISO 20022 camt.053.001.08, BankToCustomerStatement. Only what moved money is an Ntry; what is on hold is the difference
/// between the closing booked (CLBD) and the closing available balance (CLAV).
/// </summary>
internal sealed class CamtStatementWriter : XmlStatementWriter
{
    public static readonly StatementFormat Format = new(
        "camt053", "application/xml", "camt053.xml", Refuse, () => new CamtStatementWriter());

    internal const string Namespace = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08";

    private const int FractionDigitsMax = 5;

    /// <summary>An amount has 18 digits at most.</summary>
    private const long AmountMaxMinor = 999_999_999_999_999_999;

    private const int NameMaxChars = 140;
    private const int InformationMaxChars = 500;
    private const string Issuer = "ChatPay";

    private StatementHead _head = null!;

    public override void Begin(StatementHead head)
    {
        _head = head;
        Xml.WriteStartDocument();
        Xml.WriteStartElement("Document", Namespace);
        Open("BkToCstmrStmt", "GrpHdr");
        Leaf("MsgId", IdOf(head, head.CreatedAt));
        Leaf("CreDtTm", Instants.Text(head.CreatedAt));
        Close();

        Open("Stmt");

        // The same period of the same account is the same statement, so that who imports it twice is told.
        Leaf("Id", IdOf(head, null));
        Leaf("ElctrncSeqNb", head.Closing.Version.ToString(CultureInfo.InvariantCulture));
        Leaf("CreDtTm", Instants.Text(head.CreatedAt));
        Open("FrToDt");
        Leaf("FrDtTm", Instants.Text(head.Start));
        Leaf("ToDtTm", Instants.Text(head.To));
        Close();
        WriteAccount();
        WriteBalance("OPBD", head.Opening.BalanceMinor, head.Start);
        WriteBalance("CLBD", head.Closing.BalanceMinor, head.To);
        WriteBalance("CLAV", head.Closing.BalanceMinor - head.Closing.HeldMinor, head.To);
        WriteSummary(head.Totals);
    }

    public override void Write(StatementEntry entry)
    {
        if (entry.PostedMinor == 0)
        {
            return;
        }

        Open("Ntry");
        Leaf("NtryRef", entry.Version.ToString(CultureInfo.InvariantCulture));
        WriteAmount(entry.PostedMinor);
        Open("Sts");
        Leaf("Cd", "BOOK");
        Close();
        WriteTime("BookgDt", entry.At);
        WriteTime("ValDt", entry.At);
        Leaf("AcctSvcrRef", Hex(entry.Transfer));
        WriteTransactionCode(entry);
        Open("NtryDtls", "TxDtls", "Refs");
        Leaf("AcctSvcrRef", Hex(entry.Transfer));

        // What both sides know the payment by; the standard's word where there is nothing of the kind.
        Leaf("EndToEndId", entry.Card is { } card ? Hex(card.Value) : "NOTPROVIDED");
        Close();
        WriteAmount(entry.PostedMinor);
        WriteParties(entry);
        Close(2);
        LeafIf("AddtlNtryInf", StatementText.Fit(StatementText.Describe(entry), InformationMaxChars));
        Close();
    }

    private static Error? Refuse(StatementHead head)
    {
        if (!Iso4217.IsCurrency(head.Asset))
        {
            return new Error(
                ErrorCode.InvalidArgument,
                $"camt.053 knows only currencies of ISO 4217, and {head.Asset.Code} is none. Take csv or json.");
        }

        if (head.Asset.Exponent > FractionDigitsMax)
        {
            return new Error(
                ErrorCode.InvalidArgument,
                $"camt.053 writes at most {FractionDigitsMax} decimals, and {head.Asset.Code} has "
                + $"{head.Asset.Exponent} here. Take csv, json or ofx.");
        }

        Int128[] amounts =
        [
            head.Opening.BalanceMinor, head.Closing.BalanceMinor,
            (Int128)head.Closing.BalanceMinor - head.Closing.HeldMinor,
            head.Totals.CreditsMinor + head.Totals.DebitsMinor,
        ];
        return amounts.All(amount => Int128.Abs(amount) <= AmountMaxMinor)
            ? null
            : new Error(
                ErrorCode.InvalidArgument,
                "camt.053 writes amounts of at most 18 digits, and a sum here has more. Take a shorter period, or csv.");
    }

    private static string Hex(Guid id) => id.ToString("N", CultureInfo.InvariantCulture);

    /// <summary>32 of the 35 characters there are, from what makes the statement this one.</summary>
    private static string IdOf(StatementHead head, DateTimeOffset? createdAt)
    {
        object?[] parts =
        [
            "chatpay statement v1", head.Account, head.Opening.Version, head.Closing.Version, head.Start.UtcTicks,
            head.To.UtcTicks, createdAt?.UtcTicks,
        ];
        return Convert.ToHexStringLower(
            SHA256.HashData(Encoding.UTF8.GetBytes(string.Join(' ', parts))).AsSpan(0, 16));
    }

    private void WriteAccount()
    {
        Open("Acct", "Id", "Othr");
        Leaf("Id", Hex(_head.Account.Value));
        WriteScheme("ledger account");
        Close(2);
        Leaf("Ccy", _head.Asset.Code.Value);
        WriteParty("Ownr", _head.Owner);
        Close();
    }

    private void WriteScheme(string name)
    {
        Open("SchmeNm");
        Leaf("Prtry", name);
        Close();
        Leaf("Issr", Issuer);
    }

    private void WriteParty(string name, AccountView party)
    {
        Open(name);
        LeafIf("Nm", StatementText.Fit(party.DisplayName, NameMaxChars));
        Open("Id", "PrvtId", "Othr");
        Leaf("Id", party.Handle);
        WriteScheme("handle");
        Close(4);
    }

    /// <summary>Who paid and who was paid; of the play money only the owner is anybody.</summary>
    private void WriteParties(StatementEntry entry)
    {
        var (debtor, creditor) = entry.PostedMinor < 0
            ? (_head.Owner, entry.Counterparty)
            : (entry.Counterparty, _head.Owner);
        Open("RltdPties");
        WriteSide("Dbtr", debtor);
        WriteSide("Cdtr", creditor);
        Close();
    }

    private void WriteSide(string name, AccountView? party)
    {
        if (party is not null)
        {
            Open(name);
            WriteParty("Pty", party);
            Close();
        }
    }

    /// <summary>
    /// To ISO every movement is a book transfer within one institution, issued or received; the ledger's own kind is beside it.
    /// </summary>
    private void WriteTransactionCode(StatementEntry entry)
    {
        Open("BkTxCd", "Domn");
        Leaf("Cd", "PMNT");
        Open("Fmly");
        Leaf("Cd", entry.PostedMinor < 0 ? "ICDT" : "RCDT");
        Leaf("SubFmlyCd", "BOOK");
        Close(2);
        Open("Prtry");
        Leaf("Cd", entry.Kind);
        Leaf("Issr", Issuer);
        Close(2);
    }

    private void WriteBalance(string code, long balanceMinor, DateTimeOffset at)
    {
        Open("Bal", "Tp", "CdOrPrtry");
        Leaf("Cd", code);
        Close(2);
        WriteAmount(balanceMinor);
        WriteTime("Dt", at);
        Close();
    }

    private void WriteSummary(StatementTotals totals)
    {
        Open("TxsSummry", "TtlNtries");
        Leaf("NbOfNtries", (totals.Credits + totals.Debits).ToString(CultureInfo.InvariantCulture));
        Leaf("Sum", Text(totals.CreditsMinor + totals.DebitsMinor));
        Open("TtlNetNtry");
        var net = totals.CreditsMinor - totals.DebitsMinor;
        Leaf("Amt", Text(Int128.Abs(net)));
        Leaf("CdtDbtInd", Side(net < 0));
        Close(2);
        Open("TtlCdtNtries");
        Leaf("NbOfNtries", totals.Credits.ToString(CultureInfo.InvariantCulture));
        Leaf("Sum", Text(totals.CreditsMinor));
        Close();
        Open("TtlDbtNtries");
        Leaf("NbOfNtries", totals.Debits.ToString(CultureInfo.InvariantCulture));
        Leaf("Sum", Text(totals.DebitsMinor));
        Close(2);
    }

    /// <summary>The amount without its sign, and the side it is on. Nothing is on the credit side.</summary>
    private void WriteAmount(long amountMinor)
    {
        Xml.WriteStartElement("Amt");
        Xml.WriteAttributeString("Ccy", _head.Asset.Code.Value);
        Xml.WriteString(Text(Int128.Abs(amountMinor)));
        Xml.WriteEndElement();
        Leaf("CdtDbtInd", Side(amountMinor < 0));
    }

    private void WriteTime(string name, DateTimeOffset at)
    {
        Open(name);
        Leaf("DtTm", Instants.Text(at));
        Close();
    }

    // Beyond 64 bits nothing is written: it was refused.
    private string Text(Int128 amountMinor) => _head.Text((long)amountMinor);

    private static string Side(bool debit) => debit ? "DBIT" : "CRDT";
}
