using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using ChatPay.Core.Ledger;

namespace ChatPay.Tests.Ledger;

/// <summary>
/// The part of camt.053.001.08 that statements use, field by field as the message definition report has it: order, how
/// often, and the form of each leaf. Names of types are the report's own.
/// </summary>
internal static partial class CamtGrammar
{
    public const string Root = "Document";

    private const string Rules =
        """
        Document: BkToCstmrStmt=BankToCustomerStatementV08
        BankToCustomerStatementV08: GrpHdr=GroupHeader81 Stmt=AccountStatement9+ SplmtryData=-*
        GroupHeader81: MsgId=Max35Text CreDtTm=ISODateTime MsgRcpt=-? MsgPgntn=-? OrgnlBizQry=-? AddtlInf=Max500Text?
        AccountStatement9: Id=Max35Text StmtPgntn=-? ElctrncSeqNb=Number? RptgSeq=-? LglSeqNb=Number?
            CreDtTm=ISODateTime? FrToDt=DateTimePeriod1? CpyDplctInd=-? RptgSrc=-? Acct=CashAccount39 RltdAcct=-?
            Intrst=-* Bal=CashBalance8+ TxsSummry=TotalTransactions6? Ntry=ReportEntry10* AddtlStmtInf=Max500Text?
        DateTimePeriod1: FrDtTm=ISODateTime ToDtTm=ISODateTime
        CashAccount39: Id=AccountIdentification4Choice Tp=-? Ccy=Ccy? Nm=Max70Text? Prxy=-?
            Ownr=PartyIdentification135? Svcr=-?
        AccountIdentification4Choice: | IBAN=- Othr=GenericAccountIdentification1
        GenericAccountIdentification1: Id=Max34Text SchmeNm=SchemeName1Choice? Issr=Max35Text?
        SchemeName1Choice: | Cd=External4Code Prtry=Max35Text
        PartyIdentification135: Nm=Max140Text? PstlAdr=-? Id=Party38Choice? CtryOfRes=-? CtctDtls=-?
        Party38Choice: | OrgId=- PrvtId=PersonIdentification13
        PersonIdentification13: DtAndPlcOfBirth=-? Othr=GenericPersonIdentification1*
        GenericPersonIdentification1: Id=Max35Text SchmeNm=SchemeName1Choice? Issr=Max35Text?
        CashBalance8: Tp=BalanceType13 CdtLine=-* Amt=Amount@Ccy CdtDbtInd=CreditDebitCode
            Dt=DateAndDateTime2Choice Avlbty=-*
        BalanceType13: CdOrPrtry=BalanceType10Choice SubTp=-?
        BalanceType10Choice: | Cd=BalanceCode Prtry=Max35Text
        DateAndDateTime2Choice: | Dt=- DtTm=ISODateTime
        TotalTransactions6: TtlNtries=NumberAndSumOfTransactions4? TtlCdtNtries=NumberAndSumOfTransactions1?
            TtlDbtNtries=NumberAndSumOfTransactions1? TtlNtriesPerBkTxCd=-*
        NumberAndSumOfTransactions4: NbOfNtries=Max15NumericText? Sum=DecimalNumber? TtlNetNtry=AmountAndDirection35?
        AmountAndDirection35: Amt=NonNegativeDecimalNumber CdtDbtInd=CreditDebitCode
        NumberAndSumOfTransactions1: NbOfNtries=Max15NumericText? Sum=DecimalNumber?
        ReportEntry10: NtryRef=Max35Text? Amt=Amount@Ccy CdtDbtInd=CreditDebitCode RvslInd=-?
            Sts=EntryStatus1Choice BookgDt=DateAndDateTime2Choice? ValDt=DateAndDateTime2Choice?
            AcctSvcrRef=Max35Text? Avlbty=-* BkTxCd=BankTransactionCodeStructure4 ComssnWvrInd=-? AddtlInfInd=-?
            AmtDtls=-? Chrgs=-? TechInptChanl=-? Intrst=-? CardTx=-? NtryDtls=EntryDetails9* AddtlNtryInf=Max500Text?
        EntryStatus1Choice: | Cd=EntryStatusCode Prtry=Max35Text
        BankTransactionCodeStructure4: Domn=BankTransactionCodeStructure5?
            Prtry=ProprietaryBankTransactionCodeStructure1?
        BankTransactionCodeStructure5: Cd=DomainCode Fmly=BankTransactionCodeStructure6
        BankTransactionCodeStructure6: Cd=FamilyCode SubFmlyCd=SubFamilyCode
        ProprietaryBankTransactionCodeStructure1: Cd=Max35Text Issr=Max35Text?
        EntryDetails9: Btch=-? TxDtls=EntryTransaction10*
        EntryTransaction10: Refs=TransactionReferences6? Amt=Amount@Ccy? CdtDbtInd=CreditDebitCode? AmtDtls=-?
            Avlbty=-* BkTxCd=-? Chrgs=-? Intrst=-? RltdPties=TransactionParties6? RltdAgts=-? LclInstrm=-? Purp=-?
            RltdRmtInf=-* RmtInf=-? RltdDts=-? RltdPric=-? RltdQties=-* FinInstrmId=-? Tax=-? RtrInf=-? CorpActn=-?
            SfkpgAcct=-? CshDpst=-* CardTx=-? AddtlTxInf=Max500Text? SplmtryData=-*
        TransactionReferences6: MsgId=Max35Text? AcctSvcrRef=Max35Text? PmtInfId=Max35Text? InstrId=Max35Text?
            EndToEndId=Max35Text? UETR=-? TxId=Max35Text? MndtId=Max35Text? ChqNb=Max35Text? ClrSysRef=Max35Text?
            AcctOwnrTxId=Max35Text? AcctSvcrTxId=Max35Text? MktInfrstrctrTxId=Max35Text? PrcgId=Max35Text? Prtry=-*
        TransactionParties6: InitgPty=-? Dbtr=Party40Choice? DbtrAcct=-? UltmtDbtr=-? Cdtr=Party40Choice?
            CdtrAcct=-? UltmtCdtr=-? TradgPty=-? Prtry=-*
        Party40Choice: | Pty=PartyIdentification135 Agt=-
        """;

    private static readonly XmlGrammar s_grammar = new(
        Rules,
        new Dictionary<string, Func<string, bool>>(StringComparer.Ordinal)
        {
            ["Max34Text"] = text => text.Length is >= 1 and <= 34,
            ["Max35Text"] = text => text.Length is >= 1 and <= 35,
            ["Max70Text"] = text => text.Length is >= 1 and <= 70,
            ["Max140Text"] = text => text.Length is >= 1 and <= 140,
            ["Max500Text"] = text => text.Length is >= 1 and <= 500,
            ["Max15NumericText"] = text => Digits().IsMatch(text) && text.Length is >= 1 and <= 15,
            ["Number"] = text => Digits().IsMatch(text) && text.Length is >= 1 and <= 18,
            ["ISODateTime"] = text => UtcTime().IsMatch(text)
                && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out _),
            ["Ccy"] = text => text.Length == 3
                && Iso4217.IsCurrency(new Asset(AssetCode.Parse(text), 0, AssetKind.Currency)),
            ["Amount"] = text => IsDecimal(text, totalDigits: 18, fractionDigits: 5),
            ["DecimalNumber"] = text => IsDecimal(text, totalDigits: 18, fractionDigits: 17),
            ["NonNegativeDecimalNumber"] = text => IsDecimal(text, totalDigits: 18, fractionDigits: 17),
            ["CreditDebitCode"] = text => text is "CRDT" or "DBIT",
            ["External4Code"] = text => text.Length is >= 1 and <= 4,
            ["BalanceCode"] = text => text is "OPBD" or "CLBD" or "CLAV",
            ["EntryStatusCode"] = text => text == "BOOK",
            ["DomainCode"] = text => text == "PMNT",
            ["FamilyCode"] = text => text is "ICDT" or "RCDT",
            ["SubFamilyCode"] = text => text == "BOOK",
        },
        "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08");

    public static IReadOnlyList<string> Check(XDocument document) => s_grammar.Check(document, Root);

    /// <summary>None of our decimals has a sign: which side an amount is on is said beside it.</summary>
    private static bool IsDecimal(string text, int totalDigits, int fractionDigits)
    {
        var match = Decimal().Match(text);
        return match.Success && match.Groups["fraction"].Length <= fractionDigits
            && (match.Groups["whole"].Value + match.Groups["fraction"].Value).TrimStart('0').Length <= totalDigits;
    }

    [GeneratedRegex(@"^(?<whole>[0-9]+)(\.(?<fraction>[0-9]+))?\z", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Decimal();

    [GeneratedRegex(@"^[0-9]+\z", RegexOptions.None, 1_000)]
    private static partial Regex Digits();

    [GeneratedRegex(
        @"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z\z", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex UtcTime();
}
