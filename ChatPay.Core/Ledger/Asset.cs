namespace ChatPay.Core.Ledger;

/// <summary>What is counted: the code of a currency, or later of anything else that must not be oversold.</summary>
/// <remarks>3 to 12 characters, A to Z and 0 to 9, beginning with a letter.</remarks>
public readonly record struct AssetCode
{
    public const int MinChars = 3;
    public const int MaxChars = 12;

    private readonly string? _value;

    private AssetCode(string value) => _value = value;

    /// <summary>The code; never null, empty for <c>default</c>, which no asset has.</summary>
    public string Value => _value ?? "";

    /// <summary>Whether the text has the form of a code; whether such an asset exists is another question.</summary>
    public static bool TryParse(string? text, out AssetCode code)
    {
        var valid = text is { Length: >= MinChars and <= MaxChars } && char.IsAsciiLetterUpper(text[0]);
        for (var index = 1; valid && index < text!.Length; index++)
        {
            valid = char.IsAsciiLetterUpper(text[index]) || char.IsAsciiDigit(text[index]);
        }

        code = valid ? new AssetCode(text!) : default;
        return valid;
    }

    /// <exception cref="FormatException">The text is not a code; for configuration and stored values.</exception>
    public static AssetCode Parse(string text) =>
        TryParse(text, out var code) ? code : throw new FormatException("An asset code is 3 to 12 of A-Z and 0-9.");

    public override string ToString() => Value;
}

public enum AssetKind
{
    Currency = 1,

    /// <summary>Something counted in pieces: stock, tickets, coupons, points.</summary>
    Unit = 2,
}

/// <summary>An asset the ledger keeps accounts in.</summary>
/// <param name="Exponent">Decimals of one unit, 0 to 9: EUR 2, JPY 0, KWD 3. Never changes once money exists.</param>
public sealed record Asset(AssetCode Code, int Exponent, AssetKind Kind)
{
    public const int ExponentMax = 9;
}
