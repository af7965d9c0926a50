using System.CommandLine;

namespace ChatPay.LoadTest;

/// <summary>Options that refuse what is out of bounds, before anything runs.</summary>
internal static class OptionBounds
{
    public static Option<int> Whole(string name, int fallback, int min, int max, string description)
    {
        var option = new Option<int>(name)
        {
            Description = FormattableString.Invariant($"{description} {min:N0} to {max:N0}."),
            DefaultValueFactory = _ => fallback,
        };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is var value && (value < min || value > max))
            {
                result.AddError(FormattableString.Invariant($"{name} is {value}; it may be {min:N0} to {max:N0}."));
            }
        });
        return option;
    }
}
