using System.Collections.Frozen;

namespace ChatPay.Core.Ledger;

/// <summary>
/// The currencies that banks' programs know: the alphabetic codes of ISO 4217 as of 2026, and those that left the list since
/// 2020, because statements of the past still name them. Not the code for no currency at all.
/// </summary>
public static class Iso4217
{
    private const string Codes =
        """
        AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF
        CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD
        GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP
        LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN
        PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS
        TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XAG XAU XBA XBB XBC XBD XCD
        XCG XDR XOF XPD XPF XPT XSU XTS XUA YER ZAR ZMW ZWG ZWL
        """;

    private static readonly FrozenSet<string> s_codes =
        Codes.Split([' ', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries).ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Whether an asset is money under a code of the standard; stock, points and tokens are not.</summary>
    public static bool IsCurrency(Asset asset)
    {
        ArgumentNullException.ThrowIfNull(asset);
        return asset.Kind == AssetKind.Currency && s_codes.Contains(asset.Code.Value);
    }
}
