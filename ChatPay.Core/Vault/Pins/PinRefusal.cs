namespace ChatPay.Core.Vault;

/// <summary>Why a PIN or passphrase is not accepted.</summary>
public enum PinRefusal
{
    /// <summary>It is accepted.</summary>
    None = 0,

    /// <summary>Nothing but spaces.</summary>
    Empty = 1,

    /// <summary>Fewer than four digits.</summary>
    TooShort = 2,

    /// <summary>Longer than anything that is looked at.</summary>
    TooLong = 3,

    /// <summary>Among the first that people choose.</summary>
    Common = 4,

    /// <summary>One digit, or one group of digits, again and again, or hardly two different ones.</summary>
    Repeated = 5,

    /// <summary>Digits that go up or down evenly.</summary>
    Sequential = 6,

    /// <summary>A day of the year, or a year of somebody's birth, in one of the ways that people write them.</summary>
    BirthdayLike = 7,

    /// <summary>Neither digits alone nor long enough for a passphrase.</summary>
    PassphraseTooShort = 8,

    /// <summary>Longer than a passphrase may be.</summary>
    PassphraseTooLong = 9,

    /// <summary>Few common words, keys in a row, or repetition.</summary>
    PassphraseCommon = 10,
}
