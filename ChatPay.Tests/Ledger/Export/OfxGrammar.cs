using System.Text.RegularExpressions;
using System.Xml.Linq;
using ChatPay.Core.Ledger;

namespace ChatPay.Tests.Ledger;

/// <summary>
/// The part of OFX 2.2 that a statement download uses, from the specification's sections 2.5 (sign-on), 3.1 (common
/// elements) and 11.4 (statement download): order, how often, and the form of each leaf.
/// </summary>
internal static partial class OfxGrammar
{
    private const string Rules =
        """
        OFX: SIGNONMSGSRSV1=SignonResponseMessageSetV1 SIGNUPMSGSRSV1=-? BANKMSGSRSV1=BankResponseMessageSetV1?
        SignonResponseMessageSetV1: SONRS=SignonResponse PINCHTRNRS=-? CHALLENGETRNRS=-?
        SignonResponse: STATUS=Status DTSERVER=DateTimeType USERKEY=-? TSKEYEXPIRE=-? LANGUAGE=LanguageEnum
            DTPROFUP=-? DTUSERUP=-? DTACCTUP=-? FI=-? SESSCOOKIE=-? ACCESSKEY=-?
        Status: CODE=StatusCode SEVERITY=SeverityEnum MESSAGE=MessageType?
        BankResponseMessageSetV1: STMTTRNRS=StatementTransactionResponse+
        StatementTransactionResponse: TRNUID=UniqueIdType STATUS=Status CLTCOOKIE=-? OFXEXTENSION=-? STMTRS=StatementResponse?
        StatementResponse: CURDEF=CurrencyEnum BANKACCTFROM=BankAccount BANKTRANLIST=BankTransactionList?
            BANKTRANLISTP=-? LEDGERBAL=Balance AVAILBAL=Balance? CASHADVBALAMT=-? INTRATE=-? BALLIST=-? MKTGINFO=-?
        BankAccount: BANKID=BankIdType BRANCHID=AccountIdType? ACCTID=AccountIdType ACCTTYPE=AccountEnum
            ACCTKEY=AccountIdType?
        BankTransactionList: DTSTART=DateTimeType DTEND=DateTimeType STMTTRN=StatementTransaction*
        StatementTransaction: TRNTYPE=TransactionEnum DTPOSTED=DateTimeType DTUSER=-? DTAVAIL=-? TRNAMT=AmountType
            FITID=TransactionIdType CORRECTFITID=-? CORRECTACTION=-? SRVRTID=-? CHECKNUM=-? REFNUM=-? SIC=-?
            PAYEEID=-? NAME=NameType? EXTDNAME=-? BANKACCTTO=-? CCACCTTO=-? MEMO=MessageType? IMAGEDATA=-* CURRENCY=-?
            ORIGCURRENCY=-? INV401KSOURCE=-?
        Balance: BALAMT=AmountType DTASOF=DateTimeType
        """;

    private static readonly XmlGrammar s_grammar = new(
        Rules,
        new Dictionary<string, Func<string, bool>>(StringComparer.Ordinal)
        {
            ["DateTimeType"] = text => Time().IsMatch(text),
            ["LanguageEnum"] = text => text == "ENG",
            ["StatusCode"] = text => text == "0",
            ["SeverityEnum"] = text => text == "INFO",
            ["MessageType"] = text => text.Length is >= 1 and <= 255,
            ["UniqueIdType"] = text => text.Length is >= 1 and <= 36,
            ["CurrencyEnum"] = text => text.Length == 3
                && Iso4217.IsCurrency(new Asset(AssetCode.Parse(text), 0, AssetKind.Currency)),
            ["BankIdType"] = text => text.Length is >= 1 and <= 9,
            ["AccountIdType"] = text => text.Length is >= 1 and <= 22,
            ["AccountEnum"] = text => text is "CHECKING" or "SAVINGS" or "MONEYMRKT" or "CREDITLINE" or "CD",
            ["TransactionEnum"] = text => text is "CREDIT" or "DEBIT",
            ["AmountType"] = text => text.Length is >= 1 and <= 32 && Amount().IsMatch(text),
            ["TransactionIdType"] = text => text.Length is >= 1 and <= 255,
            ["NameType"] = text => text.Length is >= 1 and <= 32,
        },
        XNamespace.None);

    /// <summary>The document, and the two instructions before it by which programs know the file.</summary>
    public static IReadOnlyList<string> Check(string text, XDocument document)
    {
        var findings = s_grammar.Check(document, "OFX").ToList();
        const string declarations = """<?xml version="1.0" encoding="utf-8" standalone="no"?>"""
            + """<?OFX OFXHEADER="200" VERSION="220" SECURITY="NONE" OLDFILEUID="NONE" NEWFILEUID="NONE"?><OFX>""";
        if (!text.StartsWith(declarations, StringComparison.Ordinal))
        {
            findings.Add($"it begins with {text[..Math.Min(text.Length, declarations.Length)]}");
        }

        var ids = document.Descendants("FITID").Select(id => id.Value).ToList();
        if (ids.Distinct(StringComparer.Ordinal).Count() < ids.Count)
        {
            findings.Add("a FITID is used twice");
        }

        return findings;
    }

    [GeneratedRegex(
        @"^[0-9]{4}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])([01][0-9]|2[0-3])[0-5][0-9]([0-5][0-9]|60)\.[0-9]{3}\[0:GMT\]\z",
        RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Time();

    [GeneratedRegex(@"^-?[0-9]+(\.[0-9]{1,9})?\z", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Amount();
}
