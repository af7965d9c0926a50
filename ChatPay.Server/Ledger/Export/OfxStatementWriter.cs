using System.Buffers.Text;
using System.Globalization;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;

namespace ChatPay.Server.Ledger;

/// <summary>
/// Open Financial Exchange 2.2: a bank statement download (specification section 11.4). Only what moved money is a STMTTRN;
/// what is on hold is the difference between LEDGERBAL and AVAILBAL.
/// </summary>
internal sealed class OfxStatementWriter : XmlStatementWriter
{
    public static readonly StatementFormat Format = new(
        "ofx", "application/x-ofx", "ofx", Refuse, () => new OfxStatementWriter());

    /// <summary>Instead of a routing number, which BANKID is in banks' files; 9 characters at most.</summary>
    private const string BankId = "CHATPAY";

    private const int NameMaxChars = 32;
    private const int MemoMaxChars = 255;

    private StatementHead _head = null!;

    public override void Begin(StatementHead head)
    {
        _head = head;
        Xml.WriteStartDocument(standalone: false);
        Xml.WriteProcessingInstruction(
            "OFX", """OFXHEADER="200" VERSION="220" SECURITY="NONE" OLDFILEUID="NONE" NEWFILEUID="NONE" """.TrimEnd());
        Open("OFX", "SIGNONMSGSRSV1", "SONRS");
        WriteSuccess();
        Leaf("DTSERVER", Time(head.CreatedAt));
        Leaf("LANGUAGE", "ENG");
        Close(2);

        Open("BANKMSGSRSV1", "STMTTRNRS");

        // A file that answers no request has this for the request's id.
        Leaf("TRNUID", "0");
        WriteSuccess();
        Open("STMTRS");
        Leaf("CURDEF", head.Asset.Code.Value);
        Open("BANKACCTFROM");
        Leaf("BANKID", BankId);
        Leaf("ACCTID", AccountIdOf(head.Account));
        Leaf("ACCTTYPE", "CHECKING");
        Close();
        Open("BANKTRANLIST");
        Leaf("DTSTART", Time(head.Start));
        Leaf("DTEND", Time(head.To));
    }

    public override void Write(StatementEntry entry)
    {
        if (entry.PostedMinor == 0)
        {
            return;
        }

        Open("STMTTRN");
        Leaf("TRNTYPE", entry.PostedMinor < 0 ? "DEBIT" : "CREDIT");
        Leaf("DTPOSTED", Time(entry.At));
        Leaf("TRNAMT", _head.Text(entry.PostedMinor));

        // A transfer touches an account once, so its id is unique there, and the same in every file that has it.
        Leaf("FITID", entry.Transfer.ToString());
        LeafIf("NAME", StatementText.Fit(entry.Counterparty?.DisplayName ?? entry.Counterparty?.Handle, NameMaxChars));
        LeafIf("MEMO", StatementText.Fit(StatementText.Describe(entry), MemoMaxChars));
        Close();
    }

    public override void End()
    {
        Close();
        WriteBalance("LEDGERBAL", _head.Closing.BalanceMinor);
        WriteBalance("AVAILBAL", _head.Closing.BalanceMinor - _head.Closing.HeldMinor);
        base.End();
    }

    /// <summary>22 characters at most: the 16 bytes of the account's id in base64url are just that.</summary>
    internal static string AccountIdOf(LedgerAccountId account) =>
        Base64Url.EncodeToString(account.Value.ToByteArray(bigEndian: true));

    private static Error? Refuse(StatementHead head) => Iso4217.IsCurrency(head.Asset)
        ? null
        : new Error(
            ErrorCode.InvalidArgument,
            $"OFX knows only currencies of ISO 4217, and {head.Asset.Code} is none. Take csv or json.");

    private static string Time(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyyMMddHHmmss.fff'[0:GMT]'", CultureInfo.InvariantCulture);

    private void WriteSuccess()
    {
        Open("STATUS");
        Leaf("CODE", "0");
        Leaf("SEVERITY", "INFO");
        Close();
    }

    private void WriteBalance(string name, long balanceMinor)
    {
        Open(name);
        Leaf("BALAMT", _head.Text(balanceMinor));
        Leaf("DTASOF", Time(_head.To));
        Close();
    }
}
