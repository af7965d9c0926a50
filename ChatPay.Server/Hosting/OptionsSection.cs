namespace ChatPay.Server.Hosting;

/// <summary>One section of the configuration and the class it is bound to; what documents and checks every key.</summary>
internal sealed record OptionsSection(string Name, Type Type);

internal static class OptionsSectionExtensions
{
    /// <summary>
    /// Binds a section to its class. An unknown key and a value out of bounds stop the start: a setting that silently does
    /// nothing is worse than none.
    /// </summary>
    public static void AddValidatedOptions<TOptions>(this IServiceCollection services, string section)
        where TOptions : class
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddSingleton(new OptionsSection(section, typeof(TOptions)));
        services.AddOptions<TOptions>()
            .BindConfiguration(section, binder => binder.ErrorOnUnknownConfiguration = true)
            .ValidateDataAnnotations()
            .ValidateOnStart();
    }
}
